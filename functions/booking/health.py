"""How well calendars and bookings are in step: an account's health, and single calendars, which can be read or compared with Google on demand."""

from functions.adapters.store import queries
from functions.adapters.store.store import Reader
from functions.booking.routing import Answer, Call, Route
from functions.booking.schemas import moment
from functions.booking.schemas_connections import CalendarAnswer
from functions.booking.schemas_health import (
    Health,
    HealthOfCalendar,
    HealthOfConnection,
    HealthReason,
)
from functions.domain.calendar import Calendar
from functions.domain.decision import Decision, Effect, EffectKind, Ref
from functions.domain.errors import IllegalMove, NotFound
from functions.domain.health import Observed, attention, waiting_for_google
from functions.domain.instants import Millis
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
    return Answer(
        body=Health(
            status="attention" if reasons else "ok",
            well=not reasons,
            reasons=[HealthReason.of(each) for each in reasons],
            connections=[HealthOfConnection.of(each) for each in connections],
            calendars=[_calendar(each, malformed[each.id], paused.get(each.id), call.now) for each in calendars],
            pending_copies=len(pending),
            overdue_effects=len(overdue),
            overdue_since=moment(overdue[0].due_at) if overdue else None,
        )
    )


def _calendar(calendar: Calendar, unreadable: int, pause: WritePause | None, now: Millis) -> HealthOfCalendar:
    seen = HealthOfCalendar.of(calendar).model_copy(update={"unreadable_events": unreadable})
    return seen.with_pause(pause, now)


def get_calendar(call: Call) -> Answer:
    """A calendar: what it does, how fresh it is, and whether it agrees with Google."""
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
    return Answer(body=CalendarAnswer.of(calendar), status=status)


_ACCOUNT = "/v1/accounts/<id:account>"
_CALENDAR = f"{_ACCOUNT}/calendars/<id:calendar>"

ROUTES = (
    Route(method="GET", path=f"{_ACCOUNT}/health", handler=health, access="operator", answer=Health),
    Route(method="GET", path=_CALENDAR, handler=get_calendar, access="operator", answer=CalendarAnswer),
    Route(
        method="POST",
        path=f"{_CALENDAR}/pull",
        handler=pull_calendar,
        access="operator",
        permission="connections",
        answer=CalendarAnswer,
        status=202,
        refusals=(IllegalMove,),
    ),
    Route(
        method="POST",
        path=f"{_CALENDAR}/audit",
        handler=audit_calendar,
        access="operator",
        permission="connections",
        answer=CalendarAnswer,
        status=202,
        refusals=(IllegalMove,),
    ),
)
