"""Which calendars a session's events are to be in: those that its resources' sessions are written to, and no others.

Where that has changed, the session gets an event in the new calendar, and the one in the old calendar is to go. That is ours to do, and no deletion by its
owner: a copy that is `leaving` says so, until its event is gone. Twice changes nothing more.
"""

from collections.abc import Collection, Iterable

from functions.domain.calendar_access import GONE
from functions.domain.configuration import Resource
from functions.domain.decision import Author, Decision, Effect, HistoryEntry
from functions.domain.event_ids import MOST_ATTEMPTS, event_id
from functions.domain.linking import redirections
from functions.domain.seating import push_of
from functions.domain.session import GoogleCopy, Session

DESTINATION = Author(kind="rule", name="destination")


def destinations_of(resources: Iterable[Resource]) -> tuple[str, ...]:
    """Two resources may share one."""
    return tuple(dict.fromkeys(each.destination for each in resources if each.destination is not None))


def redirect(session: Session, destinations: Collection[str], gone: Collection[str]) -> Decision[Session]:
    """The session, on its way to these calendars. `gone`: calendars that Google does not show (any more).

    What its owner took to another calendar themselves stays there, as long as the calendar that it came from is a destination.
    """
    after = _redirected(session, destinations, gone)
    if after == session:
        return Decision(answer=session)
    entry = HistoryEntry(
        what="session.redirected",
        author=DESTINATION,
        session=session.id,
        resource=session.resources[0],
        why="its calendar is another one now",
        before={"calendars": _names(session)},
        after={"calendars": _names(after)},
    )
    return Decision(answer=after, documents=(after,), history=(entry,), effects=push_of(after))


def _redirected(session: Session, destinations: Collection[str], gone: Collection[str]) -> Session:
    if session.status != "open" or is_in_question(session):
        return session  # whoever decides asks again
    after = session
    for copy in session.copies.values():
        if copy.leaving == "back" and copy.calendar not in destinations:
            after = after.with_copy(copy.model_copy(update={"leaving": "asked"}))
    for copy in session.present_copies:
        if copy.calendar in destinations and copy.home not in destinations:
            after = after.with_copy(copy.model_copy(update={"home": None}))  # it is where it belongs by now
        elif (copy.home or copy.calendar) not in destinations:
            after = _without(after, copy, gone)
    served = {copy.home or copy.calendar for copy in after.present_copies}
    # Where an event was left when its connection was ended, it is looked for before another one is made (see `left_events`).
    served |= {copy.calendar for copy in after.copies.values() if copy.out_of_reach}
    for calendar in destinations:
        if calendar not in served:
            after = after.with_copy(_copy_in(after, calendar, gone))
    return after


def once_decided(before: Session, after: Session, resources: Iterable[Resource]) -> tuple[Effect, ...]:
    """What follows where something was in question until now: meanwhile the session stayed in its calendars, though others may be its resources' by now."""
    decided = is_in_question(before) and not redirect(after, destinations_of(resources), ()).writes_nothing
    return redirections(after.resources[:1]) if decided else ()


def is_in_question(session: Session) -> bool:
    """Whether it is not decided what becomes of an event of its: it is missing, or somebody is asked about it. One that was made a series, say, may be more
    than the session by now, so it is not deleted unasked.
    """
    asked = None if session.conflict is None else session.conflict.calendar
    return any(copy.missing_since is not None or copy.calendar == asked for copy in session.present_copies)


def _without(session: Session, copy: GoogleCopy, gone: Collection[str]) -> Session:
    if copy.base is None and not copy.asked:  # Google never heard of it
        return session.model_copy(
            update={"copies": {name: each for name, each in session.copies.items() if name != copy.calendar}}
        )
    update: dict[str, object] = {"leaving": "due", "error": None, "error_since": None}
    if copy.calendar in gone:
        update |= {"gone": True, "error": GONE}  # should it be shown again, its events are looked after (`copies`)
    return session.with_copy(copy.model_copy(update=update))


def _copy_in(session: Session, calendar: str, gone: Collection[str]) -> GoogleCopy:
    """Its copy in a calendar in which it has none, or had one that is (or is about to be) gone."""
    known = session.copies.get(calendar)
    if known is not None and known.leaving in ("asked", "back"):  # made anew once that is through (`left`)
        return known.model_copy(update={"leaving": "back"})
    still_there = known is not None and (not known.gone or (known.error == GONE and calendar not in gone))
    if known is not None and known.leaving == "due" and still_there:
        return known.model_copy(update={"leaving": None, "gone": False, "error": None, "error_since": None})
    return new_copy(session, calendar)


def new_copy(session: Session, calendar: str) -> GoogleCopy:
    """Google takes no id twice: its event has one that none of the session's ever had in that calendar."""
    attempt = max((copy.attempt + 1 for copy in session.copies.values()), default=0) % MOST_ATTEMPTS
    return GoogleCopy(calendar=calendar, event=event_id(session.id, calendar, attempt), attempt=attempt)


def left(session: Session, calendar: str) -> Session:
    """Its event is gone from a calendar that it was leaving. Where it is wanted there again by now, it is made anew."""
    copy = session.copies[calendar]
    if copy.leaving == "back" and session.status == "open":
        return session.with_copy(new_copy(session, calendar))
    return session.with_copy(gone_from(copy))


def gone_from(copy: GoogleCopy) -> GoogleCopy:
    """The copy stays on record, so that its event is known as ours should it show once more, and its id not used again."""
    return copy.model_copy(
        update={"gone": True, "leaving": "due", "missing_since": None, "etag": None, "error": None, "error_since": None}
    )


def _names(session: Session) -> list[str]:
    return sorted(copy.calendar for copy in session.present_copies)
