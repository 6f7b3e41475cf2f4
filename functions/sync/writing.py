"""One copy of a session, brought up to date: its event in one destination calendar, inserted, patched or deleted.

What is about to be written is committed before each write, as `asked` and `writing`, so that whatever happens to the answer, a pull knows the event as
ours. Where Google says that the event is not as we left it (412, or 409), it is looked at once: if its time is still ours, only its
owner's other edits came between, and the patch is made anew from what is there (case 96). Anything else this task does not decide: it asks for a
pull, under whose lease the inbound rules decide, and comes again.
"""

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from functions.adapters.google_calendar import Event, GoogleCalendar
from functions.adapters.google_errors import AlreadyGone, Changed, Duplicate, GoogleError, Missing
from functions.adapters.store.store import Reader
from functions.adapters.tasks import Task
from functions.domain.calendar import Calendar
from functions.domain.configuration import Resource, Service
from functions.domain.decision import Author, Decision, HistoryEntry, Ref
from functions.domain.event_ids import event_id
from functions.domain.google_copy import (
    Content,
    content_of,
    is_of_session,
    is_only_ours,
    marks,
    must_be_seen,
    new_event,
    patch,
    patch_seen,
    says,
)
from functions.domain.instants import MINUTE_MS, rfc3339
from functions.domain.mirror_row import mirror_row
from functions.domain.own_event import new_times
from functions.domain.session import Booking, GoogleCopy, Session, Times
from functions.domain.standing import Obstacle
from functions.sync.expected_events import expected
from functions.sync.meetings import take_meeting
from functions.sync.strays import block_where_it_is
from functions.sync.work import TryLater, Work

log = logging.getLogger(__name__)

Json = dict[str, Any]

# What a copy says whose event is no more.
_GONE: Mapping[str, Any] = {"gone": True, "missing_since": None, "etag": None, "left": None}


@dataclass(frozen=True, kw_only=True)
class Pending:
    """A session, as it was read, that one calendar does not hold yet."""

    account: str
    calendar: Calendar
    session: Session

    @property
    def copy(self) -> GoogleCopy:
        return self.session.copies[self.calendar.id]


@dataclass(frozen=True, kw_only=True)
class Draft(Pending):
    """The same, with all that its event has to say."""

    resource: Resource
    content: Content


class Overtaken(Exception):
    """The session has changed since the draft was made, and another worker may have written what it is now."""


class IdTaken(Exception):
    """An event that is not ours has the id that ours should have."""


def write_copy(work: Work, google: GoogleCalendar, calendar: Calendar) -> bool:
    """Until the calendar holds what the subject session is. Whether Google took a write for that.

    Raises `GoogleError`, or `TryLater` where a pull has to decide first.
    """
    wrote = False
    while (pending := _ask(work, calendar)) is not None:
        if isinstance(pending, Draft):
            wrote = _write(work, google, pending) or wrote
        else:
            was_there = not pending.copy.gone and delete_event(google, calendar, pending.copy)
            wrote = wrote or not pending.copy.gone
            if not was_there:  # its owner may have moved it to where we do not delete it (case 113)
                block_where_it_is(work, pending.session.id, pending.copy.event)
            _confirm(work, pending, _GONE, etag=None)
    return wrote


def _ask(work: Work, calendar: Calendar) -> Pending | None:
    """Commits what is about to be written. None where this copy has nothing pending."""

    def attempt(reader: Reader) -> Decision[Pending | None]:
        session = reader.get(Ref(Session, work.subject))
        copy = session.copies.get(calendar.id) if session else None
        if session is None or copy is None or copy.leaving is not None or copy.written >= session.version:
            return Decision(answer=None)
        pending = Pending(account=work.account, calendar=calendar, session=session)
        if session.status == "cancelled":
            return Decision(answer=pending)
        if copy.left_alone or session.in_conflict(Obstacle.MOVED):
            # Whoever decides what becomes of it asks for a push where there is something to write.
            return Decision(answer=None)
        draft = _draft(reader, pending)
        if copy.base == session.times and says(copy, draft.content):
            return Decision(answer=draft)
        asked = (*copy.asked, session.times) if session.times not in copy.asked else copy.asked
        writing = tuple(dict.fromkeys((*copy.writing, *marks(copy, draft.content))))
        if (asked, writing) == (copy.asked, copy.writing):
            return Decision(answer=draft)
        asking = session.with_copy(copy.model_copy(update={"asked": asked, "writing": writing}))
        return Decision(answer=replace(draft, session=asking), documents=(asking, *expected(reader, session, copy)))

    return work.store.run(work.account, attempt)


def _draft(reader: Reader, pending: Pending) -> Draft:
    session = pending.session
    refs = [Ref(Booking, key) for key in session.seats]
    reader.load(Ref(Service, session.service), Ref(Resource, session.resources[0]), *refs)
    service, resource = reader.get(Ref(Service, session.service)), reader.get(Ref(Resource, session.resources[0]))
    if service is None or resource is None:
        raise TryLater("the session's service or resource is missing")
    return Draft(
        account=pending.account,
        calendar=pending.calendar,
        session=session,
        resource=resource,
        content=content_of(
            session, pending.calendar.id, service, (booking for ref in refs if (booking := reader.get(ref)) is not None)
        ),
    )


def _write(work: Work, google: GoogleCalendar, draft: Draft) -> bool:
    try:
        event = _insert(work, google, draft) if draft.copy.base is None else _patch(work, google, draft)
    except Overtaken:
        return False
    except IdTaken:
        _take_another_id(work, draft)
        return False
    except (Changed, AlreadyGone, Missing) as error:
        if _nobody_decides(work, draft) and _is_no_more(google, draft, error):
            _confirm(work, draft, _GONE, etag=None)
            return False
        _let_a_pull_decide(work, draft)
        raise TryLater(f"the event changed in Google: {type(error).__name__}") from error
    _confirm(work, draft, _held(draft, event), etag=event.get("etag") if event else None)
    if event is not None:
        take_meeting(work, draft.session.id, draft.calendar.id, event)
    return event is not None


def _insert(work: Work, google: GoogleCalendar, draft: Draft) -> Event | None:
    body = new_event(draft.session, draft.copy, draft.content, account=draft.account, resource=draft.resource)
    try:
        return google.insert(draft.calendar.google_id, body)
    except Duplicate:
        # Our own earlier insert, its answer lost (cases 92 and 93); or something for the inbound rules (case 94).
        event = google.get(draft.calendar.google_id, draft.copy.event)
        if event.get("status") != "cancelled" and not is_of_session(event, draft.session):
            raise IdTaken from None
        return _patch_seen(work, google, draft, event)


def _patch(work: Work, google: GoogleCalendar, draft: Draft) -> Event | None:
    """The event as it is now; None where there was nothing to write."""
    calendar, copy = draft.calendar.google_id, draft.copy
    if not must_be_seen(copy, draft.content):
        body = patch(draft.session, copy, draft.content, account=draft.account, resource=draft.resource)
        if not body:
            return None
        with suppress(Changed):
            return google.patch(calendar, copy.event, body, etag=copy.etag)
    return _patch_seen(work, google, draft, google.get(calendar, copy.event))


def _patch_seen(work: Work, google: GoogleCalendar, draft: Draft, event: Event) -> Event:
    """Raises `Changed` where the event is not at a time that we know as ours. Where we know it as it is, the inbound rules have had their say.

    Raises `Overtaken`: else a slow worker would put back what is gone since, such as a guest who is forgotten. Whoever overtakes it from now on changes the
    event's etag, or finds it changed. Raises `AlreadyGone` where it is deleted.
    """
    latest = work.store.get(work.account, Ref(Session, draft.session.id))
    if latest is None or latest.version != draft.session.version:
        raise Overtaken
    if event.get("status") == "cancelled":
        raise AlreadyGone("deleted")
    if _nobody_decides(work, draft):
        times = draft.session.times  # whenever it is there by now
    else:
        times = _times_of(draft, event)
        ours = times in (draft.copy.base, *draft.copy.asked, draft.session.times)
        if not (ours or event["etag"] == draft.copy.etag):
            raise Changed("another time")
        if not ours and draft.copy.base == draft.session.times:
            times = draft.session.times  # its owner's time is not decided about yet
    body = patch_seen(
        event, times, draft.session, draft.copy, draft.content, account=draft.account, resource=draft.resource
    )
    return google.patch(draft.calendar.google_id, draft.copy.event, body, etag=event["etag"]) if body else event


def _nobody_decides(work: Work, draft: Draft) -> bool:
    """Of what is over, in a calendar that nobody reads any more, no pull has anything to say: what its owner made of it since stays."""
    return not draft.calendar.in_use and draft.session.end * MINUTE_MS <= work.now()


def _is_no_more(google: GoogleCalendar, draft: Draft, error: GoogleError) -> bool:
    """Google may say of a calendar that we can't see what it says of an event that is not there."""
    return isinstance(error, AlreadyGone) or (
        isinstance(error, Missing) and google.lists_calendar(draft.calendar.google_id)
    )


def _times_of(draft: Draft, event: Event) -> Times:
    """Raises `Changed` where it has become something that a session can't be (case 107), unless we know it as it is: then that was seen to, and what the
    session has to say is written there all the same. No pull would have anything to say of it.
    """
    row = mirror_row(event, calendar=draft.calendar.id, generation=0, session=draft.session.id)
    times = new_times(row, draft.calendar.time_zone)
    strange = times is None or row.kind != "single" or (row.start is not None and row.start.all_day)
    if strange and event["etag"] != draft.copy.etag:
        raise Changed("another shape")
    return times or draft.copy.base or draft.session.times


def delete_event(google: GoogleCalendar, calendar: Calendar, copy: GoogleCopy) -> bool:
    """Without an etag: whatever the owner did to it, the booking is cancelled (case 116). Gone before is as good (case 115). Whether it was there."""
    try:
        google.delete(calendar.google_id, copy.event, etag=None)
    except AlreadyGone:
        return False
    except Missing:
        if copy.base is None and copy.asked:
            _spend_id(google, calendar, copy)
        return False
    return True


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


def _take_another_id(work: Work, draft: Draft) -> None:
    """Case 95. Nobody makes such an id by accident, so it is looked at by a person; the session gets its event all the same."""
    log.error("an event that is not ours has the id %s in calendar %s", draft.copy.event, draft.calendar.id)

    def attempt(reader: Reader) -> Decision[None]:
        session = reader.get(Ref(Session, draft.session.id))
        copy = session.copies.get(draft.calendar.id) if session else None
        if session is None or copy is None or copy.event != draft.copy.event:
            return Decision(answer=None)
        update = {"attempt": copy.attempt + 1, "event": event_id(session.id, copy.calendar, copy.attempt + 1)}
        renamed = session.with_copy(copy.model_copy(update={**update, "asked": (), "writing": ()}))
        entry = HistoryEntry(
            what="session.event_renamed",
            author=Author(kind="system"),
            session=session.id,
            calendar=copy.calendar,
            why="an event that is not ours has its id",
            before={"event": copy.event},
            after={"event": update["event"]},
        )
        return Decision(answer=None, documents=(renamed,), history=(entry,))

    work.store.run(work.account, attempt)


def _held(draft: Draft, event: Event | None) -> Json:
    """What the copy says from now on. `event`: None where there was nothing to write."""
    held: Json = {"base": draft.session.times, "wrote": marks(draft.copy, draft.content)}
    if event is not None:
        etag = event.get("etag")
        held |= {"etag": etag, "left": etag if is_only_ours(event, draft.content) else None}
        held |= {"updated": event.get("updated")}
        if draft.content.meeting and draft.copy.meeting is None:
            held |= {"meeting": "asked"}
    return held


def _confirm(work: Work, pushed: Pending, held: Mapping[str, Any], *, etag: str | None) -> None:
    """Records what Google holds now, unless a pull saw something newer meanwhile: then the copy stays pending and is looked at again."""

    def attempt(reader: Reader) -> Decision[bool]:
        session = reader.get(Ref(Session, pushed.session.id))
        copy = session.copies.get(pushed.calendar.id) if session else None
        if session is None or copy is None or copy.event != pushed.copy.event:
            return Decision(answer=True)
        if copy.written >= pushed.session.version or (copy.left_alone and pushed.session.status == "open"):
            return Decision(answer=True)  # a later write, or the inbound rules, were faster
        if copy.etag not in (pushed.copy.etag, etag):
            return Decision(answer=False)
        update = {**held, "written": pushed.session.version, "error": None, "error_since": None}
        if session.version == pushed.session.version:
            update |= {"asked": (), "writing": (), "forgets": False}
        done = session.with_copy(copy.model_copy(update=update))
        return Decision(answer=True, documents=(done,))

    if not work.store.run(work.account, attempt):
        raise TryLater("a pull saw a newer state of the event")


def _let_a_pull_decide(work: Work, draft: Draft) -> None:
    calendar, copy = draft.calendar, draft.copy
    work.application.tasks.create(
        Task(
            kind="pull",
            name=f"{work.account}/{calendar.id}/changed/{copy.event}/{copy.etag}/{work.now() // 1000}",
            body={"account": work.account, "subject": calendar.id},
        )
    )
