"""One run of an operation that may be killed, and the story that it leaves behind: all that anybody sees, without what differs each time by its nature."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import count, groupby
from typing import Any

from google.cloud.firestore_v1.base_query import FieldFilter

from functions.adapters.store.documents import decode, ledger_ref
from functions.domain.inbox_news import InboxNews
from functions.domain.session import Client
from tests.reliability.crashing import World
from tests.studio import DAY

CLIENTS = ("kim", "lee", "mia")


@dataclass
class Run:
    """One time that an operation runs, with a resource, a service and clients of its own. `in_google`: whether the resource has a calendar there."""

    world: World
    number: int
    in_google: bool = True
    keys: Iterator[int] = field(default_factory=count)
    messages: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # by client, once the story is told

    def __post_init__(self) -> None:
        self.world.begin()

    @property
    def resource(self) -> str:
        return f"{'in' if self.in_google else 'off'}{self.number}"

    @property
    def service(self) -> str:
        return f"s{self.number}"

    def email(self, client: str) -> str:
        return f"{client}{self.number}@{self.world.studio.account}.example"

    def offer(self, **more: Any) -> None:
        service = {"name": "Consultation", "duration_minutes": 30, "step_minutes": 30, "resources": [self.resource]}
        self.operator("PUT", f"services/{self.service}", service | more)

    def operator(self, method: str, path: str, body: Any = None, *, once: bool = False) -> dict[str, Any]:
        return self.world.ask(method, path, body, once=once, Authorization=f"Bearer {self.world.studio.api_key}")

    def operator_makes(self, path: str, body: Any = None) -> dict[str, Any]:
        """An operator's call that makes something, with a key too."""
        key = {"Idempotency-Key": f"{self.number}/{next(self.keys)}"}
        proof = {"Authorization": f"Bearer {self.world.studio.api_key}"}
        return self.world.ask("POST", path, body, **key, **proof)

    def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A client's call that makes something, with a key by which it is known when it comes again."""
        key = {"Idempotency-Key": f"{self.number}/{next(self.keys)}"}
        return self.world.ask("POST", path, {"service": self.service, **body}, **key)

    def book(self, hour: int = 9, client: str = "kim", **more: Any) -> dict[str, Any]:
        return self.create("bookings", {"start": self.at(hour), **self.who(client), **more})

    def wait(self, client: str = "kim", hour: int = 9, **more: Any) -> dict[str, Any]:
        return self.create("waitlist", {"start": self.at(hour), **self.who(client), **more})

    def waiter_does(self, made: Mapping[str, Any], verb: str) -> dict[str, Any]:
        """What a client does to their place on the waitlist."""
        token = {"Authorization": f"Bearer {made['manage_token']}"}
        return self.world.ask("POST", f"waitlist/{made['id']}/{verb}", **token)

    def schedule(self, hour: int = 9, **more: Any) -> dict[str, Any]:
        """A session of an event; the first one, where `more` makes it several."""
        body = {"service": self.service, "start": self.at(hour), **more}
        return dict(self.operator_makes("sessions", body)["sessions"][0])

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
        entries = self._stored("waitlist", "service", self.service)
        told = {
            "configuration": [self._document(f"resources/{self.resource}"), self._document(f"services/{self.service}")],
            "sessions": sessions,
            "bookings": bookings,
            "waitlist": [*entries, self._document(f"queues/{self.service}")],
            "ledger": self._ledger(),
            "outbox": self._outbox(
                {each["id"] for each in (*sessions, *bookings, *entries)} | {self.resource, self.service}
            ),
            "history": self._history(),
            "events": [event for session in sessions for event in self._events(session["id"])],
            "mails": self._mails(),
        }
        names = _Telling(self, sessions, bookings, entries)
        return {**names.of(told), "history": _by_commit(told["history"], names)}

    def repeated_mails(self) -> int:
        """How many mails of the story came more than once, as their Message-IDs tell."""
        ids = [message["message_id"] for messages in self.messages.values() for message in messages]
        return len(ids) - len(set(ids))

    def _stored(self, collection: str, field_: str, value: str) -> list[dict[str, Any]]:
        found = self._where(collection, field_, value).values()
        return sorted(found, key=lambda each: (each["created_at"], each.get("start", 0)))

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
        records = [snapshot.to_dict() for snapshot in self._collection("outbox").stream()]
        # News of the inbox waits for some minutes, which pass only where a sweep is to mend something (see `test_inbox_mails`).
        mine = [each for each in records if each["subject"] in subjects and InboxNews.of(each["about"]) is None]
        ordered = sorted(mine, key=lambda each: (each["created_at"], each["kind"]))
        return [[each["kind"], each["subject"], each["about"]] for each in ordered]

    def _history(self) -> list[Any]:
        of_resource = self._where("history", "resource", self.resource)
        found = of_resource | self._where("history", "service", self.service)
        return [found[name] for name in sorted(found, key=lambda name: (found[name]["at"], name))]

    def _events(self, session: str) -> list[dict[str, Any]]:
        seen = ("status", "summary", "description", "start", "end", "attendees", "extendedProperties", "transparency")
        mark = f"bookingSession={session}"
        asked = self.world.person.events().list(calendarId=self.world.studio.person.email, privateExtendedProperty=mark)
        return [{name: event.get(name) for name in seen} for event in asked.execute()["items"]]

    def _mails(self) -> dict[str, list[str]]:
        """Subjects, in order, by who got them. A mail that came twice is one mail: it has one Message-ID, by which a program knows it."""
        self.messages = {client: self.world.studio.messages(self.email(client)) for client in CLIENTS}
        return {
            client: [*{message["message_id"]: message["subject"] for message in messages}.values()]
            for client, messages in self.messages.items()
        }


def _by_commit(history: list[Any], names: "_Telling") -> list[Any]:
    """Of several bookings that one commit changed, which is named first is as random as their ids."""
    by_commit = groupby(history, key=lambda entry: entry["id"][:-3])
    return [sorted((names.of(entry) for entry in entries), key=repr) for _, entries in by_commit]


class _Telling:
    """Names instead of ids, and nothing that is another each time by its nature."""

    MOMENTS = frozenset({"created_at", "at", "expires_at", "since", "moved_at", "placed_at", "joined_at", "look_at"})
    # An event says by which version of its session it was written last; which of several needed no write is a matter of moments.
    DIFFERS = MOMENTS | {"manage_hash", "etag", "updated", "bookingVersion"}
    # Marks of an event's content are another in each event, and whether it was looked at in between is a matter of moments.
    NOT_TOLD = frozenset({"id", "wrote", "left"})

    def __init__(self, run: Run, sessions: Iterable[Any], bookings: Iterable[Any], entries: Iterable[Any]) -> None:
        self._names = {run.resource: "the resource", run.service: "the service"}
        for number, session in enumerate(sessions, start=1):
            self._names[session["id"]] = f"session {number}"
            self._names |= {copy["event"]: f"event of session {number}" for copy in session["copies"].values()}
        self._names |= {each["id"]: f"booking {number}" for number, each in enumerate(bookings, start=1)}
        self._names |= {each["id"]: f"entry {number}" for number, each in enumerate(entries, start=1)}
        series = dict.fromkeys(each["series"] for each in (*sessions, *bookings) if each.get("series"))
        self._names |= {name: f"series {number}" for number, name in enumerate(series, start=1)}
        self._names |= {run.email(client): f"{client}'s address" for client in CLIENTS}
        self._names |= {Client(email=run.email(client)).key: f"{client}'s key" for client in CLIENTS}

    def of(self, told: Any) -> Any:
        if isinstance(told, Mapping):
            return {
                self.of(name): value is not None if name in self.DIFFERS else self.of(value)
                for name, value in sorted(told.items())
                if name not in self.NOT_TOLD
                and not (name == "place" and isinstance(value, int))  # of an entry of history
            }
        if isinstance(told, list | tuple):
            return [self.of(each) for each in told]
        if isinstance(told, str):
            if told in self._names:
                return self._names[told]
            for id_, name in self._names.items():
                if "@" in id_:
                    told = told.replace(id_, name)
        return told
