"""Which calendars block a resource, and which one its sessions are written to. Both sides of the link change in one commit.

A calendar that blocks a resource from now on counts as unknown for it until its events are in the resource's ledger; one that blocks it no longer is
forgotten there at once, because the engine counts only the blocks of `Resource.blocked_by`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from functions.domain.calendar import Calendar, Connection
from functions.domain.configuration import Resource
from functions.domain.decision import Author, Decision, Effect, HistoryEntry, Ref
from functions.domain.errors import Invalid
from functions.domain.horizon import new_horizon
from functions.domain.instants import DAY_MINUTES, MINUTE_MS, Millis, months_between
from functions.domain.ledger import LedgerTouch


@dataclass(frozen=True, kw_only=True)
class Links:
    """What an operator wants of a calendar. `connection`: the one that it is reached through. `others` are calendars that were the destination of one of
    these resources until now.
    """

    calendar: Calendar
    connection: Connection | None
    blocks: frozenset[str]
    destination_for: frozenset[str]
    resources: tuple[Resource, ...]
    others: tuple[Calendar, ...]


def link(links: Links, *, now: Millis, author: Author) -> Decision[Calendar]:
    """Raises `Invalid` where the calendar can't be written to but should be a destination, is gone, or its connection was ended."""
    calendar = links.calendar
    if links.destination_for and not calendar.can_write:
        raise Invalid(
            f"Google lets us only read this calendar (role {calendar.role or 'unknown'}), so it can't be a destination."
        )
    used = bool(links.blocks or links.destination_for)
    if used and calendar.state == "gone":
        raise Invalid(
            "Google does not show this calendar any more. Give it nothing to do, or share it with the account again."
        )
    if used and (links.connection is None or links.connection.status == "disconnected"):
        raise Invalid(
            "The Google account of this calendar is disconnected. Connect it again, and choose among the calendars that are listed then."
        )
    # After a time out of use nothing of what was known is fresh.
    after = calendar.written_for(links.destination_for).model_copy(
        update={
            "resources": tuple(sorted(links.blocks)),
            "projected": {r: until for r, until in calendar.projected.items() if r in links.blocks},
            "last_success_at": calendar.last_success_at if calendar.in_use else None,
            "next_poll_at": (calendar.next_poll_at or now) if used else None,
            "renew_at": (calendar.renew_at or now) if used and calendar.watchable else None,
        }
    )
    changed = tuple(_linked(resource, links) for resource in links.resources)
    # Of those that it blocks from now on nothing is known until it has been pulled, which asks then.
    released = [each.id for each in links.resources if calendar.id in each.blocked_by and each.id not in links.blocks]
    return Decision(
        answer=after,
        documents=(after, *changed, *(_without(other, links.destination_for) for other in links.others)),
        touches=touches((resource.id for resource in changed), now),
        guards=(Ref(Connection, calendar.connection),) if used else (),
        history=(
            HistoryEntry(
                what="calendar.linked",
                author=author,
                calendar=calendar.id,
                before={"blocks": list(calendar.resources), "destination_for": list(calendar.destination_for)},
                after={"blocks": list(after.resources), "destination_for": list(after.destination_for)},
            ),
        ),
        effects=(
            *((Effect(kind="pull", subject=calendar.id),) if used else ()),
            *((Effect(kind="watch", subject=calendar.id),) if used or calendar.channel is not None else ()),
            *(
                (Effect(kind="copies", subject=calendar.id),)
                if links.destination_for - {*calendar.destination_for}
                else ()
            ),
            *recalculations(released),
            *redirections(
                before.id for before, now in zip(links.resources, changed, strict=True) if _elsewhere(before, now)
            ),
        ),
    )


def touches(resources: Iterable[str], now: Millis) -> tuple[LedgerTouch, ...]:
    """Every ledger month that a decision made now may read, of resources whose rules change (see `ledger`)."""
    # A session that starts now takes time from before now, with its buffer.
    months = months_between(now // MINUTE_MS - DAY_MINUTES, new_horizon(now))
    return tuple(LedgerTouch(resource=resource, month=month) for resource in resources for month in months)


def recalculations(resources: Iterable[str]) -> tuple[Effect, ...]:
    """What follows for the sessions of resources whose rules change."""
    return tuple(Effect(kind="recalculate", subject=resource) for resource in resources)


def redirections(resources: Iterable[str]) -> tuple[Effect, ...]:
    """What follows for the events of sessions of resources whose destination is another one."""
    return tuple(Effect(kind="redirect", subject=resource) for resource in resources)


def _elsewhere(before: Resource, now: Resource) -> bool:
    return before.destination != now.destination


def _linked(resource: Resource, links: Links) -> Resource:
    calendar = links.calendar.id
    blocked_by = set(resource.blocked_by) - {calendar} | ({calendar} if resource.id in links.blocks else set())
    destination = resource.destination
    if resource.id in links.destination_for:
        destination = calendar
    elif destination == calendar:
        destination = None
    return resource.model_copy(update={"blocked_by": tuple(sorted(blocked_by)), "destination": destination})


def _without(other: Calendar, resources: frozenset[str]) -> Calendar:
    return other.written_for(r for r in other.destination_for if r not in resources)
