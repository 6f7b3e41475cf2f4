"""Who works, works in a thread of its own, and only one at a time: before each I/O it stops, and whoever tells the story says who goes on."""

from collections.abc import Callable
from threading import Lock, Thread
from typing import Any


class Died(BaseException):
    """The process is gone. Not an Exception: nothing catches it on the way out, and whatever it would do after that does not happen."""


class Worker:
    """One request or task on its way. `at`: the I/O before which it stands. `result`, or `error`, once it is `over`. `struck`: something failed on its way."""

    def __init__(self, name: str, work: Callable[[], Any]) -> None:
        self.name = name
        self.at = "begin"
        self.over = False
        self.dead = False
        self.struck = False
        self.result: Any = None
        self.error: BaseException | None = None
        self._work = work
        self._go, self._stopped = Lock(), Lock()
        self._go.acquire()
        self._stopped.acquire()
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def go_on(self) -> None:
        """It does what it stands before, and stands before the next I/O, or is over, when this returns."""
        self._go.release()
        self._stopped.acquire()
        if self.over:
            self._thread.join()

    def stop(self, what: str) -> None:
        """Called by the worker itself."""
        self.at = what
        self._stopped.release()
        self._go.acquire()

    def _run(self) -> None:
        self._go.acquire()
        try:
            if not self.dead:
                self.result = self._work()
        except BaseException as error:
            self.error = error
        self.over = True
        self._stopped.release()


class Turns:
    """All who are under way."""

    def __init__(self) -> None:
        self.under_way: list[Worker] = []
        self.running: Worker | None = None

    def begin(self, name: str, work: Callable[[], Any]) -> Worker:
        worker = Worker(name, work)
        self.under_way.append(worker)
        return worker

    def go_on(self, worker: Worker) -> None:
        self.running = worker
        worker.go_on()
        self.running = None
        if worker.over:
            self.under_way.remove(worker)

    def end_all(self) -> None:
        """A story that is over, or has failed, leaves no thread behind."""
        for worker in list(self.under_way):
            worker.dead = True
            while not worker.over:
                self.go_on(worker)
