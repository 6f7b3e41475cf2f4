"""Cloud Tasks in memory: tasks wait for their time, and a name is made once. When one is delivered, how often and in which order is the story's."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from functions.adapters.tasks import Task

Io = Callable[[str, Callable[[], Any]], Any]


@dataclass
class Waiting:
    task: Task
    due: int  # milliseconds
    failures: int = 0


@dataclass
class Tasks:
    """Stands where `adapters.tasks.Tasks` does."""

    io: Io
    now: Callable[[], int]
    waiting: list[Waiting] = field(default_factory=list)
    done: list[Task] = field(default_factory=list)  # may be delivered again: at least once is all that is promised
    _names: set[str] = field(default_factory=set)

    def create(self, task: Task) -> None:
        self.io(f"task {task.kind}", lambda: self._create(task))

    def _create(self, task: Task) -> None:
        if task.name not in self._names:
            self._names.add(task.name)
            self.waiting.append(Waiting(task, max(self.now(), task.not_before_ms or 0)))

    @property
    def every(self) -> list[Task]:
        """That there ever was."""
        return [*self.done, *(waiting.task for waiting in self.waiting)]

    def due(self) -> list[Waiting]:
        now = self.now()
        return [waiting for waiting in self.waiting if waiting.due <= now]

    def took(self, waiting: Waiting, *, well: bool, backoff_ms: int) -> None:
        """A delivery has ended."""
        if not well:
            waiting.failures += 1
            waiting.due = self.now() + backoff_ms
        elif waiting in self.waiting:
            self.waiting.remove(waiting)
            self.done.append(waiting.task)
