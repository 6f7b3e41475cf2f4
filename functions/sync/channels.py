"""Push channels: watching a calendar, renewing before the end, stopping the old one only after the new one lives (cases 23 to 38).

The row is written before Google is asked, so that notifications which come before the answer, or without it, are known as ours. After every watch a pull,
because what changed between two channels is told by nobody (case 28).
"""

import logging
import uuid
from contextlib import suppress

from functions.adapters.google_calendar import GoogleCalendar, WatchAnswer
from functions.adapters.google_errors import AccessLost, GoogleError, Missing, NotPushable
from functions.adapters.signing import ChannelClaim, channel_token
from functions.adapters.store.store import Reader
from functions.domain.calendar import Calendar, Channel, Connection
from functions.domain.decision import Decision, Effect, Ref
from functions.domain.instants import Millis
from functions.sync.lost_access import lose_connection
from functions.sync.work import Work

log = logging.getLogger(__name__)

# Google's default life is seven days; a token outlives its channel a little, so that the last notifications are still known.
TOKEN_LIFE_S = 8 * 24 * 3600
ASSUMED_LIFE_MS = 6 * 24 * 3600 * 1000  # where Google's answer names no end (case 31)
ASKING_MS = 120_000  # an attempt that has not answered by then has failed
RETRY_MS = 15 * 60 * 1000


def watch(work: Work) -> None:
    """Gives the subject calendar a live channel at the present address, where it needs one; takes it away where the calendar is not used any more."""
    _end_unused(work)
    calendar = _begin(work)
    if calendar is None or calendar.next_channel is None:
        return
    asked = calendar.next_channel
    try:
        google = work.google(calendar.connection)
        answer = google.watch(calendar.google_id, channel=asked.id, token=_token(work, asked), address=asked.address)
    except NotPushable:
        _settle(work, asked, watchable=False)
        return
    except Missing:
        # Whether the calendar is gone shows in its list (case 38).
        _settle(work, asked, effects=(Effect(kind="pull", subject=calendar.id),))
        return
    except AccessLost as error:
        _settle(work, asked)
        lose_connection(work, calendar.connection, error)
        return
    except GoogleError:
        _settle(work, asked)
        raise
    replaced = _keep(work, asked, answer)
    if replaced is not None:
        _stop(google, replaced)


def _begin(work: Work) -> Calendar | None:
    def attempt(reader: Reader) -> Decision[Calendar | None]:
        calendar = reader.get(Ref(Calendar, work.subject))
        now = work.now()
        if calendar is None or not calendar.watchable:
            return Decision(answer=None)
        if not calendar.in_use:
            # Its use ended while a channel was being asked for, which has named the time of its renewal all the same.
            return _renewed_at(calendar, None)
        if calendar.channel is not None and not _needs_channel(calendar, address, now):
            # As where it is used again while its channel lives.
            return _renewed_at(calendar, calendar.channel.renewal_at)
        connection = reader.get(Ref(Connection, calendar.connection))
        if connection is None or connection.status != "active":
            return _renewed_at(calendar, None)  # once it is connected again, it is watched at once
        if calendar.next_channel is not None and now < calendar.next_channel.created_at + ASKING_MS:
            return Decision(answer=None)  # another worker is asking (case 30)
        asking = calendar.model_copy(update={"next_channel": Channel(id=channel_id, address=address, created_at=now)})
        return Decision(answer=asking, documents=(asking,))

    address = work.application.settings.webhook_url
    channel_id = str(uuid.uuid4())
    return work.store.run(work.account, attempt)


def _renewed_at(calendar: Calendar, moment: Millis | None) -> Decision[Calendar | None]:
    """Nothing to ask Google for; and the schedule comes again when there is."""
    known = calendar.renew_at == moment
    return Decision(answer=None, documents=() if known else (calendar.model_copy(update={"renew_at": moment}),))


def _needs_channel(calendar: Calendar, address: str, now: Millis) -> bool:
    channel = calendar.channel
    return channel is None or channel.address != address or not channel.alive(now) or channel.due_for_renewal(now)


def _token(work: Work, channel: Channel) -> str:
    claim = ChannelClaim(account=work.account, calendar=work.subject, expires=channel.created_at // 1000 + TOKEN_LIFE_S)
    return channel_token(work.application.settings.signing_keys[0], channel.id, claim)


def _keep(work: Work, asked: Channel, answer: WatchAnswer) -> Channel | None:
    """Makes the new channel the calendar's; what it replaces (or the new one itself, if another was faster) is to be stopped."""

    def attempt(reader: Reader) -> Decision[Channel | None]:
        calendar = reader.get(Ref(Calendar, work.subject))
        if calendar is None or calendar.next_channel is None or calendar.next_channel.id != asked.id:
            return Decision(answer=made)
        kept = calendar.model_copy(update={"channel": made, "next_channel": None, "renew_at": made.renewal_at})
        return Decision(answer=calendar.channel, documents=(kept,), effects=(Effect(kind="pull", subject=calendar.id),))

    ends = answer.expires_at or asked.created_at + ASSUMED_LIFE_MS
    made = asked.model_copy(update={"resource": answer.resource, "expires_at": ends})
    return work.store.run(work.account, attempt)


def _settle(work: Work, asked: Channel, *, watchable: bool = True, effects: tuple[Effect, ...] = ()) -> None:
    """The attempt failed: the calendar is polled, and asked for again later unless Google never pushes for it (case 24)."""

    def attempt(reader: Reader) -> Decision[None]:
        calendar = reader.get(Ref(Calendar, work.subject))
        if calendar is None or calendar.next_channel is None or calendar.next_channel.id != asked.id:
            return Decision(answer=None)
        renew_at = work.now() + RETRY_MS if watchable else None
        settled = calendar.model_copy(update={"next_channel": None, "watchable": watchable, "renew_at": renew_at})
        return Decision(answer=None, documents=(settled,), effects=effects)

    work.store.run(work.account, attempt)


def _end_unused(work: Work) -> None:
    """A calendar that nobody uses needs no notifications (case 9). Its channel is forgotten first: where it can't be stopped, it is an orphan that calls."""

    def attempt(reader: Reader) -> Decision[Calendar | None]:
        calendar = reader.get(Ref(Calendar, work.subject))
        if calendar is None or calendar.in_use or calendar.channel is None:
            return Decision(answer=None)
        without = calendar.model_copy(update={"channel": None, "next_channel": None})
        return Decision(answer=calendar, documents=(without,))

    calendar = work.store.run(work.account, attempt)
    if calendar is not None and calendar.channel is not None:
        with suppress(GoogleError):
            _stop(work.google(calendar.connection), calendar.channel)


def _stop(google: GoogleCalendar, channel: Channel) -> None:
    if channel.resource is None:
        return
    try:
        google.stop(channel=channel.id, resource=channel.resource)
    except GoogleError as error:
        # It ends by itself, and its notifications are only hints (case 33).
        log.info("an old channel could not be stopped: %s", error.reason)
