"""What would follow from a change, before anybody makes it. The same functions decide as afterwards; nothing is saved."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from functions.adapters.store import queries
from functions.adapters.store.reading import read_resources
from functions.adapters.store.reading_waitlist import preset_of, read_client_bookings, read_waitlist
from functions.adapters.store.scenes import Place, places_ahead, places_of, read_scene, read_sessions
from functions.adapters.store.store import Reader
from functions.booking.operators import MAX_RESOURCE_BYTES, must_name_what_exists, resource_of, service_of
from functions.booking.routing import Answer, Call, Route
from functions.booking.schemas_preview import (
    Foreseen,
    Proposal,
    ProposedClosing,
    ProposedSession,
    ServedForeseen,
    SessionForeseen,
)
from functions.domain import recalculation
from functions.domain.capacity import set_capacity
from functions.domain.configuration import Resource, Service
from functions.domain.decision import Ref
from functions.domain.errors import IllegalMove, Invalid, NotFound
from functions.domain.hours import ClosedPeriod
from functions.domain.instants import months_between, rfc3339, rfc3339_millis
from functions.domain.ledger import enter
from functions.domain.recalculation import Outcome, Preview, in_question
from functions.domain.roster import Roster
from functions.domain.session import Session
from functions.domain.standing import Obstacle, Scene
from functions.domain.waitlist.entry import Queue
from functions.domain.waitlist.foreseeing import Served, foreseen
from functions.domain.waitlist.preset import Preset
from functions.domain.waitlist.snapshot import Waitlist


@dataclass(frozen=True, kw_only=True)
class _Change:
    """`made_in`: a scene as it would be after the change; `places`: whose sessions it may matter to. `sessions`: those that it would change itself, and
    `outcomes`: what it would do to them. `presets`: those whose rules it would change, by id.
    """

    places: Iterable[Place] = ()
    made_in: Callable[[Scene], Scene] = lambda scene: scene
    sessions: Mapping[str, Session] = field(default_factory=dict)
    outcomes: tuple[Outcome, ...] = ()
    presets: Mapping[str, Preset] = field(default_factory=dict)


def preview(call: Call) -> Answer:
    """What would follow from a change; nothing is saved."""
    # As much reading as the recalculations that the change would start: about 14 ledger months a resource, and the sessions in question.
    body = call.body(Proposal)
    reader = call.application.store.reader(call.account)
    change = _change(call, reader, body)
    scene = change.made_in(read_scene(reader, change.places, now=call.now))
    ids = tuple(change.sessions) or tuple(entry.session for entry in in_question(scene))
    sessions, bookings = read_sessions(reader, ids)
    # Sessions of a set are judged at all its resources.
    scene = change.made_in(read_scene(reader, (*change.places, *places_of(sessions)), now=call.now))
    sessions = [change.sessions.get(session.id, session) for session in sessions]
    after = recalculation.preview(scene, sessions, bookings)
    after = replace(after, outcomes=(*change.outcomes, *after.outcomes))
    change = replace(change, sessions={**change.sessions, **after.sessions})
    return Answer(body=_foreseen(after.outcomes, _served(call, reader, scene, after, change)))


def _served(call: Call, reader: Reader, scene: Scene, after: Preview, change: _Change) -> list[ServedForeseen]:
    """Who would be served of those who wait for a service at one of the resources that the change is about; of any, where it is about rules."""
    store = call.application.store
    at_resources = (service for name in scene.resources for service in queries.services_at(store, call.account, name))
    everywhere = queries.services(store, call.account) if change.presets else ()
    services = {service.id: service for service in (*at_resources, *everywhere)} | dict(scene.services)
    reader.load(*(Ref(Queue, name) for name in services))
    ended = [booking.id for each in after.outcomes if each.becomes == "cancelled" for booking in each.bookings]
    found: list[ServedForeseen] = []
    for name, service in sorted(services.items()):
        queue = reader.get(Ref(Queue, name))
        if service.active and queue is not None and queue.places:
            waitlist = _waitlist_after(call, reader, service, scene, after, change)
            bookings_of = partial(read_client_bookings, reader, store, service, without=ended)
            found += [_served_foreseen(name, served) for served in foreseen(waitlist, bookings_of)]
    return found


def _waitlist_after(
    call: Call, reader: Reader, service: Service, scene: Scene, after: Preview, change: _Change
) -> Waitlist:
    waitlist = read_waitlist(reader, service.id, now=call.now, stale_after=call.stale_after)
    months = months_between(*waitlist.span)
    states = read_resources(reader, service, service.resources, months, now=call.now, stale_after=call.stale_after)
    known = {(month.resource, month.month): month for each in after.months.values() for month in each}
    return replace(
        waitlist,
        service=service,
        preset=change.presets.get(service.waitlist or "", preset_of(reader, service)),
        presets={name: change.presets.get(name, preset) for name, preset in waitlist.presets.items()},
        states=tuple(
            replace(
                state,
                resource=scene.resources.get(state.resource.id, state.resource),
                months=tuple(known.get((month.resource, month.month), month) for month in state.months),
            )
            for state in states
        ),
        sessions={name: change.sessions.get(name, session) for name, session in waitlist.sessions.items()},
        answered={},
    )


def _served_foreseen(service: str, served: Served) -> ServedForeseen:
    turn = served.turn
    return ServedForeseen(
        entry=turn.entry,
        service=service,
        seats=turn.place.seats,
        start=rfc3339(turn.opening.start),
        resources=turn.opening.choice.resources,
        expires_at=None if served.until is None else rfc3339_millis(served.until),
    )


def _change(call: Call, reader: Reader, body: Proposal) -> _Change:
    if body.resource is not None:
        known = reader.get(Ref(Resource, body.resource.id))
        return _of_resource(call, resource_of(body.resource.id, body.resource, known))
    if body.closed is not None:
        return _of_resource(call, _closed(reader, body.closed))
    if body.service is not None:
        return _of_service(call, reader, service_of(body.service.id, body.service))
    if body.preset is not None:
        return _Change(presets={body.preset.id: Preset.model_validate(body.preset.model_dump())})
    assert body.session is not None, "the body proposes one change"
    return _of_session(call, reader, body.session)


def _of_resource(call: Call, resource: Resource) -> _Change:
    return _Change(
        places=places_ahead(resource.id, call.now),
        made_in=lambda scene: replace(scene, resources={**scene.resources, resource.id: resource}),
        sessions={},
    )


def _closed(reader: Reader, closing: ProposedClosing) -> Resource:
    resource = reader.get(Ref(Resource, closing.resource))
    if resource is None:
        raise NotFound(f"There is no resource {closing.resource}.")
    period = ClosedPeriod(first=closing.first, last=closing.last)
    hours = resource.hours.model_copy(update={"closed": (*resource.hours.closed, period)})
    return resource.model_copy(update={"hours": hours})


def _of_service(call: Call, reader: Reader, service: Service) -> _Change:
    must_name_what_exists(reader, service)
    known = reader.get(Ref(Service, service.id))
    affected = sorted({*service.resources, *(known.resources if known else ())})
    return _Change(
        places=[place for resource in affected for place in places_ahead(resource, call.now)],
        made_in=lambda scene: replace(scene, services={**scene.services, service.id: service}),
        sessions={},
    )


def _of_session(call: Call, reader: Reader, proposed: ProposedSession) -> _Change:
    session = reader.get(Ref(Session, proposed.id))
    if session is None:
        raise NotFound("There is no such session.")
    if session.status != "open":
        raise IllegalMove("This session is cancelled; nothing would follow.", current_status=session.status)
    if not session.scheduled:
        raise Invalid("This session has as many seats as its service says. Propose a change of the service.")
    resized = session.model_copy(update={"capacity": proposed.capacity})
    outcomes: tuple[Outcome, ...] = ()
    if proposed.below == "cancel":
        roster = Roster(session=session, bookings=tuple(read_sessions(reader, (session.id,))[1]))
        cut = set_capacity(roster, proposed.capacity, below="cancel", now=call.now, author=call.caller.author).answer
        resized, outcomes = cut.session, _cancelled_by(roster, cut)
    return _Change(
        places=places_of((session,)),
        made_in=lambda scene: scene.after(enter(resized.resources, resized.occupation)),
        sessions={session.id: resized},
        outcomes=outcomes,
    )


def _cancelled_by(before: Roster, after: Roster) -> tuple[Outcome, ...]:
    left = {*after.session.seats, *after.session.holds}
    ended = tuple(booking for booking in before.bookings if booking.id not in left)
    reason = Obstacle.OVER_CAPACITY.value
    return (Outcome(becomes="cancelled", session=after.session, reason=reason, bookings=ended),) if ended else ()


def _foreseen(outcomes: Iterable[Outcome], served: list[ServedForeseen]) -> Foreseen:
    found: dict[str, list[SessionForeseen]] = {"conflicted": [], "cancelled": [], "supported": []}
    told = set()
    for outcome in sorted(outcomes, key=lambda each: (each.session.start, each.session.id)):
        found[outcome.becomes].append(_session_foreseen(outcome))
        if outcome.becomes == "cancelled":
            told |= {booking.client.key for booking in outcome.bookings if booking.client.email}
    return Foreseen(**found, offered=served, clients_told=len(told) + len(served))


def _session_foreseen(outcome: Outcome) -> SessionForeseen:
    session = outcome.session
    return SessionForeseen(
        session=session.id,
        service=session.service,
        resources=session.resources,
        start=rfc3339(session.start),
        end=rfc3339(session.end),
        reason=outcome.reason,
        bookings=tuple(booking.id for booking in outcome.bookings),
    )


ROUTES = (
    Route(
        method="POST",
        path="/v1/accounts/<id:account>/preview",
        handler=preview,
        access="operator",
        permission="read",
        body=Proposal,
        answer=Foreseen,
        refusals=(IllegalMove,),
        max_body_bytes=MAX_RESOURCE_BYTES,
    ),
)
