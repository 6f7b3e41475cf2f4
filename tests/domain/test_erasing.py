"""A client is forgotten: nothing says any more who it was, and everything that is counted is as it was."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.decision import Ref
from functions.domain.erasing import (
    OWED_MS,
    RETENTION,
    Erasure,
    Held,
    erase_booking,
    erase_entry,
    erased,
    finish,
    is_ahead,
    is_owed,
    request_erasure,
    retained_from,
    was_booked,
    was_waiting,
)
from functions.domain.errors import StillBooked
from functions.domain.google_copy import Content, content_of, marks, must_be_seen, patch_seen
from functions.domain.instants import DAY_MINUTES, MINUTE_MS
from functions.domain.ledger import Hold
from functions.domain.session import Booking, Client, GoogleCopy, Session
from functions.domain.waitlist.entry import Place, WaitlistEntry, Wish
from functions.domain.waitlist.leaving import entry_of
from tests.domain.builders import (
    BY_OPERATOR,
    CALENDAR,
    CLIENT,
    NOW,
    SESSION,
    booking,
    copy,
    google_event,
    resource,
    service,
    session,
    times,
)

NINE = "2027-03-01T09:00Z/2027-03-01T10:00Z"
PLACE = Place(wish=Wish(start=1, end=2), seats=2, client_key=CLIENT.key, joined_at=NOW)
ENTRY = WaitlistEntry(id="entry1", service="cut", client=CLIENT, place=PLACE, manage_hash="hash", created_at=NOW)
ERASURE = Erasure(id="e1", client="keyed", client_key=CLIENT.key, by="front desk", requested_at=NOW)
WITH_FUTURE = ERASURE.model_copy(update={"cancel_future": True})
AHEAD = booking()
OVER = booking(id="over", start=NOW // MINUTE_MS - 60)

# Distinct enough that none of them is part of anything that is not theirs.
WORDS = st.text(alphabet="äöüßÆØ", min_size=3, max_size=12)


def named(text: str, **more: Any) -> Booking:
    """A booking that says this wherever a client can have said something."""
    client = Client(name=f"{text}1", email=f"{text}2@example.com", phone=f"{text}3")
    return booking(
        client=client,
        client_key=client.key,
        notes=f"{text}4",
        answers={"mat": f"{text}5"},
        reason=f"{text}6",
        **more,
    )


@given(WORDS, st.booleans(), st.sampled_from(["confirmed", "cancelled", "completed", "no_show"]))
def test_no_word_of_theirs_is_left_and_every_number_is(text: str, scheduled: bool, status: str) -> None:
    before = named(text, status=status, seats=3)
    sat_in = session(scheduled=scheduled, seats={"booking1": 3, "other": 2}, copies={CALENDAR: copy(NINE)})
    decision = erase_booking(before, [sat_in], author=BY_OPERATOR)
    said = str([d.model_dump_json() for d in decision.documents]) + str(decision.history)
    assert text not in said
    assert before.client.key not in said
    (after,) = [each for each in decision.documents if isinstance(each, Booking)]
    kept = {"id", "session", "service", "start", "resources", "seats", "status", "created_at", "cancelled_by"}
    assert after.model_dump(include=kept) == before.model_dump(include=kept)
    (held,) = [each for each in decision.documents if isinstance(each, Session)]
    assert (held.seats, held.occupation) == (sat_in.seats, sat_in.occupation)
    assert decision.changes == ()


def test_whose_link_it_was_is_nobodys() -> None:
    (after,) = erase_booking(booking(), [], author=RETENTION).documents
    assert after.manage_hash == ""  # type: ignore[attr-defined]


class TestItsSession:
    def test_an_event_that_google_has_is_written_anew(self) -> None:
        decision = erase_booking(booking(), [session(copies={CALENDAR: copy(NINE)})], author=BY_OPERATOR)
        (after,) = decision.answer
        assert (after.version, after.copies[CALENDAR].forgets, after.copy_pending) == (2, True, True)
        assert [(effect.kind, effect.subject) for effect in decision.effects] == [("push", SESSION)]

    @pytest.mark.parametrize(
        "never_written",
        [session(), session(copies={CALENDAR: copy()}), session(copies={CALENDAR: copy(NINE, gone=True)})],
        ids=["no calendar", "never asked for", "gone"],
    )
    def test_what_google_does_not_have_needs_no_write(self, never_written: Session) -> None:
        decision = erase_booking(booking(), [never_written], author=BY_OPERATOR)
        assert (decision.answer, decision.effects) == ((), ())
        # Unless somebody asks for a write at this very moment.
        assert decision.guards == (Ref(Session, never_written.id),)

    def test_of_a_deleted_event_we_need_not_know_what_was_in_it(self) -> None:
        wrote = copy(NINE, wrote=("guest:1",), writing=("guest:2",))
        ended = session(status="cancelled", seats={}, copies={CALENDAR: wrote})
        _, after = erase_booking(booking(), [ended], author=BY_OPERATOR).documents
        assert isinstance(after, Session)
        assert (after.copies[CALENDAR].wrote, after.copies[CALENDAR].writing, after.version) == ((), (), 1)

    @pytest.mark.parametrize(
        ("own", "scheduled", "left"),
        [
            pytest.param("ill", False, None, id="an appointment's is theirs"),
            pytest.param("other", False, "ill", id="not what somebody else said"),
            pytest.param("ill", True, "ill", id="a class says it to everybody"),
        ],
    )
    def test_the_reason_for_which_it_ended(self, own: str, scheduled: bool, left: str | None) -> None:
        ended = session(status="cancelled", seats={}, reason="ill", scheduled=scheduled)
        decision = erase_booking(booking(status="cancelled", reason=own), [ended], author=BY_OPERATOR)
        found = [each.reason for each in decision.documents if isinstance(each, Session)] or ["ill"]
        assert found == [left]

    def test_one_that_they_sat_in_before_is_told_too(self) -> None:
        other = session(id="before", seats={"booking2": 1}, copies={CALENDAR: copy(NINE)})
        decision = erase_booking(booking(), [session(), other], author=BY_OPERATOR)
        assert [(entry.what, entry.session) for entry in decision.history] == [
            ("booking.erased", SESSION),
            ("session.client_erased", "before"),
        ]


class TestItsEvent:
    KIM, LOU = booking(), booking(id="booking2", client=Client(name="Lou", email="lou@example.com"))

    def left(self, event: dict[str, Any]) -> dict[str, Any]:
        """The event, after the push that follows when Kim is forgotten. It was ours, with both of them, before its owner changed it."""
        calm = session(seats={"booking1": 1, "booking2": 1}, copies={CALENDAR: copy(NINE, etag='"1"', left='"1"')})
        wrote = marks(calm.copies[CALENDAR], self.content(calm, self.KIM))
        known = calm.with_copy(calm.copies[CALENDAR].model_copy(update={"wrote": wrote}))
        erased, after = erase_booking(self.KIM, [known], author=BY_OPERATOR).documents
        assert isinstance(erased, Booking)
        assert isinstance(after, Session)
        held = after.copies[CALENDAR]
        content = self.content(after, erased)
        assert must_be_seen(held, content)
        return event | patch_seen(event, times(NINE), after, held, content, account="demo", resource=resource())

    def content(self, of: Session, kim: Booking) -> Content:
        return content_of(of, CALENDAR, service(), (kim, self.LOU))

    def test_says_nothing_of_them_also_where_its_owner_wrote_in_it(self) -> None:
        theirs = [{"email": "kim@example.com", "responseStatus": "accepted"}, {"email": "partner@example.com"}]
        event = google_event(
            summary="Kim and Lou, bring the blue folder",
            description="Kim\nkim@example.com\n\nLou\nlou@example.com\n\nKim is always late",
            attendees=[*theirs, {"email": "lou@example.com", "responseStatus": "declined"}],
        )
        after = self.left(event)
        assert "kim" not in str(after).casefold()
        assert after["summary"] == "Haircut: erased client, Lou"
        assert [guest["email"] for guest in after["attendees"]] == ["partner@example.com", "lou@example.com"]

    def test_is_not_overwritten_again_once_it_is_forgotten(self) -> None:
        done = copy(NINE, etag='"2"', forgets=False)
        event = google_event(summary="Blue folder", description="")
        body = patch_seen(
            event, times(NINE), session(), done, self.content(session(), self.KIM), account="demo", resource=resource()
        )
        assert "summary" not in body


def test_a_place_on_a_waitlist_says_nothing_of_them() -> None:
    entry = ENTRY.model_copy(update={"status": "left", "notes": "early", "answers": {"mat": "thin"}, "reason": "ill"})
    (after,) = erase_entry(entry, author=BY_OPERATOR).documents
    assert isinstance(after, WaitlistEntry)
    assert (after.client.name, after.client.email, after.client.phone) == ("erased client", "", None)
    assert (after.notes, after.answers, after.reason, after.manage_hash) == (None, {}, None, "")
    assert after.place == PLACE.model_copy(update={"client_key": ""})


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        pytest.param(AHEAD, True, id="a booking"),
        pytest.param(OVER, False, id="one that has begun"),
        pytest.param(booking(status="held", expires_at=NOW + 1), True, id="seats that are kept"),
        pytest.param(booking(status="held", expires_at=NOW), False, id="seats that were kept"),
        pytest.param(booking(status="cancelled"), False, id="a cancelled one"),
    ],
)
def test_who_is_still_expected(held: Booking, expected: bool) -> None:
    assert is_ahead(held, NOW) is expected


class TestWhatWasThere:
    """At the moment at which somebody asks that a client be forgotten, which is 5 after `NOW`."""

    LINE = ENTRY.model_copy(update={"id": "waits", "created_at": NOW})
    ANEW = LINE.model_copy(update={"created_at": NOW + 6, "place": PLACE.model_copy(update={"joined_at": NOW + 6})})

    @pytest.mark.parametrize(
        ("booked_at", "came_from", "expected"),
        [
            pytest.param(NOW + 5, None, True, id="booked before"),
            pytest.param(NOW + 6, None, False, id="booked anew"),
            pytest.param(NOW + 6, LINE, True, id="what came free for who waited before"),
            pytest.param(NOW + 6, erased(LINE), True, id="also once that place names nobody"),
            pytest.param(NOW + 7, ANEW, False, id="what came free for who waits anew"),
        ],
    )
    def test_a_booking(self, booked_at: int, came_from: WaitlistEntry | None, expected: bool) -> None:
        made = booking(created_at=booked_at, entry=came_from and came_from.id)
        assert was_booked(made, came_from, NOW + 5) is expected

    def test_a_place_on_a_waitlist(self) -> None:
        assert was_waiting(self.LINE, NOW + 5)
        assert not was_waiting(self.ANEW, NOW + 5)

    def test_a_place_that_was_made_of_a_booking_is_as_old_as_that(self) -> None:
        put_on = entry_of(booking(created_at=NOW), entry="put on", manage_hash="hash", now=NOW + 6)
        assert was_waiting(put_on, NOW + 5)


@pytest.mark.parametrize(
    ("not_before", "now", "expected"),
    [
        pytest.param(0, NOW, True, id="one that may go out"),
        pytest.param(0, NOW - 1, True, id="one of a machine whose clock is ahead"),
        pytest.param(0, NOW + OWED_MS - 1, True, id="one that has not gone out for a while"),
        pytest.param(0, NOW + OWED_MS, False, id="one that does not go out"),
        pytest.param(NOW + 9, NOW + 8, False, id="one that is for later"),
        pytest.param(NOW + 9, NOW + OWED_MS + 8, True, id="one that was for later"),
        pytest.param(NOW + 9, NOW + OWED_MS + 9, False, id="one that was for later, and does not go out"),
    ],
)
def test_a_mail_is_waited_for(not_before: int, now: int, expected: bool) -> None:
    assert is_owed(created_at=NOW, not_before=not_before, now=now) is expected


class TestRequest:
    def test_it_is_noted_by_a_mark_and_the_work_is_left_to_a_task(self) -> None:
        decision = request_erasure(ERASURE, Held(bookings=(OVER,), entries=()), ())
        assert decision.documents == (ERASURE,)
        assert [(effect.kind, effect.subject) for effect in decision.effects] == [("erase", "e1")]
        (entry,) = decision.history
        assert (entry.author, entry.after["client"]) == (BY_OPERATOR, "keyed")
        assert CLIENT.key not in str(entry)

    def test_nobody_is_forgotten_who_is_expected(self) -> None:
        with pytest.raises(StillBooked) as refused:
            request_erasure(ERASURE, Held(bookings=(OVER, AHEAD), entries=(ENTRY,)), ())
        assert refused.value.extra == {
            "bookings": [{"id": "booking1", "start": "2027-03-01T09:00:00Z"}],
            "waitlist": ["entry1"],
        }

    def test_unless_what_lies_ahead_is_cancelled(self) -> None:
        decision = request_erasure(WITH_FUTURE, Held(bookings=(AHEAD,), entries=(ENTRY,)), ())
        assert decision.documents == (WITH_FUTURE,)

    @pytest.mark.parametrize(
        ("asked", "under_way", "begun"),
        [
            (ERASURE, ERASURE, False),
            (ERASURE, WITH_FUTURE, False),
            (WITH_FUTURE, WITH_FUTURE, False),
            (WITH_FUTURE, ERASURE, True),
        ],
        ids=["the same", "one that does more", "the same that cancels", "one that does less"],
    )
    def test_what_is_under_way_is_not_begun_again(self, asked: Erasure, under_way: Erasure, begun: bool) -> None:
        other = under_way.model_copy(update={"id": "other"})
        decision = request_erasure(asked, Held(bookings=(), entries=()), (other,))
        assert (decision.answer, decision.writes_nothing) == ((asked, False) if begun else (other, True))


class TestFinish:
    def test_it_does_not_know_the_client_any_more(self) -> None:
        counted = ERASURE.counting(bookings=1, sessions=[SESSION]).counting(bookings=1, entries=1, sessions=[SESSION])
        decision = finish(counted, kept=["booking9"], now=NOW + 5)
        assert decision.documents == (decision.answer,)
        done = decision.answer
        assert (done.client_key, done.finished_at, done.sessions) == (None, NOW + 5, (SESSION,))
        (entry,) = decision.history
        assert entry.after == {"client": "keyed", "erasure": "e1", "bookings": 2, "waitlist": 1, "kept": 1}

    def test_twice_is_once(self) -> None:
        done = finish(ERASURE, kept=(), now=NOW).answer
        assert finish(done, kept=(), now=NOW + 1).writes_nothing


def test_days_are_counted_from_now() -> None:
    assert retained_from(31, NOW) == NOW // MINUTE_MS - 31 * DAY_MINUTES


def test_a_hold_is_in_nobodys_way() -> None:
    """Seats that somebody else keeps in the same session stay kept."""
    kept = session(
        holds={"other": Hold(seats=1, expires_at=NOW)}, copies={CALENDAR: GoogleCopy(calendar="c", event="e")}
    )
    decision = erase_booking(booking(), [kept], author=BY_OPERATOR)
    assert [each for each in decision.documents if isinstance(each, Session)] == []
