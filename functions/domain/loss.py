"""Why the access to a Google account is lost: a closed set of reasons, what each means in plain words, and what to do about it.

Network trouble, a 5xx of Google's or a mistake in our own client's set-up are none of them: those pass, or are not the person's to mend (case 80).
Who looks after the account is told on the day, and 1, 3 and 7 days later; then there is silence until it is mended.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from functions.domain.decision import Effect
from functions.domain.instants import DAY_MINUTES, MINUTE_MS, Millis

if TYPE_CHECKING:
    from functions.domain.calendar import Connection  # which names the losses

DAY_MS = DAY_MINUTES * MINUTE_MS
TOLD_ON_DAYS = (0, 1, 3, 7)
# A grant is called short-lived for so long before its end: long enough for a weekend, short enough not to be read over.
WARNED_BEFORE_MS = 2 * DAY_MS
# Google counts from the moment that it answered, we from the moment that we read it.
CLOCKS_DIFFER_MS = 5 * MINUTE_MS


class Loss(StrEnum):
    REVOKED = "revoked"
    TESTING_ENDED = "testing_ended"
    ACCOUNT_OFF = "account_off"
    SIGN_IN_WANTED = "sign_in_wanted"
    PERMISSION_MISSING = "permission_missing"
    CALENDAR_OFF = "calendar_off"
    KEY_MISSING = "key_missing"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class Words:
    """`what` has happened, and the `remedy`: sentences for the people who look after the account."""

    what: str
    remedy: str


_CONNECT_AGAIN = "Connect the account again, and leave all boxes ticked."
_NOTICED = "That is noticed within a day; nothing needs to be connected again."

# By the words that Google (or our own vault) has for it; whatever else access ends with is `REFUSED`.
_BY_WORD: Mapping[str, Loss] = {
    "invalid_grant": Loss.REVOKED,
    "account_off": Loss.ACCOUNT_OFF,
    "invalid_rapt": Loss.SIGN_IN_WANTED,
    "insufficientPermissions": Loss.PERMISSION_MISSING,
    "notACalendarUser": Loss.CALENDAR_OFF,
    "token_key_missing": Loss.KEY_MISSING,
}
_WORDS: Mapping[Loss, Words] = {
    Loss.REVOKED: Words(
        what="The permission was withdrawn in the Google account, or has run out because nobody used it for six months.",
        remedy=_CONNECT_AGAIN,
    ),
    Loss.TESTING_ENDED: Words(
        what="The app is still in testing mode: Google ends such grants after 7 days.",
        remedy=f"{_CONNECT_AGAIN} It ends after 7 days once more, unless the app is published before that"
        " (in the Google Cloud console, on its consent screen).",
    ),
    Loss.ACCOUNT_OFF: Words(
        what="The Google account is suspended or deleted.",
        remedy=f"Have its administrator bring it back. {_NOTICED} If it is gone for good, connect another account.",
    ),
    Loss.SIGN_IN_WANTED: Words(
        what="The organisation of this Google account has its people, and the apps they use, sign in anew from time to time.",
        remedy=f"{_CONNECT_AGAIN} Its administrator can spare you this by trusting the app (in the API controls of the admin console).",
    ),
    Loss.PERMISSION_MISSING: Words(
        what="The account is connected without a permission that bookings need.", remedy=_CONNECT_AGAIN
    ),
    Loss.CALENDAR_OFF: Words(
        what="Google Calendar is switched off for this account.",
        remedy=f"Have its administrator switch it on. {_NOTICED}",
    ),
    Loss.KEY_MISSING: Words(
        what="The permission is kept encrypted, and this installation no longer has the key to it. Google has ended nothing.",
        remedy=f"Have whoever runs this installation give it that key back (TOKEN_KEYS). {_NOTICED} Or: {_CONNECT_AGAIN}",
    ),
    Loss.REFUSED: Words(what="Google lets the app in no more, and does not say why.", remedy=_CONNECT_AGAIN),
}


def loss_by(word: str, connection: "Connection", *, now: Millis) -> Loss:
    """What it means that the access to a connection ends with this word."""
    loss = _BY_WORD.get(word, Loss.REFUSED)
    return Loss.TESTING_ENDED if loss == Loss.REVOKED and has_run_out(connection, now=now) else loss


def has_run_out(connection: "Connection", *, now: Millis) -> bool:
    """Whether the grant was given for a time, and that is over."""
    ends = connection.grant_expires_at
    return ends is not None and now >= ends - CLOCKS_DIFFER_MS


def runs_out_soon(connection: "Connection", *, now: Millis) -> bool:
    ends = connection.grant_expires_at
    return connection.status == "active" and ends is not None and now >= ends - WARNED_BEFORE_MS


def words(loss: Loss | None) -> Words:
    """None: it does not say."""
    return _WORDS[loss or Loss.REFUSED]


@dataclass(frozen=True, kw_only=True)
class Reminder:
    """One message about one loss, so many days after it."""

    day: int
    lost_at: Millis

    @property
    def about(self) -> str:
        return f"connection_lost.{self.day}.{self.lost_at}"

    @classmethod
    def of(cls, about: str | None) -> "Reminder | None":
        """From what an effect is `about`; None where that is something else."""
        kind, _, rest = (about or "").partition(".")
        day, _, lost_at = rest.partition(".")
        return cls(day=int(day), lost_at=int(lost_at)) if kind == "connection_lost" else None

    def holds(self, connection: "Connection") -> bool:
        """Whether it is still that loss which the connection is lost by."""
        return connection.status == "needs_reconnect" and connection.lost_at == self.lost_at

    @property
    def is_last(self) -> bool:
        return self.day == TOLD_ON_DAYS[-1]


def reminders(connection: str, *, lost_at: Millis) -> tuple[Effect, ...]:
    """Every message that this loss leads to if nobody mends it."""
    return tuple(
        Effect(
            kind="notify",
            subject=connection,
            about=Reminder(day=day, lost_at=lost_at).about,
            not_before=lost_at + day * DAY_MS if day else None,
        )
        for day in TOLD_ON_DAYS
    )
