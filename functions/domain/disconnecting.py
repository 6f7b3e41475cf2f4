"""A connection that is ended by an operator: at once here, and then at Google, as far as Google lets us (case 84).

In the one commit that ends it, its calendars stop blocking and receiving, and nothing is pulled, pushed or watched by it any more. Bookings stay. What is left
to do is written on the connection (`Ending`) and done by a task: the events that lie ahead are taken out of Google, or left there and known as ours
should the same calendar be reached again; channels are stopped; what we knew of the calendars is forgotten; and last, because all that needs it, the
access itself is given back. A Google that refuses, or is silent for a day, keeps nobody here from being disconnected; what else it then does is asked for once
more, the access above all.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Literal

from functions.domain.calendar import Calendar, Connection, Cursor, Ending, Lease
from functions.domain.configuration import Resource
from functions.domain.decision import Author, Decision, Effect, HistoryEntry
from functions.domain.destinations import is_in_question
from functions.domain.errors import Refusal
from functions.domain.instants import DAY_MINUTES, MINUTE_MS, Millis
from functions.domain.ledger import enter
from functions.domain.linking import recalculations, redirections, touches
from functions.domain.seating import push_pending
from functions.domain.session import GoogleCopy, Session
from functions.domain.standing import SEEN_IN_GOOGLE
from functions.domain.transitions import CONNECTION, step

Events = Literal["leave", "remove"]
CHOICES: Mapping[Events, str] = {
    "leave": "They stay in Google Calendar as they are, and are not kept in step any more.",
    "remove": "They are deleted in Google Calendar. The bookings stay here.",
}
GIVEN_UP_AFTER_MS = DAY_MINUTES * MINUTE_MS
RULE = Author(kind="rule", name="disconnect")


class ChoiceNeeded(Refusal):
    """Events of ours lie ahead in the calendars. `events_ahead` counts them, and `choices` says what may become of them."""

    slug = "choice-needed"
    status = 409
    title = "Say what becomes of the events"

    def __init__(self, ahead: int) -> None:
        super().__init__(
            f"{ahead} events of bookings lie ahead in these calendars. Say what becomes of them: events=leave or events=remove.",
            events_ahead=ahead,
            choices=[{"choice": choice, "text": text} for choice, text in CHOICES.items()],
        )


@dataclass(frozen=True, kw_only=True)
class Disconnected:
    """What follows: the resources that no calendar of this connection blocks, and whose sessions are written to none of them, from now on."""

    connection: Connection
    blocked: tuple[Resource, ...] = ()
    received: tuple[Resource, ...] = ()


def disconnect(
    connection: Connection,
    calendars: Iterable[Calendar],
    resources: Iterable[Resource],
    *,
    events: Events,
    now: Millis,
    author: Author,
) -> Decision[Disconnected]:
    """`calendars`: all of the connection. `resources`: those that they block or receive sessions of. Raises `IllegalMove` where it is ended already."""
    ending = Ending(events=events, since=now)
    status = step(CONNECTION, connection.status, "disconnect")
    ended = connection.model_copy(update={"status": status, "ending": ending})
    calendars, resources = tuple(calendars), tuple(resources)
    ids = {calendar.id for calendar in calendars}
    blocked = tuple(each for each in resources if ids & {*each.blocked_by})
    received = tuple(each for each in resources if each.destination in ids)
    freed = {each.id: _without(each, ids) for each in (*blocked, *received)}
    entry = HistoryEntry(
        what="connection.ended",
        author=author,
        before={"status": connection.status},
        after={"status": status, "connection": connection.id, "email": connection.email, "events": events},
    )
    return Decision(
        answer=Disconnected(
            connection=ended,
            blocked=tuple(freed[each.id] for each in blocked),
            received=tuple(freed[each.id] for each in received),
        ),
        documents=(ended, *(_unused(each) for each in calendars), *freed.values()),
        touches=touches(freed, now),
        history=(entry, *(_unlinked(each, author) for each in calendars if each.selected)),
        effects=(
            Effect(kind="disconnect", subject=connection.id),
            *recalculations(sorted({name for each in calendars for name in (*each.resources, *each.changed)})),
        ),
    )


def _unused(calendar: Calendar) -> Calendar:
    """Whoever pulls it at the moment can commit nothing more. Its channel is remembered until it is stopped."""
    return calendar.model_copy(
        update={
            "resources": (),
            "destination_for": (),
            "cursor": Cursor(generation=calendar.cursor.generation),
            "lease": Lease(fence=calendar.lease.fence),
            "next_channel": None,
            "projected": {},
            "projecting": None,
            "changed": (),
            "dirty": 0,
            "last_success_at": None,
            "next_poll_at": None,
            "renew_at": None,
        }
    )


def _without(resource: Resource, calendars: Set[str]) -> Resource:
    return resource.model_copy(
        update={
            "blocked_by": tuple(each for each in resource.blocked_by if each not in calendars),
            "destination": None if resource.destination in calendars else resource.destination,
        }
    )


def _unlinked(calendar: Calendar, author: Author) -> HistoryEntry:
    return HistoryEntry(
        what="calendar.linked",
        author=author,
        calendar=calendar.id,
        why="its connection was ended",
        before={"blocks": list(calendar.resources), "destination_for": list(calendar.destination_for)},
        after={"blocks": [], "destination_for": []},
    )


def in_words(ended: Disconnected, ahead: int) -> Iterator[str]:
    """What follows for who runs the account. `ahead`: how many events lie ahead in its calendars."""
    connection, ending = ended.connection, ended.connection.ending
    for resource in ended.blocked:
        if resource.blocked_by:
            yield f"What is in the calendars of {connection.email} closes no time of {resource.name} any more; other calendars do."
        else:
            yield f"No calendar closes time of {resource.name} any more: only opening hours and bookings do."
    for resource in ended.received:
        yield f"Bookings with {resource.name} are not written to a calendar any more."
    if ending is None:
        yield f"{connection.email} is disconnected."
        return
    if ahead and ending.events == "leave":
        yield f"{ahead} events of bookings stay in Google Calendar as they are."
    elif ahead and connection.lost_at is not None:
        yield f"{ahead} events of bookings are to be deleted in Google Calendar; where Google gives us no access they stay."
    elif ahead:
        yield f"{ahead} events of bookings are being deleted in Google Calendar."
    yield "All bookings stay."


def has_event_ahead(session: Session, calendars: Collection[str], now: Millis) -> bool:
    """Whether Google holds an event of this session in one of the calendars, and it is not over."""
    copies = [copy for name, copy in session.copies.items() if name in calendars]
    ahead = session.status == "open" and session.end * MINUTE_MS > now
    return ahead and any(copy.told and not copy.left_alone for copy in copies)


def asks_google(ending: Ending, now: Millis) -> bool:
    """Whether Google is still to be asked to do its part, and again where it gives no answer."""
    return not ending.alone and now < ending.since + GIVEN_UP_AFTER_MS


def grant_after(
    place: tuple[str, Connection], others: Iterable[tuple[str, Connection]], now: Millis
) -> Literal["given back", "kept", "awaited"]:
    """What becomes of the grant once this connection, which is being ended, needs it no more. `place`: its account and itself; `others`: those by the same
    grant, of whatever account.

    Of several that are ended at once the last to be ended gives it back, and waits for the others: so none is left without it, and one of them does.
    """
    mine = _ended_at(place)
    kept = awaited = False
    for other in others:
        its, ending = _ended_at(other), other[1].ending
        if ending is None or its == mine:
            kept = kept or other[1].status != "disconnected"
        elif asks_google(ending, now):
            kept, awaited = kept or its > mine, awaited or its < mine
    if kept:
        return "kept"
    return "awaited" if awaited else "given back"


def _ended_at(place: tuple[str, Connection]) -> tuple[Millis, str, str]:
    account, connection = place
    return 0 if connection.ending is None else connection.ending.since, account, connection.id


def go_on_alone(connection: Connection) -> Decision[None]:
    """The same account is connected anew: what is left of this one must not touch what that one does."""
    if connection.ending is None or connection.ending.alone:
        return Decision(answer=None)
    alone = connection.model_copy(update={"ending": connection.ending.model_copy(update={"alone": True})})
    return Decision(answer=None, documents=(alone,), effects=(Effect(kind="disconnect", subject=connection.id),))


def finish(connection: Connection, *, events_left: int, given_back: bool) -> Decision[None]:
    """All is done: the token is forgotten. `events_left`: how many lie ahead in Google still. `given_back`: whether Google knows that the access is ended."""
    done = connection.model_copy(update={"secret": "", "ending": None})
    entry = HistoryEntry(
        what="connection.forgotten",
        author=RULE,
        why="the access was given back to Google" if given_back else "the access was not given back to Google",
        after={"connection": connection.id, "events_left": events_left},
    )
    return Decision(answer=None, documents=(done,), history=(entry,))


def part(session: Session, calendars: Set[str], *, removed: Set[str]) -> Decision[None]:
    """The session goes on without its events in these calendars. Of those that were `removed`, or that nobody was told of, nothing is kept; the others stay
    known, because they may be reached again one day. What a person was to decide about them is not asked any more.
    """
    copies = {
        name: copy
        if name not in calendars
        else copy.model_copy(update={"out_of_reach": True, "error": None, "error_since": None})
        for name, copy in session.copies.items()
        if name not in calendars
        or not (name in removed or copy.gone or copy.missing_since is not None or not copy.told)
    }
    after = session.model_copy(update={"copies": copies})
    conflict = session.conflict
    if conflict is None or not (
        conflict.calendar in calendars or _only_seen_there(session, conflict.reason, calendars)
    ):
        documents = () if after == session else (after,)
        return Decision(answer=None, documents=documents, effects=_follows(session, after))
    after = after.model_copy(update={"conflict": None})
    entry = HistoryEntry(
        what="session.supported",
        author=RULE,
        session=session.id,
        resource=session.resources[0],
        calendar=conflict.calendar,
        why="its calendar was disconnected",
        before={"conflict": conflict.reason},
        after={"conflict": None},
    )
    alive = session.status == "open"
    return Decision(
        answer=None,
        documents=(after,),
        changes=enter(after.resources, after.occupation) if alive else (),
        history=(entry,),
        # What could not show behind it, and what was not written elsewhere as long as it was asked.
        effects=(*recalculations(after.resources[:1]), *push_pending(after), *_follows(session, after))
        if alive
        else (),
    )


def _follows(before: Session, after: Session) -> tuple[Effect, ...]:
    """While something was in question there it stayed where it was, though its destination may be another calendar by now."""
    decided = is_in_question(before) and not is_in_question(after)
    return redirections(after.resources[:1]) if decided and after.status == "open" else ()


def _only_seen_there(session: Session, reason: str, calendars: Set[str]) -> bool:
    return reason in SEEN_IN_GOOGLE and session.copies.keys() <= calendars


def taken_over(session: Session, calendars: Mapping[str, str]) -> Decision[None]:
    """Calendars by the ids under which they are reached now: what was left there is known under the new ones, and looked at when these are read."""
    copies = [_reached_as(copy, calendars) if copy.out_of_reach else copy for copy in session.copies.values()]
    after = session.model_copy(update={"copies": {copy.calendar: copy for copy in copies}})
    return Decision(answer=None, documents=() if after == session else (after,))


def _reached_as(copy: GoogleCopy, calendars: Mapping[str, str]) -> GoogleCopy:
    home = None if copy.home is None else calendars.get(copy.home, copy.home)
    return copy.model_copy(update={"calendar": calendars.get(copy.calendar, copy.calendar), "home": home})
