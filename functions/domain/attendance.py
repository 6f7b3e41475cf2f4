"""What became of a booking once its session has begun: the client came, or did not."""

from typing import Literal

from functions.domain.appointments import Booked
from functions.domain.decision import Author, Decision, HistoryEntry
from functions.domain.errors import IllegalMove
from functions.domain.instants import MINUTE_MS, Millis
from functions.domain.session import Booking, Session
from functions.domain.transitions import BOOKING, step

Verb = Literal["complete", "miss"]
AFTER: dict[Verb, str] = {"complete": "completed", "miss": "no_show"}


def note_attendance(booking: Booking, session: Session, verb: Verb, *, now: Millis, author: Author) -> Decision[Booked]:
    """Raises `IllegalMove` before the session begins, and for what was never confirmed. Twice is once; who clicked wrong may correct it."""
    if booking.status == AFTER[verb]:
        return Decision(answer=Booked(booking, session))
    if now < session.start * MINUTE_MS:
        raise IllegalMove("This session has not begun yet; say afterwards who came.", current_status=booking.status)
    noted = booking.model_copy(update={"status": step(BOOKING, booking.status, verb)})
    entry = HistoryEntry(
        what=f"booking.{noted.status}",
        author=author,
        session=session.id,
        booking=booking.id,
        resource=session.resources[0],
        before={"status": booking.status},
        after={"status": noted.status},
    )
    return Decision(answer=Booked(noted, session), documents=(noted,), history=(entry,))
