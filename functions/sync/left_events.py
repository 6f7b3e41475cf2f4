"""Events of ours that were left in Google when a connection was ended, and whose calendar is reached again by a new connection to the same account.

The session that an event belongs to knows it (`GoogleCopy.out_of_reach`), so no second one is written. Before the calendars of the new connection are anybody's
to choose, its sessions are told under which ids they are reached now. What the list of a calendar then brings is followed like any event of ours; what
it does not bring is asked for, and where it is no more it is written again.
"""

import logging
from collections.abc import Mapping

from functions.adapters.google_errors import AccessLost, AlreadyGone, Forbidden, GoogleError, Missing, OurMistake
from functions.adapters.store import queries
from functions.adapters.store.store import Reader
from functions.domain.calendar import Calendar, Connection
from functions.domain.decision import Decision, Ref
from functions.domain.disconnecting import RULE, taken_over
from functions.domain.instants import minute_of_millis
from functions.domain.missing_event import can_be_made_again, go_on_without, make_again
from functions.domain.session import Session
from functions.sync.lost_access import lose_connection
from functions.sync.work import TryLater, Work

log = logging.getLogger(__name__)


def former_connections(work: Work, connection: Connection) -> list[Connection]:
    """Those to the same Google account that were ended. Raises `TryLater` while what is left to do for one of them is not done."""
    connections = queries.connections(work.store, work.account)
    former = [c for c in connections if c.subject == connection.subject and c.status == "disconnected"]
    if any(each.ending is not None for each in former):
        raise TryLater("a former connection to the same account is still being ended")
    return former


def take_over(work: Work, calendars: Mapping[str, str]) -> None:
    """`calendars`: the new ids by the old ones. Harmless to repeat."""
    for session in queries.sessions_with_copies(work.store, work.account, minute_of_millis(work.now())):
        if session.copies.keys() & calendars.keys():
            _take_over(work, session.id, calendars)


def _take_over(work: Work, session_id: str, calendars: Mapping[str, str]) -> None:
    def attempt(reader: Reader) -> Decision[None]:
        session = reader.get(Ref(Session, session_id))
        return Decision(answer=None) if session is None else taken_over(session, calendars)

    work.store.run(work.account, attempt)


def look_for(work: Work, calendar: Calendar, session: Session) -> None:
    """An event that was left in this calendar, and that its list has not brought (yet). Raises `TryLater` before it was read to its end, and where Google
    gives no answer. Where Google does not let us see it nothing is known of it, and nothing is done.
    """
    if not calendar.in_use:
        return  # once it is, its sessions are looked at again
    if not calendar.laid_out:
        raise TryLater("the calendar has not been read yet")
    copy = session.copies[calendar.id]
    try:
        event = work.google(calendar.connection).get(calendar.google_id, copy.event)
        there = event.get("status") != "cancelled"
    except (Missing, AlreadyGone):
        there = False
    except (Forbidden, OurMistake) as error:
        log.info("whether the event of session %s is still there can't be seen: %s", session.id, error.reason)
        return
    except AccessLost as error:
        lose_connection(work, calendar.connection, error)
        return  # when the access is back, its sessions are looked at again
    except GoogleError as error:
        raise TryLater(f"Google does not say whether an event is there: {error.reason}") from error
    if not there:
        work.store.run(work.account, lambda reader: _without_it(reader, session.id, calendar.id))


def _without_it(reader: Reader, session_id: str, calendar: str) -> Decision[None]:
    """Deleted while nobody was to be told of that: so it is no answer to anything, and the session has its event again."""
    session = reader.get(Ref(Session, session_id))
    copy = session.copies.get(calendar) if session else None
    if session is None or copy is None or not copy.out_of_reach:
        return Decision(answer=None)
    if session.status == "open" and can_be_made_again(copy):
        return make_again(session, calendar, author=RULE)
    return Decision(answer=None, documents=(go_on_without(session, calendar),))
