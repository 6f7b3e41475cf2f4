"""What is made of an event of ours as a pull finds it: their times × the base × what was asked × ours × the session's status."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.decision import Decision, Effect
from functions.domain.event_ids import event_id
from functions.domain.google_event import MirrorEvent
from functions.domain.inbound import decide_inbound
from functions.domain.inbox_news import InboxNews
from functions.domain.instants import DAY_MINUTES
from functions.domain.own_event import GOOGLE, Inbound, event_is_ours, new_times
from functions.domain.session import Conflict, Session
from tests.domain.builders import (
    BERLIN,
    CALENDAR,
    NOW,
    SESSION,
    Ledger,
    apply,
    booking,
    contents,
    copy,
    ledger,
    minute,
    occupation,
    rebuilt,
    row,
    service,
    times,
    to_operators,
    together,
    tombstone,
)
from tests.domain.inbound_situations import (
    ELEVEN,
    EVENING,
    EVENT,
    EXTERNAL_AT_NINE,
    EXTERNAL_AT_TEN,
    LONG_PAST,
    LONGER,
    NEIGHBOURS,
    NEXT_MONTH,
    NINE,
    OTHER_AT_TEN,
    PAST,
    TEN,
    again,
    bookings_after,
    inbound,
    ours,
    session_after,
    theirs,
)

# Nothing happened in Google: the session stays as it is, and at most the copy's etag and base are news.
AS_WE_LEFT_IT = [
    pytest.param(theirs(NINE), ours(NINE), 1, id="an echo of what we wrote"),  # case 91
    pytest.param(
        theirs(NINE, summary="Kim, window seat", description="new", location="here"), ours(NINE), 1, id="a new title"
    ),  # case 108
    pytest.param(theirs(NINE, transparency="transparent"), ours(NINE), 1, id="shown as available"),  # case 109
    pytest.param(theirs(NINE, attendees=[]), ours(NINE), 1, id="a guest removed by the host"),  # case 112
    pytest.param(
        theirs(NINE, conferenceData={"conferenceId": "abc"}), ours(NINE), 1, id="a conference came after"
    ),  # case 118
    pytest.param(
        theirs(TEN),
        ours(TEN, version=2, copies={CALENDAR: copy(NINE, [TEN], etag='"1"', written=1)}),
        1,
        id="our own move, seen before its answer",
    ),  # case 93
    pytest.param(
        theirs(NINE),
        ours(TEN, version=2, copies={CALENDAR: copy(NINE, [TEN], etag='"1"', written=1)}),
        1,
        id="the old time, while our move is on its way",
    ),
    pytest.param(
        theirs(TEN),
        ours(ELEVEN, version=3, copies={CALENDAR: copy(NINE, [TEN, ELEVEN], etag='"1"', written=1)}),
        1,
        id="our first move, its answer lost, while the second is on its way",
    ),  # case 92
    pytest.param(
        theirs(NINE), ours(NINE, copies={CALENDAR: copy(None, [NINE])}), 0, id="our insert, its answer lost"
    ),  # case 92
]


@pytest.mark.parametrize(("event", "kept", "written"), AS_WE_LEFT_IT)
def test_what_we_wrote_ourselves_moves_nothing(event: MirrorEvent, kept: Session, written: int) -> None:
    decision = decide_inbound(inbound(event, kept))
    after = session_after(decision, kept)
    assert (after.times, after.version, after.status, after.conflict) == (kept.times, kept.version, "open", None)
    assert (decision.changes, decision.history, decision.effects, bookings_after(decision)) == ((), (), (), [])
    seen = after.copies[CALENDAR]
    assert (seen.etag, seen.base, seen.written) == ('"2"', new_times(event, BERLIN), written)


def test_our_move_that_was_written_in_another_way_is_done() -> None:
    """Moved in Google to just where the session is: its time is written. What else we were about to write, the push that waits looks at."""
    kept = ours(TEN, version=2, copies={CALENDAR: copy(NINE, etag='"1"', written=1)})
    decision = decide_inbound(inbound(theirs(TEN), kept))
    assert session_after(decision, kept).copies[CALENDAR] == copy(TEN, etag='"2"', written=1)
    assert decision.effects == ()


def test_an_event_whose_etag_we_know_writes_nothing_at_all() -> None:
    kept = ours(NINE, copies={CALENDAR: copy(NINE, etag='"2"', written=1)})
    assert decide_inbound(inbound(theirs(NINE), kept)).writes_nothing


@dataclass(frozen=True)
class Moved:
    """A move in Google and what comes of it."""

    to: str
    flag: str | None = None
    told: bool = True
    event: dict[str, Any] = field(default_factory=dict)
    others: Ledger = field(default_factory=dict)
    kept: Session = field(default_factory=ours)


def flag(kept: Session) -> tuple[str, int] | None:
    """Why it is in conflict, and since when."""
    return None if kept.conflict is None else (kept.conflict.reason, kept.conflict.since)


ALL_DAY = {"start": {"date": "2027-03-02"}, "end": {"date": "2027-03-03"}}
BUFFERED = ours(taken_from=minute("2027-03-01T08:45Z"), taken_until=minute("2027-03-01T10:15Z"))

MOVES = [
    pytest.param(Moved(TEN), id="to a free time"),  # case 103
    pytest.param(Moved(NEXT_MONTH), id="to a free time of another month"),  # case 103
    pytest.param(Moved("2027-03-01T09:30Z/2027-03-01T10:30Z"), id="onto a part of its own time"),  # case 159
    pytest.param(Moved(TEN, others=NEIGHBOURS), id="between two neighbours that it touches"),  # case 153
    pytest.param(Moved(TEN, flag="taken", others=OTHER_AT_TEN), id="onto another session"),  # case 104
    pytest.param(Moved(TEN, flag="taken", others=EXTERNAL_AT_TEN), id="onto an external event"),  # case 104
    pytest.param(Moved(TEN, flag="taken", others=NEIGHBOURS, kept=BUFFERED), id="with a buffer into a neighbour"),
    pytest.param(Moved(EVENING, flag="outside_hours"), id="out of the hours"),  # case 105
    pytest.param(Moved(LONGER), id="to another length"),  # case 105
    pytest.param(Moved("2027-03-01T16:30Z/2027-03-01T17:30Z", flag="outside_hours"), id="half out of the hours"),
    pytest.param(Moved("2029-03-01T09:00Z/2029-03-01T10:00Z"), id="beyond the horizon"),  # case 105
    pytest.param(Moved(PAST, told=False), id="into the past, where nobody is told"),  # case 106
    pytest.param(Moved(TEN, kept=ours(PAST)), id="out of the past"),
    pytest.param(
        Moved("2027-03-01T23:00Z/2027-03-02T23:00Z", flag="all_day", event=ALL_DAY), id="to the whole day"
    ),  # case 107
    pytest.param(
        Moved(TEN, flag="recurring", event={"recurrence": ["RRULE:FREQ=DAILY"]}), id="into a series at another time"
    ),  # case 107
    pytest.param(
        Moved(TEN, kept=ours(conflict=Conflict(reason="taken", since=1))), id="out of a conflict, which is over"
    ),
    pytest.param(
        Moved(TEN, kept=ours(copies={CALENDAR: copy(None, [NINE])})), id="after an insert whose answer was lost"
    ),
    pytest.param(
        Moved(ELEVEN, kept=ours(TEN, version=2, copies={CALENDAR: copy(NINE, [NINE, TEN], etag='"1"', written=1)})),
        id="while a move of ours is on its way",
    ),  # case 98
    pytest.param(Moved(TEN, event={"transparency": "transparent"}), id="and shown as available"),  # case 109
]


@pytest.mark.parametrize("moved", MOVES)
class TestMove:
    def decided(self, moved: Moved) -> tuple[Decision[None], Session]:
        decision = decide_inbound(inbound(theirs(moved.to, **moved.event), moved.kept, others=moved.others))
        return decision, session_after(decision, moved.kept)

    def test_the_session_follows_exactly(self, moved: Moved) -> None:
        _, after = self.decided(moved)
        assert after.times == times(moved.to)
        assert (after.start - after.taken_from, after.taken_until - after.end) == (
            moved.kept.start - moved.kept.taken_from,
            moved.kept.taken_until - moved.kept.end,
        )
        assert (after.status, after.seats, after.version) == ("open", moved.kept.seats, moved.kept.version + 1)

    def test_it_is_flagged_where_it_can_not_be_kept_as_promised(self, moved: Moved) -> None:
        _, after = self.decided(moved)
        assert flag(after) == ((moved.flag, NOW) if moved.flag else None)

    def test_the_ledger_holds_the_new_time_and_only_that(self, moved: Moved) -> None:
        decision, after = self.decided(moved)
        before = together(moved.others, rebuilt(moved.kept))
        expected = together(moved.others, rebuilt(after))
        assert contents(apply(before, decision.changes)) == contents(expected)

    def test_google_is_its_author(self, moved: Moved) -> None:
        decision, _ = self.decided(moved)
        (entry,) = decision.history
        assert (entry.what, entry.author, entry.why) == ("session.moved", GOOGLE, moved.flag)
        assert (entry.session, entry.booking, entry.resource, entry.calendar) == (SESSION, "booking1", "anna", CALENDAR)
        assert entry.before["start"] != entry.after["start"] or entry.before["end"] != entry.after["end"]

    def test_the_client_is_told_once_unless_it_is_past(self, moved: Moved) -> None:
        decision, _ = self.decided(moved)
        told = [effect for effect in decision.effects if effect.kind == "notify"]
        client = Effect(kind="notify", subject="booking1", about="moved")
        assert told == [*([to_operators()] if moved.flag else []), *([client] if moved.told else [])]

    def test_the_copy_knows_what_google_holds_and_nothing_is_asked_any_more(self, moved: Moved) -> None:
        _, after = self.decided(moved)
        seen = after.copies[CALENDAR]
        assert (seen.base, seen.asked, seen.etag) == (times(moved.to), (), '"2"')

    def test_the_same_page_again_changes_nothing(self, moved: Moved) -> None:  # case 42
        assert again(inbound(theirs(moved.to, **moved.event), moved.kept, others=moved.others)).writes_nothing


def test_each_of_several_bookings_that_move_with_their_session_has_an_entry_of_its_own() -> None:
    decision = decide_inbound(inbound(theirs(TEN), ours(seats={"booking1": 1, "booking2": 2})))
    assert [(entry.what, entry.session, entry.booking) for entry in decision.history] == [
        ("session.moved", SESSION, None),
        ("booking.moved", SESSION, "booking1"),
        ("booking.moved", SESSION, "booking2"),
    ]
    assert {(entry.author, entry.before["start"], entry.after["start"]) for entry in decision.history} == {
        (GOOGLE, "2027-03-01T09:00:00Z", "2027-03-01T10:00:00Z")
    }


SERIES = {"recurrence": ["RRULE:FREQ=DAILY"]}


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param(ours(NINE), id="at the time that it has there"),
        pytest.param(ours(NINE, version=2, copies={CALENDAR: copy(TEN, [NINE], written=1)}), id="as it is written"),
        pytest.param(ours(NINE, version=2, copies={CALENDAR: copy(TEN, written=1)}), id="before it is written"),
        pytest.param(ours(NINE, conflict=Conflict(reason="taken", since=1)), id="though it was flagged otherwise"),
    ],
)
class TestMadeRecurringInPlace:  # case 107
    def test_it_is_flagged_and_stays_where_it_is(self, kept: Session) -> None:
        decision = decide_inbound(inbound(theirs(NINE, **SERIES), kept))
        after = session_after(decision, kept)
        assert flag(after) == ("recurring", NOW)
        assert (after.times, after.status, after.version) == (kept.times, "open", kept.version)
        assert apply(rebuilt(kept), decision.changes) == rebuilt(after)
        assert [(e.what, e.author, e.why) for e in decision.history] == [("session.conflicted", GOOGLE, "recurring")]

    def test_once_is_enough(self, kept: Session) -> None:  # case 42
        assert again(inbound(theirs(NINE, **SERIES), kept)).writes_nothing


class TestMadeSingleAgain:  # case 107
    FLAGGED = ours(NINE, conflict=Conflict(reason="recurring", since=1))

    def test_it_can_be_kept_again(self) -> None:
        decision = decide_inbound(inbound(theirs(NINE), self.FLAGGED))
        after = session_after(decision, self.FLAGGED)
        assert after.conflict is None
        assert apply(rebuilt(self.FLAGGED), decision.changes) == rebuilt(after)
        assert [(e.what, e.author, e.why) for e in decision.history] == [
            ("session.supported", GOOGLE, "not recurring any more")
        ]

    def test_unless_something_else_took_its_time_meanwhile(self) -> None:
        decision = decide_inbound(inbound(theirs(NINE), self.FLAGGED, others=EXTERNAL_AT_NINE))
        assert session_after(decision, self.FLAGGED).conflict == Conflict(reason="taken", since=NOW)

    def test_of_two_copies_the_other_one_may_be_a_series_still(self) -> None:
        copies = {**self.FLAGGED.copies, "second": copy(NINE, calendar="second", event="elsewhere", written=1)}
        kept = self.FLAGGED.model_copy(update={"copies": copies})
        assert session_after(decide_inbound(inbound(theirs(NINE), kept)), kept).conflict == kept.conflict


class TestMovedOntoAnotherSession:
    """Who was there first keeps the time; who was moved there came later, however long ago they booked."""

    LONG_AGO = ours(NINE, created_at=1)

    def other(self, placed_at: int) -> Ledger:
        return ledger(occupation("2027-03-01T10:30Z", "2027-03-01T11:30Z", session="other", placed_at=placed_at))

    def test_who_was_moved_is_in_conflict(self) -> None:
        decision = decide_inbound(inbound(theirs(TEN), self.LONG_AGO, others=self.other(NOW - 1)))
        assert session_after(decision, self.LONG_AGO).conflict == Conflict(reason="taken", since=NOW)

    @pytest.mark.parametrize(
        ("placed_at", "counts_from"),
        [
            pytest.param(NOW - 1, NOW, id="there before"),
            pytest.param(NOW, NOW + 1, id="moved there in the same moment"),
            pytest.param(NOW + 5, NOW + 6, id="there before, by a clock that is ahead"),
        ],
    )
    def test_from_then_on_it_counts_as_having_come_after_all_who_are_there(
        self, placed_at: int, counts_from: int
    ) -> None:
        decision = decide_inbound(inbound(theirs(TEN), self.LONG_AGO, others=self.other(placed_at)))
        after = session_after(decision, self.LONG_AGO)
        assert after.in_conflict("taken")
        assert after.occupation.placed_at == counts_from


def test_who_had_no_seat_before_a_move_has_none_after_it() -> None:
    crowded = ours(NINE, seats={"booking1": 1, "booking2": 1}, conflict=Conflict(reason="over_capacity", since=1))
    late = Conflict(reason="over_capacity", since=1)
    bookings = (booking(), booking(id="booking2", conflict=late))
    decision = decide_inbound(inbound(theirs(TEN), crowded, bookings=bookings))
    assert [each.conflict for each in bookings_after(decision)] == [None, late]
    assert session_after(decision, crowded).conflict == Conflict(reason="over_capacity", since=NOW)


def test_what_its_service_does_not_offer_there_any_more_is_flagged() -> None:
    elsewhere = inbound(theirs(TEN), ours(NINE), service=service(resources=("ben",)))
    assert session_after(decide_inbound(elsewhere), ours()).conflict == Conflict(reason="not_served", since=NOW)


class TestWhatIsStillToBeWritten:
    def test_a_move_in_google_leaves_nothing_to_write_there(self) -> None:
        decision = decide_inbound(inbound(theirs(TEN), ours(NINE)))
        assert not session_after(decision, ours()).copy_pending
        assert all(effect.kind != "push" for effect in decision.effects)

    def test_what_was_on_its_way_stays_pending(self) -> None:  # case 98
        kept = ours(TEN, version=2, copies={CALENDAR: copy(NINE, [TEN], etag='"1"', written=1)})
        decision = decide_inbound(inbound(theirs(ELEVEN), kept))
        assert session_after(decision, kept).copy_pending
        assert Effect(kind="push", subject=SESSION) in decision.effects

    @pytest.mark.parametrize("status", ["open", "cancelled"])
    def test_what_changed_while_its_event_was_out_of_reach_is_written_once_it_is_seen(self, status: str) -> None:
        left = copy(NINE, etag='"1"', written=1, out_of_reach=True)
        kept = ours(TEN if status == "open" else NINE, status=status, version=2, copies={CALENDAR: left})
        assert not kept.copy_pending
        decision = decide_inbound(inbound(theirs(NINE), kept))
        reached = session_after(decision, kept).copies[CALENDAR]
        assert not reached.left_alone
        assert decision.effects == (Effect(kind="push", subject=SESSION),)
        assert session_after(decision, kept).times == kept.times

    @pytest.mark.parametrize(
        "event",
        [
            pytest.param(theirs(TEN), id="a move"),
            pytest.param(theirs(EVENING), id="a move out of the hours"),
        ],
    )
    def test_copies_in_other_calendars_are_brought_up_to_date(self, event: MirrorEvent) -> None:
        second = copy(NINE, calendar="second", event="elsewhere", written=1)
        kept = ours(copies={CALENDAR: copy(NINE, written=1), "second": second})
        decision = decide_inbound(inbound(event, kept))
        after = session_after(decision, kept)
        assert after.copies["second"] == second
        assert after.copy_pending
        assert Effect(kind="push", subject=SESSION) in decision.effects


def test_an_event_of_a_cancelled_session_is_only_noted_wherever_it_is() -> None:
    kept = ours(status="cancelled", seats={}, version=2)
    decision = decide_inbound(inbound(theirs(TEN), kept))
    assert session_after(decision, kept).times == kept.times
    assert (decision.changes, decision.history, decision.effects) == ((), (), ())


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"start": {"dateTime": "soon"}}, id="no date"),
        pytest.param({"start": {}, "end": {}}, id="nothing at all"),
        pytest.param({"end": {"dateTime": "2027-03-01T09:00:00Z"}}, id="no length"),
    ],
)
def test_times_that_can_not_be_read_move_nothing(changes: dict[str, Any]) -> None:
    event = theirs(NINE, **changes)
    assert new_times(event, BERLIN) is None
    decision = decide_inbound(inbound(event, ours()))
    assert session_after(decision, ours()).times == ours().times
    assert (decision.changes, decision.history, decision.effects) == ((), (), ())


@pytest.mark.parametrize(
    ("event", "calendar", "kept", "expected"),
    [
        pytest.param(EVENT, CALENDAR, ours(), True, id="the id that the session has for that calendar"),
        pytest.param("anotherid0", CALENDAR, ours(), False, id="a copy, with an id of its own"),  # case 114
        pytest.param(EVENT, "second", ours(), False, id="our id in a calendar we did not write to"),
        pytest.param(event_id(SESSION, CALENDAR, 1), CALENDAR, ours(), False, id="another attempt"),
        pytest.param(EVENT, CALENDAR, None, False, id="an id in our form whose session does not exist"),
        pytest.param(
            EVENT,
            CALENDAR,
            ours(status="cancelled", version=2),
            True,
            id="that of a session whose deletion is on its way",
        ),
        pytest.param(
            EVENT,
            CALENDAR,
            ours(status="cancelled", copies={CALENDAR: copy(NINE, written=1, gone=True)}),
            False,
            id="that of a cancelled session, brought back by its owner",
        ),  # case 102
    ],
)
def test_an_event_is_ours_by_its_id_and_what_the_session_says(
    event: str, calendar: str, kept: Session | None, *, expected: bool
) -> None:
    assert event_is_ours(event, calendar, kept) is expected


DECLINED_BY_HOST = {"attendees": [{"email": "anna@example.com", "self": True, "responseStatus": "declined"}]}
SLOTS = st.sampled_from([NINE, TEN, ELEVEN, LONGER, EVENING, NEXT_MONTH, PAST, LONG_PAST])


@st.composite
def situations(draw: st.DrawFn) -> Inbound:
    version = draw(st.integers(1, 4))
    seen = copy(
        draw(st.none() | SLOTS),
        draw(st.lists(SLOTS, max_size=2)),
        etag=draw(st.sampled_from([None, '"1"', '"2"'])),
        written=draw(st.integers(0, version)),
        gone=draw(st.integers(0, 4)) == 0,
    )
    cancelled = draw(st.integers(0, 3)) == 0
    kept = ours(
        draw(SLOTS),
        version=version,
        copies={CALENDAR: seen},
        status="cancelled" if cancelled else "open",
        seats={} if cancelled else {"booking1": 1},
    )
    changes: dict[str, Any] = dict(draw(st.sampled_from([{}, {}, ALL_DAY, {"recurrence": ["RRULE:FREQ=WEEKLY"]}])))
    changes |= draw(st.sampled_from([{}, DECLINED_BY_HOST]))
    event = row(tombstone(EVENT), session=SESSION) if draw(st.integers(0, 3)) == 0 else theirs(draw(SLOTS), **changes)
    rules = service(
        on_calendar_move=draw(st.sampled_from(["follow", "restore", "ask"])),
        on_host_decline=draw(st.sampled_from(["flag", "cancel"])),
    )
    others = draw(st.sampled_from([{}, OTHER_AT_TEN, EXTERNAL_AT_TEN, NEIGHBOURS]))
    now = NOW + draw(st.sampled_from([-400, -1, 0, 7, 40])) * DAY_MINUTES * 60_000
    return inbound(event, kept, others=others, now=now, service=rules)


@given(situations())
def test_a_second_look_at_the_same_event_never_changes_anything(first: Inbound) -> None:  # cases 3 and 42
    assert again(first).writes_nothing


@given(situations())
def test_ledger_session_and_bookings_always_tell_the_same_story(first: Inbound) -> None:
    decision = decide_inbound(first)
    after = session_after(decision, first.session)
    before = {(month.resource, month.month): month for month in first.states[0].months}
    own = {place: month.sessions.get(SESSION) for place, month in apply(before, decision.changes).items()}
    expected = {place: month.sessions[SESSION] for place, month in rebuilt(after).items()}
    assert {place: entry for place, entry in own.items() if entry is not None} == expected
    assert (after.status == "cancelled") is (not after.seats)
    assert all(copy_.written <= after.version for copy_ in after.copies.values())
    moved_or_cancelled = (after.times, after.status) != (first.session.times, first.session.status)
    flagged = after.conflict != first.session.conflict
    put_back = [entry.what for entry in decision.history] == ["session.restored"]
    assert (moved_or_cancelled or flagged) is bool(decision.changes)
    assert (after.version > first.session.version) is (moved_or_cancelled or put_back)
    assert bool(decision.history) is (moved_or_cancelled or flagged or put_back)  # law 9
    waits = [to_operators(since=first.now)] if flagged and after.conflict is not None else []
    assert [effect for effect in decision.effects if InboxNews.of(effect.about)] == waits
