"""Drift: what Google says is busy against what we think, in minutes; zero where all is well, and any single difference found."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.calendar import Difference
from functions.domain.drift import (
    LONGEST_QUESTION,
    Drift,
    OwnEvents,
    Taken,
    blocked_for_more,
    compare,
    keys_behind,
    own_events,
    questions,
    spared_time,
)
from functions.domain.google_event import MirrorEvent
from functions.domain.intervals import Interval, common, merge, subtract
from functions.domain.ledger import Hold
from functions.domain.session import Conflict, GoogleCopy, Session
from tests.domain.builders import (
    BERLIN,
    CALENDAR,
    NOW,
    copy,
    exception,
    google_event,
    ledger,
    occupation,
    row,
    series,
    session,
    span,
    spans,
)
from tests.domain.mirror import Mirror

DAY = "2027-03-01"
NOTHING = OwnEvents()
WITHIN = span(f"{DAY}T08:00Z", "2027-05-01T00:00Z")


def hours(*pairs: str) -> list[Interval]:
    """`9-10` is an hour of the day, in UTC."""
    found = [tuple(part.zfill(2) for part in pair.split("-")) for pair in pairs]
    return spans(*(f"{DAY}T{start}:00Z/{DAY}T{end}:00Z" for start, end in found))


def drift(google: list[Interval], *ledgers: list[Interval], own: OwnEvents = NOTHING) -> Drift:
    return compare(google, [Taken(blocks=tuple(each)) for each in ledgers], own, within=WITHIN)


class TestCompared:
    @pytest.mark.parametrize(
        ("google", "ours"),
        [
            pytest.param([], [], id="nothing anywhere"),
            pytest.param(["9-11"], ["9-10", "10-11"], id="merged there, in pieces here"),
            pytest.param(["9-11"], ["9-10", "9-11"], id="overlapping here"),
            pytest.param(["6-7"], [], id="over already"),
            pytest.param(["7-9"], ["8-9"], id="begun before now, and not held any more"),
        ],
    )
    def test_what_agrees_is_no_drift(self, google: list[str], ours: list[str]) -> None:
        found = drift(hours(*google), hours(*ours))
        assert (bool(found), found.minutes, found.examples) == (False, 0, ())

    def test_both_directions_are_found_and_counted(self) -> None:
        found = drift(hours("9-10", "13-14"), hours("9-11"))
        assert found == Drift(only_in_google=tuple(hours("13-14")), only_here=tuple(hours("10-11")))
        assert found.minutes == 120

    def test_what_may_be_sold_twice_is_shown_first(self) -> None:
        found = drift(hours("20-21"), hours("9-10", "11-12", "13-14", "15-16", "17-18"))
        assert found.examples[0] == Difference(busy="only_in_google", **hours("20-21")[0]._asdict())
        assert [each.busy for each in found.examples[1:]] == ["only_here"] * 4

    def test_every_resource_of_the_calendar_must_hold_it(self) -> None:
        assert drift(hours("9-10"), hours("9-10"), []).only_in_google == tuple(hours("9-10"))

    def test_a_calendar_that_blocks_nobody_is_held_against_our_own_events_alone(self) -> None:
        own = OwnEvents(busy=tuple(hours("9-10", "11-12")))
        assert drift(hours("9-10", "15-16"), own=own) == Drift(only_here=tuple(hours("11-12")))

    def test_our_own_events_are_busy_there_and_no_blocks_here(self) -> None:
        assert not drift(hours("9-10"), [], own=OwnEvents(busy=tuple(hours("9-10"))))

    def test_what_is_busy_where_a_session_is_may_be_sold_twice(self) -> None:
        sold = Taken(sold=tuple(hours("9-10")))
        assert compare(hours("9-11"), [sold], NOTHING, within=WITHIN) == Drift(only_in_google=tuple(hours("9-11")))
        assert not compare([], [sold], NOTHING, within=WITHIN)

    def test_another_copy_of_a_session_s_event_is_where_the_session_is(self) -> None:  # case 123
        invited = Taken(sold=tuple(hours("9-10")), spared=tuple(hours("9-10")))
        assert not compare(hours("9-10"), [invited], NOTHING, within=WITHIN)
        elsewhere = Taken(sold=tuple(hours("9-10")), spared=tuple(hours("10-11")))
        assert compare(hours("10-11"), [elsewhere], NOTHING, within=WITHIN).only_in_google == tuple(hours("10-11"))

    def test_of_other_copies_only_those_that_can_be_read_and_take_time_count(self) -> None:
        rows = [
            row(google_event("a", f"{DAY}T09:00:00Z", f"{DAY}T10:00:00Z")),
            row(google_event("b", f"{DAY}T11:00:00Z", f"{DAY}T12:00:00Z", transparency="transparent")),
            row(google_event("c") | {"start": "soon"}),
        ]
        assert spared_time(rows, calendar_zone=BERLIN) == tuple(hours("9-10"))

    def test_what_a_ledger_takes(self) -> None:
        lapsed = {"seats": 0, "holds": {"hold": Hold(seats=1, expires_at=NOW)}}
        months = ledger(
            occupation(f"{DAY}T09:00Z", f"{DAY}T10:00Z", after=60),
            occupation(f"{DAY}T13:00Z", f"{DAY}T14:00Z", session="lapsed", **lapsed),
            blocks={(CALENDAR, "a"): hours("15-16"), ("other", "b"): hours("17-18")},
        )
        assert Taken.of(months.values(), CALENDAR, NOW) == Taken(
            blocks=tuple(hours("15-16")), sold=tuple(hours("9-11"))
        )

    def test_of_what_is_not_settled_nothing_follows(self) -> None:
        own = OwnEvents(unsettled=tuple(hours("9-10", "11-12")))
        assert not drift(hours("9-10"), hours("11-12"), own=own)
        assert drift(hours("9-13"), hours("11-12"), own=own).only_in_google == tuple(hours("10-11", "12-13"))

    def test_only_what_differs_twice_counts(self) -> None:
        first = drift(hours("9-11"), hours("13-14", "15-16"))
        second = drift(hours("10-12"), hours("13-14", "20-21"))
        assert first.still(second) == Drift(only_in_google=tuple(hours("10-11")), only_here=tuple(hours("13-14")))

    def test_google_is_asked_about_all_the_time_in_parts_it_answers(self) -> None:
        parts = questions(Interval(7, 7 + 400 * 24 * 60))
        assert merge(parts) == [Interval(7, 7 + 400 * 24 * 60)]
        assert max(end - start for start, end in parts) <= LONGEST_QUESTION
        assert len(parts) == 7


NINE = f"{DAY}T09:00Z/{DAY}T10:00Z"
TEN = f"{DAY}T10:00Z/{DAY}T11:00Z"


def own(
    sold: Session, of: GoogleCopy | None, *seen: dict[str, Any], rows: Mapping[str, MirrorEvent] | None = None
) -> OwnEvents:
    found = sold if of is None else sold.with_copy(of)
    mirrored = rows or {each["id"]: row(each, session=sold.id) for each in seen}
    return own_events(CALENDAR, [found], mirrored, calendar_zone=BERLIN)


def event(start: str = "09:00", end: str = "10:00", **more: Any) -> dict[str, Any]:
    return google_event(copy().event, f"{DAY}T{start}:00Z", f"{DAY}T{end}:00Z", **more)


FLAGGED = Conflict(reason="all_day", since=NOW)


class TestOurOwnEvents:
    @pytest.mark.parametrize(
        ("sold", "of", "seen"),
        [
            pytest.param(session(), copy(NINE, written=1), [event()], id="as Google told us"),
            pytest.param(session(), copy(NINE, written=1), [], id="written a moment ago, and not told of yet"),
            pytest.param(
                session(), copy(NINE, written=1), [event("12:00", "13:00")], id="moved there, and missed by us"
            ),
            pytest.param(
                session(conflict=Conflict(reason="taken", since=NOW)),
                copy(NINE, written=1),
                [event()],
                id="in conflict",
            ),
        ],
    )
    def test_what_is_settled_is_busy_when_the_session_is(
        self, sold: Session, of: GoogleCopy, seen: list[dict[str, Any]]
    ) -> None:
        assert own(sold, of, *seen) == OwnEvents(busy=tuple(hours("9-10")))

    @pytest.mark.parametrize(
        ("sold", "of", "seen"),
        [
            pytest.param(session(), None, [], id="written nowhere"),
            pytest.param(session(), copy(NINE, written=1, calendar="other"), [], id="written to another calendar"),
            pytest.param(session(), copy(written=1, gone=True), [], id="gone from Google"),
            pytest.param(session(status="cancelled"), copy(NINE, written=1, gone=True), [], id="cancelled and deleted"),
            pytest.param(
                session(), copy(NINE, written=1), [event(transparency="transparent")], id="marked as free"
            ),  # case 109
        ],
    )
    def test_what_takes_nobody_s_time_in_google(
        self, sold: Session, of: GoogleCopy | None, seen: list[dict[str, Any]]
    ) -> None:
        assert own(sold, of, *seen) == OwnEvents()

    @pytest.mark.parametrize(
        ("sold", "of", "seen", "when"),
        [
            pytest.param(session(), copy(asked=[NINE]), [], ["9-10"], id="not written yet"),
            pytest.param(
                session(version=2), copy(TEN, asked=[NINE], written=1), [event("10:00", "11:00")], ["9-11"], id="moving"
            ),
            pytest.param(
                session(status="cancelled", version=2), copy(NINE, written=1), [event()], ["9-10"], id="being deleted"
            ),
            pytest.param(
                session(conflict=FLAGGED),
                copy(NINE, written=1),
                [google_event(copy().event, DAY, "2027-03-02")],
                [],
                id="all day now, and a person has to decide",
            ),
            pytest.param(
                session(accepted=("all_day",)),
                copy(NINE, written=1),
                [google_event(copy().event, DAY, "2027-03-02")],
                [],
                id="all day now, and a person lives with it",
            ),
        ],
    )
    def test_what_is_on_its_way_says_nothing(
        self, sold: Session, of: GoogleCopy, seen: list[dict[str, Any]], when: list[str]
    ) -> None:
        found = own(sold, of, *seen)
        all_day = spans("2027-02-28T23:00Z/2027-03-01T23:00Z")
        assert (found.busy, merge(found.unsettled)) == ((), hours(*when) or all_day)


class TestBlockedForMore:
    """What takes more time here than there on purpose is no drift (cases 57 and 145)."""

    @pytest.mark.parametrize(
        ("rows", "expected"),
        [
            pytest.param([series()], False, id="a series that is told exactly"),
            pytest.param([series("RRULE:FREQ=SECONDLY")], True, id="one too dense to be told apart"),
            pytest.param([google_event()], False, id="an event"),
            pytest.param(
                [google_event(end="2027-03-01T99:00:00Z") | {"end": "soon"}], True, id="one that can't be read"
            ),
        ],
    )
    def test_which(self, rows: list[dict[str, Any]], expected: bool) -> None:
        blocks = hours("9-10")
        found = blocked_for_more([row(each) for each in rows], blocks, calendar_zone=BERLIN, within=WITHIN)
        assert found == (blocks if expected else [])

    def test_only_what_is_taken_here_alone_is_excused(self) -> None:
        found = Drift(only_in_google=tuple(hours("9-10")), only_here=tuple(hours("11-13")))
        excused = found.without(hours("9-10", "12-13"))
        assert excused == Drift(only_in_google=tuple(hours("9-10")), only_here=tuple(hours("11-12")))

    def test_the_events_behind_a_difference(self) -> None:
        months = ledger(
            blocks={(CALENDAR, "a"): hours("9-10"), (CALENDAR, "b"): hours("10-12"), ("x", "c"): hours("9-10")}
        )
        assert keys_behind(Drift(only_here=tuple(hours("9-10"))), months.values(), CALENDAR) == ["a"]


# A simple Google: every event's busy seconds, one by one, without anything of ours.

ZONE = ZoneInfo(BERLIN)
FIRST = date(2027, 2, 26)


@dataclass(frozen=True)
class Entry:
    """An event as a person makes it; the days of a series go over a clock change (2027-03-28)."""

    name: str
    day: int
    second: int = 0
    length: int = 3600
    weeks: int = 1
    whole_days: int = 0
    free: bool = False
    cancelled_week: int | None = None

    def event(self) -> list[dict[str, Any]]:
        more = {"transparency": "transparent"} if self.free else {}
        if self.whole_days:
            first = FIRST + timedelta(days=self.day)
            return [
                google_event(
                    self.name, first.isoformat(), (first + timedelta(days=self.whole_days)).isoformat(), **more
                )
            ]
        start, end = self._instants(0)
        made = google_event(self.name, start.isoformat(), end.isoformat(), **more)
        if self.weeks == 1:
            return [made]
        made["start"]["timeZone"] = made["end"]["timeZone"] = BERLIN
        found = [made | {"recurrence": [f"RRULE:FREQ=WEEKLY;COUNT={self.weeks}"]}]
        if self.cancelled_week is not None:
            found.append(exception(self._instants(self.cancelled_week)[0].isoformat(), of=self.name))
        return found

    def busy(self) -> list[tuple[float, float]]:
        if self.free:
            return []
        if self.whole_days:
            first = FIRST + timedelta(days=self.day)
            ends = (first, first + timedelta(days=self.whole_days))
            start, end = (datetime(each.year, each.month, each.day, tzinfo=ZONE).timestamp() for each in ends)
            return [(start, end)]
        weeks = [week for week in range(self.weeks) if week != self.cancelled_week or self.weeks == 1]
        return [(start.timestamp(), end.timestamp()) for start, end in map(self._instants, weeks)]

    def _instants(self, week: int) -> tuple[datetime, datetime]:
        day = FIRST + timedelta(days=self.day + 7 * week)
        start = datetime(day.year, day.month, day.day, tzinfo=ZONE) + timedelta(seconds=self.second)
        return start, (start.astimezone(UTC) + timedelta(seconds=self.length)).astimezone(ZONE)


def freebusy(entries: list[Entry]) -> list[Interval]:
    """Google's answer, rounded outward to minutes."""
    spans_ = [(int(start // 60), int(-(-end // 60))) for each in entries for start, end in each.busy() if start < end]
    return [Interval(*each) for each in spans_]


def minutes(intervals: list[Interval]) -> set[int]:
    return {minute for start, end in intervals for minute in range(max(start, WITHIN.start), min(end, WITHIN.end))}


entry_fields = {
    "day": st.integers(0, 40),
    # Not in the hours in which clocks change.
    "second": st.integers(5 * 3600, 22 * 3600),
    "length": st.sampled_from([0, 1, 59, 60, 1800, 3601, 90_000]),
    "weeks": st.sampled_from([1, 1, 3, 6]),
    "whole_days": st.sampled_from([0, 0, 0, 1, 3]),
    "free": st.sampled_from([False, False, False, True]),
    "cancelled_week": st.one_of(st.none(), st.integers(0, 2)),
}


@st.composite
def calendars(draw: st.DrawFn) -> list[Entry]:
    count = draw(st.integers(0, 8))
    return [Entry(name=f"e{number}", **draw(st.fixed_dictionaries(entry_fields))) for number in range(count)]


def pulled(entries: list[Entry]) -> list[Interval]:
    """The blocks in anna's ledger after these events were pulled."""
    mirror = Mirror()
    mirror.take([one for each in entries for one in each.event()])
    months = [month for (resource, _), month in mirror.months.items() if resource == "anna"]
    return [*Taken.of(months, CALENDAR, NOW).blocks]


@given(calendars())
def test_a_calendar_that_was_pulled_has_no_drift(entries: list[Entry]) -> None:
    assert drift(freebusy(entries), pulled(entries)) == Drift()


@given(calendars(), st.data())
def test_any_one_event_that_was_missed_is_found_to_the_minute(entries: list[Entry], data: st.DataObject) -> None:
    missed = Entry(name="missed", **data.draw(st.fixed_dictionaries(entry_fields)))
    held, known = freebusy(entries), pulled(entries)
    with_it = [*entries, missed]
    new = minutes(freebusy(with_it)) - minutes(held)

    unheard_of = drift(freebusy(with_it), known)
    assert minutes(list(unheard_of.only_in_google)) == new
    assert (unheard_of.minutes, unheard_of.only_here) == (len(new), ())

    left_behind = drift(held, pulled(with_it))
    assert minutes(list(left_behind.only_here)) == new
    assert (left_behind.minutes, left_behind.only_in_google) == (len(new), ())


intervals = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda pair: Interval(*pair)), max_size=8)


@given(intervals, intervals)
def test_subtracting_and_what_is_common_are_those_of_sets(one: list[Interval], other: list[Interval]) -> None:
    def points(of: list[Interval]) -> set[int]:
        return {minute for start, end in of for minute in range(start, end)}

    assert points(subtract(one, other)) == points(one) - points(other)
    assert points(common(one, other)) == points(one) & points(other)
    assert subtract(one, other) == merge(subtract(one, other))
