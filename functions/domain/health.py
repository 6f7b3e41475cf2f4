"""What an operator should look at: whatever keeps the calendars and the bookings from telling the same story, and what it means, in plain words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter

from functions.domain.calendar import Calendar, Connection
from functions.domain.configuration import OnStale, Resource, Service
from functions.domain.instants import Millis, rfc3339, rfc3339_millis
from functions.domain.loss import Loss, runs_out_soon, words
from functions.domain.pacing import WritePause
from functions.domain.session import Session
from functions.domain.staleness import staleness
from functions.domain.trouble import of_reading, of_writing

# An effect is late when it is due; the sweep comes every minute.
OVERDUE_MS = 5 * 60_000
# Audits come each night, spread over some hours.
AUDIT_EVERY_MS = 36 * 3600 * 1000


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One thing to look at; of which calendar or connection, if it is of one."""

    text: str
    calendar: str | None = None
    connection: str | None = None


@dataclass(frozen=True, kw_only=True)
class Observed:
    """An account's connections, the calendars that it uses, its resources and services; and what is behind.

    `names`: of all calendars, by id. `malformed`: events that can't be read, by calendar. `pending`: sessions of which Google has not been told all.
    `paused`: calendars to which it wants no writes. `overdue_since`: when the oldest effect that waits in the outbox should have been done.
    `stale_after`: the deployment's, where neither resource nor service has one of its own.
    """

    connections: tuple[Connection, ...] = ()
    calendars: tuple[Calendar, ...] = ()
    resources: tuple[Resource, ...] = ()
    services: tuple[Service, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    malformed: Mapping[str, int] = field(default_factory=dict)
    pending: tuple[Session, ...] = ()
    paused: tuple[WritePause, ...] = ()
    overdue_since: Millis | None = None
    stale_after: Millis
    now: Millis


def attention(observed: Observed) -> tuple[Reason, ...]:
    """Nothing, where all is well."""
    return (
        *_connections(observed),
        *(reason for calendar in observed.calendars for reason in _of_calendar(observed, calendar)),
        *_refused(observed),
        *_overdue(observed),
    )


def waiting_for_google(session: Session) -> bool:
    """Whether Google is behind what it shall hold. Of a session in which seats are only kept it is not told at all."""
    known = any(copy.asked or copy.base for copy in session.copies.values())
    return session.copy_pending and (bool(session.seats) or session.scheduled or known)


def _connections(observed: Observed) -> Iterator[Reason]:
    for connection in observed.connections:
        if connection.status == "needs_reconnect":
            meaning = words(connection.loss)
            text = f"{connection.email} is not connected any more. {meaning.what} Nothing is read or written there until it is. {meaning.remedy}"
            yield Reason(text=text, connection=connection.id)
        elif runs_out_soon(connection, now=observed.now):
            ends = rfc3339_millis(connection.grant_expires_at or observed.now)
            yield Reason(
                text=f"The permission for {connection.email} ends at {ends}. {words(Loss.TESTING_ENDED).what} Connect the account again before that.",
                connection=connection.id,
            )
        ending = connection.ending
        if ending is not None and observed.now - ending.since > OVERDUE_MS:
            why = f" ({of_writing(ending.error)})" if ending.error else ""
            yield Reason(
                text=f"{connection.email} was disconnected at {rfc3339_millis(ending.since)}, and Google has not done its part yet{why}.",
                connection=connection.id,
            )


def _of_calendar(observed: Observed, calendar: Calendar) -> Iterator[Reason]:
    name = calendar.summary
    texts = [*_unread(observed, calendar)]
    if calendar.state == "gone":
        texts.append(f"{name} does not exist any more in Google, or is not shared with us any more.")
    if calendar.last_error is not None:
        texts.append(f"{name} could not be read the last time ({of_reading(calendar.last_error)}); it is tried again.")
    if any(pause.id == calendar.id and pause.usage_limit for pause in observed.paused):
        texts.append(
            f"Google takes no entries for {name}: its usage limit is reached. Bookings are taken, and written there later."
        )
    if calendar.drift_minutes:
        texts.append(f"{name} and the bookings differ by {calendar.drift_minutes} minutes: {_differences(calendar)}.")
    if calendar.audit_error is not None:
        texts.append(f"{name} could not be compared with Google. {calendar.audit_error}")
    elif calendar.audited_at is not None and observed.now - calendar.audited_at > AUDIT_EVERY_MS:
        texts.append(f"{name} was compared with Google last at {rfc3339_millis(calendar.audited_at)}.")
    if number := observed.malformed.get(calendar.id):
        texts.append(f"{name} has {number} events that can't be read; what can be told of their time is kept busy.")
    yield from (Reason(text=text, calendar=calendar.id) for text in texts)


def _unread(observed: Observed, calendar: Calendar) -> Iterator[str]:
    """What it means that a calendar was not read for long: that is up to each of its resources, and to each service."""
    if not calendar.resources:
        return
    if calendar.last_success_at is None:
        yield f"{calendar.summary} has not been read yet: nothing can be booked at {_list(calendar.resources)} until it is."
        return
    age = observed.now - calendar.last_success_at
    late: dict[tuple[str, OnStale], list[str]] = {}
    for resource in (each for each in observed.resources if each.id in calendar.resources):
        for service in (each for each in observed.services if each.active and resource.id in each.resources):
            rules = staleness(resource, service, usual=observed.stale_after)
            if age > rules.limit:
                late.setdefault((service.name, rules.then), []).append(resource.id)
    if late or age > observed.stale_after:
        means = "".join(f" {_then(then, service, at)}" for (service, then), at in late.items())
        yield f"{calendar.summary} has not been read since {rfc3339_millis(calendar.last_success_at)}.{means}"


def _then(then: OnStale, service: str, at: list[str]) -> str:
    if then == "close":
        return f"{service} can't be booked at {_list(at)} until it is."
    return f"{service} can still be booked at {_list(at)}, by what was known then."


def _differences(calendar: Calendar) -> str:
    words = {"only_in_google": "busy in Google only, and might be sold twice", "only_here": "taken here only"}
    return "; ".join(f"{rfc3339(each.start)} to {rfc3339(each.end)} is {words[each.busy]}" for each in calendar.drift)


def _refused(observed: Observed) -> Iterator[Reason]:
    copies = [copy for session in observed.pending for copy in session.copies.values() if copy.error and not copy.gone]
    errors = [of_writing(copy.error or "") for copy in copies if copy.leaving is None]
    if errors:
        yield Reason(text=f"{len(errors)} sessions are not in Google Calendar as they should be ({errors[0]}).")
    leaving = sorted((copy for copy in copies if copy.leaving is not None), key=attrgetter("calendar"))
    for calendar, group in groupby(leaving, key=attrgetter("calendar")):
        left = [of_writing(copy.error or "") for copy in group]
        yield Reason(
            text=f"{len(left)} events are still in {observed.names.get(calendar, calendar)}, which is not their calendar any more: Google does not let us"
            f" delete them there ({left[0]}). Delete them by hand, or let us write there again.",
            calendar=calendar,
        )


def _overdue(observed: Observed) -> Iterator[Reason]:
    since = observed.overdue_since
    if since is not None and observed.now - since > OVERDUE_MS:
        yield Reason(text=f"Mails or calendar entries wait to be sent that were due at {rfc3339_millis(since)}.")


def _list(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(names)
