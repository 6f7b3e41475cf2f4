"""What a session looks like in Google: the event we insert, and the least patch that brings an older one up to date.

A patch carries only what we own and what changed, so that the owner's own edits (title, description, colour, more guests) stay (cases 97 and 108).
"""

from collections.abc import Iterable
from typing import Any

from functions.domain.answers import labelled
from functions.domain.configuration import Resource, Service
from functions.domain.instants import rfc3339
from functions.domain.session import Booking, GoogleCopy, Session

ACCOUNT_PROPERTY = "bookingAccount"
SESSION_PROPERTY = "bookingSession"
VERSION_PROPERTY = "bookingVersion"


def new_event(
    session: Session,
    copy: GoogleCopy,
    *,
    account: str,
    service: Service,
    resource: Resource,
    bookings: Iterable[Booking],
) -> dict[str, Any]:
    """The body of the insert. A session that was scheduled may have nobody in it yet."""
    bookings = tuple(bookings)
    names = ", ".join(booking.client.name for booking in bookings)
    return {
        "id": copy.event,
        "summary": f"{service.name}: {names}" if names else service.name,
        "description": "\n\n".join(_about(booking, service) for booking in bookings),
        **_times(session, resource),
        "attendees": [
            {"email": booking.client.email, "displayName": booking.client.name, "responseStatus": "accepted"}
            for booking in bookings
        ],
        "guestsCanModify": False,
        "guestsCanInviteOthers": False,
        **_properties(session, account),
    }


def patch(session: Session, copy: GoogleCopy, *, account: str, resource: Resource) -> dict[str, Any]:
    """The body of the patch from what Google holds to what the session is."""
    body = _properties(session, account)
    if copy.base != session.times:
        # Google merges what is patched into what is there, which may have become a day (case 107).
        body |= {name: {**time, "date": None} for name, time in _times(session, resource).items()}
    return body


def is_of_session(event: dict[str, Any], session: Session) -> bool:
    """Whether an event that has our id carries our mark too (case 95)."""
    private = (event.get("extendedProperties") or {}).get("private") or {}
    return bool(private.get(SESSION_PROPERTY) == session.id)


def _times(session: Session, resource: Resource) -> dict[str, Any]:
    zone = resource.hours.time_zone
    return {
        "start": {"dateTime": rfc3339(session.start), "timeZone": zone},
        "end": {"dateTime": rfc3339(session.end), "timeZone": zone},
    }


def _properties(session: Session, account: str) -> dict[str, Any]:
    private = {ACCOUNT_PROPERTY: account, SESSION_PROPERTY: session.id, VERSION_PROPERTY: str(session.version)}
    return {"extendedProperties": {"private": private}}


def _about(booking: Booking, service: Service) -> str:
    lines = [booking.client.name, booking.client.email, booking.client.phone, booking.notes]
    return "\n".join([*(line for line in lines if line), *labelled(service, booking.answers)])
