"""From an event as Google gives it to its row in the mirror. What can't be read of it is said there, and stands in no other event's way (case 57)."""

from collections.abc import Mapping
from typing import Any, Literal

from functions.domain.google_event import EventTime, MirrorEvent, declined_by_owner, takes_time
from functions.domain.recurrence import unreadable


def mirror_row(event: Mapping[str, Any], *, calendar: str, generation: int, session: str | None) -> MirrorEvent:
    """The row for an event as Google gives it. Never raises: what has no id can't be in Google's answer, everything else has a default."""
    series = event.get("recurringEventId")
    recurrence = tuple(line for line in event.get("recurrence") or () if isinstance(line, str))
    kind: Literal["single", "master", "exception"] = "exception" if series else "master" if recurrence else "single"
    row = MirrorEvent(
        id=event["id"],
        calendar=calendar,
        kind=kind,
        series=series,
        cancelled=event.get("status") == "cancelled",
        busy=takes_time(event),
        declined=declined_by_owner(event),
        recurrence=recurrence,
        etag=event.get("etag"),
        updated=event.get("updated"),
        session=session,
        generation=generation,
    )
    times: dict[str, Any] = {}
    for name, field in (("start", "start"), ("end", "end"), ("original_start", "originalStartTime")):
        try:
            times[name] = None if event.get(field) is None else EventTime.model_validate(event[field])
        except ValueError as error:
            # Unreadable, which is not the same as absent: what can be read of the others still blocks.
            times |= {name: EventTime(), "malformed": str(error)}
    read = row.model_copy(update=times)
    return read if read.malformed else read.model_copy(update={"malformed": unreadable(read)})


def by_itself(row: MirrorEvent) -> MirrorEvent:
    """An occurrence of a series as an event of its own: what a list that has no masters gives (case 74). Of a series of ours it blocks, like any event."""
    if row.kind != "exception":
        return row
    return row.model_copy(update={"kind": "single", "series": None, "original_start": None, "session": None})
