"""Push: a session → its event in each destination calendar.

Reads the present state and makes Google match it (law 4). The times are committed as `asked` before each write, so that whatever happens to the answer, a
pull knows the event's new time as ours. Where Google says that the event is not as we left it (412, or 409 with other content), this task decides
nothing: it asks for a pull, under whose lease the inbound rules decide, and comes again.
"""

import logging
from contextlib import suppress

from functions.adapters.google_calendar import Event, GoogleCalendar
from functions.adapters.google_errors import (
    AccessLost,
    AlreadyGone,
    Changed,
    Duplicate,
    Forbidden,
    GoogleError,
    Missing,
    OurMistake,
    UsageLimit,
)
from functions.adapters.store.store import Reader
from functions.adapters.tasks import Task
from functions.domain.calendar import Calendar
from functions.domain.configuration import Resource, Service
from functions.domain.decision import Decision, Ref
from functions.domain.google_copy import is_of_session, new_event, patch
from functions.domain.google_event import mirror_row
from functions.domain.inbound import new_times
from functions.domain.instants import rfc3339
from functions.domain.session import Booking, GoogleCopy, Session
from functions.sync.expected_events import expected
from functions.sync.lost_access import lose_connection
from functions.sync.work import TryLater, Work

log = logging.getLogger(__name__)


def push(work: Work) -> None:
    """Brings every pending copy of the subject session up to date. Raises `GoogleError` or `TryLater` where one has to wait."""
    session = work.store.get(work.account, Ref(Session, work.subject))
    for calendar_id in session.copies if session else ():
        _push_copy(work, calendar_id)


def _push_copy(work: Work, calendar_id: str) -> None:
    calendar = work.store.get(work.account, Ref(Calendar, calendar_id))
    if calendar is None:
        return
    try:
        google = work.google(calendar.connection)
        while (session := _ask(work, calendar_id)) is not None:
            _write(work, google, calendar, session)
    except AccessLost as error:
        # It waits visibly as pending; the reconnect pushes again.
        _note_error(work, calendar_id, error)
        if error.reason != "not_connected":
            lose_connection(work, calendar.connection, error.reason)
    except (Forbidden, OurMistake) as error:
        # Coming again would not help before a person has changed something; the outbox record goes, the error stays on the booking.
        log.error("Google refuses a write for session %s: %s", work.subject, error.reason)
        _note_error(work, calendar_id, error)
    except UsageLimit as error:
        _note_error(work, calendar_id, error)
        raise


def _ask(work: Work, calendar_id: str) -> Session | None:
    """Commits what is about to be written. None where this copy has nothing pending."""

    def attempt(reader: Reader) -> Decision[Session | None]:
        session = reader.get(Ref(Session, work.subject))
        copy = session.copies.get(calendar_id) if session else None
        if session is None or copy is None or copy.written >= session.version:
            return Decision(answer=None)
        if session.status != "open" or session.times in copy.asked:
            return Decision(answer=session)
        asking = session.with_copy(copy.model_copy(update={"asked": (*copy.asked, session.times)}))
        return Decision(answer=asking, documents=(asking, *expected(reader, session, copy)))

    return work.store.run(work.account, attempt)


def _write(work: Work, google: GoogleCalendar, calendar: Calendar, session: Session) -> None:
    copy = session.copies[calendar.id]
    if session.status == "cancelled":
        if not copy.gone:
            _delete(google, calendar, copy)
        _confirm(work, calendar, session, event=None)
        return
    try:
        event = _insert_or_patch(work, google, calendar, session, copy)
    except (Changed, AlreadyGone, Missing) as error:
        _let_a_pull_decide(work, calendar, copy)
        raise TryLater(f"the event changed in Google: {type(error).__name__}") from error
    _confirm(work, calendar, session, event=event)


def _delete(google: GoogleCalendar, calendar: Calendar, copy: GoogleCopy) -> None:
    """Without an etag: whatever the owner did to it, the booking is cancelled (case 116). Gone before is as good (case 115)."""
    try:
        google.delete(calendar.google_id, copy.event, etag=None)
    except AlreadyGone:
        return
    except Missing:
        if copy.base is None and copy.asked:
            _spend_id(google, calendar, copy)


def _spend_id(google: GoogleCalendar, calendar: Calendar, copy: GoogleCopy) -> None:
    """An insert was asked for and never confirmed: it may still arrive, in the hands of a slow worker, and would stand there for ever.

    Google takes an id once, even when its event is deleted: after this the late insert is refused as a duplicate.
    """
    start, end = (rfc3339(minute) for minute in (copy.asked[-1].start, copy.asked[-1].end))
    body = {"id": copy.event, "start": {"dateTime": start}, "end": {"dateTime": end}, "transparency": "transparent"}
    with suppress(Duplicate):
        google.insert(calendar.google_id, body)
    with suppress(AlreadyGone, Missing):
        google.delete(calendar.google_id, copy.event, etag=None)


def _insert_or_patch(
    work: Work, google: GoogleCalendar, calendar: Calendar, session: Session, copy: GoogleCopy
) -> Event:
    resource = work.store.get(work.account, Ref(Resource, session.resources[0]))
    service = work.store.get(work.account, Ref(Service, session.service))
    if resource is None or service is None:
        raise TryLater("the session's service or resource is missing")
    if copy.base is not None:
        body = patch(session, copy, account=work.account, resource=resource)
        return google.patch(calendar.google_id, copy.event, body, etag=copy.etag)
    reader = work.store.reader(work.account)
    reader.load(*(Ref(Booking, booking) for booking in session.seats))
    bookings = [b for key in session.seats if (b := reader.get(Ref(Booking, key))) is not None]
    body = new_event(session, copy, account=work.account, service=service, resource=resource, bookings=bookings)
    try:
        return google.insert(calendar.google_id, body)
    except Duplicate:
        return _adopt(google, calendar, session, copy, account=work.account, resource=resource)


def _adopt(
    google: GoogleCalendar, calendar: Calendar, session: Session, copy: GoogleCopy, *, account: str, resource: Resource
) -> Event:
    """Our id exists already: our own earlier insert, its answer lost (cases 92 and 93); or something for the inbound rules (case 94)."""
    event = google.get(calendar.google_id, copy.event)
    if event.get("status") == "cancelled" or not is_of_session(event, session):
        raise Changed("409 with other content")
    row = mirror_row(event, calendar=calendar.id, generation=0, session=session.id)
    times = new_times(row, calendar.time_zone)
    if times == session.times:
        return event
    if times in copy.asked and event.get("etag"):
        # An earlier version of ours; patched from there.
        body = patch(session, copy, account=account, resource=resource)
        return google.patch(calendar.google_id, copy.event, body, etag=event["etag"])
    raise Changed("409 with another time")


def _confirm(work: Work, calendar: Calendar, pushed: Session, *, event: Event | None) -> None:
    """Records what Google holds now, unless a pull saw something newer meanwhile: then the copy stays pending and is looked at again."""

    def attempt(reader: Reader) -> Decision[bool]:
        session = reader.get(Ref(Session, pushed.id))
        if session is None:
            return Decision(answer=True)
        copy = session.copies[calendar.id]
        etag = event.get("etag") if event else None
        if copy.written >= pushed.version or (copy.gone and event is not None):
            return Decision(answer=True)  # a later write, or the inbound rules, were faster
        if copy.etag not in (pushed.copies[calendar.id].etag, etag):
            return Decision(answer=False)
        update = {"etag": etag, "written": pushed.version, "error": None, "gone": event is None}
        if event is not None:
            update |= {"base": pushed.times}
            if session.version == pushed.version:
                update |= {"asked": ()}
        done = session.with_copy(copy.model_copy(update=update))
        return Decision(answer=True, documents=(done,))

    if not work.store.run(work.account, attempt):
        raise TryLater("a pull saw a newer state of the event")


def _let_a_pull_decide(work: Work, calendar: Calendar, copy: GoogleCopy) -> None:
    work.application.tasks.create(
        Task(
            kind="pull",
            name=f"{work.account}/{calendar.id}/changed/{copy.event}/{copy.etag}/{work.now() // 1000}",
            body={"account": work.account, "subject": calendar.id},
        )
    )


def _note_error(work: Work, calendar_id: str, error: GoogleError) -> None:
    def attempt(reader: Reader) -> Decision[None]:
        session = reader.get(Ref(Session, work.subject))
        copy = session.copies.get(calendar_id) if session else None
        if session is None or copy is None or copy.error == error.reason:
            return Decision(answer=None)
        noted = session.with_copy(copy.model_copy(update={"error": error.reason}))
        return Decision(answer=None, documents=(noted,))

    work.store.run(work.account, attempt)
