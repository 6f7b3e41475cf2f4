"""How each operation ends where nothing disturbs it, said by hand: or what is killed would be compared with nothing but itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

# A mail by what it says.
MAILS = {
    "We have your request": "request",
    "confirmed:": "confirmed",
    "cancelled:": "cancelled",
    "has a new time": "moved",
    "You are on the waitlist": "waits",
    "You are not on the waitlist any more": "off the list",
    "has become a place on the waitlist": "put on the list",
    "A seat has come free": "free",
    "Your offer has run out": "run out",
}


@dataclass(frozen=True, kw_only=True)
class Ends:
    """What there is in the end. Sessions with the hour at which they begin; one that is in conflict, and a booking, with a mark. Events by their hour;
    mails to each client in the order in which they came.
    """

    sessions: str = ""
    bookings: str = ""
    entries: str = ""
    events: str = ""
    mails: Mapping[str, Sequence[str]] = field(default_factory=dict)


def end_of(story: Mapping[str, Any]) -> Ends:
    """A run's story in short."""
    return Ends(
        sessions=" ".join(_session(each) for each in story["sessions"]),
        bookings=" ".join(f"{each['status']}{_mark(each)}" for each in story["bookings"]),
        entries=" ".join(each["status"] for each in story["waitlist"][:-1]),  # the last is the queue
        events=" ".join(str(_hour(each["start"]["dateTime"])) for each in story["events"]),
        mails={client: [_mail(subject) for subject in mails] for client, mails in story["mails"].items() if mails},
    )


def _session(session: Mapping[str, Any]) -> str:
    status = "closed" if session["status"] == "open" and session["closed"] else session["status"]
    return f"{status}{_mark(session)}@{session['start'] // 60 % 24}"


def _mark(thing: Mapping[str, Any]) -> str:
    return "!" if thing.get("conflict") else ""


def _hour(instant: str) -> int:
    return datetime.fromisoformat(instant).astimezone(UTC).hour


def _mail(subject: str) -> str:
    return next(name for said, name in MAILS.items() if said in subject)


ENDS: Mapping[str, Ends] = {
    "book": Ends(sessions="open@9", bookings="confirmed", events="9", mails={"kim": ["confirmed"]}),
    "book into a running class": Ends(
        sessions="open@9",
        bookings="confirmed confirmed",
        events="9",
        mails={"kim": ["confirmed"], "lee": ["confirmed"]},
    ),
    "hold": Ends(sessions="open@9", bookings="held"),
    "confirm a hold": Ends(sessions="open@9", bookings="confirmed", events="9", mails={"kim": ["confirmed"]}),
    "cancel": Ends(sessions="cancelled@9", bookings="cancelled", mails={"kim": ["confirmed", "cancelled"]}),
    "cancel one of two": Ends(
        sessions="open@9",
        bookings="confirmed cancelled",
        events="9",
        mails={"kim": ["confirmed", "cancelled"], "lee": ["confirmed"]},
    ),
    "reschedule the session": Ends(
        sessions="open@11", bookings="confirmed", events="11", mails={"kim": ["confirmed", "moved"]}
    ),
    "reschedule into another session": Ends(
        sessions="open@11 cancelled@9",
        bookings="confirmed confirmed",
        events="11",
        mails={"kim": ["confirmed", "moved"], "lee": ["confirmed"]},
    ),
    "reschedule out of a class": Ends(
        sessions="open@9 open@11",
        bookings="confirmed confirmed",
        events="9 11",
        mails={"kim": ["confirmed", "moved"], "lee": ["confirmed"]},
    ),
    "lapse of a hold": Ends(sessions="cancelled@9", bookings="cancelled"),
    "request": Ends(sessions="open@9", bookings="held", mails={"kim": ["request"]}),
    "confirm a request": Ends(
        sessions="open@9", bookings="confirmed", events="9", mails={"kim": ["request", "confirmed"]}
    ),
    "lapse of a request": Ends(sessions="cancelled@9", bookings="cancelled", mails={"kim": ["request", "cancelled"]}),
    "submit a hold as a request": Ends(sessions="open@9", bookings="held", mails={"kim": ["request"]}),
    "complete": Ends(sessions="open@9", bookings="completed", events="9", mails={"kim": ["confirmed"]}),
    "miss": Ends(sessions="open@9", bookings="no_show", mails={"kim": ["confirmed"]}),
    "cancel a series": Ends(
        sessions="cancelled@9 cancelled@9", bookings="cancelled cancelled", mails={"kim": ["confirmed", "cancelled"]}
    ),
    "join a waitlist": Ends(
        sessions="open@9", bookings="confirmed", entries="waiting", mails={"kim": ["waits"], "lee": ["confirmed"]}
    ),
    "cancel what somebody waits for": Ends(
        sessions="cancelled@9 open@9",
        bookings="cancelled held",
        entries="offered",
        mails={"kim": ["waits", "free"], "lee": ["confirmed", "cancelled"]},
    ),
    "cancel, and the next in line is booked": Ends(
        sessions="open@9",
        bookings="cancelled confirmed confirmed",
        entries="booked",
        mails={"kim": ["waits", "confirmed"], "lee": ["confirmed", "cancelled"], "mia": ["confirmed"]},
    ),
    "accept an offer": Ends(
        sessions="cancelled@9 open@9",
        bookings="cancelled confirmed",
        entries="booked",
        events="9",
        mails={"kim": ["waits", "free", "confirmed"], "lee": ["confirmed", "cancelled"]},
    ),
    "decline an offer": Ends(
        sessions="cancelled@9 cancelled@9 open@9",
        bookings="cancelled cancelled held",
        entries="left offered",
        mails={"kim": ["waits", "free"], "lee": ["confirmed", "cancelled", "waits", "free"]},
    ),
    "an offer runs out": Ends(
        sessions="cancelled@9 cancelled@9 open@9",
        bookings="cancelled cancelled held",
        entries="expired offered",
        mails={"kim": ["waits", "free", "run out"], "lee": ["confirmed", "cancelled", "waits", "free"]},
    ),
    "leave a waitlist": Ends(
        sessions="open@9", bookings="confirmed", entries="left", mails={"kim": ["waits"], "lee": ["confirmed"]}
    ),
    "leave with an offer": Ends(
        sessions="cancelled@9 cancelled@9 open@9",
        bookings="cancelled cancelled held",
        entries="left offered",
        mails={"kim": ["waits", "free"], "lee": ["confirmed", "cancelled", "waits", "free"]},
    ),
    "an operator changes a place": Ends(
        sessions="open@9", bookings="confirmed", entries="waiting", mails={"kim": ["waits"], "lee": ["confirmed"]}
    ),
    "promote by hand": Ends(
        sessions="open@9",
        bookings="cancelled confirmed confirmed",
        entries="booked",
        mails={"kim": ["waits", "confirmed"], "lee": ["confirmed", "cancelled"], "mia": ["confirmed"]},
    ),
    "put a booking on the waitlist": Ends(
        sessions="cancelled@9", bookings="cancelled", entries="waiting", mails={"kim": ["confirmed", "put on the list"]}
    ),
    "schedule an event": Ends(sessions="open@9", events="9"),
    "repeat an event": Ends(sessions="open@9 open@9"),
    "close an event": Ends(
        sessions="closed@9", bookings="confirmed confirmed", mails={"kim": ["confirmed"], "lee": ["confirmed"]}
    ),
    "cancel an event": Ends(
        sessions="cancelled@9",
        bookings="cancelled cancelled",
        mails={"kim": ["confirmed", "cancelled"], "lee": ["confirmed", "cancelled"]},
    ),
    "move an event": Ends(
        sessions="open@11",
        bookings="confirmed confirmed",
        events="11",
        mails={"kim": ["confirmed", "moved"], "lee": ["confirmed", "moved"]},
    ),
    "an event loses a seat that is sold": Ends(
        sessions="open@9",
        bookings="confirmed cancelled",
        mails={"kim": ["confirmed", "cancelled"], "lee": ["confirmed"]},
    ),
    "an event loses a seat whose client keeps the booking": Ends(
        sessions="open!@9", bookings="confirmed confirmed!", mails={"kim": ["confirmed"], "lee": ["confirmed"]}
    ),
    "an event gets a seat that somebody waits for": Ends(
        sessions="open@9",
        bookings="confirmed held",
        entries="offered",
        mails={"kim": ["waits", "free"], "lee": ["confirmed"]},
    ),
    "an operator moves a booking": Ends(
        sessions="open@11", bookings="confirmed", mails={"kim": ["confirmed", "moved"]}
    ),
    "an operator lives with a conflict": Ends(sessions="open@9", bookings="confirmed", mails={"kim": ["confirmed"]}),
    "a service has fewer seats than it sold": Ends(
        sessions="open!@9", bookings="confirmed confirmed!", mails={"kim": ["confirmed"], "lee": ["confirmed"]}
    ),
    "hours change, and a booking is in conflict": Ends(
        sessions="open!@9", bookings="confirmed", mails={"kim": ["confirmed"]}
    ),
    "hours change, and a booking is cancelled": Ends(
        sessions="cancelled@9", bookings="cancelled", mails={"kim": ["confirmed", "cancelled"]}
    ),
    "book a series": Ends(
        sessions="open@9 open@9", bookings="confirmed confirmed", events="9 9", mails={"kim": ["confirmed"]}
    ),
    "make a service": Ends(),
    "change a service": Ends(),
    "change a resource": Ends(),
}
