"""What there is before a story begins: a business with its people in Google, connected, pulled and watched."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import cache
from types import MappingProxyType
from typing import Any

import pytest
from flask import Request, Response
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from functions.adapters import google_calendar, oauth
from functions.adapters.clock import now_millis
from functions.adapters.composition import Application
from functions.adapters.outbox import Dispatcher
from functions.adapters.settings import Settings, read_settings
from functions.adapters.store.store import Store
from functions.adapters.sync_function import FOR_A_SALE
from functions.adapters.tasks import Task
from functions.booking import freshness
from functions.booking import main as booking
from functions.booking.bootstrap import bootstrap
from functions.domain.calendar import Connection
from functions.domain.decision import Decision, Effect, Ref
from functions.domain.scopes import SCOPES
from functions.sync import main as sync
from functions.sync import notify
from functions.sync.discover import calendar_id
from functions.webhook.notifications import receive
from infra.local.google import people
from infra.local.google.grants import InvalidGrant
from tests.reliability.simulation import firestore, google
from tests.reliability.simulation.chance import Clock
from tests.reliability.simulation.tasks import Tasks

ACCOUNT = "studio"
DOMAIN = "studio.example"
ANNA, BEN, CAROL = (f"{name}@{DOMAIN}" for name in ("anna", "ben", "carol"))
KIM, LEE = f"kim@{DOMAIN}", "lee@elsewhere.example"  # clients; Kim has a Google account, so that invitations reach her
PRIVATE, ROOM = "private@group.calendar.google.com", "room@group.calendar.google.com"
# Through whose connection we reach which calendar.
WHO_READS = {ANNA: ANNA, PRIVATE: ANNA, ROOM: ANNA, BEN: BEN}
KEYS = "one:" + "A" * 43

Io = Callable[[str, Callable[[], Any]], Any]


def settings() -> Settings:
    return read_settings(
        {
            "GOOGLE_CLOUD_PROJECT": firestore.PROJECT,
            "TASKS_SERVICE_ACCOUNT": "tasks@simulated.example",
            "BOOKING_SERVICE_ACCOUNT": "booking@simulated.example",
            "GOOGLE_CALENDAR_ENDPOINT": f"{google.ADDRESS}/calendar/v3/",
            "GOOGLE_OAUTH_TOKEN_URL": f"{google.ADDRESS}/token",
            "GOOGLE_CLIENT_ID": google.CLIENT.id,
            "GOOGLE_CLIENT_SECRET": google.CLIENT.secret,
            "BOOKING_URL": "https://booking.example",
            "WEBHOOK_URL": "https://webhook.example",
            "SYNC_URL": "https://sync.example",
            "TOKEN_KEYS": KEYS,
            "SIGNING_KEYS": KEYS,
            "MAIL_URL": "smtp://mail.example",
            "MAIL_FROM": f"studio@{DOMAIN}",
        }
    )


@dataclass
class Business:
    """The functions in this process, and everything that they talk to."""

    clock: Clock
    application: Application
    store: Store
    world: google.World
    wire: google.Wire
    tasks: Tasks
    rules: Mapping[str, str]  # of every service: what follows from what people do in Google
    mails: list[EmailMessage] = field(default_factory=list)
    api_key: str = ""
    calendars: dict[str, str] = field(default_factory=dict)  # ours, by Google's id
    connections: dict[str, str] = field(default_factory=dict)  # ours, by the person's address

    # The functions, each called as its entry point would

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Response:
        request = _request(method, f"/v1/accounts/{ACCOUNT}/{path}", body, **headers)
        return booking._router.answer(request, self.application, now_millis())

    def as_operator(self, method: str, path: str, body: Any = None, **headers: str) -> Response:
        return self.ask(method, path, body, Authorization=f"Bearer {self.api_key}", **headers)

    def run(self, task: Task) -> int:
        """The status with which the sync function answers."""
        request = _request("POST", f"/tasks/{task.kind}", dict(task.body))
        _, status = sync._run_task(task.kind, request, self.application)  # type: ignore[misc]
        return int(status)

    def fire(self, schedule: str) -> int:
        _, status = sync._run_schedule(schedule, self.application)  # type: ignore[misc]
        return int(status)

    def notified(self, push: google.Push) -> int:
        answer = receive("POST", Headers(dict(push.headers)), self.application, now_millis())
        return int(answer.status_code)  # type: ignore[union-attr]

    # What is there from the beginning

    def furnish(self) -> None:
        for email in (ANNA, BEN, CAROL, KIM):
            name = email.partition("@")[0].title()
            self.world.add_person(email=email, password="x", name=name, time_zone="Europe/Berlin")
        anna, carol = self.world.people.get(ANNA), self.world.people.get(CAROL)
        self.world.add_calendar(owner=anna, summary="Private", calendar_id=PRIVATE)
        self.world.add_calendar(owner=carol, summary="Room", calendar_id=ROOM)
        self.let_into_the_room("writer")
        self.world.list_calendar(ANNA, ROOM)
        self.world.commit()
        self.api_key = bootstrap(self.store, account=ACCOUNT, name="Studio", time_zone="UTC", may_exist=False)
        self._offer()
        for email in (ANNA, BEN):
            self._connect(email)
        self.settle()
        links = {
            ANNA: (["anna"], ["anna"]),
            PRIVATE: (["anna"], []),
            BEN: (["ben"], ["ben"]),
            ROOM: (["room"], ["room"]),
        }
        for google_id, (blocks, destination_for) in links.items():
            connection = self.connections[BEN if google_id == BEN else ANNA]
            self.calendars[google_id] = calendar_id(connection, google_id)
            body = {"blocks": blocks, "destination_for": destination_for}
            self._set("PUT", f"calendars/{self.calendars[google_id]}", body)
        self.settle()
        self.world.pushes.clear()

    def granted(self, email: str) -> str:
        """A refresh token of that person's, for us."""
        return self.world.grants.issue_refresh(email, google.CLIENT.id, SCOPES)

    def is_shut_out(self, email: str) -> bool:
        """Whether the grant that we have of that person's is good no more, whether we know it or not."""
        connection = self.store.get(ACCOUNT, Ref(Connection, self.connections[email]))
        assert connection is not None
        token = self.application.vault.open(connection.secret, connection=connection.id)
        try:
            self.world.grants.refresh(token, client_id=google.CLIENT.id)
        except InvalidGrant:
            return True
        return False

    def let_into_the_room(self, role: str) -> None:
        """Its owner says what Anna may do there, through whose connection we reach it."""
        self.world.give_role(self.world.calendars.get(ROOM), {"type": "user", "value": ANNA}, role)
        self.world.commit()

    def hours(self, resource: str, *, until: str = "13:00") -> dict[str, Any]:
        """A short day, so that much happens at the same time."""
        weekly = [{"days": [1, 2, 3, 4, 5, 6, 7], "start": "09:00", "end": until}]
        return {"name": resource.title(), "time_zone": "UTC", "hours": weekly}

    def _offer(self) -> None:
        for resource in ("anna", "ben", "room"):
            self._set("PUT", f"resources/{resource}", self.hours(resource))
        self._set("PUT", "presets/next", {"name": "Next", "mode": "autopromote"})
        services = {
            "consult": {"duration_minutes": 30, "step_minutes": 30, "resources": ["anna", "ben"]},
            "duo": {"duration_minutes": 60, "step_minutes": 30, "resources": ["anna", "room"], "assignment": "all"},
            "group": {
                "duration_minutes": 60,
                "step_minutes": 60,
                "resources": ["ben"],
                "capacity": 2,
                "waitlist": "next",
            },
        }
        for name, body in services.items():
            self._set("PUT", f"services/{name}", {"name": name.title(), **body, **self.rules})

    def _connect(self, email: str) -> None:
        """As a consent does."""
        connection = self.connections[email] = email.partition("@")[0] + "s"
        made = Connection(
            id=connection,
            status="active",
            subject=self.world.people.get(email).sub,
            email=email,
            scopes=tuple(SCOPES),
            secret=self.application.vault.seal(self.granted(email), connection=connection),
            connected_at=now_millis(),
        )
        effects = (Effect(kind="discover", subject=connection),)
        self.store.run(ACCOUNT, lambda reader: Decision(answer=None, documents=(made,), effects=effects))

    def _set(self, method: str, path: str, body: Any) -> None:
        answer = self.as_operator(method, path, body)
        assert answer.status_code < 300, answer.get_data(as_text=True)

    def settle(self) -> None:
        """Everything that is due is done, in its order and without trouble."""
        while due := self.tasks.due():
            for waiting in due:
                self.tasks.took(waiting, well=self.run(waiting.task) == 204, backoff_ms=1000)


@contextmanager
def business(
    clock: Clock, io: Io, committed: firestore.Committed, rules: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Business]:
    """A furnished one. While the block runs, its clock and its mail are those of `functions`."""
    application = Application(settings())
    world = google.World(clock)
    wire = google.Wire(world, io)
    tasks = Tasks(io, lambda: clock.millis)
    made = Business(clock, application, _store(clock, io, committed, tasks), world, wire, tasks, rules)
    application.__dict__ |= {"store": made.store, "tasks": tasks, "sync_function": _AtOnce(made)}
    application.__dict__ |= {"people_certificates": google.certificates()}
    application.calendars._api = _api()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(google_calendar, "httplib2", google.library_with(wire))
        patched.setattr(oauth, "requests", google.oauth_library_with(wire))
        patched.setattr(freshness, "time", _Waiting(io))
        patched.setattr(people, "_hash", lambda password, salt=None: password)  # slow on purpose, and nobody signs in
        patched.setattr(notify, "send", lambda message, _: io("mail", lambda: made.mails.append(message)))
        made.furnish()
        yield made


@dataclass
class _AtOnce:
    """The sync function as the booking function calls it for a sale: here in its place, one calendar after the other."""

    business: Business

    def pull(self, account: str, calendars: Collection[str], **_: Any) -> None:
        for calendar in calendars:
            self.business.run(Task(kind="pull", name="", body=_for_a_sale(account, calendar)))


def _for_a_sale(account: str, calendar: str) -> dict[str, str]:
    return {"account": account, "subject": calendar, "about": FOR_A_SALE}


@dataclass
class _Waiting:
    """Who waits for another worker's pull: it may go on meanwhile, and the two seconds pass by looks, not by the story's clock."""

    io: Io
    waited: float = 0.0

    def monotonic(self) -> float:
        return self.waited

    def sleep(self, seconds: float) -> None:
        self.waited += seconds
        self.io("wait", lambda: None)


@cache
def _api() -> Any:
    """The library's own methods, made once a process."""
    return Application(settings()).calendars._built()


class _NoLines:
    """Writers of one instance stand in line only to save work; here a story says who goes first."""

    @contextmanager
    def turn(self, account: str) -> Iterator[None]:
        yield

    def collided(self, account: str) -> None: ...


def _store(clock: Clock, io: Io, committed: firestore.Committed, tasks: Tasks) -> Store:
    made = Store(firestore.client(clock, io, committed), Dispatcher(tasks))  # type: ignore[arg-type]
    made._lines = _NoLines()  # type: ignore[assignment]
    return made


def _request(method: str, path: str, body: Any, **headers: str) -> Request:
    data = b"" if body is None else json.dumps(body).encode()
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    builder = EnvironBuilder(path, method=method, data=data, headers=sent, content_type="application/json")
    return Request(builder.get_environ())
