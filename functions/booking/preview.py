"""What would follow from a change, before anybody makes it. The same functions decide as afterwards; nothing is saved."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from functions.adapters.store.scenes import Place, places_ahead, places_of, read_scene, read_sessions
from functions.adapters.store.store import Reader
from functions.booking.operators import MAX_RESOURCE_BYTES, must_name_what_exists, resource_of, service_of
from functions.booking.routing import Answer, Call, Route
from functions.booking.schemas import Foreseen, Proposal, ProposedClosing, ProposedSession, SessionForeseen
from functions.domain import recalculation
from functions.domain.configuration import Resource, Service
from functions.domain.decision import Ref
from functions.domain.errors import IllegalMove, Invalid, NotFound
from functions.domain.hours import ClosedPeriod
from functions.domain.instants import rfc3339
from functions.domain.ledger import enter
from functions.domain.recalculation import Outcome, in_question
from functions.domain.session import Session
from functions.domain.standing import Scene


@dataclass(frozen=True, kw_only=True)
class _Change:
    """`made_in`: a scene as it would be after the change; `places`: whose sessions it may matter to. `sessions`: those that it would change itself."""

    places: Iterable[Place]
    made_in: Callable[[Scene], Scene]
    sessions: Mapping[str, Session]


def preview(call: Call) -> Answer:
    """As much reading as the recalculations that the change would start: about 14 ledger months a resource, and the sessions in question."""
    body = call.body(Proposal)
    reader = call.application.store.reader(call.account)
    change = _change(call, reader, body)
    scene = change.made_in(read_scene(reader, change.places, now=call.now))
    ids = tuple(change.sessions) or tuple(entry.session for entry in in_question(scene))
    sessions, bookings = read_sessions(reader, ids)
    # Sessions of a set are judged at all its resources.
    scene = change.made_in(read_scene(reader, (*change.places, *places_of(sessions)), now=call.now))
    sessions = [change.sessions.get(session.id, session) for session in sessions]
    return Answer(body=_foreseen(recalculation.preview(scene, sessions, bookings).outcomes))


def _change(call: Call, reader: Reader, body: Proposal) -> _Change:
    if body.resource is not None:
        known = reader.get(Ref(Resource, body.resource.id))
        return _of_resource(call, resource_of(body.resource.id, body.resource, known))
    if body.closed is not None:
        return _of_resource(call, _closed(reader, body.closed))
    if body.service is not None:
        return _of_service(call, reader, service_of(body.service.id, body.service))
    assert body.session is not None, "the body proposes one change"
    return _of_session(reader, body.session)


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


def _of_session(reader: Reader, proposed: ProposedSession) -> _Change:
    session = reader.get(Ref(Session, proposed.id))
    if session is None:
        raise NotFound("There is no such session.")
    if session.status != "open":
        raise IllegalMove("This session is cancelled; nothing would follow.", current_status=session.status)
    if not session.scheduled:
        raise Invalid("This session has as many seats as its service says. Propose a change of the service.")
    resized = session.model_copy(update={"capacity": proposed.capacity})
    return _Change(
        places=places_of((session,)),
        made_in=lambda scene: scene.after(enter(resized.resources, resized.occupation)),
        sessions={session.id: resized},
    )


def _foreseen(outcomes: Iterable[Outcome]) -> Foreseen:
    found: dict[str, list[SessionForeseen]] = {"conflicted": [], "cancelled": [], "supported": []}
    told = set()
    for outcome in sorted(outcomes, key=lambda each: (each.session.start, each.session.id)):
        found[outcome.becomes].append(_session_foreseen(outcome))
        if outcome.becomes == "cancelled":
            told |= {booking.client.key for booking in outcome.bookings if booking.client.email}
    return Foreseen(**found, clients_told=len(told))


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
        max_body_bytes=MAX_RESOURCE_BYTES,
    ),
)
