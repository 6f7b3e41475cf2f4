"""What the state of calendars and connections means for clients at this moment, in words that name who and what it is about.

It follows from the same rule as availability does (`Calendar.known_until`): a resource is closed where one of the calendars that block it is not known, and a
calendar is not known any more when it was read too long ago (law 6). Times are told in the resource's zone.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Literal

from functions.domain.calendar import Calendar, Connection
from functions.domain.configuration import Resource, Service
from functions.domain.instants import MINUTE_MS, Millis, datetime_of_millis
from functions.domain.loss import words
from functions.domain.staleness import staleness
from functions.domain.trouble import of_reading
from functions.domain.zones import local_date, zone

What = Literal["closed", "closing", "kept", "not_written", "not_seen"]
LOOK_AHEAD_DAYS = 60


@dataclass(frozen=True, kw_only=True)
class Seen:
    """An account as far as this matters. `stale_after`: the deployment's, where neither resource nor service has one."""

    connections: tuple[Connection, ...]
    calendars: tuple[Calendar, ...]
    resources: tuple[Resource, ...]
    services: tuple[Service, ...]
    stale_after: Millis
    now: Millis


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """One thing that clients can notice. `services` by id: those that it is about. `since`: None where there is no such moment.

    closed: nothing can be booked. closing: that is so soon, at `at`. kept: booked by what was known last. not_written: bookings are not in Google.
    not_seen: what is in the calendar closes nothing.
    """

    what: What
    resource: str
    services: tuple[str, ...]
    calendar: str
    connection: str
    since: Millis | None = None
    at: Millis | None = None
    text: str


def meanings(seen: Seen) -> tuple[Meaning, ...]:
    """Nothing, where all is as it should be."""
    connections = {each.id: each for each in seen.connections}
    calendars = {each.id: each for each in seen.calendars}
    found: list[Meaning] = []
    for resource in seen.resources:
        at = tuple(each for each in seen.services if each.active and resource.id in each.resources)
        for name in resource.blocked_by:
            if name in calendars:
                found += _blocking(_Case(seen, resource, at, calendars[name], connections))
        if resource.destination in calendars:
            found += _receiving(_Case(seen, resource, at, calendars[resource.destination], connections))
    for calendar in seen.calendars:
        found += _gone(seen, calendar)
    return tuple(found)


def trouble_of_connection(connection: Connection) -> str | None:
    """What is wrong with it, as a sentence."""
    if connection.status != "needs_reconnect":
        return None
    meaning = words(connection.loss)
    return f"{connection.email} is not connected any more. {meaning.what} {meaning.remedy}"


def trouble_of_calendar(calendar: Calendar) -> str | None:
    """Why it could not be read the last time, as a sentence."""
    if calendar.last_error is None:
        return None
    return _sentence(of_reading(calendar.last_error))


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


@dataclass(frozen=True)
class _Case:
    """One resource, the services that it serves, and one of its calendars."""

    seen: Seen
    resource: Resource
    services: tuple[Service, ...]
    calendar: Calendar
    connections: Mapping[str, Connection]

    @property
    def lost(self) -> Connection | None:
        """Its connection, where that has no access any more."""
        connection = self.connections.get(self.calendar.connection)
        return connection if connection is not None and connection.status == "needs_reconnect" else None

    @property
    def because(self) -> str:
        calendar = self.calendar
        read = "has not been read yet"
        if calendar.last_success_at is not None:
            read = f"was read last {self.at(calendar.last_success_at)}"
        if self.lost is not None:
            return f"{self.lost.email} is not connected any more, and {calendar.summary} {read}"
        trouble = trouble_of_calendar(calendar)
        return f"{calendar.summary} {read}" + (f" ({trouble[:-1]})" if trouble else "")

    def clock(self, moment: Millis) -> str:
        """`10:02`, or `Monday 2 March 2026, 10:02` where that is not today: as clocks at the resource show it."""
        zone_ = zone(self.resource.hours.time_zone)
        then, today = (datetime_of_millis(each).astimezone(zone_) for each in (moment, self.seen.now))
        day = "" if then.date() == today.date() else f"{then:%A} {then.day} {then:%B %Y}, "
        return f"{day}{then:%H:%M}"

    def at(self, moment: Millis) -> str:
        told = self.clock(moment)
        return f"at {told}" if len(told) == len("10:02") else f"on {told}"

    def since(self, moment: Millis | None) -> str:
        """Empty where there is no such moment."""
        return "" if moment is None else f" since {self.clock(moment)}"

    @property
    def whose_days(self) -> str:
        """`Anna's Tuesday, and every day after it, is`: the first day ahead on which the resource works."""
        today = local_date(self.seen.now // MINUTE_MS, zone(self.resource.hours.time_zone))
        day = self._next_day(today)
        if day is None:
            return f"All time of {self.resource.name} is"
        words = f"{day:%A}" if (day - today).days < 7 else f"{day:%A}, {day.day} {day:%B}"
        return f"{_of(self.resource.name)} {words}, and every day after it, is"

    def _next_day(self, today: date) -> date | None:
        ahead = (today + timedelta(days=number) for number in range(LOOK_AHEAD_DAYS))
        return next((day for day in ahead if self.resource.hours.on(day).intervals), None)

    def meaning(
        self,
        what: What,
        services: Iterable[Service],
        text: str,
        *,
        since: Millis | None = None,
        at: Millis | None = None,
    ) -> Meaning:
        return Meaning(
            what=what,
            resource=self.resource.id,
            services=tuple(each.id for each in services),
            calendar=self.calendar.id,
            connection=self.calendar.connection,
            since=since,
            at=at,
            text=text,
        )


def _blocking(case: _Case) -> Iterator[Meaning]:
    """What it means for the resource that this calendar blocks it."""
    read = case.calendar.last_success_at
    if not case.services:
        return
    if read is None or case.resource.id not in case.calendar.projected:
        yield _closed(case, case.services, None)
        return
    usual = case.seen.stale_after
    rules = {each.id: staleness(case.resource, each, usual=usual) for each in case.services}
    in_order = sorted(case.services, key=lambda each: (rules[each.id].then, rules[each.id].limit))
    for (then, limit), group in groupby(in_order, lambda each: (rules[each.id].then, rules[each.id].limit)):
        services = tuple(group)
        ends = read + limit
        if then == "close" and case.seen.now > ends:
            yield _closed(case, services, ends)
        elif case.seen.now > ends:
            text = f"{_names(services)} with {case.resource.name} can still be booked, by what was known then, because {case.because}."
            yield case.meaning("kept", services, text, since=ends)
        elif then == "close" and case.lost is not None:
            text = (
                f"{_names(services)} with {case.resource.name} can be booked until {case.clock(ends)} and not after it, "
                f"unless the access is renewed before, because {case.because}."
            )
            yield case.meaning("closing", services, text, since=case.lost.lost_at, at=ends)


def _closed(case: _Case, services: tuple[Service, ...], since: Millis | None) -> Meaning:
    others = "".join(f" {line}" for line in (*_why(case), *_elsewhere(case, services)))
    zone_ = case.resource.hours.time_zone
    text = f"{case.whose_days} closed to booking ({_names(services)}){case.since(since)} ({zone_}), because {case.because}.{others}"
    return case.meaning("closed", services, text, since=since)


def _why(case: _Case) -> Iterator[str]:
    if case.lost is not None:
        yield words(case.lost.loss).what


def _elsewhere(case: _Case, services: Iterable[Service]) -> Iterator[str]:
    """Which of the services others can still be booked for. Whether these are closed too is said of each of them."""
    names = {each.id: each.name for each in case.seen.resources}
    for service in services:
        others = [names[each] for each in service.resources if each != case.resource.id and each in names]
        if others and service.assignment != "all":
            yield f"{service.name} is offered with {_list(others)} too."
        elif others:
            yield f"{service.name} needs all of its resources, so it can't be booked with {_list(others)} either."


def _receiving(case: _Case) -> Iterator[Meaning]:
    """What it means for the resource that its sessions are written to this calendar."""
    calendar, name = case.calendar, case.resource.name
    if case.lost is not None:
        since = case.since(case.lost.lost_at)
        text = f"What was booked, moved or cancelled with {name}{since} is not in Google Calendar: it waits here until the access is renewed."
        yield case.meaning("not_written", case.services, text, since=case.lost.lost_at)
    elif not calendar.can_write:
        text = f"Bookings with {name} are not in Google Calendar: Google lets us only read {calendar.summary}."
        yield case.meaning("not_written", case.services, text)


def _gone(seen: Seen, calendar: Calendar) -> Iterator[Meaning]:
    """A calendar that does not exist any more closes nothing, whatever the resource's owner may think."""
    if calendar.state != "gone":
        return
    for resource in seen.resources:
        if resource.id in calendar.resources and calendar.id not in resource.blocked_by:
            case = _Case(seen, resource, (), calendar, {})
            since = calendar.missing_since
            text = f"{calendar.summary} closes no time of {resource.name}{case.since(since)}: it is not in Google any more, or not shared with us."
            services = tuple(each for each in seen.services if each.active and resource.id in each.resources)
            yield case.meaning("not_seen", services, text, since=since)


def _of(name: str) -> str:
    return f"{name}'" if name.endswith("s") else f"{name}'s"


def _names(services: Iterable[Service]) -> str:
    return _list([each.name for each in services])


def _list(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
