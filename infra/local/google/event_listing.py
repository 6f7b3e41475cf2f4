"""events.list: full lists in pages, and incremental ones by sync token.

A listing is a stream of items with a key; a page token carries the key of the last item, so each page starts where the
one before ended and costs what it returns. The version at the start of a listing becomes its sync token: whatever
changes while a client pages comes with the next incremental list, if not earlier.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from heapq import merge
from typing import Any

from infra.local.google import errors
from infra.local.google.clock import etag
from infra.local.google.event_query import EventQuery, check_token, new_token
from infra.local.google.event_record import EventRecord
from infra.local.google.event_store import KEPT_SCHEDULES, EventStore
from infra.local.google.event_times import seconds, zone
from infra.local.google.event_view import View, instance_id, tombstone
from infra.local.google.recurrence import Series
from infra.local.google.sync_tokens import PageToken, decode_page, encode
from infra.local.google.world import World

Json = dict[str, Any]
Key = list[Any]
Item = tuple[Key, Json]


# Local and absolute order differ around a change of clocks, and where start and end are in different zones.
LOCAL_SLACK = timedelta(hours=28)


@dataclass(frozen=True)
class Listing:
    """One reader's view of one calendar's events under one query."""

    world: World
    view: View
    query: EventQuery

    @property
    def store(self) -> EventStore:
        return self.world.events(self.view.calendar)

    def page(self) -> Json:
        calendar, query = self.view.calendar, self.query
        token = None
        if query.sync_token is not None:
            token = check_token(
                query.sync_token, calendar=calendar, email=self.view.email, role=self.view.role, query=query
            )
            if query.page_token is None and self.world.faults.lags(calendar.id):
                return {**self._head(), "items": [], "nextSyncToken": query.sync_token}
        place = PageToken(query.whole, self.world.clock.version, None, 0)
        if query.page_token is not None:
            place = decode_page(query.page_token, query.whole)
        if token is not None:
            narrowed = replace(self, query=replace(query, subset=token.subset))
            stream = narrowed.changes(token.version, place)
        else:
            stream = self.everything(place.after)
        answer = {**self._head(), **take_page(self.world, calendar.id, stream, query.max_results, place)}
        if "nextPageToken" not in answer:
            subset = query.subset if token is None else token.subset
            fresh = new_token(
                calendar=calendar,
                email=self.view.email,
                role=self.view.role,
                query=query,
                version=place.upto,
                subset=subset,
            )
            answer["nextSyncToken"] = encode(fresh)
        return answer

    def _head(self) -> Json:
        calendar = self.view.calendar
        entry = self.world.lists.find(self.view.email, calendar.id)
        head: Json = {
            "kind": "calendar#events",
            "etag": etag(max(self.store.last_version, calendar.version)),
            "summary": calendar.summary,
            "updated": self._updated(),
            "timeZone": calendar.time_zone,
            "accessRole": self.view.role,
            "defaultReminders": (entry.own if entry else {}).get("defaultReminders", []),
        }
        if calendar.description:
            head["description"] = calendar.description
        return head

    @property
    def _now(self) -> datetime:
        return self.world.clock.now()

    def _updated(self) -> str:
        last = next(self.store.changed_after(self.store.last_version - 1), None)
        return self.world.clock.timestamp() if last is None else str(last.body["updated"])

    # Full lists

    def everything(self, after: Key | None) -> Iterator[Item]:
        query = self.query
        if query.order_by == "updated":
            if query.single:
                raise errors.not_implemented("orderBy=updated together with singleEvents")
            return self._by_change(after)
        if query.single or (query.windowed and not query.show_deleted and query.updated_min is None):
            return self._by_start(after)
        return self._by_place(after)

    def _by_place(self, after: Key | None) -> Iterator[Item]:
        if "iCalUID" in self.query.subset:
            found = sorted(self.store.by_uid(self.query.subset["iCalUID"]), key=lambda r: r.ordinal)
            records: Iterable[EventRecord] = (r for r in found if after is None or r.ordinal > after[0])
        else:
            records = self.store.from_ordinal(0 if after is None else after[0] + 1)
        for record in records:
            if self._listed(record) and self.query.accepts(record) and self._in_window(record):
                yield [record.ordinal], self.view.show_change(record)

    def _by_change(self, after: Key | None) -> Iterator[Item]:
        for record in self.store.changed_after(0 if after is None else after[0]):
            if self._listed(record) and self.query.accepts(record) and self._in_window(record):
                yield [record.version], self.view.show_change(record)

    def _listed(self, record: EventRecord) -> bool:
        if not record.cancelled:
            return not (self.query.single and record.master)
        if self.query.show_deleted or self.query.updated_min is not None:
            return True
        # Cancelled instances are told even without showDeleted, as long as their series stands.
        master = self.store.find(record.master_id) if record.master_id else None
        return master is not None and master.master and not master.cancelled and not self.query.single

    def _in_window(self, record: EventRecord) -> bool:
        if not self.query.windowed or record.raw or "start" not in record.body:
            return True
        if record.master:
            return self._touches_window(record)
        zone_name = self.view.calendar.time_zone
        return self.query.overlaps(seconds(record.body["start"], zone_name), seconds(record.body["end"], zone_name))

    def _touches_window(self, master: EventRecord) -> bool:
        return next(self._occurrences(master, None), None) is not None

    def _by_start(self, after: Key | None) -> Iterator[Item]:
        """Singles and exceptions merged with masters, or with their instances, by start."""
        place = None if after is None else (float(after[0]), str(after[1]))
        streams: list[Iterator[Item]] = [self._singles(place)]
        streams += [iter(self._few(self._extra_records(), place))]
        if self.query.single:
            streams += [self._instances(master, place) for master in self.store.masters()]
        return merge(*streams, key=lambda item: item[0])

    def _singles(self, place: tuple[float, str] | None) -> Iterator[Item]:
        for start, record in self.store.timed(place, self.query.time_min):
            if self.query.time_max is not None and start >= self.query.time_max:
                return
            if self.query.accepts(record) and self._in_window(record):
                yield [start, record.id], self.view.show(record)

    def _extra_records(self) -> Iterator[tuple[float, EventRecord]]:
        """What the order by start does not hold: long events, masters, cancelled exceptions, deleted events."""
        yield from self.store.long_events()
        for master in self.store.masters():
            if self.query.single or not self._touches_window(master):
                continue
            yield self.store.start_of(master), master
            for exception in self.store.exceptions(master.id).values():
                if exception.cancelled:
                    yield self.store.start_of(exception), exception
        if self.query.single and self.query.show_deleted:
            for record in self.store.from_ordinal(0):
                if record.cancelled and not record.body.get("recurrence") and "start" in record.body:
                    yield self.store.start_of(record), record

    def _few(self, records: Iterable[tuple[float, EventRecord]], place: tuple[float, str] | None) -> list[Item]:
        found = []
        for start, record in records:
            inside = record.cancelled or record.master or self._in_window(record)
            if inside and self.query.accepts(record) and (place is None or (start, record.id) > place):
                found.append(([start, record.id], self.view.show_change(record)))
        return sorted(found, key=lambda item: item[0])

    def _instances(self, master: EventRecord, place: tuple[float, str] | None) -> Iterator[Item]:
        if not self.query.accepts(master):
            return
        changed = self.store.exceptions(master.id)
        for start, local in self._occurrences(master, place):
            instance = self.store.series(master).instance(local)
            event_id = instance_id(master, instance)
            if event_id in changed or (place is not None and (start, event_id) <= place):
                continue
            yield [start, event_id], self.view.show_instance(master, instance)

    def _occurrences(self, master: EventRecord, place: tuple[float, str] | None) -> Iterator[tuple[float, datetime]]:
        """Starts of a series inside the window, or its first two years' worth without an upper end."""
        series = self.store.series(master)
        zone_name = master.body["start"].get("timeZone") or self.view.calendar.time_zone
        since = None
        if place is not None:
            since = local_time(place[0], zone_name)
        elif self.query.time_min is not None:
            since = local_time(self.query.time_min, zone_name) - series.length
        since = None if since is None else since - LOCAL_SLACK
        last = None
        if self.query.time_max is None:
            last = max(series.unbounded_walls(self._now), default=None)
        for local in series.walls(since=since):
            start = local.replace(tzinfo=zone(zone_name)).timestamp()
            if self.query.time_max is not None and start >= self.query.time_max + 3 * 3600:
                return
            if last is not None and local > last:
                return
            end = seconds(series.instance(local).end, self.view.calendar.time_zone)
            if self.query.overlaps(start, end):
                yield start, local

    # Incremental lists

    def changes(self, version: int, place: PageToken) -> Iterator[Item]:
        after = place.after or [version, None]
        # Once more the record that the last page stopped in: a master's instances may span pages.
        for record in self.store.changed_after(after[0] - 1 if place.after else version):
            if record.version > place.upto:
                return
            if not record.cancelled and not self.query.accepts(record):
                continue
            for sub, shown in enumerate(self._change(record, version)):
                key = [record.version, sub]
                if place.after is None or key > place.after:
                    yield key, shown

    def _change(self, record: EventRecord, since: int) -> Iterator[Json]:
        """What an incremental list says of one changed event."""
        if self.query.event_types and record.event_type not in self.query.event_types:
            return
        if not self.query.single:
            yield self.view.show_change(record)
            return
        yield from self._vanished(record, since)
        if not record.master:
            yield self.view.show_change(record)
        elif not record.cancelled:
            changed = self.store.exceptions(record.id)
            for instance in self.store.series(record).unbounded(self._now):
                exception = changed.get(instance_id(record, instance))
                yield self.view.show_change(exception) if exception else self.view.show_instance(record, instance)

    def _vanished(self, record: EventRecord, since: int) -> Iterator[Json]:
        """Tombstones of instances that a client knew under a schedule that has been replaced since."""
        exceptions = self.store.exceptions(record.id)
        # A changed instance outlives the schedule it came from, though not its master.
        told = {event_id for event_id, found in exceptions.items() if record.cancelled or not found.cancelled}
        if record.cancelled:
            yield from (tombstone(found.id, found.body, self.view.zone_name) for found in exceptions.values())
        else:
            told |= {event_id for event_id, _ in self._ids(record.id, record.schedule)}
        if len(record.past) == KEPT_SCHEDULES and record.past[0]["replaced"] > since:
            # Changed so often that what the client knew is forgotten here.
            raise errors.full_sync_required()
        for schedule in record.past:
            if schedule["replaced"] <= since:
                continue
            for event_id, original in self._ids(record.id, schedule):
                if event_id in told or (event_id == record.id and record.cancelled and not record.master):
                    continue
                told.add(event_id)
                body: Json = {}
                if original is not None:
                    body = {"recurringEventId": record.id, "originalStartTime": original}
                yield tombstone(event_id, body, self.view.zone_name)

    def _ids(self, event_id: str, schedule: Json) -> list[tuple[str, Json | None]]:
        """The ids that a reader of instances sees for an event with this schedule."""
        if not schedule.get("recurrence"):
            return [(event_id, None)]
        series = Series(start=schedule["start"], end=schedule["end"], recurrence=schedule["recurrence"])
        return [(f"{event_id}_{instance.suffix}", instance.original) for instance in series.unbounded(self._now)]


def take_page(world: World, calendar_id: str, stream: Iterator[Item], limit: int, place: PageToken) -> Json:
    """One page of a stream with the token of the next, if there is one."""
    paging = world.faults.paging(calendar_id)
    if paging.max_page is not None:
        limit = min(limit, paging.max_page)
    if paging.empty_every and place.page % paging.empty_every == 0:
        return {"items": [], "nextPageToken": encode(replace(place, page=place.page + 1))}
    items: list[Json] = []
    after = place.after
    for key, item in stream:
        if len(items) == limit:
            return {"items": items, "nextPageToken": encode(replace(place, after=after, page=place.page + 1))}
        items.append(item)
        after = key
    return {"items": items}


def list_instances(world: World, view: View, query: EventQuery, master: EventRecord, original: str | None) -> Json:
    """events.instances: the occurrences of one series, changed ones in their place."""
    if not master.master:
        raise errors.invalid("The event is not a recurring one.")
    listing = Listing(world, view, query)
    place = PageToken(query.whole, 0, None, 0)
    if query.page_token is not None:
        place = decode_page(query.page_token, query.whole)
    after = None if place.after is None else (float(place.after[0]), str(place.after[1]))
    exceptions = [
        (listing.store.start_of(record), record)
        for record in listing.store.exceptions(master.id).values()
        if not record.cancelled or query.show_deleted
    ]
    stream = merge(listing._few(exceptions, after), listing._instances(master, after), key=lambda item: item[0])
    if original is not None:
        wanted = datetime.fromisoformat(original.upper())
        stream = (item for item in stream if _same_original(item[1], wanted, view))
    return {**listing._head(), **take_page(world, view.calendar.id, stream, query.max_results, place)}


def local_time(instant: float, zone_name: str) -> datetime:
    return datetime.fromtimestamp(instant, UTC).astimezone(zone(zone_name)).replace(tzinfo=None)


def _same_original(shown: Json, wanted: datetime, view: View) -> bool:
    original = shown["originalStartTime"]
    if wanted.tzinfo is None:
        return bool(original.get("date") == wanted.date().isoformat())
    return seconds(original, view.calendar.time_zone) == wanted.timestamp()
