"""Pages of changes, whatever they bring and in whatever order: the ledger always says what the mirror's rows mean."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.instants import DAY_MINUTES, rfc3339
from tests.domain.builders import (
    BERLIN,
    CALENDAR,
    all_day,
    contents,
    exception,
    google_event,
    minute,
    series,
    spans,
    tombstone,
)
from tests.domain.mirror import pages


class TestPages:
    WEEKLY = series("RRULE:FREQ=WEEKLY;COUNT=8")
    MOVED = exception("2027-03-08T09:00:00+01:00", "2027-05-09T14:00:00Z", "2027-05-09T15:00:00Z")
    CANCELLED = exception("2027-03-15T09:00:00+01:00")

    def test_a_second_page_adds_to_the_first(self) -> None:  # case 61
        other = google_event("ev2", "2027-03-02T09:00:00Z", "2027-03-02T10:00:00Z")
        assert pages([google_event()], [other]).months == pages([google_event(), other]).months

    @pytest.mark.parametrize(
        "order",
        [
            pytest.param([[WEEKLY, MOVED, CANCELLED]], id="on one page, the series first"),
            pytest.param([[CANCELLED, MOVED, WEEKLY]], id="on one page, the exceptions first"),
            pytest.param([[CANCELLED], [MOVED], [WEEKLY]], id="on earlier pages than the series"),
            pytest.param([[WEEKLY], [CANCELLED], [MOVED]], id="on later pages"),
        ],
    )
    def test_exceptions_and_series_come_in_any_order(self, order: list[list[dict[str, Any]]]) -> None:  # case 137
        mirror = pages(*order)
        found = mirror.months["anna", "2027-03"].blocks[CALENDAR]["ser1"]
        assert list(found) == spans(
            "2027-03-01T08:00Z/2027-03-01T09:00Z",
            "2027-03-22T08:00Z/2027-03-22T09:00Z",
            "2027-03-29T07:00Z/2027-03-29T08:00Z",
        )
        assert contents(mirror.months) == mirror.from_scratch()

    def test_with_the_series_go_all_its_exceptions(self) -> None:  # case 139
        mirror = pages([self.WEEKLY, self.MOVED, self.CANCELLED], [tombstone("ser1")])
        assert contents(mirror.months) == {}
        assert mirror.rows == {}

    def test_a_cancelled_instance_outlives_edits_of_the_series(self) -> None:  # case 136
        mirror = pages([self.WEEKLY, self.CANCELLED], [self.WEEKLY | {"etag": '"2"', "summary": "moved rooms"}])
        starts = [block.start for block in mirror.months["anna", "2027-03"].blocks[CALENDAR]["ser1"]]
        assert minute("2027-03-15T08:00Z") not in starts
        assert len(starts) == 4

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            pytest.param(google_event(), series(id_="ev1"), id="an event becomes a series"),
            pytest.param(series(id_="ev1"), google_event(), id="a series becomes an event"),
        ],
    )
    def test_what_becomes_another_kind_is_replaced_as_a_whole(
        self, first: dict[str, Any], second: dict[str, Any]
    ) -> None:  # case 142
        assert contents(pages([first], [second]).months) == contents(pages([second]).months)

    def test_a_series_that_is_split_is_neither_doubled_nor_gapped(self) -> None:  # case 141
        whole = pages([series("RRULE:FREQ=WEEKLY;COUNT=8")])
        old = series("RRULE:FREQ=WEEKLY;UNTIL=20270328T215959Z")
        new = series("RRULE:FREQ=WEEKLY;COUNT=4", id_="ser1_R20270329T070000")
        new |= {
            "start": {"dateTime": "2027-03-29T09:00:00+02:00", "timeZone": BERLIN},
            "end": {"dateTime": "2027-03-29T10:00:00+02:00", "timeZone": BERLIN},
        }
        split = pages([series("RRULE:FREQ=WEEKLY;COUNT=8")], [old, new])
        for place, month in whole.months.items():
            blocks = split.months[place].blocks[CALENDAR]
            found = sorted(interval for intervals in blocks.values() for interval in intervals)
            assert found == sorted(month.blocks[CALENDAR]["ser1"])

    def test_what_a_full_list_does_not_bring_is_gone(self) -> None:  # case 45
        mirror = pages([google_event(), self.WEEKLY, self.MOVED])
        listed = [self.WEEKLY]
        mirror.take(listed)
        mirror.sweep(listed)
        assert contents(mirror.months) == contents(pages([self.WEEKLY]).months)


DAYS = st.integers(1, 28)
MONTHS = st.sampled_from(["2026-12", "2027-02", "2027-03", "2027-04", "2027-06", "2027-07"])
LENGTHS = st.sampled_from([0, 1, 60, 40 * DAY_MINUTES])
BUSY = st.sampled_from([{}, {}, {}, {"transparency": "transparent"}])
RULES = st.sampled_from(
    [
        ["RRULE:FREQ=WEEKLY"],
        ["RRULE:FREQ=WEEKLY;COUNT=6"],
        ["RRULE:FREQ=DAILY;INTERVAL=10;UNTIL=20270501"],
        ["RDATE:20270405T070000Z,20270601T070000Z"],
        ["RRULE:NONSENSE"],
    ]
)


@st.composite
def times(draw: st.DrawFn) -> dict[str, Any]:
    day = f"{draw(MONTHS)}-{draw(DAYS):02d}"
    if draw(st.integers(0, 4)) == 0:
        return {"start": all_day(day), "end": all_day(day)}
    start = minute(f"{day}T08:00Z")
    return {"start": {"dateTime": rfc3339(start)}, "end": {"dateTime": rfc3339(start + draw(LENGTHS))}}


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """One line of a page: few ids, so that the same ones come, change and go."""
    kind = draw(st.sampled_from(["single", "single", "master", "master", "exception", "exception", "tombstone"]))
    if kind == "tombstone":
        return tombstone(draw(st.sampled_from(["a", "b", "ser1"])))
    if kind == "single":
        return google_event(draw(st.sampled_from(["a", "b"]))) | draw(times()) | draw(BUSY)
    if kind == "master":
        id_ = draw(st.sampled_from(["a", "ser1", "ser1"]))
        return series(*draw(RULES), id_=id_) | draw(st.just({}) | times()) | draw(BUSY)
    original = draw(
        st.sampled_from(["2027-03-01T09:00:00+01:00", "2027-03-08T09:00:00+01:00", "2027-04-05T09:00:00+02:00"])
    )
    of = draw(st.sampled_from(["a", "ser1", "ser1"]))
    if draw(st.booleans()):
        return exception(original, of=of)
    return exception(original, original, original, of=of) | draw(times()) | draw(BUSY)


def _deleted_as_a_whole(page: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A page that deletes a series says nothing more of its instances."""
    deleted = {event["id"] for event in page if event["status"] == "cancelled"}
    return [each for each in page if each.get("recurringEventId") not in deleted]


PAGES = st.lists(st.lists(events(), max_size=4).map(_deleted_as_a_whole), max_size=6)


@given(PAGES)
def test_what_pages_left_in_the_ledger_is_what_the_rows_mean(given_: list[list[dict[str, Any]]]) -> None:  # case 155
    mirror = pages(*given_)
    assert contents(mirror.months) == mirror.from_scratch()


@given(PAGES)
def test_every_row_names_the_months_that_its_family_stands_in(given_: list[list[dict[str, Any]]]) -> None:
    mirror = pages(*given_)
    for one in mirror.rows.values():
        standing = {
            month.month
            for month in mirror.months.values()
            if one.block_key in month.blocks.get(CALENDAR, {}) and month.resource == "anna"
        }
        assert set(one.months) == standing


@given(PAGES)
def test_a_page_taken_twice_is_a_page_taken_once(given_: list[list[dict[str, Any]]]) -> None:  # cases 41 and 42
    once, twice = pages(*given_), pages(*(page for page in given_ for _ in range(2)))
    assert contents(once.months) == contents(twice.months)
    assert once.rows == twice.rows


@given(PAGES, st.lists(events(), max_size=8))
def test_after_a_full_list_nothing_of_before_is_left(
    given_: list[list[dict[str, Any]]], listed: list[dict[str, Any]]
) -> None:  # cases 45 and 46
    """Whatever was known before, a list from the beginning ends as if it had been the first."""
    # Such a list hides what is deleted, and brings exceptions only with their series.
    there = {event["id"]: event for event in listed if event["status"] != "cancelled" or "recurringEventId" in event}
    masters = {id_ for id_, event in there.items() if "recurrence" in event}
    full = [event for event in there.values() if event.get("recurringEventId") in masters | {None}]
    mirror = pages(*given_, full)
    mirror.sweep(full)
    fresh = pages(full)
    assert contents(mirror.months) == contents(fresh.months)
    assert mirror.rows == fresh.rows
