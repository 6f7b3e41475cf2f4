"""A business in the running platform, as its clients, its operator and its person in Google Calendar see it: everything over HTTP.

Each test has a studio of its own (account, Google user, resource `anna`, service `consult`), so tests share nothing but the processes.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import requests
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build

from functions.adapters.store.documents import ledger_refs_of
from functions.adapters.store.store import Store
from functions.booking.bootstrap import bootstrap
from functions.domain.decision import Ref
from functions.domain.scopes import SCOPES
from functions.domain.session import Booking, Session
from functions.domain.waitlist.entry import WaitlistEntry
from infra.local.addresses import Addresses
from tests.conforming import held_to_the_document

T = TypeVar("T")

DEADLINE_S = 30.0
# Far enough ahead for notice, near enough for the booking window, and a whole open day in every zone used here.
DAY = datetime.now(UTC).date() + timedelta(days=7)


class NeverHappened(AssertionError):
    """What a test waited for did not come within its deadline."""


def until(
    condition: Callable[[], T | bool | None], *, nudge: Callable[[], object] = lambda: None, within: float = DEADLINE_S
) -> T:
    """Asks until the answer is truthy; the last answer is in the message where it never was. `nudge` is called between two looks."""
    deadline = time.monotonic() + within
    answer: Any = None
    while time.monotonic() < deadline:
        answer = condition()
        if answer:
            return answer
        nudge()
        time.sleep(0.02)  # between two looks at a condition, not a wait for something to have happened
    raise NeverHappened(f"not within {within} s; last answer: {answer!r}")


@dataclass
class Person:
    """A Google user with a calendar program of their own: the real client library, as any program of theirs would use it."""

    email: str
    refresh_token: str = field(repr=False)
    addresses: Addresses
    client_id: str
    client_secret: str = field(repr=False)

    @property
    def calendar(self) -> Any:
        credentials = Credentials(
            None,
            refresh_token=self.refresh_token,
            token_uri=f"{self.addresses.google}/token",
            client_id=self.client_id,
            client_secret=self.client_secret,
        )
        endpoint = {"api_endpoint": f"{self.addresses.google}/calendar/v3/"}
        return build("calendar", "v3", credentials=credentials, static_discovery=True, client_options=endpoint)

    def events(self, **query: Any) -> list[dict[str, Any]]:
        return list(self.calendar.events().list(calendarId=self.email, **query).execute()["items"])

    def add(self, start: str, end: str, **more: Any) -> dict[str, Any]:
        return self.add_event(start={"dateTime": start}, end={"dateTime": end}, **more)

    def add_event(self, **body: Any) -> dict[str, Any]:
        return dict(self.calendar.events().insert(calendarId=self.email, body={"summary": "Private", **body}).execute())

    def move(self, event: str, start: str, end: str) -> dict[str, Any]:
        return self.change(event, start={"dateTime": start}, end={"dateTime": end})

    def change(self, event: str, **fields: Any) -> dict[str, Any]:
        return dict(self.calendar.events().patch(calendarId=self.email, eventId=event, body=fields).execute())

    def move_over(self, event: str, to: str) -> None:
        """To another calendar."""
        self.calendar.events().move(calendarId=self.email, eventId=event, destination=to).execute()

    def delete(self, event: str) -> None:
        self.calendar.events().delete(calendarId=self.email, eventId=event).execute()


@dataclass
class Studio:
    addresses: Addresses
    account: str
    api_key: str = field(repr=False)
    person: Person
    store: Store = field(repr=False)
    http: requests.Session = field(default_factory=held_to_the_document)
    calendar: str = ""  # our id of the person's calendar, once it is connected

    @property
    def base(self) -> str:
        return f"{self.addresses.booking}/v1/accounts/{self.account}"

    @property
    def client_email(self) -> str:
        return f"kim@{self.account}.example"

    @property
    def operator(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.api_key}"}

    # What the operator does

    def put(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return _ok(self.http.put(f"{self.base}/{path}", json=body, headers=self.operator))

    def look(self, path: str, **query: Any) -> dict[str, Any]:
        return _ok(self.http.get(f"{self.base}/{path}", params=query, headers=self.operator))

    def open(
        self,
        *,
        start: str = "09:00",
        end: str = "17:00",
        zone: str = "Europe/Berlin",
        resource: str = "anna",
        **more: Any,
    ) -> None:
        hours = [{"days": [1, 2, 3, 4, 5, 6, 7], "start": start, "end": end}]
        self.put(f"resources/{resource}", {"name": resource.title(), "time_zone": zone, "hours": hours} | more)

    def offer(self, service: str = "consult", **more: Any) -> None:
        body = {"name": "Consultation", "duration_minutes": 30, "step_minutes": 30, "resources": ["anna"]}
        self.put(f"services/{service}", body | more)

    def import_holidays(
        self, file: bytes, *, resource: str = "anna", content_type: str = "text/calendar"
    ) -> requests.Response:
        headers = {**self.operator, "Content-Type": content_type}
        return self.http.post(f"{self.base}/resources/{resource}/holidays", data=file, headers=headers)

    def schedule(self, start: str, *, minutes: int, **more: Any) -> str:
        """One session; its id."""
        (session,) = self.schedule_all(start, duration_minutes=minutes, **more)
        return str(session["id"])

    def schedule_all(self, start: str, **more: Any) -> list[dict[str, Any]]:
        return list(_ok(self.try_to_schedule(start, **more))["sessions"])

    def try_to_schedule(
        self, start: str, *, resource: str | None = None, key: str | None = None, **more: Any
    ) -> requests.Response:
        named = {} if resource is None else {"resources": [resource]}
        headers = {**self.operator, **({"Idempotency-Key": key} if key else {})}
        return self.post("sessions", {"start": start, **named, **more}, **headers)

    def change_session(self, session: str, **changes: Any) -> requests.Response:
        return self.http.patch(f"{self.base}/sessions/{session}", json=changes, headers=self.operator)

    def lose_sight(self) -> None:
        """The calendar was read last so long ago that nobody can say what is in it, and nobody reads it now."""
        self.hold_off_pulls(last_success_at=0)

    def hold_off_pulls(self, **more: Any) -> int:
        """A lease keeps whoever reads the calendar now, or would, from telling; its fence. `more`: what else the document says from now on."""
        calendar = self.store.client.document(f"accounts/{self.account}/calendars/{self.calendar}")
        hour = int(time.time() * 1000) + 3_600_000
        fence = 1_000_000
        lease = {"holder": "nobody", "fence": fence, "expires_at": hour}
        calendar.update({"next_poll_at": hour, "lease": lease, **more})
        return fence

    def connect(self) -> str:
        """Connects the person's account with a grant they gave, and makes their calendar block and receive anna's time."""
        body = {"email": self.person.email, "refresh_token": self.person.refresh_token}
        made = _ok(self.http.post(f"{self.base}/connections/grants", json=body, headers=self.operator))
        self.use_calendar(made["id"])
        return str(made["id"])

    def join_in(self, resource: str) -> Person:
        """Another person, who grants access to their own Google account; their calendar blocks and receives that resource's time."""
        me = self.person
        person = new_person(
            self.addresses, f"{resource}@{self.account}.example", client_id=me.client_id, client_secret=me.client_secret
        )
        body = {"email": person.email, "refresh_token": person.refresh_token}
        made = _ok(self.http.post(f"{self.base}/connections/grants", json=body, headers=self.operator))
        listed = until(lambda: self.look(f"connections/{made['id']}/calendars")["calendars"])
        calendar = next(calendar["id"] for calendar in listed if calendar["primary"])
        self.put(f"calendars/{calendar}", {"blocks": [resource], "destination_for": [resource]})
        until(lambda: all(each.get("last_success_at") and each["watched"] for each in self.look("health")["calendars"]))
        return person

    def use_calendar(self, connection: str) -> None:
        listed = until(lambda: self.look(f"connections/{connection}/calendars")["calendars"])
        self.calendar = next(calendar["id"] for calendar in listed if calendar["primary"])
        self.put(f"calendars/{self.calendar}", {"blocks": ["anna"], "destination_for": ["anna"]})

    def connect_and_wait(self) -> None:
        """Connected, pulled and watched: from here on pushes alone keep it in step."""
        self.connect()
        until(lambda: self.fresh_since(0) and self.look("health")["calendars"][0]["watched"])

    def connect_two(self) -> tuple[str, str]:
        """Connected, with another calendar of the same person that blocks anna too; our id and Google's of that one."""
        made = self.google_control("POST", "calendars", {"owner": self.person.email, "summary": "Second"})
        self.connect_and_wait()
        connection = self.look("connections")["connections"][0]["id"]
        listed = until(
            lambda: len(found := self.look(f"connections/{connection}/calendars")["calendars"]) == 2 and found
        )
        other = next(calendar["id"] for calendar in listed if not calendar["primary"])
        self.put(f"calendars/{other}", {"blocks": ["anna"], "destination_for": []})
        until(
            lambda: all(
                calendar["watched"] and calendar.get("last_success_at") for calendar in self.look("health")["calendars"]
            )
        )
        until(self.starts)  # both are laid out
        return str(other), str(made["id"])

    def fresh_since(self, moment_ms: float) -> bool:
        calendars = self.look("health")["calendars"]
        last = calendars[0].get("last_success_at") if calendars else None
        return last is not None and datetime.fromisoformat(last).timestamp() * 1000 > moment_ms

    def conflicts(self) -> dict[str, str]:
        """What stands in the way of each booking in the operator's list; those that can be kept are not named."""
        listed = self.look("bookings")["bookings"]
        return {booking["id"]: booking["conflict"]["reason"] for booking in listed if "conflict" in booking}

    def preview(self, **change: Any) -> dict[str, Any]:
        return _ok(self.post("preview", change, **self.operator))

    def history(self, **about: str) -> list[dict[str, Any]]:
        """The oldest first."""
        return list(reversed(self.look("history", **about)["history"]))

    def event_of(self, session: str) -> dict[str, Any] | None:
        """The session's event in the person's calendar, found by the mark it carries."""
        found = self.person.events(privateExtendedProperty=f"bookingSession={session}")
        assert len(found) <= 1, "one session is one event"
        return found[0] if found else None

    # What clients do

    def starts(self, day: date = DAY, service: str = "consult", **query: Any) -> list[str]:
        """The open starts of a day, in the resource's zone."""
        asked = {"start": day.isoformat(), "end": (day + timedelta(days=1)).isoformat(), **query}
        answer = _ok(self.http.get(f"{self.base}/services/{service}/availability", params=asked))
        return [start["start"] for one in answer["days"] for start in one["starts"]]

    def ask(
        self,
        what: str,
        *,
        service: str = "consult",
        etag: str | None = None,
        by: Mapping[str, str] | None = None,
        **query: Any,
    ) -> requests.Response:
        """availability, next, overview or explain of a service. `by`: the caller's proof, if they bring one."""
        headers = dict(by or {}) | ({} if etag is None else {"If-None-Match": etag})
        return self.http.get(f"{self.base}/services/{service}/{what}", params=query, headers=headers)

    def days(self, first: date = DAY, days: int = 1, **asked: Any) -> dict[str, dict[str, Any]]:
        """Availability by date."""
        answer = self.ask(
            "availability", start=first.isoformat(), end=(first + timedelta(days=days)).isoformat(), **asked
        )
        return {one["date"]: one for one in _ok(answer)["days"]}

    def next(self, **asked: Any) -> dict[str, Any]:
        return _ok(self.ask("next", **asked))

    def explain(self, start: str, **asked: Any) -> dict[str, Any]:
        return _ok(self.ask("explain", start=start, by=self.operator, **asked))

    def post(self, path: str, body: Any = None, **headers: str) -> requests.Response:
        return self.http.post(f"{self.base}/{path}", json=body, headers=headers)

    def try_to_book(self, start: str, *, key: str | None = None, **more: Any) -> requests.Response:
        body = {"service": "consult", "start": start, "client": {"name": "Kim Doe", "email": self.client_email}, **more}
        return self.post("bookings", body, **({"Idempotency-Key": key} if key else {}))

    def book(self, start: str, **more: Any) -> "Booked":
        answer = _ok(self.try_to_book(start, **more))
        return Booked(self, answer["id"], answer["session"], answer["manage_token"])

    def try_to_wait(
        self, *, client: str = "kim", key: str | None = None, by: Mapping[str, str] | None = None, **wish: Any
    ) -> requests.Response:
        """Joins the waitlist. `wish`: sessions, or start (and end), with seats and whatever else. `by`: the caller's proof, if they bring one."""
        body = {"service": "consult", "client": self.details(client), **wish}
        return self.post("waitlist", body, **dict(by or {}), **({"Idempotency-Key": key} if key else {}))

    def details(self, client: str) -> dict[str, str]:
        """A client of this studio, whose mails can be read."""
        return {"name": client.title(), "email": f"{client}@{self.account}.example"}

    def wait(self, **wish: Any) -> "Waiting":
        answer = _ok(self.try_to_wait(**wish))
        return Waiting(self, answer["id"], answer["manage_token"])

    def rules(self, preset: str = "rules", **rules: Any) -> None:
        """A waitlist preset."""
        self.put(f"presets/{preset}", {"name": preset.title()} | rules)

    def try_to_book_series(self, start: str, *, weeks: int, key: str | None = None, **more: Any) -> requests.Response:
        body = {"service": "consult", "client": {"name": "Kim Doe", "email": self.client_email}}
        body |= {"start": start, "weeks": weeks, **more}
        return self.post("series", body, **({"Idempotency-Key": key} if key else {}))

    def book_series(self, start: str, *, weeks: int, **more: Any) -> list["Booked"]:
        answer = _ok(self.try_to_book_series(start, weeks=weeks, **more))
        return [Booked(self, one["id"], one["session"], one["manage_token"]) for one in answer["bookings"]]

    def mails(self, client: str = "kim") -> list[str]:
        """Subjects of the mails to a client of this studio, oldest first."""
        return [mail["subject"] for mail in self.letters(client)]

    def letters(self, client: str = "kim") -> list[dict[str, Any]]:
        """The mails themselves, with `subject` and `text`."""
        return self.messages(f"{client}@{self.account}.example")

    def messages(self, to: str) -> list[dict[str, Any]]:
        """The mails to an address, oldest first."""
        found = _ok(requests.get(f"{self.addresses.mail}/messages", params={"to": to}, timeout=10))["messages"]
        return sorted(found, key=lambda mail: mail["received"])

    # What happens behind

    def google_control(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{self.addresses.google}/control/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def fire(self, schedule: str) -> None:
        answer = requests.post(f"{self.addresses.tasks_http}/control/schedule/{schedule}", timeout=30)
        answer.raise_for_status()
        assert 200 <= answer.json()["status"] < 300

    def run_out(self, waiting: "Waiting", *, at_ms: int = 0) -> None:
        """The offer's time is over (or will be at that moment), in every document that says when; nobody waits two hours. The sweep finds the queue due."""
        reader = self.store.reader(self.account)
        entry = reader.get(Ref(WaitlistEntry, waiting.id))
        booking = None if entry is None or entry.booking is None else reader.get(Ref(Booking, entry.booking))
        session = None if booking is None else reader.get(Ref(Session, booking.session))
        assert entry is not None
        assert booking is not None
        assert session is not None
        over: dict[str, Mapping[str, object]] = {
            f"bookings/{booking.id}": {"expires_at": at_ms},
            f"sessions/{session.id}": {f"holds.`{booking.id}`.expires_at": at_ms},
            f"queues/{entry.service}": {"look_at": at_ms},
        }
        for ref in ledger_refs_of(session):
            resource, _, month = ref.id.partition("/")
            hold = {f"sessions.`{session.id}`.holds.`{booking.id}`": [booking.seats, at_ms]}
            over[f"resources/{resource}/months/{month}"] = hold
        batch = self.store.client.batch()
        for path, fields in over.items():
            batch.update(self.store.client.document(f"accounts/{self.account}/{path}"), fields)
        batch.commit()

    def poll(self) -> None:
        """The poll's time has come (in the calendar's document: nobody waits an hour), and the scheduler calls."""
        calendar = self.store.client.document(f"accounts/{self.account}/calendars/{self.calendar}")
        calendar.update({"next_poll_at": int(time.time() * 1000) - 1})
        self.fire("minute")

    @contextmanager
    def pushes(self, **behaviour: Any) -> Iterator[None]:
        """Google's pushes for this person's calendar behave so while the block runs."""
        self.google_control("PUT", "push", {"calendar": self.person.email, **behaviour})
        try:
            yield
        finally:
            self.google_control("PUT", "push", {"calendar": self.person.email})


@dataclass(frozen=True)
class Booked:
    studio: Studio
    id: str
    session: str
    token: str = field(repr=False)

    @property
    def _proof(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def look(self) -> dict[str, Any]:
        return _ok(self.studio.http.get(f"{self.studio.base}/bookings/{self.id}", headers=self._proof))

    def cancel(self, **more: Any) -> dict[str, Any]:
        return _ok(self.try_to_cancel(**more))

    def try_to_cancel(self, **more: Any) -> requests.Response:
        return self.studio.post(f"bookings/{self.id}/cancel", more, **self._proof)

    def reschedule(self, start: str, *, key: str | None = None) -> requests.Response:
        headers = {**self._proof, **({"Idempotency-Key": key} if key else {})}
        return self.studio.post(f"bookings/{self.id}/reschedule", {"start": start}, **headers)

    def event(self) -> dict[str, Any] | None:
        return self.studio.event_of(self.session)

    def written(self) -> dict[str, Any]:
        """The event, once the calendar copy is up to date."""
        until(lambda: self.look()["calendar_copy"] == "written")
        event = self.event()
        assert event is not None
        return event

    def history(self) -> list[tuple[str, str]]:
        return [(entry["what"], entry["author_kind"]) for entry in self.studio.history(booking=self.id)]


@dataclass(frozen=True)
class Waiting:
    """A client's place on the waitlist, as the client sees it."""

    studio: Studio
    id: str
    token: str = field(repr=False)

    @property
    def proof(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def look(self) -> dict[str, Any]:
        return _ok(self.studio.http.get(f"{self.studio.base}/waitlist/{self.id}", headers=self.proof))

    def status(self) -> str:
        return str(self.look()["status"])

    def do(self, what: str) -> requests.Response:
        """accept, decline or leave."""
        return self.studio.post(f"waitlist/{self.id}/{what}", **self.proof)

    def change(self, by: Mapping[str, str] | None = None, **changes: Any) -> requests.Response:
        address = f"{self.studio.base}/waitlist/{self.id}"
        return self.studio.http.patch(address, json=changes, headers=dict(by or self.proof))

    def promote(self, **what: Any) -> requests.Response:
        return self.studio.post(f"waitlist/{self.id}/promote", what, **self.studio.operator)

    def seen_by_operator(self) -> dict[str, Any]:
        return self.studio.look(f"waitlist/{self.id}")

    def became(self, status: str) -> dict[str, Any]:
        """The place, once its status is that."""
        return until(lambda: (answer := self.look())["status"] == status and answer)

    def history(self) -> list[str]:
        return [entry["what"] for entry in self.studio.history(entry=self.id)]


def instants(event: Mapping[str, Any]) -> tuple[str, str]:
    """An event's start and end as the API writes instants."""
    return tuple(  # type: ignore[return-value]
        datetime.fromisoformat(event[name]["dateTime"]).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for name in ("start", "end")
    )


def new_studio(addresses: Addresses, store: Store, client_id: str, client_secret: str) -> Studio:
    """A new account with its operator's key, and a new Google user who granted the OAuth client what it asks for."""
    name = f"studio-{uuid.uuid4().hex[:12]}"
    key = bootstrap(store, account=name, name=name, time_zone="Europe/Berlin", may_exist=False)
    person = new_person(addresses, f"anna@{name}.example", client_id, client_secret)
    return Studio(addresses, name, key, person, store)


def new_person(addresses: Addresses, email: str, client_id: str, client_secret: str) -> Person:
    """A new Google user who granted the OAuth client what it asks for."""
    name = email.partition("@")[0].title()
    user = {"email": email, "password": "correct horse", "name": name, "time_zone": "Europe/Berlin"}
    requests.post(f"{addresses.google}/control/users", json=user, timeout=10).raise_for_status()
    scopes = {"email": email, "scopes": list(SCOPES)}
    grant = requests.post(f"{addresses.google}/control/grants", json=scopes, timeout=10)
    return Person(email, grant.json()["refresh_token"], addresses, client_id, client_secret)


def _ok(answer: requests.Response) -> dict[str, Any]:
    assert answer.ok, f"{answer.request.method} {answer.request.path_url}: {answer.status_code} {answer.text}"
    return dict(answer.json())
