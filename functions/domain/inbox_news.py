"""That operators are told: of a session that waits in their inbox for them to decide, and of a client who declined the invitation (case 111).

Not at once. What an owner undoes in their calendar a moment later is not worth a mail, and what begins within the same minutes goes into one (see
`sync.inbox_news`). A message is about what began at one moment: the same reason for as long as it lasts is told once, and what is over when
the mail goes out is not told at all. Where an operator is told in another way, by the answer to the call by which they chose it, nothing is said here.
"""

from dataclasses import dataclass
from typing import Literal

from functions.domain.decision import Effect
from functions.domain.instants import MINUTE_MS, Millis
from functions.domain.session import Booking, Session

TOLD_AFTER_MS = 2 * MINUTE_MS
ABOUT_THE_INBOX = "inbox."  # how all of these messages begin, for the query that finds them


@dataclass(frozen=True, kw_only=True)
class InboxNews:
    """What began when: the conflict of a session, or a guest's no."""

    what: Literal["conflict", "declined"]
    since: Millis

    @property
    def about(self) -> str:
        return f"{ABOUT_THE_INBOX}{self.what}.{self.since}"

    @classmethod
    def of(cls, about: str | None) -> "InboxNews | None":
        """From what an effect is `about`; None where that is something else."""
        kind, _, rest = (about or "").partition(".")
        what, _, since = rest.partition(".")
        if f"{kind}." != ABOUT_THE_INBOX:
            return None
        return cls(what="declined" if what == "declined" else "conflict", since=int(since))

    def effect(self, subject: str) -> Effect:
        return Effect(kind="notify", subject=subject, about=self.about, not_before=self.since + TOLD_AFTER_MS)

    def waits(self, session: Session, now: Millis) -> bool:
        """Whether it is still that conflict, of something that is not over."""
        conflict = session.conflict
        if conflict is None or conflict.since != self.since:
            return False
        times = conflict.times if session.status == "cancelled" else session.times
        return times is not None and now < times.end * MINUTE_MS

    def stands(self, booking: Booking, session: Session, now: Millis) -> bool:
        """Whether the client has thought no better of it, and is expected still."""
        ahead = session.status == "open" and now < session.start * MINUTE_MS
        return booking.status == "confirmed" and booking.declined_at == self.since and ahead


def news_of_conflict(before: Session, after: Session) -> tuple[Effect, ...]:
    """Where a conflict begins, or another one than there was."""
    conflict = after.conflict
    if conflict is None or (before.conflict is not None and before.conflict.since == conflict.since):
        return ()
    return (InboxNews(what="conflict", since=conflict.since).effect(after.id),)


def news_of_answer(booking: Booking) -> tuple[Effect, ...]:
    """Where a client has declined."""
    since = booking.declined_at
    return () if since is None else (InboxNews(what="declined", since=since).effect(booking.id),)
