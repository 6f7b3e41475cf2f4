"""Whether a session can be kept as its event is now, and what is said where it can't: of its time, and of what the event has become.

What an operator lives with (`Session.accepted`) stands in nobody's way until it is over.
"""

from functions.domain.google_event import MirrorEvent
from functions.domain.ledger import LedgerChange
from functions.domain.own_event import Inbound
from functions.domain.session import Conflict, Session
from functions.domain.standing import SEEN_IN_GOOGLE, Obstacle, Scene, obstacles


def strange(event: MirrorEvent) -> frozenset[Obstacle]:
    """What the event has become that a session can't be, and that its owner is not coming."""
    found = {Obstacle.DECLINED} if event.declined else set()
    if event.start is not None and event.start.all_day:
        found.add(Obstacle.ALL_DAY)
    if event.kind != "single":
        found.add(Obstacle.RECURRING)
    return frozenset(found)


def still_accepted(inbound: Inbound) -> tuple[str, ...]:
    """What an operator lives with, less what is over in Google. Where there is another copy, it may be that one which it was about."""
    session = inbound.session
    if len(session.present_copies) > 1 or session.status != "open":
        return session.accepted
    over = SEEN_IN_GOOGLE - strange(inbound.event)
    return tuple(reason for reason in session.accepted if reason not in over)


def reason_after(inbound: Inbound, after: Session) -> str | None:
    """Why the session can't be kept, if it can't, once this event has been looked at: what it shows, or else what was known and is not over."""
    conflict = inbound.session.conflict
    seen = next((each.value for each in Obstacle if each in strange(inbound.event) - {*after.accepted}), None)
    if conflict is None or conflict.reason not in SEEN_IN_GOOGLE:
        return seen or (None if conflict is None else conflict.reason)
    # Where there is another copy, it may be that one which it is about.
    elsewhere = (
        len(after.present_copies) > 1 if conflict.calendar is None else conflict.calendar != inbound.event.calendar
    )
    if elsewhere:
        return conflict.reason
    return seen or standing_of(inbound, after)


def standing_of(inbound: Inbound, session: Session) -> str | None:
    """Why the session can't be kept at the time that it has in Google as it was promised; None where it can."""
    shown = strange(inbound.event) - {*session.accepted}
    return next((each.value for each in Obstacle if each in shown), None) or _blocked(inbound, session)


def _blocked(inbound: Inbound, session: Session) -> str | None:
    """By the time itself, and by what else is in it: the event's own block, where it was disputed, stands for the session."""
    own = {(inbound.event.calendar, inbound.event.id): None}
    scene = Scene(
        resources={state.resource.id: state.resource for state in inbound.states},
        services={} if inbound.service is None else {inbound.service.id: inbound.service},
        months={state.resource.id: state.months for state in inbound.states},
        now=inbound.now,
    ).after(
        LedgerChange(resource=month.resource, month=month.month, blocks=own)
        for state in inbound.states
        for month in state.months
    )
    found = obstacles(scene, session.occupation, session.resources)
    return next((each.value for each in found if each not in session.accepted), None)


def conflict_of(inbound: Inbound, reason: str | None, *, anew: bool = False) -> Conflict | None:
    """The conflict with that reason: the one that there is, with its since, unless it is to begin `anew`."""
    known = inbound.session.conflict
    if reason is None or (known is not None and known.reason == reason and not anew):
        return None if reason is None else known
    calendar = inbound.event.calendar if reason in SEEN_IN_GOOGLE else None
    return Conflict(reason=reason, since=inbound.now, calendar=calendar)


def asks_elsewhere(inbound: Inbound) -> bool:
    """Whether a person is asked about its event in another calendar, which is missing: that counts before all that this one shows (see `standing`)."""
    conflict = inbound.session.conflict
    return conflict is not None and conflict.reason == Obstacle.DELETED and conflict.calendar != inbound.event.calendar
