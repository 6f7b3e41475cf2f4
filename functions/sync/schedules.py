"""What Cloud Scheduler calls. Each looks up what is due and leaves tasks behind; none does the work itself, and running one twice is harmless."""

import logging
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal, TypeAlias, TypeVar

from functions.adapters.clock import now_millis
from functions.adapters.composition import Application
from functions.adapters.outbox import task_of
from functions.adapters.store.across_accounts import (
    accounts_that_forget,
    calendars_due,
    calendars_in_use,
    calendars_watched_elsewhere,
    connections_held,
    due_outbox,
    queues_due,
)
from functions.adapters.store.committing import SWEEP_AFTER_MS
from functions.adapters.store.documents import NO_ACCOUNT
from functions.adapters.store.records import OutboxRecord
from functions.adapters.store.store import Reader
from functions.adapters.tasks import Task
from functions.domain.calendar import Calendar
from functions.domain.decision import Decision, Ref
from functions.domain.instants import Millis

T = TypeVar("T")
DueField: TypeAlias = Literal["next_poll_at", "renew_at"]

log = logging.getLogger(__name__)

SWEEP_MS = 15_000  # for each of a run's sweeps: a minute has three of them
POLLED_AGAIN_MS = 5 * 60_000
RENEWED_AGAIN_MS = 15 * 60_000
MAX_SWEEP_DELAY_MS = 6 * 3600 * 1000
AUDITS_SPREAD_MS = 4 * 3600 * 1000  # Google's quota is per minute and project, and all calendars have the same night


def minute(application: Application) -> None:
    """Sweeps the outbox (effects that a crash left without a task, or whose task gave up), polls the calendars whose time has come, and looks
    after the waitlists that somebody is in."""
    now = now_millis()
    for account, record in _until_time_is_up(due_outbox(application.store, now), SWEEP_MS):
        if (swept := _postpone(application, account, record.id, now)) is not None:
            application.tasks.create(task_of(account, swept))
    _ask_for_calendars_due(application, "next_poll_at", ("pull", "poll"), put_off_by=POLLED_AGAIN_MS)
    for account, queue in _until_time_is_up(queues_due(application.store, now), SWEEP_MS):
        application.tasks.create(
            Task(
                kind="promote",
                name=f"{account}/{queue.id}/queue/{queue.look_at}/{now // 60_000}",
                body={"account": account, "subject": queue.id},
            )
        )


def quarter(application: Application) -> None:
    """Renews push channels, also those that ended long ago (case 29), and moves those to the present address that were opened with another (case 35)."""
    now = now_millis()
    address = application.settings.webhook_url
    _ask_for_calendars_due(application, "renew_at", ("watch", "renew"), put_off_by=RENEWED_AGAIN_MS)
    for account, calendar in calendars_watched_elsewhere(application.store, address):
        if calendar.renew_at is not None:  # or nobody may ask Google for a channel at present
            application.tasks.create(_calendar_task("watch", account, calendar, f"address/{address}/{now // 60_000}"))


def daily(application: Application) -> None:
    """Pulls every calendar in use once, which also rolls its horizon on and lists those with bounds anew (case 64), and audits it some time in the hours
    after; looks whether each connection still holds, or holds again, and which calendars it reaches; lets accounts forget whom they keep no longer, and us
    who signed in long ago and belongs to no account any more."""
    now = now_millis()
    day = now // 86_400_000
    for account, calendar in calendars_in_use(application.store):
        application.tasks.create(_calendar_task("pull", account, calendar, f"daily/{day}"))
        audit = _calendar_task("audit", account, calendar, f"audit/{day}")
        later = random.randrange(AUDITS_SPREAD_MS)  # noqa: S311  spreads them, no secret
        application.tasks.create(replace(audit, not_before_ms=now + later))
    for account, connection in connections_held(application.store):
        application.tasks.create(
            Task(
                kind="discover",
                name=f"{account}/{connection.id}/daily/{day}",
                body={"account": account, "subject": connection.id},
            )
        )
    for account in accounts_that_forget(application.store):
        application.tasks.create(
            Task(kind="retention", name=f"{account}/retention/{day}", body={"account": account, "subject": account})
        )
    application.tasks.create(Task(kind="people", name=f"people/{day}", body={"account": NO_ACCOUNT, "subject": "all"}))


def _until_time_is_up(due: Iterable[T], time_ms: Millis) -> Iterator[T]:
    """What there is no time for now is due the next time, and comes first then: what was asked for has been put off."""
    ends = now_millis() + time_ms
    for each in due:
        if now_millis() >= ends:
            log.warning("there is more due than one run of a schedule can ask for")
            return
        yield each


def _ask_for_calendars_due(
    application: Application, field: DueField, wanted: tuple[str, str], *, put_off_by: Millis
) -> None:
    """A task for each, of the kind and on the occasion that are `wanted`. It is put off first, so that one whose task comes to nothing is in no other's way."""
    now, (kind, occasion) = now_millis(), wanted
    for account, due in _until_time_is_up(calendars_due(application.store, field, now), SWEEP_MS):
        moment = _put_off(application, account, due.id, field, now=now, until=now + put_off_by)
        if moment is not None:
            application.tasks.create(_calendar_task(kind, account, due, f"{occasion}/{moment}/{now // 60_000}"))


def _put_off(
    application: Application, account: str, calendar_id: str, field: DueField, *, now: Millis, until: Millis
) -> Millis | None:
    """When it was due; None where it is not any more."""

    def attempt(reader: Reader) -> Decision[Millis | None]:
        calendar = reader.get(Ref(Calendar, calendar_id))
        moment: Millis | None = None if calendar is None else getattr(calendar, field)
        if calendar is None or moment is None or moment > now:
            return Decision(answer=None)
        return Decision(answer=moment, documents=(calendar.model_copy(update={field: until}),))

    return application.store.run(account, attempt)


def _postpone(application: Application, account: str, record_id: str, now: int) -> OutboxRecord | None:
    """Counts the sweep, so that this task has a name of its own; None where the effect has been done meanwhile."""

    def attempt(reader: Reader) -> Decision[OutboxRecord | None]:
        record = reader.get(Ref(OutboxRecord, record_id))
        if record is None or record.due_at > now:
            return Decision(answer=None)
        delay = min(SWEEP_AFTER_MS * 2 ** min(record.sweeps + 1, 12), MAX_SWEEP_DELAY_MS)
        swept = record.model_copy(update={"sweeps": record.sweeps + 1, "due_at": now + delay})
        return Decision(answer=swept, documents=(swept,))

    return application.store.run(account, attempt)


def _calendar_task(kind: str, account: str, calendar: Calendar, occasion: str) -> Task:
    return Task(
        kind=kind,
        name=f"{account}/{calendar.id}/{occasion}",
        body={"account": account, "subject": calendar.id},
    )
