"""What Google lets us do with a calendar, and whether it is there at all: how that changes, and what follows.

Nothing is deleted because of an error (law 7): a 404 means "not there" and "not for you" alike, and may pass. Until it is confirmed, the calendar keeps
its blocks and only grows stale (law 6). Then it is gone: it blocks nothing any more and is nobody's destination, and whoever has a booking in it is told; no
booking is cancelled (case 72). It remembers whose it was, and takes that place again should Google show it once more.
"""

from collections.abc import Iterable

from functions.domain.calendar import Calendar, Cursor
from functions.domain.configuration import Resource
from functions.domain.decision import Author, Decision, Effect, EffectKind, HistoryEntry
from functions.domain.instants import MINUTE_MS, Millis
from functions.domain.linking import recalculations, redirections, touches

GOOGLE = Author(kind="google")
LOOKS = 3  # that find nothing, before it is believed
CONFIRMED_AFTER_MS = 5 * MINUTE_MS  # and so long after the first of them
NEXT_LOOK_MS = MINUTE_MS
GONE = "calendarGone"


def with_role(calendar: Calendar, role: str) -> Decision[Calendar]:
    """The calendar with the role that Google says we have. A role that we do not know is one that may only read (case 76).

    Where we may write to it again, or may not any more, its copies are looked after (cases 74 and 75); one that is nobody's destination may have some
    too, which were moved there (case 113).
    """
    if role in ("", calendar.role):
        return Decision(answer=calendar)
    after = calendar.model_copy(update={"role": role})
    if not (calendar.selected or calendar.formerly_for) or not calendar.role:
        return Decision(answer=after, documents=(after,))
    entry = HistoryEntry(
        what="calendar.role_changed",
        author=GOOGLE,
        calendar=calendar.id,
        before={"role": calendar.role},
        after={"role": role},
    )
    effects = (Effect(kind="copies", subject=calendar.id),) if after.can_write != calendar.can_write else ()
    return Decision(answer=after, documents=(after,), history=(entry,), effects=effects)


def missed(calendar: Calendar, *, now: Millis) -> Calendar:
    """Google answered 404 once more."""
    since = now if calendar.missing_since is None else calendar.missing_since
    return calendar.model_copy(update={"missing_since": since, "missed": calendar.missed + 1})


def found(calendar: Calendar) -> Calendar:
    """Google showed it: whatever was missed before counts no more."""
    return calendar.model_copy(update={"missing_since": None, "missed": 0})


def is_confirmed(calendar: Calendar, *, now: Millis) -> bool:
    """Whether it was missed often enough, for long enough, to be believed."""
    since = calendar.missing_since
    return since is not None and calendar.missed >= LOOKS and now >= since + CONFIRMED_AFTER_MS


def next_look(calendar: Calendar, *, now: Millis) -> Millis:
    """When to ask Google again about a calendar that was missed: soon, and then when it would be believed."""
    if calendar.missing_since is None or calendar.missed < LOOKS - 1:
        return now + NEXT_LOOK_MS
    return max(now + NEXT_LOOK_MS, calendar.missing_since + CONFIRMED_AFTER_MS)


def disappear(calendar: Calendar, resources: Iterable[Resource], *, now: Millis) -> Decision[None]:
    """The calendar is gone. `resources`: those that it blocks or receives sessions of."""
    after = calendar.model_copy(
        update={
            "state": "gone",
            "cursor": Cursor(generation=calendar.cursor.generation),
            "channel": None,
            "next_channel": None,
            "projected": {},
            "projecting": None,
            "changed": (),
            "dirty": 0,
            "last_error": GONE,
            "last_success_at": None,
            "next_poll_at": None,
            "renew_at": None,
        }
    )
    freed = tuple(_without(resource, calendar.id) for resource in resources)
    entry = HistoryEntry(
        what="calendar.gone",
        author=GOOGLE,
        calendar=calendar.id,
        why="Google does not show it any more",
        before={"blocks": list(calendar.resources), "destination_for": list(calendar.destination_for)},
    )
    return Decision(
        answer=None,
        documents=(after, *freed),
        touches=touches((resource.id for resource in freed), now),
        history=(entry,),
        effects=(Effect(kind="copies", subject=calendar.id), *recalculations(calendar.resources)),
    )


def reappear(calendar: Calendar, resources: Iterable[Resource], *, now: Millis) -> Decision[None]:
    """Google shows it again. It blocks as before, from the moment that it has been read; and is again the destination of whoever has none by now."""
    resources = {resource.id: resource for resource in resources}.values()
    blocks = tuple(r.id for r in resources if r.id in calendar.resources)
    receives = tuple(
        r.id for r in resources if r.id in calendar.destination_for and r.destination in (None, calendar.id)
    )
    back = found(calendar).written_for(receives if calendar.can_write else ())
    back = back.model_copy(update={"state": "active", "resources": blocks, "last_error": None})
    back = back.model_copy(
        update={
            "next_poll_at": now if back.in_use else None,
            "renew_at": now if back.in_use and back.watchable else None,
        }
    )
    entry = HistoryEntry(
        what="calendar.back",
        author=GOOGLE,
        calendar=calendar.id,
        after={"blocks": list(back.resources), "destination_for": list(back.destination_for)},
    )
    kinds: tuple[EffectKind, ...] = ("pull", "watch") if back.in_use else ()
    kinds = (*kinds, "copies") if back.in_use or back.formerly_for else kinds
    return Decision(
        answer=None,
        documents=(back, *(_with(resource, back) for resource in resources)),
        touches=touches((resource.id for resource in resources), now),
        history=(entry,),
        effects=(
            *(Effect(kind=kind, subject=calendar.id) for kind in kinds),
            # Of what was sold meanwhile nothing is written anywhere.
            *redirections(r.id for r in resources if r.id in back.destination_for and r.destination != back.id),
        ),
    )


def _without(resource: Resource, calendar: str) -> Resource:
    return resource.model_copy(
        update={
            "blocked_by": tuple(each for each in resource.blocked_by if each != calendar),
            "destination": None if resource.destination == calendar else resource.destination,
        }
    )


def _with(resource: Resource, calendar: Calendar) -> Resource:
    blocked_by = {*resource.blocked_by, *((calendar.id,) if resource.id in calendar.resources else ())}
    destination = calendar.id if resource.id in calendar.destination_for else resource.destination
    return resource.model_copy(update={"blocked_by": tuple(sorted(blocked_by)), "destination": destination})
