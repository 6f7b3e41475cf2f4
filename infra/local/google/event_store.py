"""The events of one calendar with the orders they are read in.

Kept ordered as they change, so that neither a page nor an incremental list costs more than what it returns:
by place in the list, by start, and by change.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from typing import Any

from infra.local.google.calendars import Calendar
from infra.local.google.clock import Clock
from infra.local.google.event_record import EventRecord
from infra.local.google.event_times import seconds
from infra.local.google.persistence import Rows
from infra.local.google.recurrence import Instance, Series, split_instance_id

Json = dict[str, Any]

# Events longer than this are looked at one by one, so that the window of all others can be found by their start.
LONG_SECONDS = 35 * 86400
KEPT_SCHEDULES = 20


class EventStore:
    """All events of a calendar, deleted ones included."""

    def __init__(self, calendar: Calendar, rows: Rows, clock: Clock) -> None:
        self.calendar = calendar
        self._rows = rows
        self._clock = clock
        self._clear()

    def _clear(self) -> None:
        self._records: dict[str, EventRecord] = {}
        self._order: list[EventRecord] = []
        self._log: list[tuple[int, str]] = []
        self._starts: list[tuple[float, str]] = []
        self._start_of: dict[str, float] = {}
        self._long: set[str] = set()
        self._masters: set[str] = set()
        self._exceptions: dict[str, set[str]] = {}
        self._by_uid: dict[str, set[str]] = {}
        self._series: dict[str, tuple[int, Series]] = {}

    def load(self, records: list[EventRecord]) -> None:
        """Take over what was stored; only for a new store."""
        for record in sorted(records, key=lambda r: r.ordinal):
            record.ordinal = len(self._order)
            self._records[record.id] = record
            self._order.append(record)
            self._index(record, ordered=False)
        self._starts.sort()
        self._log = sorted((record.version, record.id) for record in records)

    # Reading

    def find(self, event_id: str) -> EventRecord | None:
        return self._records.get(event_id)

    def __len__(self) -> int:
        return len(self._order)

    def from_ordinal(self, ordinal: int) -> Iterator[EventRecord]:
        for index in range(ordinal, len(self._order)):
            yield self._order[index]

    def changed_after(self, version: int) -> Iterator[EventRecord]:
        """Each event changed after that version, once, in the order of its last change."""
        for index in range(bisect_right(self._log, (version, "\U0010ffff")), len(self._log)):
            changed, event_id = self._log[index]
            record = self._records.get(event_id)
            if record is not None and record.version == changed:
                yield record

    def timed(self, after: tuple[float, str] | None, since: float | None) -> Iterator[tuple[float, EventRecord]]:
        """Standing single events and exceptions by start; `since` leaves out what surely ended before."""
        index = 0
        if since is not None:
            index = bisect_left(self._starts, (since - LONG_SECONDS, ""))
        if after is not None:
            index = max(index, bisect_right(self._starts, after))
        while index < len(self._starts):
            start, event_id = self._starts[index]
            yield start, self._records[event_id]
            index += 1

    def long_events(self) -> list[tuple[float, EventRecord]]:
        return sorted(
            ((self._start_of[event_id], self._records[event_id]) for event_id in self._long),
            key=lambda pair: (pair[0], pair[1].id),
        )

    def masters(self) -> list[EventRecord]:
        return [self._records[event_id] for event_id in self._masters]

    def exceptions(self, master_id: str) -> dict[str, EventRecord]:
        return {event_id: self._records[event_id] for event_id in self._exceptions.get(master_id, ())}

    @property
    def last_version(self) -> int:
        """The version of the calendar's last change."""
        return self._log[-1][0] if self._log else 0

    def by_uid(self, uid: str) -> list[EventRecord]:
        return [self._records[event_id] for event_id in self._by_uid.get(uid, ())]

    def start_of(self, record: EventRecord) -> float:
        if record.id in self._start_of:
            return self._start_of[record.id]
        return seconds(record.body["start"], self.calendar.time_zone)

    def series(self, master: EventRecord) -> Series:
        """The expansion of a master, remembered until it changes."""
        known = self._series.get(master.id)
        if known is None or known[0] != master.version:
            body = master.body
            known = (master.version, Series(start=body["start"], end=body["end"], recurrence=body["recurrence"]))
            self._series[master.id] = known
        return known[1]

    def instance_of(self, event_id: str) -> tuple[EventRecord, Instance] | None:
        """Master and occurrence that an instance id names, also where an exception is stored under it."""
        parts = split_instance_id(event_id)
        master = self._records.get(parts[0]) if parts else None
        if parts is None or master is None or not master.master:
            return None
        instance = self.series(master).find(parts[1])
        return None if instance is None else (master, instance)

    # Changing

    def add(self, event_id: str, body: Json, **fields: Any) -> EventRecord:
        record = EventRecord(self.calendar.id, event_id, len(self._order), 0, body, **fields)
        self._records[event_id] = record
        self._order.append(record)
        self._record_change(record)
        return record

    def replace(self, record: EventRecord, body: Json) -> None:
        """Give an event a new body; remembers the schedule it had."""
        before = record.schedule if not record.cancelled and record.master_id is None else None
        self._unindex(record)
        record.body = body
        if before is not None and (record.cancelled or before != record.schedule):
            # The number of the change that is being recorded just now.
            replaced = self._clock.version + 1
            record.past = [*record.past, {**before, "replaced": replaced}][-KEPT_SCHEDULES:]
        self._record_change(record)
        if not record.master or record.cancelled:
            self._end_exceptions(record)

    def touch(self, record: EventRecord) -> None:
        """A change outside the body, such as reminders: a new etag, the same `updated`."""
        self._unindex(record)
        self._record_change(record)

    def _end_exceptions(self, record: EventRecord) -> None:
        """Without its series an exception is nothing: told of when the event goes on as a single one, else not."""
        for exception in self.exceptions(record.id).values():
            if exception.cancelled:
                continue
            if record.cancelled:
                self.sink_with_master(exception)
            else:
                self.replace(exception, {**exception.body, "status": "cancelled", "updated": record.body["updated"]})

    def sink_with_master(self, record: EventRecord) -> None:
        """Cancel an exception because its master went. Only the master is told of, as with Google."""
        self._unindex(record)
        record.body = {**record.body, "status": "cancelled"}
        self._index(record, ordered=True)
        self._save(record)

    def forget(self, record: EventRecord) -> None:
        """What Google does some time after a delete: the tombstone is gone too, and get answers 404."""
        self._unindex(record)
        del self._records[record.id]
        self._order = [kept for kept in self._order if kept is not record]
        for ordinal, kept in enumerate(self._order):
            kept.ordinal = ordinal
        self._rows.delete("event", f"{self.calendar.id} {record.id}")

    def forget_all(self) -> None:
        for record in self._order:
            self._rows.delete("event", f"{self.calendar.id} {record.id}")

    def reindex(self) -> None:
        """After a change of the calendar's zone: all-day events have moved on the time line."""
        records = self._order
        self._clear()
        self.load(records)

    def _record_change(self, record: EventRecord) -> None:
        record.version = self._clock.next_version()
        self._log.append((record.version, record.id))
        self._index(record, ordered=True)
        self._save(record)
        if len(self._log) > 2 * len(self._order) + 1000:
            self._log = sorted((kept.version, kept.id) for kept in self._order)

    def _save(self, record: EventRecord) -> None:
        self._rows.put("event", f"{record.calendar_id} {record.id}", vars(record))

    def _index(self, record: EventRecord, *, ordered: bool) -> None:
        body = record.body
        self._by_uid.setdefault(body.get("iCalUID", ""), set()).add(record.id)
        if record.master_id is not None:
            self._exceptions.setdefault(record.master_id, set()).add(record.id)
        if record.cancelled or record.raw or "start" not in body:
            return
        start = seconds(body["start"], self.calendar.time_zone)
        self._start_of[record.id] = start
        if record.master:
            self._masters.add(record.id)
        elif seconds(body["end"], self.calendar.time_zone) - start > LONG_SECONDS:
            self._long.add(record.id)
        elif ordered:
            insort(self._starts, (start, record.id))
        else:
            self._starts.append((start, record.id))

    def _unindex(self, record: EventRecord) -> None:
        self._by_uid.get(record.body.get("iCalUID", ""), set()).discard(record.id)
        if record.master_id is not None:
            self._exceptions.get(record.master_id, set()).discard(record.id)
        start = self._start_of.pop(record.id, None)
        self._masters.discard(record.id)
        if record.id in self._long:
            self._long.discard(record.id)
        elif start is not None:
            index = bisect_left(self._starts, (start, record.id))
            if index < len(self._starts) and self._starts[index] == (start, record.id):
                del self._starts[index]
