"""What must be true: at every moment of a story, and once it has gone quiet. Each check answers with sentences; none means that all is well.

What should be follows from Google's own state and from what the documents say of themselves, never from when something happened.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from functions.adapters.store import queries
from functions.adapters.store.documents import decode, mirror_ref
from functions.domain.calendar import Calendar
from functions.domain.configuration import Resource
from functions.domain.decision import Ref
from functions.domain.event_ids import session_of
from functions.domain.google_copy import ACCOUNT_PROPERTY, SESSION_PROPERTY, VERSION_PROPERTY, content_of
from functions.domain.google_event import MirrorEvent
from functions.domain.instants import Millis, months_between, rfc3339
from functions.domain.intervals import Interval, merge
from functions.domain.ledger import LedgerMonth, ledger_id
from functions.domain.mirror_row import by_itself, mirror_row
from functions.domain.own_event import new_times
from functions.domain.session import GoogleCopy, Session
from functions.domain.standing import Obstacle
from infra.local.google.event_record import EventRecord
from infra.local.google.event_store import EventStore
from infra.local.google.freebusy import busy_spans
from tests.reliability.simulation.business import ACCOUNT, WHO_READS, Business
from tests.reliability.simulation.people import Deeds
from tests.reliability.truth import Books, lies, read_books, sold_over_google, sold_twice

# What the ledger says is held against Google in these minutes: from the first of the month, where it begins, to a week after the crowded day.
WINDOW = Interval(30_064_320, 30_078_720)


NOTHING: Mapping[str, int] = MappingProxyType({})

# What history says of a booking in the commit that asks for a mail about it.
TOLD_OF: Mapping[str, frozenset[str]] = {
    "requested": frozenset({"booking.requested"}),
    "confirmed": frozenset({"booking.confirmed"}),
    "moved": frozenset({"booking.moved", "session.moved"}),
    "cancelled": frozenset({"booking.cancelled", "session.cancelled"}),
}
COMMIT_ID = 32  # characters, with which the outbox and history records of one commit begin


class AtEveryMoment:
    """Every commit is looked at: nothing is sold twice, and nothing over an event that is known, not even for a moment."""

    def __init__(self, now: Callable[[], Millis]) -> None:
        self._now = now
        self._sessions: dict[str, Session] = {}
        self._resources: dict[str, Resource] = {}
        self._months: dict[str, Mapping[str, Any]] = {}  # as they are stored
        self.found: list[str] = []

    def committed(self, written: Mapping[str, Mapping[str, Any] | None]) -> None:
        before = dict(self._sessions)
        for path, fields in written.items():
            *above, collection, name = path.split("/")
            if fields is None:
                continue
            if collection == "sessions":
                self._sessions[name] = decode(Ref(Session, name), fields)
            elif collection == "resources":
                self._resources[name] = decode(Ref(Resource, name), fields)
            elif collection == "months":
                self._months[ledger_id(above[-1], name)] = fields
        changed = [session for name, session in self._sessions.items() if before.get(name) is not session]
        if changed:
            self.found += sold_twice(Books(now=self._now(), sessions=self._sessions))
        for session in changed:
            if session.status == "open" and _is_a_sale(before.get(session.id), session):
                self.found += sold_over_google(self._books_about(session), session)

    def _books_about(self, session: Session) -> Books:
        names = {ledger_id(name, m) for name in session.resources for m in months_between(*session.occupation.taken)}
        months = {name: decode(Ref(LedgerMonth, name), self._months[name]) for name in names & self._months.keys()}
        return Books(now=self._now(), months=months, resources=self._resources)


def _is_a_sale(before: Session | None, after: Session) -> bool:
    """Whether it comes to this time, or somebody gets seats in it."""
    if before is None or before.status != "open" or before.occupation.taken != after.occupation.taken:
        return True
    return not {*after.seats, *after.holds} <= {*before.seats, *before.holds}


def when_quiet(
    business: Business, deeds: Deeds, *, disturbed: Mapping[str, int] = NOTHING, unseen: frozenset[str] = frozenset()
) -> list[str]:
    """Everything that is wrong. `disturbed`: how often the delivery of a mail's task was, by its outbox record. `unseen`: events that we have written since
    their calendars were last listed, of which the mirror need not hold what Google does.
    """
    books = read_books(business.store, ACCOUNT)
    return [
        *lies(books),
        *_mirrors(business, unseen),
        *_drift(business, books),
        *_events(business, books, deeds),
        *_nothing_owed(business),
        *_told_once(business, disturbed),
        *_external_changes(business, deeds),
        *(f"not as Google's discovery document says: {each}" for each in business.world.journal.mismatches),
    ]


def _calendars(business: Business) -> list[Calendar]:
    return [each for each in queries.all_of(business.store, ACCOUNT, Calendar) if each.in_use]


def _store(business: Business, calendar: Calendar) -> EventStore:
    return business.world.events(business.world.calendars.get(calendar.google_id))


def _mirrors(business: Business, unseen: frozenset[str]) -> Iterator[str]:
    """Each mirror holds what a full list of its calendar brings, and nothing else."""
    for calendar in _calendars(business):
        role = business.world.calendars.get(calendar.google_id).role_of(WHO_READS[calendar.google_id])
        if calendar.role != role:
            yield f"{calendar.google_id} is said to be ours as {calendar.role}; we are {role}"
        live = {row.id: _essence(row) for row in _listed(business, calendar)}
        rows = business.store.client.collection(f"accounts/{ACCOUNT}/calendars/{calendar.id}/events").stream()
        kept = [decode(mirror_ref(calendar.id, row.get("id")), row.to_dict()) for row in rows]
        mirror = {row.id: _essence(row) for row in kept if row.id in live or not _may_be_missing(calendar, row)}
        for event in unseen:
            live.pop(event, None)
            mirror.pop(event, None)
        for event in sorted(live.keys() - mirror.keys()):
            yield f"the mirror of {calendar.google_id} lacks {event}: {live[event]}"
        for event in sorted(mirror.keys() - live.keys()):
            yield f"the mirror of {calendar.google_id} has {event}, which is not there: {mirror[event]}"
        for event in sorted(live.keys() & mirror.keys()):
            if mirror[event] != live[event]:
                yield f"the mirror of {calendar.google_id} has {event} as {mirror[event]}; it is {live[event]}"


def _listed(business: Business, calendar: Calendar) -> list[MirrorEvent]:
    """What its full list brings; where it tells only busy times, the occurrences within its bounds, each by itself (case 74)."""
    bounds = calendar.cursor.bounds
    within = {} if bounds is None else {"timeMin": rfc3339(bounds.start), "timeMax": rfc3339(bounds.end)}
    path, reader = f"calendars/{calendar.google_id}/events", WHO_READS[calendar.google_id]
    listed = business.wire.as_person(reader, "GET", path, maxResults="2500", maxAttendees="1", **within)["items"]
    rows = [mirror_row(each, calendar=calendar.id, generation=0, session=None) for each in listed]
    return rows if bounds is None else [by_itself(row) for row in rows]


def _may_be_missing(calendar: Calendar, row: MirrorEvent) -> bool:
    """Of an event of ours that a list of busy times does not bring, Google does not say that it is gone; and one that we may not write is only expected."""
    return row.session is not None and (calendar.free_busy_only or (row.start is None and not calendar.can_write))


def _essence(row: MirrorEvent) -> dict[str, Any]:
    kept = row.model_dump(
        mode="json",
        include={"kind", "series", "cancelled", "busy", "start", "end", "recurrence", "original_start", "etag"},
    )
    if row.cancelled:
        kept = {name: kept[name] for name in ("kind", "series", "cancelled", "original_start")}
    return {name: value for name, value in kept.items() if value}


def _drift(business: Business, books: Books) -> Iterator[str]:
    """For each resource and each calendar that blocks it, the ledger's blocks are what Google says is busy, less the events of ours that sessions stand for."""
    resources = {each.id: each for each in queries.resources(business.store, ACCOUNT)}
    for calendar in _calendars(business):
        for resource in calendar.resources:
            expected = _busy(business, calendar, _stood_for(books, calendar, resource))
            if calendar.id not in resources[resource].blocked_by:
                yield f"{calendar.google_id} blocks {resource}, which does not say so"
            if differing := _difference(expected, _blocks(books, resource, calendar.id)):
                yield f"drift of {calendar.google_id} at {resource}: {_said(differing)}"
    yield from _links(resources.values(), _calendars(business))


def _links(resources: Iterable[Resource], calendars: Iterable[Calendar]) -> Iterator[str]:
    blocking = {calendar.id: set(calendar.resources) for calendar in calendars}
    for resource in resources:
        for name in resource.blocked_by:
            if resource.id not in blocking.get(name, set()):
                yield f"{resource.id} is blocked by {name}, which does not say so"


def _stood_for(books: Books, calendar: Calendar, resource: str) -> set[str]:
    """The events of ours whose time a session in the ledger takes: those it has here, and those that came here from another calendar of its own. And those
    of sessions that are over, where we may not delete them.
    """
    there = {
        copy.event
        for session in books.sessions.values()
        for name, copy in session.copies.items()
        if session.status == "open" and not _is_asked_about(books, session, calendar, copy)
        if name == calendar.id or resource in session.resources
    }
    over = (session for session in books.sessions.values() if session.status == "cancelled")
    kept = (copy for session in over for name, copy in session.copies.items() if name == calendar.id and not copy.gone)
    return there | {copy.event for copy in kept if not calendar.can_write}


def _is_asked_about(books: Books, session: Session, calendar: Calendar, copy: GoogleCopy) -> bool:
    """Whether its time in the calendar is taken because somebody is to decide about it: now, or once they have decided about another event of the session."""
    row = next((row for row in books.rows if (row.calendar, row.id) == (calendar.id, copy.event)), None)
    return row is not None and row.disputed and session.in_conflict(Obstacle.MOVED)


class _Without:
    """A calendar's events without some single ones, for the stand-in's own way to find what is busy."""

    def __init__(self, store: EventStore, ids: set[str]) -> None:
        self._store, self._ids = store, ids

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def timed(self, *span: Any) -> Iterator[tuple[float, EventRecord]]:
        return (each for each in self._store.timed(*span) if each[1].id not in self._ids)


def _busy(business: Business, calendar: Calendar, ours: set[str]) -> list[Interval]:
    without: Any = _Without(_store(business, calendar), ours)
    spans = busy_spans(without, (WINDOW.start * 60.0, WINDOW.end * 60.0))
    return merge(Interval(int(start // 60), -int(-end // 60)) for start, end in spans)


def _blocks(books: Books, resource: str, calendar: str) -> list[Interval]:
    found = [
        Interval(max(block.start, WINDOW.start), min(block.end, WINDOW.end))
        for month in books.months.values()
        if month.resource == resource
        for blocks in month.blocks.get(calendar, {}).values()
        for block in blocks
        if block.start < WINDOW.end and WINDOW.start < block.end
    ]
    return merge(found)


def _difference(google: list[Interval], ledger: list[Interval]) -> dict[str, set[int]]:
    one = {minute for each in google for minute in range(each.start, each.end)}
    other = {minute for each in ledger for minute in range(each.start, each.end)}
    found = {"Google alone": one - other, "ledger alone": other - one}
    return {name: minutes for name, minutes in found.items() if minutes}


def _said(differing: Mapping[str, set[int]]) -> str:
    return "; ".join(
        f"{len(minutes)} minutes in {name}, from {rfc3339(min(minutes))}" for name, minutes in differing.items()
    )


def _events(business: Business, books: Books, deeds: Deeds) -> Iterator[str]:
    """Each session has exactly the events it should, and no event of ours belongs to nothing."""
    stores = {each.id: (_store(business, each), each) for each in queries.all_of(business.store, ACCOUNT, Calendar)}
    for session in books.sessions.values():
        for name, copy in session.copies.items():
            store, calendar = stores[name]
            record = store.find(copy.event)
            there = record is not None and not record.cancelled
            what = f"session {session.id} ({session.status}) in {calendar.google_id}"
            if session.status == "open" and copy.missing_since is not None:
                # Where the event may be, a person is asked.
                if not (session.in_conflict(Obstacle.DELETED) or session.in_conflict(Obstacle.MOVED)):
                    yield f"{what} is missing, and nobody is asked"
            elif copy.written < session.version and not copy.gone:
                # Where somebody is to decide about its time, it waits for that.
                if calendar.can_write and not session.in_conflict(Obstacle.MOVED):
                    yield f"{what} is still to be written ({copy.error})"
            elif calendar.free_busy_only:
                continue  # nobody can see what became of it
            elif session.status == "open" and not there and not copy.gone:
                yield f"{what} has no event"
            elif session.status == "open" and there and record is not None:
                if not _is_asked_about(books, session, calendar, copy):
                    yield from _as_it_should(what, session, record, calendar)
                    yield from _says_what_it_should(what, books, session, record, calendar, deeds)
            elif (
                session.status == "cancelled" and there and copy.event not in deeds.brought_back | deeds.taken_elsewhere
            ):
                yield f"{what} has an event still"
    known = {(name, copy.event) for session in books.sessions.values() for name, copy in session.copies.items()}
    for name, (store, calendar) in stores.items():
        for record in store.from_ordinal(0):
            ours = session_of(record.id) is not None and not record.cancelled
            by_people = record.id in deeds.taken_elsewhere | deeds.brought_back
            if ours and not by_people and (name, record.id) not in known and record.organizer == calendar.google_id:
                yield f"{calendar.google_id} has an event of ours that no session knows: {record.id}"


def _as_it_should(what: str, session: Session, record: EventRecord, calendar: Calendar) -> Iterator[str]:
    row = mirror_row(record.body | {"id": record.id}, calendar=calendar.id, generation=0, session=session.id)
    times = new_times(row, calendar.time_zone)
    shaped = session.conflict is not None and session.conflict.reason in ("all_day", "recurring")
    if times != session.times and not shaped and row.kind == "single":
        yield f"{what} is at {session.times}, its event at {times}"


def _says_what_it_should(
    what: str, books: Books, session: Session, record: EventRecord, calendar: Calendar, deeds: Deeds
) -> Iterator[str]:
    """Its title, text, guests and marks, but for what its owner made of it. Who brings an event back from the bin keeps of it what their program knew."""
    if record.id in deeds.brought_back:
        return
    seated = [books.bookings[key] for key in session.seats]
    content = content_of(session, calendar.id, books.services[session.service], seated)
    private = record.body.get("extendedProperties", {}).get("private", {})
    there = {
        "title": content.summary if record.id in deeds.retitled else record.body.get("summary"),
        "text": record.body.get("description") or "",
        "guests": sorted(guest["email"].casefold() for guest in record.body.get("attendees", ())),
        "marks": [private.get(name) for name in (ACCOUNT_PROPERTY, SESSION_PROPERTY)],
    }
    wanted = {
        "title": content.summary,
        "text": content.description,
        "guests": sorted(content.guests),
        "marks": [ACCOUNT, session.id],
    }
    for name, value in wanted.items():
        if there[name] != value:
            yield f"{what} has an event of another {name}: {there[name]!r}, not {value!r}"
    if not 0 < int(private.get(VERSION_PROPERTY, 0)) <= session.version:
        yield f"{what} is of version {session.version}, its event of {private.get(VERSION_PROPERTY)}"


def _nothing_owed(business: Business) -> Iterator[str]:
    now = business.clock.millis
    for record in business.store.client.collection(f"accounts/{ACCOUNT}/outbox").stream():
        fields = record.to_dict() or {}
        if (fields["not_before"] or 0) <= now:
            yield f"still owed: {fields['kind']} {fields['subject']} {fields['about'] or ''}"


def _told_once(business: Business, disturbed: Mapping[str, int]) -> Iterator[str]:
    """Each change tells each of its people in one mail: every mail was asked for by a commit whose history says what it tells, no commit asks for one twice,
    and none is sent again but where its sending was disturbed.
    """
    asked = {task.body["outbox"]: task.body for task in business.tasks.every if task.kind == "notify"}
    happened = _history_by_commit(business)
    told = Counter[tuple[str, str]]()
    for outbox, times in Counter(
        str(mail["Message-ID"]).strip("<").partition("@")[0] for mail in business.mails
    ).items():
        if outbox not in asked:
            yield f"a mail was sent for which nothing asked: {outbox}"
            continue
        subject, about, commit = asked[outbox]["subject"], asked[outbox]["about"], outbox[:COMMIT_ID]
        what = f"{subject} about '{about}'"
        told[commit, what] += 1
        if times > 1 + disturbed.get(outbox, 0):
            yield f"{what} was told {times} times, and its sending was disturbed {disturbed.get(outbox, 0)} times"
        if about in TOLD_OF and not happened[commit, subject] & TOLD_OF[about]:
            yield f"{what} was told, of which history knows nothing: {happened[commit, subject] or 'nothing at all'}"
    for (_, what), times in told.items():
        if times > 1:
            yield f"{what} was told in {times} mails of one change"


def _history_by_commit(business: Business) -> Mapping[tuple[str, str], set[str]]:
    """What each commit says has happened to each booking and each who waits."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each in business.store.client.collection(f"accounts/{ACCOUNT}/history").stream():
        entry = each.to_dict() or {}
        for subject in {entry["booking"], entry["entry"]} - {None}:
            found[each.id[:COMMIT_ID], subject].add(entry["what"])
    return found


def _external_changes(business: Business, deeds: Deeds) -> Iterator[str]:
    """History says at most as often that Google moved or ended a session as people did something to its event."""
    seen = Counter[str]()
    for each in business.store.client.collection(f"accounts/{ACCOUNT}/history").stream():
        entry = each.to_dict() or {}
        if entry["author_kind"] == "google" and entry["what"] in ("session.moved", "session.cancelled"):
            seen[entry["session"]] += 1
    done = Counter[str]()
    for event, times in deeds.changed.items():
        done[session_of(event) or ""] += times
    for session, times in seen.items():
        if times > done[session]:
            yield f"history says {times} times that Google changed session {session}; people did {done[session]} times"
