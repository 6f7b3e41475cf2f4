"""Connections, looked at: which Google accounts there are, what their calendars do and how fresh they are, and what that means for clients now."""

from collections.abc import Iterable

from functions.adapters.store import queries
from functions.booking.routing import Answer, Call, Route
from functions.booking.schemas_connections import (
    CalendarAnswer,
    CalendarList,
    ConnectionList,
    ConnectionListed,
    ReviewedConnection,
)
from functions.domain.bookability import Meaning, Seen, meanings
from functions.domain.calendar import Calendar, Connection
from functions.domain.decision import Ref
from functions.domain.errors import NotFound


def list_connections(call: Call) -> Answer:
    """The Google accounts that are in use, or should be, or that Google has not let go of; one that is ended for good is not among them."""
    connections = queries.connections(call.application.store, call.account)
    calendars = queries.all_of(call.application.store, call.account, Calendar)
    means = _meanings(call, connections, calendars)
    shown = [each for each in _in_order(connections) if each.status != "disconnected" or each.ending is not None]
    return Answer(body=ConnectionList(connections=[ConnectionListed.seen(each, means) for each in shown]))


def get_connection(call: Call) -> Answer:
    """A Google account: what it covers, how its calendars are, and what that means for clients."""
    store = call.application.store
    connections = queries.connections(store, call.account)
    connection = next((each for each in connections if each.id == call.ids["connection"]), None)
    if connection is None:
        raise NotFound("There is no such connection.")
    calendars = queries.all_of(store, call.account, Calendar)
    means = _meanings(call, connections, calendars)
    theirs = _calendars_in_order(each for each in calendars if each.connection == connection.id)
    return Answer(body=ReviewedConnection.reviewed(connection, theirs, means))


def list_calendars(call: Call) -> Answer:
    """The calendars that a connection reaches: those that do something first."""
    store = call.application.store
    if store.get(call.account, Ref(Connection, call.ids["connection"])) is None:
        raise NotFound("There is no such connection.")
    found = _calendars_in_order(queries.calendars_of(store, call.account, call.ids["connection"]))
    return Answer(body=CalendarList(calendars=[CalendarAnswer.of(each) for each in found]))


def _meanings(call: Call, connections: list[Connection], calendars: list[Calendar]) -> tuple[Meaning, ...]:
    store = call.application.store
    return meanings(
        Seen(
            connections=tuple(connections),
            calendars=tuple(calendars),
            resources=tuple(queries.resources(store, call.account)),
            services=tuple(queries.services(store, call.account)),
            stale_after=call.stale_after,
            now=call.now,
        )
    )


def _in_order(connections: Iterable[Connection]) -> list[Connection]:
    return sorted(connections, key=lambda each: (each.connected_at, each.id))


def _calendars_in_order(calendars: Iterable[Calendar]) -> list[Calendar]:
    """Those that do something first, the person's own before others."""
    return sorted(calendars, key=lambda each: (not each.selected, not each.primary, each.summary, each.id))


_CONNECTIONS = "/v1/accounts/<id:account>/connections"
_CONNECTION = f"{_CONNECTIONS}/<id:connection>"

ROUTES = (
    Route(method="GET", path=_CONNECTIONS, handler=list_connections, access="operator", answer=ConnectionList),
    Route(method="GET", path=_CONNECTION, handler=get_connection, access="operator", answer=ReviewedConnection),
    Route(
        method="GET",
        path=f"{_CONNECTION}/calendars",
        handler=list_calendars,
        access="operator",
        answer=CalendarList,
    ),
)
