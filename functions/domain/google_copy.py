"""What a session looks like in Google: the event we insert, and the least patch that brings an older one up to date.

A patch carries only what we own and what changed, so that the owner's own edits (title, description, colour, more guests) stay (cases 97 and 108).
Google replaces guests as a whole: where the event may not be as we left it, a patch that changes them is made from the event as it is. What in it is
ours we know by marks: short digests, kept on the copy, of every text and address that we put there. So nobody's details are kept twice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from functions.domain.answers import labelled
from functions.domain.configuration import Resource, Service
from functions.domain.instants import rfc3339
from functions.domain.meet import carries_meeting, meeting_request
from functions.domain.session import Booking, GoogleCopy, Session, Times

ACCOUNT_PROPERTY = "bookingAccount"
SESSION_PROPERTY = "bookingSession"
VERSION_PROPERTY = "bookingVersion"
MOST_GUESTS = 200  # that Google lets an event have

Json = dict[str, Any]
Part = Literal["summary", "description", "guest"]
TEXTS: tuple[Literal["summary"], Literal["description"]] = ("summary", "description")


@dataclass(frozen=True, kw_only=True)
class Content:
    """What an event of ours says besides its times. `guests` are by address, as `_address` writes it. `meeting`: it is to have a video meeting."""

    summary: str
    description: str
    guests: Mapping[str, Json]
    meeting: bool = False


def content_of(session: Session, calendar: str, service: Service, bookings: Iterable[Booking]) -> Content:
    """Of the session, in which these bookings have seats. One that was scheduled may have nobody in it yet.

    Where its meeting belongs to the event of another calendar, this one's says the link.
    """
    meeting = service.meet and carries_meeting(session, calendar)
    link = [f"Meeting: {session.meet_link}"] if session.meet_link and not meeting else []
    seated = sorted(bookings, key=lambda booking: (booking.created_at, booking.id))
    names = ", ".join(booking.client.name for booking in seated)
    return Content(
        summary=f"{service.name}: {names}" if names else service.name,
        description="\n\n".join([*link, *(_about(booking, service) for booking in seated)]),
        guests={
            _address(booking.client.email): {
                "email": booking.client.email,
                "displayName": booking.client.name,
                "responseStatus": "accepted",
            }
            for booking in seated[:MOST_GUESTS]
            if booking.client.email and service.clients_as_guests
        },
        meeting=meeting,
    )


def new_event(session: Session, copy: GoogleCopy, content: Content, *, account: str, resource: Resource) -> Json:
    """The body of the insert."""
    return {
        "id": copy.event,
        "summary": content.summary,
        "description": content.description,
        **_times(session, resource),
        "attendees": list(content.guests.values()),
        "guestsCanModify": False,
        "guestsCanInviteOthers": False,
        **(meeting_request(copy) if content.meeting else {}),
        **_properties(session, account),
    }


def marks(copy: GoogleCopy, content: Content) -> tuple[str, ...]:
    """What `content` puts into the event, as it is kept on the copy."""
    return (
        _mark(copy, "summary", content.summary),
        _mark(copy, "description", content.description),
        *(_mark(copy, "guest", address) for address in content.guests),
    )


def says(copy: GoogleCopy, content: Content) -> bool:
    """Whether the event says this already, but for what its owner made of it."""
    return {*copy.wrote} == {*marks(copy, content)}


def must_be_seen(copy: GoogleCopy, content: Content) -> bool:
    """Whether a patch needs the event as it is: what it says changes, and somebody else may have changed it too."""
    if copy.etag is None or copy.forgets or (content.meeting and copy.meeting is None):
        return True
    return copy.left != copy.etag and not says(copy, content)


def patch(session: Session, copy: GoogleCopy, content: Content, *, account: str, resource: Resource) -> Json:
    """The body that makes of the event as we left it what the session is; empty where it is that already."""
    body = {} if copy.base == session.times else _moved(session, resource)
    for part in TEXTS:
        if _mark(copy, part, getattr(content, part)) not in copy.wrote:
            body[part] = getattr(content, part)
    if _guest_marks(copy.wrote) != _guest_marks(marks(copy, content)):
        body["attendees"] = list(content.guests.values())
    return _marked(body, session, account)


def patch_seen(
    event: Mapping[str, Any],
    times: Times,
    session: Session,
    copy: GoogleCopy,
    content: Content,
    *,
    account: str,
    resource: Resource,
) -> Json:
    """The same for the event as it is, at these times: texts that its owner wrote stay (unless somebody is to be forgotten), and so do guests that are
    not ours.
    """
    ours = {*copy.wrote, *copy.writing}
    body = {} if times == session.times else _moved(session, resource)
    for part in TEXTS:
        there, wanted = event.get(part) or "", getattr(content, part)
        if there != wanted and (copy.forgets or _mark(copy, part, there) in ours):
            body[part] = wanted
    guests = _with_their_guests(event, copy, content)
    if content.meeting and not event.get("conferenceData"):
        body |= meeting_request(copy)
    # Where Google did not show all of them, those that it did not show would be lost.
    if guests != (event.get("attendees") or []) and not event.get("attendeesOmitted"):
        body["attendees"] = guests
    return _marked(body, session, account)


def _moved(session: Session, resource: Resource) -> Json:
    """Google merges what is patched into what is there, which may have become a day (case 107)."""
    return {name: {**time, "date": None} for name, time in _times(session, resource).items()}


def is_only_ours(event: Mapping[str, Any], content: Content) -> bool:
    """Whether the event says exactly that, so that the next patch needs no second look as long as its etag stays."""
    there = {_address(guest.get("email")): guest.get("responseStatus") for guest in event.get("attendees") or ()}
    return (
        all((event.get(part) or "") == getattr(content, part) for part in TEXTS)
        and there == {address: guest["responseStatus"] for address, guest in content.guests.items()}
        and not event.get("attendeesOmitted")
    )


def is_of_session(event: Mapping[str, Any], session: Session) -> bool:
    """Whether an event that has our id carries our mark too (case 95)."""
    private = (event.get("extendedProperties") or {}).get("private") or {}
    return bool(private.get(SESSION_PROPERTY) == session.id)


def is_strangers(event: Mapping[str, Any], session: Session | None, calendar: str) -> bool:
    """Whether somebody else's event has the id that we gave to the session's, of which Google holds none yet (case 95).

    Later the id is enough: programs of the owner's may drop our mark, and what is left of a deleted event never has it.
    """
    copy = session.copies.get(calendar) if session else None
    if session is None or copy is None or copy.event != event.get("id") or copy.base is not None:
        return False
    return event.get("status") != "cancelled" and not is_of_session(event, session)


def _with_their_guests(event: Mapping[str, Any], copy: GoogleCopy, content: Content) -> list[Json]:
    """The owner's guests, and our clients with what they have answered by now. A client whom the owner took out does not come back (case 112)."""
    ours = {*copy.wrote, *copy.writing}
    there = {_address(guest.get("email")): dict(guest) for guest in event.get("attendees") or ()}
    kept = [
        guest
        for address, guest in there.items()
        if address in content.guests or _mark(copy, "guest", address) not in ours
    ]
    new = [
        guest
        for address, guest in content.guests.items()
        if address not in there and _mark(copy, "guest", address) not in copy.wrote
    ]
    return [*kept, *new[: max(0, MOST_GUESTS - len(kept))]]


def _mark(copy: GoogleCopy, part: Part, value: str) -> str:
    """Another in every event, so that nobody can be followed from one to the next."""
    return f"{part}:{sha256(f'{copy.event}/{value}'.encode()).hexdigest()[:16]}"


def _guest_marks(all_marks: Iterable[str]) -> set[str]:
    return {mark for mark in all_marks if mark.startswith("guest:")}


def _address(email: str | None) -> str:
    return (email or "").strip().casefold()


def _marked(body: Json, session: Session, account: str) -> Json:
    return body and body | _properties(session, account)


def _times(session: Session, resource: Resource) -> Json:
    zone = resource.hours.time_zone
    return {
        "start": {"dateTime": rfc3339(session.start), "timeZone": zone},
        "end": {"dateTime": rfc3339(session.end), "timeZone": zone},
    }


def _properties(session: Session, account: str) -> Json:
    private = {ACCOUNT_PROPERTY: account, SESSION_PROPERTY: session.id, VERSION_PROPERTY: str(session.version)}
    return {"extendedProperties": {"private": private}}


def _about(booking: Booking, service: Service) -> str:
    lines = [booking.client.name, booking.client.email, booking.client.phone, booking.notes]
    return "\n".join([*(line for line in lines if line), *labelled(service, booking.answers)])
