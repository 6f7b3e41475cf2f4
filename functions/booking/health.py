"""How well calendars and bookings are in step: an account's health, and single calendars, which can be read or compared with Google on demand."""

from typing import Any

from functions.adapters.store import queries
from functions.adapters.store.store import Reader
from functions.booking.routing import Answer, Call, Route
from functions.booking.schemas import Shown
from functions.domain.calendar import Calendar, Channel, Connection, Difference
from functions.domain.decision import Decision, Effect, EffectKind, Ref
from functions.domain.errors import IllegalMove, NotFound
from functions.domain.health import Observed, Reason, attention, waiting_for_google
from functions.domain.instants import Millis, rfc3339, rfc3339_millis
from functions.domain.loss import Loss, words
from functions.domain.pacing import WritePause

MOST_COUNTED = 100  # of anything that should be none


def health(call: Call) -> Answer:
    """The state of every connection and of every calendar in use, or that was until it was gone; what is behind; and what an operator should look at."""
    store, account = call.application.store, call.account
    known: list[Calendar] = queries.all_of(store, account, Calendar)
    calendars = [each for each in known if each.selected]
    malformed = {each.id: len(queries.malformed_rows(store, account, each.id, MOST_COUNTED)) for each in calendars}
    pending = [*filter(waiting_for_google, queries.sessions_with_pending_copies(store, account, MOST_COUNTED))]
    overdue = queries.overdue_outbox(store, account, call.now, MOST_COUNTED)
    paused = {pause.id: pause for pause in queries.all_of(store, account, WritePause)}
    connections = [
        each for each in queries.connections(store, account) if each.status != "disconnected" or each.ending is not None
    ]
    reasons = attention(
        Observed(
            connections=tuple(connections),
            calendars=tuple(calendars),
            resources=tuple(queries.resources(store, account)),
            services=tuple(queries.services(store, account)),
            names={each.id: each.summary for each in known},
            malformed=malformed,
            pending=tuple(pending),
            paused=tuple(paused.values()),
            overdue_since=overdue[0].due_at if overdue else None,
            stale_after=call.stale_after,
            now=call.now,
        )
    )
    shown = {
        "status": "attention" if reasons else "ok",
        "well": not reasons,
        "reasons": [_reason(each) for each in reasons],
        "connections": [_connection(each) for each in connections],
        "calendars": [
            calendar_view(each) | _pause(paused.get(each.id), call.now) | {"unreadable_events": malformed[each.id]}
            for each in calendars
        ],
        "pending_copies": len(pending),
        "overdue_effects": len(overdue),
        "overdue_since": _moment(overdue[0].due_at) if overdue else None,
    }
    return Answer(body=Shown.model_validate(shown))


def get_calendar(call: Call) -> Answer:
    return _shown(read_calendar(call.application.store.reader(call.account), call))


def pull_calendar(call: Call) -> Answer:
    """Asks for a pull. `last_success_at` tells when it is through."""
    return _asked(call, "pull")


def audit_calendar(call: Call) -> Answer:
    """Asks for a comparison with Google. Its result stands in the calendar's view as soon as `audited_at` is new."""
    return _asked(call, "audit")


def _asked(call: Call, kind: EffectKind) -> Answer:
    def attempt(reader: Reader) -> Decision[Calendar]:
        calendar = read_calendar(reader, call)
        if not calendar.in_use:
            raise IllegalMove("This calendar is not in use: it blocks nothing, and no sessions are written to it.")
        return Decision(answer=calendar, effects=(Effect(kind=kind, subject=calendar.id),))

    return _shown(call.application.store.run(call.account, attempt), status=202)


def read_calendar(reader: Reader, call: Call) -> Calendar:
    """The calendar that the address names. Raises `NotFound`."""
    calendar = reader.get(Ref(Calendar, call.ids["calendar"]))
    if calendar is None:
        raise NotFound("There is no such calendar; list those of a connection.")
    return calendar


def _shown(calendar: Calendar, *, status: int = 200) -> Answer:
    return Answer(body=Shown.model_validate(calendar_view(calendar)), status=status)


def calendar_view(calendar: Calendar) -> dict[str, Any]:
    """A calendar for operators: what it does, how fresh it is, and whether it agrees with Google. Cursor and channel tokens stay inside."""
    return {
        "id": calendar.id,
        "connection": calendar.connection,
        "google_id": calendar.google_id,
        "summary": calendar.summary,
        "primary": calendar.primary,
        "role": calendar.role,
        "can_write": calendar.can_write,
        "time_zone": calendar.time_zone,
        "blocks": list(calendar.resources),
        "destination_for": list(calendar.destination_for),
        "state": calendar.state,
        "watched": calendar.channel is not None and calendar.channel.resource is not None,
        "watchable": calendar.watchable,
        "watched_until": _watched_until(calendar.channel),
        "last_success_at": _moment(calendar.last_success_at),
        "last_change_at": _moment(calendar.last_change_at),
        "lag_ms": calendar.lag_ms,
        "missing_since": _moment(calendar.missing_since),
        "last_error": calendar.last_error,
        "next_poll_at": _moment(calendar.next_poll_at),
        "audited_at": _moment(calendar.audited_at),
        "drift_minutes": calendar.drift_minutes,
        "drift": [_difference(each) for each in calendar.drift],
        "audit_error": calendar.audit_error,
    }


def _watched_until(channel: Channel | None) -> str | None:
    return None if channel is None else _moment(channel.expires_at)


def _difference(each: Difference) -> dict[str, str]:
    return {"busy": each.busy, "start": rfc3339(each.start), "end": rfc3339(each.end)}


def _pause(pause: WritePause | None, now: Millis) -> dict[str, str]:
    """Until when Google wants no writes to a calendar, and why; nothing where it takes them."""
    if pause is None or not (pause.usage_limit or pause.holds(now)):
        return {}
    return {"writes_paused_until": rfc3339_millis(pause.until), "writes_paused_because": pause.reason}


def _connection(connection: Connection) -> dict[str, Any]:
    return {
        "id": connection.id,
        "email": connection.email,
        "state": connection.status,
        "lost_at": _moment(connection.lost_at),
        "loss": loss_view(connection),
        "grant_expires_at": _moment(connection.grant_expires_at),
        "probed_at": _moment(connection.probed_at),
        "last_success_at": _moment(connection.last_success_at),
        "last_error": connection.last_error,
    }


def loss_view(connection: Connection) -> dict[str, str] | None:
    """Why it is lost, in a word and in plain ones, and what to do about it; None where it is not."""
    if connection.status != "needs_reconnect":
        return None
    meaning = words(connection.loss)
    return {"reason": connection.loss or Loss.REFUSED, "what": meaning.what, "remedy": meaning.remedy}


def _reason(reason: Reason) -> dict[str, str]:
    named = {"calendar": reason.calendar, "connection": reason.connection}
    return {"text": reason.text} | {name: value for name, value in named.items() if value is not None}


def _moment(millis: Millis | None) -> str | None:
    return None if millis is None else rfc3339_millis(millis)


_ACCOUNT = "/v1/accounts/<id:account>"
_CALENDAR = f"{_ACCOUNT}/calendars/<id:calendar>"

ROUTES = (
    Route(method="GET", path=f"{_ACCOUNT}/health", handler=health, access="operator"),
    Route(method="GET", path=_CALENDAR, handler=get_calendar, access="operator"),
    Route(method="POST", path=f"{_CALENDAR}/pull", handler=pull_calendar, access="operator", permission="connections"),
    Route(
        method="POST", path=f"{_CALENDAR}/audit", handler=audit_calendar, access="operator", permission="connections"
    ),
)
