"""Operations whose process is killed at one side effect after the other, and what must be true once everything has come again.

A `World` is a process with the booking and the sync function, over what outlives it: Firestore, Google and the mail server of the running platform, and
the tasks that were created. Every side effect goes through its `Fate`: a commit, a task created, a Google write, a mail. A process that dies raises
`Died`, which nothing catches, and nothing that it would have done after that happens. Then another one begins: the client who got no answer asks again,
with the same words and the same key; tasks that did not end well are delivered again; the sweep looks for what is owed. The same comes after an effect
whose answer was lost.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import Enum
from itertools import count
from typing import Any, TypeVar

import pytest
from flask import Request, Response
from google.api_core.exceptions import ServiceUnavailable
from google.cloud.firestore_v1.base_query import FieldFilter
from werkzeug.test import EnvironBuilder

from functions.adapters import clock
from functions.adapters.clock import now_millis
from functions.adapters.google_calendar import Calendars, GoogleCalendar
from functions.adapters.google_errors import Unavailable
from functions.adapters.mail import MailFailed
from functions.adapters.outbox import Dispatcher
from functions.adapters.store.documents import decode, ledger_ref
from functions.adapters.store.store import SWEEP_AFTER_MS, Reader, Store
from functions.adapters.tasks import EnqueueFailed, Task
from functions.booking import main as booking
from functions.domain.calendar import Calendar
from functions.domain.configuration import Resource
from functions.domain.decision import Decision, Ref
from functions.domain.hours import Hours, WeeklyHours
from functions.domain.instants import Millis
from functions.sync import main as sync
from functions.sync import notify, schedules
from functions.sync.claims import CLAIM_MS
from infra.local.platform import Platform
from tests.in_process import application_of
from tests.studio import DAY, Studio

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
    SENT_TWICE = "it was sent twice, and the second answer counts"  # as Google's libraries do by themselves where a connection breaks


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
            first = do()
        finally:
            if self.ending is Ending.DIES_AFTER:  # also where it was refused
                raise Died
        if self.ending is Ending.ANSWER_LOST:
            raise LOST[what.split()[0]]()
        return first if what == "mail" else do()  # SMTP sends nothing twice by itself


class World:
    """The functions in this process, and what outlives them. `fate` is that of the process which runs at the moment."""

    def __init__(self, platform: Platform, studio: Studio, patched: pytest.MonkeyPatch) -> None:
        self.studio = studio
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
            if status == 204:
                del self._tasks[name]
            return bool(status == 204)

    def restart(self) -> None:
        """Another process takes over."""
        self.fate = Fate()

    # Clients, the scheduler, time

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        """A call to the account. Who gets no answer asks again."""
        while True:
            request = _request(method, f"/v1/accounts/{self.studio.account}/{path}", body, **headers)
            try:
                answer: Response = booking._router.answer(request, self.application, now_millis())
            except Died:
                self.restart()
                continue
            if answer.status_code == 503 and self.fate.met:
                continue
            assert answer.status_code < 400, f"{method} {path}: {answer.get_data(as_text=True)}"
            return dict(answer.get_json())

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
        outbox = self.application.store.client.collection(f"accounts/{self.studio.account}/outbox")
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
def world_of(platform: Platform, studio: Studio, resources: int) -> Iterator[World]:
    """With so many resources, all of which the connected calendar blocks and gets the events of. Google tells nobody what happens there: the only
    processes are those of the world.
    """
    with pytest.MonkeyPatch.context() as patched, studio.pushes(drop=1.0):
        world = World(platform, studio, patched)
        _furnish(world, [f"r{number}" for number in range(resources)])
        yield world


def _furnish(world: World, names: list[str]) -> None:
    calendar = world.studio.calendar

    def attempt(reader: Reader) -> Decision[None]:
        known = reader.get(Ref(Calendar, calendar))
        assert known is not None
        links = {
            "resources": (*known.resources, *names),
            "destination_for": (*known.destination_for, *names),
            "projected": known.projected | dict.fromkeys(names, known.horizon),  # it is empty: all of it is known
        }
        made = (
            Resource(id=name, name="Anna", hours=HOURS, blocked_by=(calendar,), destination=calendar) for name in names
        )
        return Decision(answer=None, documents=(known.model_copy(update=links), *made))

    world.application.store.run(world.studio.account, attempt)


@dataclass
class Run:
    """One time that an operation runs, with a resource, a service and clients of its own."""

    world: World
    number: int
    keys: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.world.later = 0
        self.world.restart()

    @property
    def resource(self) -> str:
        return f"r{self.number}"

    @property
    def service(self) -> str:
        return f"s{self.number}"

    def email(self, client: str) -> str:
        return f"{client}{self.number}@{self.world.studio.account}.example"

    def offer(self, **more: Any) -> None:
        service = {"name": "Consultation", "duration_minutes": 30, "step_minutes": 30, "resources": [self.resource]}
        self.operator("PUT", f"services/{self.service}", service | more)

    def operator(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        return self.world.ask(method, path, body, Authorization=f"Bearer {self.world.studio.api_key}")

    def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A client's call that makes something, with a key by which it is known when it comes again."""
        key = {"Idempotency-Key": f"{self.number}/{next(self.keys)}"}
        return self.world.ask("POST", path, {"service": self.service, **body}, **key)

    def book(self, hour: int = 9, client: str = "kim", **more: Any) -> dict[str, Any]:
        return self.create("bookings", {"start": self.at(hour), **self.who(client), **more})

    def hold(self, hour: int = 9) -> dict[str, Any]:
        return self.create("holds", {"start": self.at(hour)})

    def who(self, client: str = "kim") -> dict[str, Any]:
        return {"client": {"name": client.title(), "email": self.email(client)}}

    def does(self, made: Mapping[str, Any], verb: str, body: Any = None) -> dict[str, Any]:
        """What the client whose booking it is does to it."""
        token = {"Authorization": f"Bearer {made['manage_token']}"}
        return self.world.ask("POST", f"bookings/{made['id']}/{verb}", {} if body is None else body, **token)

    @staticmethod
    def at(hour: int) -> str:
        return f"{DAY}T{hour:02}:00:00Z"

    # What everybody sees in the end

    def story(self) -> dict[str, Any]:
        """All that the operation left behind, for whoever looks: documents, events, mails, history. Ids by what they name, less what differs by nature."""
        sessions = self._stored("sessions", "service", self.service)
        bookings = self._stored("bookings", "service", self.service)
        told = {
            "configuration": [self._document(f"resources/{self.resource}"), self._document(f"services/{self.service}")],
            "sessions": sessions,
            "bookings": bookings,
            "ledger": self._ledger(),
            "outbox": self._outbox({each["id"] for each in (*sessions, *bookings)}),
            "history": self._history(),
            "events": [event for session in sessions for event in self._events(session["id"])],
            "mails": self._mails(),
        }
        return dict(_Telling(self, sessions, bookings).of(told))

    def repeated_mails(self) -> int:
        """How many mails came more than once, as their Message-IDs tell."""
        ids = [
            mail["message_id"] for client in ("kim", "lee") for mail in self.world.studio.messages(self.email(client))
        ]
        return len(ids) - len(set(ids))

    def _stored(self, collection: str, field_: str, value: str) -> list[dict[str, Any]]:
        found = self._where(collection, field_, value).values()
        return sorted(found, key=lambda each: (each["created_at"], each["start"]))

    def _where(self, collection: str, field_: str, value: str) -> dict[str, dict[str, Any]]:
        query = self._collection(collection).where(filter=FieldFilter(field_, "==", value))
        return {snapshot.id: snapshot.to_dict() for snapshot in query.stream()}

    def _document(self, path: str) -> Any:
        found: Any = self.world.studio.store.client.document(f"accounts/{self.world.studio.account}/{path}").get()
        return found.to_dict()

    def _collection(self, path: str) -> Any:
        return self.world.studio.store.client.collection(f"accounts/{self.world.studio.account}/{path}")

    def _ledger(self) -> list[Any]:
        months = self._collection(f"resources/{self.resource}/months").stream()
        decoded = (decode(ledger_ref(self.resource, month.id), month.to_dict()) for month in months)
        entries = [asdict(entry) for month in decoded for entry in month.sessions.values()]
        return sorted(entries, key=lambda entry: (entry["start"], entry["session"]))

    def _outbox(self, subjects: set[str]) -> list[Any]:
        records = (snapshot.to_dict() for snapshot in self._collection("outbox").stream())
        return [[each["kind"], each["subject"], each["about"]] for each in records if each["subject"] in subjects]

    def _history(self) -> list[Any]:
        of_resource = self._where("history", "resource", self.resource)
        found = of_resource | self._where("history", "service", self.service)
        return sorted(found.values(), key=lambda entry: (entry["at"], entry["place"]))

    def _events(self, session: str) -> list[dict[str, Any]]:
        seen = ("status", "summary", "description", "start", "end", "attendees", "extendedProperties", "transparency")
        events = self.world.studio.person.events(privateExtendedProperty=f"bookingSession={session}")
        return [{name: event.get(name) for name in seen} for event in events]

    def _mails(self) -> dict[str, list[str]]:
        """Subjects, in order, by who got them. A mail that came twice is one mail: it has one Message-ID, by which a program knows it."""
        return {
            client: [
                *{
                    mail["message_id"]: mail["subject"] for mail in self.world.studio.messages(self.email(client))
                }.values()
            ]
            for client in ("kim", "lee")
        }


class _Telling:
    """Names instead of ids, and nothing that is another each time by its nature."""

    DIFFERS = frozenset({"created_at", "at", "manage_hash", "etag", "expires_at", "since"})

    def __init__(self, run: Run, sessions: Iterable[Any], bookings: Iterable[Any]) -> None:
        self._names = {run.resource: "the resource", run.service: "the service"}
        for number, session in enumerate(sessions, start=1):
            self._names[session["id"]] = f"session {number}"
            self._names |= {copy["event"]: f"event of session {number}" for copy in session["copies"].values()}
        self._names |= {each["id"]: f"booking {number}" for number, each in enumerate(bookings, start=1)}
        self._names |= {run.email(client): f"{client}'s address" for client in ("kim", "lee")}
        self._client_keys = {each["client_key"]: "who it is" for each in bookings if each["client_key"]}

    def of(self, told: Any) -> Any:
        if isinstance(told, Mapping):
            return {
                self.of(name): value is not None if name in self.DIFFERS else self.of(value)
                for name, value in sorted(told.items())
                if name not in ("id", "place")
            }
        if isinstance(told, list | tuple):
            return [self.of(each) for each in told]
        if isinstance(told, str):
            if told in self._client_keys:
                return self._client_keys[told]
            if told in self._names:
                return self._names[told]
            for id_, name in self._names.items():
                if "@" in id_:
                    told = told.replace(id_, name)
        return told
