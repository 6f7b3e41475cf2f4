"""Ending a connection: what becomes of the events in Google is the operator's to say, and what follows here is said in the answer."""

from itertools import islice

from functions.adapters.store import queries
from functions.adapters.store.store import Reader
from functions.booking.authority import authorised
from functions.booking.routing import Answer, Call, Route
from functions.booking.schemas_connections import DisconnectedAnswer, DisconnectQuery
from functions.domain.calendar import Calendar, Connection
from functions.domain.configuration import Resource
from functions.domain.decision import Decision, Ref
from functions.domain.disconnecting import ChoiceNeeded, Disconnected, Events, disconnect, has_event_ahead
from functions.domain.errors import NotFound
from functions.domain.instants import DAY_MINUTES, minute_of_millis

LONGEST = 7 * DAY_MINUTES  # a session that still runs began no earlier
MOST_COUNTED = 1_000


def end_connection(call: Call) -> Answer:
    """Ends a connection. Twice is harmless: what was said the first time holds."""
    query = call.query(DisconnectQuery)
    store = call.application.store
    connection = store.get(call.account, Ref(Connection, call.ids["connection"]))
    if connection is None:
        raise NotFound("There is no such connection.")
    ahead = _events_ahead(call, connection.id) if connection.status != "disconnected" else 0
    if ahead and query.events is None:
        raise ChoiceNeeded(ahead)
    ended = store.run(call.account, authorised(call, lambda reader: _ended(reader, call, query.events or "leave")))
    return Answer(body=DisconnectedAnswer.of(ended, ahead), status=202)


def _ended(reader: Reader, call: Call, events: Events) -> Decision[Disconnected]:
    connection = reader.get(Ref(Connection, call.ids["connection"]))
    if connection is None:
        raise NotFound("There is no such connection.")
    if connection.status == "disconnected":
        return Decision(answer=Disconnected(connection=connection))
    # After the connection: whoever adds a calendar to it, or gives one of its something to do, changes what was read of it.
    refs = [
        Ref(Calendar, each.id) for each in queries.calendars_of(call.application.store, call.account, connection.id)
    ]
    reader.load(*refs)
    known = [calendar for ref in refs if (calendar := reader.get(ref)) is not None]
    names = sorted({name for each in known for name in (*each.resources, *each.destination_for)})
    reader.load(*(Ref(Resource, name) for name in names))
    resources = [resource for name in names if (resource := reader.get(Ref(Resource, name))) is not None]
    return disconnect(connection, known, resources, events=events, now=call.now, author=call.caller.author)


def _events_ahead(call: Call, connection: str) -> int:
    """How many events of ours lie ahead in these calendars; nobody needs to know it exactly where there are very many."""
    since = minute_of_millis(call.now) - LONGEST
    calendars = {each.id for each in queries.calendars_of(call.application.store, call.account, connection)}
    sessions = queries.sessions_from(call.application.store, call.account, since)
    found = (each for each in sessions if has_event_ahead(each, calendars, call.now))
    return sum(1 for _ in islice(found, MOST_COUNTED))


ROUTES = (
    Route(
        method="DELETE",
        path="/v1/accounts/<id:account>/connections/<id:connection>",
        handler=end_connection,
        access="operator",
        permission="connections",
        query=DisconnectQuery,
        answer=DisconnectedAnswer,
        status=202,
        refusals=(ChoiceNeeded,),
    ),
)
