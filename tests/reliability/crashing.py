"""Operations whose process is killed at one side effect after the other, and what must be true once everything has come again.

A `World` is a process with the booking and the sync function, over what outlives it: Firestore, Google and the mail server of the running platform, and
the tasks that were created. Every side effect goes through its `Fate`: a commit, a task created, a Google write, a mail. A process that dies raises
`Died`, which nothing catches, and nothing that it would have done after that happens. Then another one begins: the client who got no answer asks again,
with the same words and the same key; tasks that did not end well are delivered again; the sweep looks for what is owed. The same comes after an effect
whose answer was lost.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from itertools import count
from typing import Any, TypeVar

import pytest
from flask import Request, Response
from google.api_core.exceptions import ServiceUnavailable
from werkzeug.test import EnvironBuilder

from functions.adapters import clock
from functions.adapters.clock import now_millis
from functions.adapters.google_calendar import Calendars, GoogleCalendar
from functions.adapters.google_errors import Unavailable
from functions.adapters.mail import MailFailed
from functions.adapters.outbox import Dispatcher
from functions.adapters.store.committing import SWEEP_AFTER_MS
from functions.adapters.store.store import Reader, Store
from functions.adapters.tasks import EnqueueFailed, Task
from functions.booking import main as booking
from functions.domain.calendar import Calendar
from functions.domain.configuration import Resource
from functions.domain.decision import Decision, Ref
from functions.domain.hours import Hours, WeeklyHours
from functions.domain.instants import Millis
from functions.domain.waitlist.preset import Preset
from functions.sync import main as sync
from functions.sync import notify, schedules
from functions.sync.claims import CLAIM_MS
from infra.local.platform import Platform
from tests.in_process import application_of
from tests.studio import Studio

T = TypeVar("T")

GOOGLE_WRITES = ("insert", "patch", "delete")
SWEEPS = 5  # as many as may be needed until nothing is owed any more
HOURS = Hours(time_zone="UTC", weekly=(WeeklyHours(days=(1, 2, 3, 4, 5, 6, 7), start="09:00", end="17:00"),))


class Died(BaseException):
    """The process is gone. Not an Exception: nothing catches it on the way out."""


class Ending(Enum):
    """What becomes of a side effect, and of the process that has it."""

    DIES_BEFORE = "it dies before"
    DIES_AFTER = "it dies after"
    ANSWER_LOST = "it took place, and the answer is an error"
    SENT_TWICE = "it was sent twice, and the second answer counts"  # as Google's libraries do where a connection breaks


LOST: Mapping[str, Callable[[], Exception]] = {
    "commit": lambda: ServiceUnavailable("the answer was lost"),
    "task": lambda: EnqueueFailed("the answer was lost"),
    "google": lambda: Unavailable("the answer was lost"),
    "mail": lambda: MailFailed("the answer was lost"),
}


@dataclass
class Fate:
    """Of one process: its `at`-th side effect ends so; none does where there are fewer, or `at` is 0."""

    at: int = 0
    ending: Ending = Ending.DIES_BEFORE
    met: bool = False
    effects: list[str] = field(default_factory=list)
    ends: set[int] = field(default_factory=set)  # after how many effects a request or a task was done with

    @property
    def dead(self) -> bool:
        return self.met and self.ending in (Ending.DIES_BEFORE, Ending.DIES_AFTER)

    def __call__(self, what: str, do: Callable[[], T]) -> T:
        if self.dead:
            raise Died
        if not self.met:
            self.effects.append(what)
        if self.met or len(self.effects) != self.at:
            return do()
        self.met = True
        if self.ending is Ending.DIES_BEFORE:
            raise Died
        try:
            do()
        finally:
            if self.ending is Ending.DIES_AFTER:  # also where it was refused
                raise Died
        if self.ending is Ending.ANSWER_LOST:
            raise LOST[what.split()[0]]()
        return do()

    def rest(self) -> None:
        """A request or a task is done with."""
        if not self.met:
            self.ends.add(len(self.effects))

    def points(self, *, lives: bool) -> Iterator[tuple[int, Ending]]:
        """All that is worth trying with a process that had these side effects: where it died before the next one it died after this one, unless something else
        began in between. `lives`: also what it lives through.
        """
        for at, what in enumerate(self.effects, start=1):
            yield at, Ending.DIES_BEFORE
            if at in self.ends:
                yield at, Ending.DIES_AFTER
            if not lives:
                continue
            yield at, Ending.ANSWER_LOST
            if what.startswith(("commit", "google")):
                yield at, Ending.SENT_TWICE


class World:
    """The functions in this process, and what outlives them. `fate` is that of the process which runs at the moment."""

    def __init__(self, platform: Platform, studio: Studio, patched: pytest.MonkeyPatch) -> None:
        self.studio = studio
        self.person = studio.person.calendar
        self.fate = Fate()
        self.later: Millis = 0  # how far the functions' clock is ahead
        self._tasks: dict[str, Task] = {}
        self._names: set[str] = set()  # of all tasks there ever were: Cloud Tasks makes none twice
        self.application = application_of(platform)
        client = self.application.store.client
        self._tap(client._firestore_api)
        real = self.application.calendars
        self.application.__dict__ |= {
            "store": Store(client, Dispatcher(self)),  # type: ignore[arg-type]
            "tasks": self,
            "calendars": _Calendars(real, self),
        }
        send = notify.send
        patched.setattr(notify, "send", lambda *message: self.fate("mail", lambda: send(*message)))
        patched.setattr(clock, "time", self)

    def time_ns(self) -> int:
        return time.time_ns() + self.later * 1_000_000

    def _tap(self, api: Any) -> None:
        commit = api.commit
        api.commit = lambda *request, **more: self.fate("commit", lambda: commit(*request, **more))

    # Cloud Tasks

    def create(self, task: Task) -> None:
        self.fate("task", lambda: self._enqueue(task))

    def _enqueue(self, task: Task) -> None:
        if task.name not in self._names:
            self._names.add(task.name)
            self._tasks[task.name] = task

    def deliver(self) -> None:
        """Runs the tasks whose time has come, and again those that failed, until none is left or none gets any further."""
        while due := [name for name, task in self._tasks.items() if (task.not_before_ms or 0) <= now_millis()]:
            done = [self._delivered(name) for name in due]
            if not any(done):
                return

    def _delivered(self, name: str) -> bool:
        task = self._tasks[name]
        if task.body["account"] != self.studio.account:
            del self._tasks[name]  # another test's: the sweep sees all accounts
            return True
        request = _request("POST", f"/tasks/{task.kind}", task.body)
        while True:
            try:
                _, status = sync._run_task(task.kind, request, self.application)  # type: ignore[misc]
            except Died:
                self.restart()
                continue
            self.fate.rest()
            if status == 204:
                del self._tasks[name]
            return bool(status == 204)

    def restart(self) -> None:
        """Another process takes over."""
        self.fate = Fate()

    def begin(self) -> None:
        """Now is now. What earlier runs have left for a time that lies ahead is none of the next one's business."""
        self.later = 0
        self._tasks.clear()
        self.restart()

    # Clients, the scheduler, time

    def ask(self, method: str, path: str, body: Any = None, *, once: bool = False, **headers: str) -> dict[str, Any]:
        """A call to the account. Who gets no answer asks again. `once`: what is done can't be done again; who asks again is told so, with a 409."""
        for tries in count(1):
            request = _request(method, f"/v1/accounts/{self.studio.account}/{path}", body, **headers)
            try:
                answer: Response = booking._router.answer(request, self.application, now_millis())
            except Died:
                self.restart()
                continue
            self.fate.rest()
            if answer.status_code == 503 and self.fate.met:
                continue
            if answer.status_code == 409 and once and tries > 1:
                return {}
            assert answer.status_code < 400, f"{method} {path}: {answer.get_data(as_text=True)}"
            return dict(answer.get_json())
        raise AssertionError("nobody gives up")

    def settle(self) -> None:
        """Time passes and the sweep runs, until nothing is owed any more."""
        self.deliver()
        for _ in range(SWEEPS):
            if not self._owed():
                return
            self.later += max(SWEEP_AFTER_MS, CLAIM_MS) + 1
            try:
                schedules.minute(self.application)
            except Died:
                self.restart()
            self.deliver()
        raise AssertionError(f"still owed: {self._owed()}; waiting: {list(self._tasks.values())}")

    def _owed(self) -> list[Any]:
        """What has to be done now, and not at a time that lies ahead."""
        outbox = self.studio.store.client.collection(f"accounts/{self.studio.account}/outbox")
        records = [snapshot.to_dict() for snapshot in outbox.stream()]
        return [record for record in records if (record["not_before"] or 0) <= now_millis()]


class _Calendars:
    """Google, as far as a process that may die gets to it."""

    def __init__(self, real: Calendars, world: World) -> None:
        self._real, self._world = real, world

    def open(self, *connection: Any) -> Any:
        return _Calendar(self._real.open(*connection), self._world)


class _Calendar:
    def __init__(self, real: GoogleCalendar, world: World) -> None:
        self._real, self._world = real, world

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._real, name)
        if name not in GOOGLE_WRITES:
            return call
        return lambda *body, **more: self._world.fate(f"google {name}", lambda: call(*body, **more))


def _request(method: str, path: str, body: Any, **headers: str) -> Request:
    data = b"" if body is None else json.dumps(body).encode()
    builder = EnvironBuilder(path, method=method, data=data, headers=headers, content_type="application/json")
    return Request(builder.get_environ())


@contextmanager
def world_of(platform: Platform, studio: Studio, runs: int) -> Iterator[World]:
    """For so many runs, each with a resource whose events go to the connected calendar, and one that has no calendar. Google tells nobody what happens
    there: the only processes are those of the world.
    """
    with pytest.MonkeyPatch.context() as patched, studio.pushes(drop=1.0):
        world = World(platform, studio, patched)
        _furnish(world, runs)
        yield world


def _furnish(world: World, runs: int) -> None:
    calendar, linked = world.studio.calendar, [f"in{number}" for number in range(runs)]
    links: dict[str, Any] = {"blocked_by": (calendar,), "destination": calendar}

    def attempt(reader: Reader) -> Decision[None]:
        known = reader.get(Ref(Calendar, calendar))
        assert known is not None
        linking = {
            "resources": (*known.resources, *linked),
            "destination_for": (*known.destination_for, *linked),
            "projected": {**known.projected, **dict.fromkeys(linked, known.horizon)},  # it is empty: all of it is known
        }
        made = (
            *(Resource(id=name, name="Anna", hours=HOURS, **links) for name in linked),
            *(Resource(id=f"off{number}", name="Anna", hours=HOURS) for number in range(runs)),
            *(Preset(id=mode, name=mode, mode=mode) for mode in ("manual", "autopromote")),
        )
        return Decision(answer=None, documents=(known.model_copy(update=linking), *made))

    world.application.store.run(world.studio.account, attempt)
