"""Channels that nobody here knows any more: stopped when they call (cases 9, 26 and 34).

The webhook keeps no state and asks none, so it can't tell. A pull can: it is told which channel called, and reads the calendar anyway. Google has no list of
channels, so a channel of ours that we lost sight of (its watch was never answered, or it could not be stopped) is found in no other way.
"""

import logging

from functions.adapters.google_errors import GoogleError
from functions.adapters.tasks import Task
from functions.domain.calendar import Calendar
from functions.domain.decision import Ref
from functions.sync.work import Work

log = logging.getLogger(__name__)


def send_away_orphan(work: Work) -> None:
    """Leaves a task to stop the channel that asked for this pull, unless it is the calendar's; one task a channel, however often it calls."""
    if work.channel is None or work.resource is None:
        return
    calendar = work.store.get(work.account, Ref(Calendar, work.subject))
    if calendar is None or (calendar.in_use and calendar.has_channel(work.channel)):
        return
    body = {"account": work.account, "subject": work.subject, "channel": work.channel, "resource": work.resource}
    name = f"{work.account}/{work.subject}/unwatch/{work.channel}"
    work.application.tasks.create(Task(kind="unwatch", name=name, body=body))


def unwatch(work: Work) -> None:
    """Stops the channel that the task names, if Google lets us: otherwise it ends by itself, and its notifications are only hints (case 33)."""
    calendar = work.store.get(work.account, Ref(Calendar, work.subject))
    if calendar is None or work.channel is None or work.resource is None:
        return
    if calendar.in_use and calendar.has_channel(work.channel):
        return
    try:
        work.google(calendar.connection).stop(channel=work.channel, resource=work.resource)
    except GoogleError as error:
        log.info("a channel that calls without being known could not be stopped: %s", error.reason)
