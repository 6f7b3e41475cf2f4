"""Clients and operators: whoever calls the booking function. Who gets no answer, or 503, asks again with the same words and the same key."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from flask import Response

from tests.reliability.simulation.business import ANNA, BEN, KIM, LEE, PRIVATE, Business
from tests.reliability.simulation.people import DAY

Json = dict[str, Any]
STARTS = tuple(f"{DAY}T{hour:02}:{minute:02}:00Z" for hour in range(9, 13) for minute in (0, 30))
CLIENTS = {"Kim": KIM, "Lee": LEE}


@dataclass(frozen=True)
class Wish:
    """One call, as it is made the first time and every time again."""

    words: str
    method: str
    path: str
    body: Json | None = None
    token: str | None = None  # an operator's where there is none
    public: bool = False
    key: str | None = None

    def made(self, business: Business) -> Response:
        headers = {"Idempotency_Key": self.key} if self.key else {}
        if not self.public:
            headers["Authorization"] = f"Bearer {self.token or business.api_key}"
        return business.ask(self.method, self.path, self.body, **headers)


@dataclass
class Known:
    """A record that somebody was answered with, and the token that opens it."""

    id: str
    token: str


@dataclass
class Callers:
    business: Business
    bookings: list[Known] = field(default_factory=list)
    entries: list[Known] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    _calls: int = 0

    def wish(self, random: Random, *, operator: bool) -> Wish | None:
        kinds = _OPERATORS if operator else _CLIENTS
        self._calls += 1
        return random.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0](self, random)

    def answered(self, wish: Wish, answer: Json) -> None:
        """What a client or operator remembers of it."""
        if wish.method != "POST":
            return
        if wish.path in ("bookings", "holds"):
            self.bookings.append(Known(answer["id"], answer["manage_token"]))
            self.sessions.append(answer["session"])
        if wish.path == "waitlist":
            self.entries.append(Known(answer["id"], answer["manage_token"]))
        if wish.path == "sessions":
            self.sessions += [session["id"] for session in answer["sessions"]]

    # Clients

    def book(self, random: Random) -> Wish:
        service = random.choice(("consult", "consult", "duo", "group", "group"))
        start, name = random.choice(STARTS), random.choice(tuple(CLIENTS))
        body = {"service": service, "start": start, "client": {"name": name, "email": CLIENTS[name]}}
        words = f"{name} books {service} at {start[11:16]}"
        return Wish(words, "POST", "bookings", body, public=True, key=f"key-{self._calls}")

    def hold(self, random: Random) -> Wish:
        start = random.choice(STARTS)
        body = {"service": "consult", "start": start}
        return Wish(f"holds consult at {start[11:16]}", "POST", "holds", body, public=True, key=f"key-{self._calls}")

    def confirm(self, random: Random) -> Wish | None:
        known = self._some(random, self.bookings)
        name = random.choice(tuple(CLIENTS))
        body = {"client": {"name": name, "email": CLIENTS[name]}}
        return known and Wish(
            f"{name} confirms {known.id[:4]}", "POST", f"bookings/{known.id}/confirm", body, token=known.token
        )

    def cancel(self, random: Random) -> Wish | None:
        known = self._some(random, self.bookings)
        return known and Wish(f"cancels {known.id[:4]}", "POST", f"bookings/{known.id}/cancel", token=known.token)

    def reschedule(self, random: Random) -> Wish | None:
        known, start = self._some(random, self.bookings), random.choice(STARTS)
        path = f"bookings/{known.id}/reschedule" if known else ""
        words = f"moves {known.id[:4]} to {start[11:16]}" if known else ""
        return known and Wish(words, "POST", path, {"start": start}, token=known.token)

    def wait(self, random: Random) -> Wish:
        start, name = random.choice(STARTS[::2]), random.choice(tuple(CLIENTS))
        body = {"service": "group", "start": start, "client": {"name": name, "email": CLIENTS[name]}}
        words = f"{name} waits for group at {start[11:16]}"
        return Wish(words, "POST", "waitlist", body, public=True, key=f"key-{self._calls}")

    def leave(self, random: Random) -> Wish | None:
        known = self._some(random, self.entries)
        return known and Wish(f"leaves {known.id[:4]}", "POST", f"waitlist/{known.id}/leave", token=known.token)

    # Operators

    def end_session(self, random: Random) -> Wish | None:
        session = random.choice(self.sessions) if self.sessions else None
        return session and Wish(f"ends session {session[:4]}", "POST", f"sessions/{session}/cancel")  # type: ignore[return-value]

    def move_session(self, random: Random) -> Wish | None:
        session, start = random.choice(self.sessions) if self.sessions else None, random.choice(STARTS)
        words = f"moves session {session and session[:4]} to {start[11:16]}"
        return session and Wish(words, "PATCH", f"sessions/{session}", {"start": start})  # type: ignore[return-value]

    def set_capacity(self, random: Random) -> Wish | None:
        session, seats = random.choice(self.sessions) if self.sessions else None, random.choice((1, 2, 3))
        words = f"gives session {session and session[:4]} {seats} seats"
        body = {"capacity": seats, "below": random.choice(("orphan", "cancel"))}
        return session and Wish(words, "PATCH", f"sessions/{session}", body)  # type: ignore[return-value]

    def schedule(self, random: Random) -> Wish:
        start = random.choice(STARTS)
        body = {"service": "group", "start": start, "capacity": 2}
        return Wish(f"schedules group at {start[11:16]}", "POST", "sessions", body, key=f"key-{self._calls}")

    def close(self, random: Random) -> Wish:
        resource, until = random.choice(("anna", "ben", "room")), random.choice(("11:00", "13:00", "13:00"))
        body = self.business.hours(resource, until=until)
        return Wish(f"opens {resource} until {until}", "PUT", f"resources/{resource}", body)

    def link(self, random: Random) -> Wish:
        blocks = random.choice(([], ["anna"], ["anna", "room"]))
        path = f"calendars/{self.business.calendars[PRIVATE]}"
        return Wish(f"lets private block {blocks}", "PUT", path, {"blocks": blocks, "destination_for": []})

    def pull(self, random: Random) -> Wish:
        calendar = random.choice(tuple(self.business.calendars))
        return Wish(f"pulls {calendar[:5]}", "POST", f"calendars/{self.business.calendars[calendar]}/pull")

    def resolve(self, random: Random) -> Wish | None:
        """Something of what their inbox offers."""
        listed = self.business.as_operator("GET", "conflicts").get_json()["conflicts"]
        offered = [(each["session"], choice["choice"]) for each in listed for choice in each["choices"]]
        session, choice = random.choice(offered) if offered else (None, "")
        body = {"choice": choice, **({"start": random.choice(STARTS)} if choice == "move" else {})}
        words = f"decides to {choice} session {session and session[:4]}"
        return session and Wish(words, "POST", f"conflicts/{session}/resolve", body)

    def regain(self, random: Random) -> Wish:
        return self.regained(random.choice((ANNA, BEN)))

    def regained(self, email: str) -> Wish:
        """The operator lets us into that person's calendars once more."""
        body = {"email": email, "refresh_token": self.business.granted(email)}
        return Wish(f"connects {email.partition('@')[0]} again", "POST", "connections/grants", body)

    def _some(self, random: Random, known: list[Known]) -> Known | None:
        return random.choice(known) if known else None


Kind = Callable[[Callers, Random], Wish | None]
_CLIENTS: tuple[tuple[Kind, int], ...] = (
    (Callers.book, 30),
    (Callers.hold, 4),
    (Callers.confirm, 3),
    (Callers.cancel, 6),
    (Callers.reschedule, 8),
    (Callers.wait, 4),
    (Callers.leave, 1),
)
_OPERATORS: tuple[tuple[Kind, int], ...] = (
    (Callers.end_session, 3),
    (Callers.move_session, 5),
    (Callers.set_capacity, 4),
    (Callers.schedule, 4),
    (Callers.close, 3),
    (Callers.link, 4),
    (Callers.pull, 3),
    (Callers.regain, 3),
    (Callers.resolve, 8),
)
