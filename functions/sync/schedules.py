"""What Cloud Scheduler calls. Each looks up what is due and leaves tasks behind; none does the work itself, but for people who belong to no account, of whom no
task can be. Running one twice is harmless.
"""

import random
from dataclasses import replace

from functions.adapters.clock import now_millis
from functions.adapters.composition import Application
from functions.adapters.outbox import task_of
from functions.adapters.store.committing import SWEEP_AFTER_MS
from functions.adapters.store.queries import (
    accounts_that_forget,
    calendars_due,
    calendars_in_use,
    calendars_watched_elsewhere,
    connections_held,
    due_outbox,
    queues_due,
)
from functions.adapters.store.records import OutboxRecord
from functions.adapters.store.store import Reader
from functions.adapters.tasks import Task
from functions.domain.calendar import Calendar
from functions.domain.decision import Decision, Ref
from functions.sync.people import forget_people

MAX_SWEEP_DELAY_MS = 6 * 3600 * 1000
AUDITS_SPREAD_MS = 4 * 3600 * 1000  # Google's quota is per minute and project, and all calendars have the same night


def minute(application: Application) -> None:
    """Sweeps the outbox (effects that a crash left without a task, or whose task gave up), polls the calendars whose time has come, and looks
    after the waitlists that somebody is in."""
    now = now_millis()
    for account, record in due_outbox(application.store, now):
        if (swept := _postpone(application, account, record.id, now)) is not None:
            application.tasks.create(task_of(account, swept))
    for account, calendar in calendars_due(application.store, "next_poll_at", now):
        application.tasks.create(
            _calendar_task("pull", account, calendar, f"poll/{calendar.next_poll_at}/{now // 60_000}")
        )

    for account, queue in queues_due(application.store, now):
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
    for account, calendar in calendars_due(application.store, "renew_at", now):
        application.tasks.create(
            _calendar_task("watch", account, calendar, f"renew/{calendar.renew_at}/{now // 60_000}")
        )

    for account, calendar in calendars_watched_elsewhere(application.store, address):
        application.tasks.create(_calendar_task("watch", account, calendar, f"address/{address}/{now // 60_000}"))


def daily(application: Application) -> None:
    """Pulls every calendar in use once, which also rolls its horizon on and lists those with bounds anew (case 64), and audits it some time in the hours
    after; looks whether each connection still holds, or holds again, and which calendars it reaches; and lets accounts forget whom they keep no longer.

    Last it forgets who signed in long ago and belongs to no account any more."""
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
    forget_people(application, now)


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
