"""Who came, and who did not."""

import pytest

from functions.domain.attendance import Verb, note_attendance
from functions.domain.errors import IllegalMove
from tests.domain.builders import BY_OPERATOR, booking, millis, session

BEGINS = millis("2027-03-01T09:00:00Z")


@pytest.mark.parametrize(("verb", "status"), [("complete", "completed"), ("miss", "no_show")])
def test_it_is_noted_once_the_session_has_begun(verb: Verb, status: str) -> None:
    decision = note_attendance(booking(), session(), verb, now=BEGINS, author=BY_OPERATOR)
    assert decision.answer.booking.status == status
    assert decision.documents == (decision.answer.booking,)
    assert decision.changes == (), "who did not come has had the seat all the same"
    (entry,) = decision.history
    assert (entry.what, entry.author) == (f"booking.{status}", BY_OPERATOR)
    assert (entry.before, entry.after) == ({"status": "confirmed"}, {"status": status})


def test_twice_is_once() -> None:
    first = note_attendance(booking(), session(), "miss", now=BEGINS, author=BY_OPERATOR).answer
    assert note_attendance(first.booking, first.session, "miss", now=BEGINS, author=BY_OPERATOR).writes_nothing


def test_who_was_marked_by_mistake_is_marked_right() -> None:
    missed = booking(status="no_show")
    assert note_attendance(missed, session(), "complete", now=BEGINS, author=BY_OPERATOR).answer.booking.status == (
        "completed"
    )


@pytest.mark.parametrize("status", ["held", "cancelled"])
def test_what_was_never_confirmed_or_is_cancelled_has_no_attendance(status: str) -> None:
    with pytest.raises(IllegalMove):
        note_attendance(booking(status=status), session(), "complete", now=BEGINS, author=BY_OPERATOR)


def test_nobody_can_have_come_before_it_began() -> None:
    with pytest.raises(IllegalMove, match="not begun"):
        note_attendance(booking(), session(), "complete", now=BEGINS - 1, author=BY_OPERATOR)
