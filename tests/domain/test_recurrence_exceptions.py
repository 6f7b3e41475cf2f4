"""Instances that differ from their series, and series that are split in two."""

from typing import Any

import pytest

from functions.domain.intervals import merge
from tests.domain.builders import BERLIN, all_day, exception, row, series, span, spans, timed, tombstone
from tests.domain.series import blocks, days, hours_from

THREE = series("RRULE:FREQ=WEEKLY;COUNT=3")
SECOND = "2027-03-08T09:00:00+01:00"


class TestExceptions:
    def test_a_moved_instance_is_at_its_new_time_only(self) -> None:  # case 135
        moved = exception(SECOND, "2027-03-09T14:00:00Z", "2027-03-09T15:00:00Z")
        assert blocks(THREE, moved) == hours_from("2027-03-01T08:00Z", "2027-03-09T14:00Z", "2027-03-15T08:00Z")

    def test_a_cancelled_instance_is_free(self) -> None:  # case 136
        assert blocks(THREE, exception(SECOND)) == hours_from("2027-03-01T08:00Z", "2027-03-15T08:00Z")

    def test_a_cancelled_instance_stays_free_when_the_series_is_edited(self) -> None:  # case 136
        longer = THREE | {"end": timed("2027-03-01T11:00:00+01:00", BERLIN)}
        assert blocks(longer, exception(SECOND)) == spans(
            "2027-03-01T08:00Z/2027-03-01T10:00Z", "2027-03-15T08:00Z/2027-03-15T10:00Z"
        )

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param(
                {"attendees": [{"email": "anna@example.com", "self": True, "responseStatus": "declined"}]},
                id="declined",
            ),
            pytest.param({"transparency": "transparent"}, id="shown as available"),
        ],
    )
    def test_an_instance_that_does_not_take_time_frees_only_itself(self, changes: dict[str, Any]) -> None:  # case 146
        declined = exception(SECOND, SECOND, "2027-03-08T10:00:00+01:00", **changes)
        assert blocks(THREE, declined) == hours_from("2027-03-01T08:00Z", "2027-03-15T08:00Z")

    def test_an_instance_of_a_transparent_series_may_be_busy(self) -> None:
        busy = exception(SECOND, SECOND, "2027-03-08T10:00:00+01:00")
        assert blocks(THREE | {"transparency": "transparent"}, busy) == hours_from("2027-03-08T08:00Z")

    def test_an_exception_without_its_series_stands_for_itself(self) -> None:  # case 137
        moved = exception(SECOND, "2027-03-09T14:00:00Z", "2027-03-09T15:00:00Z")
        assert blocks(None, moved, exception("2027-03-15T09:00:00+01:00")) == hours_from("2027-03-09T14:00Z")

    def test_a_cancelled_series_has_no_time_at_all(self) -> None:  # case 139
        moved = exception(SECOND, "2027-03-09T14:00:00Z", "2027-03-09T15:00:00Z")
        assert blocks(tombstone("ser1", recurrence=["RRULE:FREQ=WEEKLY"]), moved) == []

    def test_exceptions_that_match_no_instance_any_more(self) -> None:  # case 140
        tuesdays = THREE | {
            "start": timed("2027-03-02T09:00:00+01:00", BERLIN),
            "end": timed("2027-03-02T10:00:00+01:00", BERLIN),
        }
        moved = exception(SECOND, "2027-03-10T14:00:00Z", "2027-03-10T15:00:00Z")
        cancelled = exception("2027-03-15T09:00:00+01:00")
        assert blocks(tuesdays, moved, cancelled) == hours_from(
            "2027-03-02T08:00Z", "2027-03-09T08:00Z", "2027-03-10T14:00Z", "2027-03-16T08:00Z"
        )

    def test_an_exception_names_its_instant_in_any_zone(self) -> None:
        in_utc = exception(SECOND) | {"originalStartTime": timed("2027-03-08T08:00:00Z", "UTC")}
        assert blocks(THREE, in_utc) == hours_from("2027-03-01T08:00Z", "2027-03-15T08:00Z")

    def test_an_instance_moved_onto_another_is_busy_once(self) -> None:
        moved = exception(SECOND, "2027-03-15T08:30:00Z", "2027-03-15T09:30:00Z")
        assert blocks(THREE, moved) == spans(
            "2027-03-01T08:00Z/2027-03-01T09:00Z", "2027-03-15T08:00Z/2027-03-15T09:30Z"
        )

    def test_a_cancelled_day_of_an_all_day_series_is_free(self) -> None:
        daily = series("RRULE:FREQ=DAILY;COUNT=3") | {"start": all_day("2027-03-01"), "end": all_day("2027-03-02")}
        second = tombstone("ser1_20270302", recurringEventId="ser1", originalStartTime=all_day("2027-03-02"))
        assert blocks(daily, second) == days("2027-03-01", "2027-03-03")

    @pytest.mark.parametrize("rule", ["RRULE:FREQ=WEEKLY", "RRULE:NONSENSE", "RDATE:20270315T080000Z"])
    def test_the_first_instance_may_be_cancelled_too(self, rule: str) -> None:  # case 136
        first = exception("2027-03-01T09:00:00+01:00")
        week = span("2027-03-01T00:00Z", "2027-03-08T00:00Z")
        assert blocks(series(rule), first, within=week) == []

    def test_an_exception_whose_times_can_not_be_read_takes_a_day_from_its_original_start(self) -> None:  # case 57
        broken = exception(SECOND, SECOND, SECOND) | {"start": {"dateTime": "soon"}, "end": {"dateTime": "later"}}
        assert blocks(THREE, broken) == [
            *hours_from("2027-03-01T08:00Z"),
            *spans("2027-03-08T08:00Z/2027-03-09T08:00Z"),
            *hours_from("2027-03-15T08:00Z"),
        ]

    def test_an_exception_belongs_to_the_series_it_names_whatever_its_id_looks_like(self) -> None:  # case 141
        split = "ser1_R20260105T090000"
        moved = row(exception(SECOND, "2027-03-09T14:00:00Z", "2027-03-09T15:00:00Z", of=split))
        assert moved.id == f"{split}_20270308T080000Z"
        assert moved.block_key == split


WHOLE = series("RRULE:FREQ=WEEKLY;BYDAY=MO,TH;COUNT=12")


class TestSplitSeries:  # case 141
    @pytest.mark.parametrize(
        "until",
        [
            pytest.param("20270329T065959Z", id="a second before the new one"),
            pytest.param("20270328T215959Z", id="the end of the day before"),
            pytest.param("20270328", id="the day before"),
            pytest.param("20270325T080000Z", id="its own last one"),
        ],
    )
    def test_this_and_following_leaves_neither_gap_nor_double(self, until: str) -> None:
        """Split where the clocks change, on 29 March."""
        old = blocks(series(f"RRULE:FREQ=WEEKLY;BYDAY=MO,TH;UNTIL={until}"))
        new = blocks(self.following("RRULE:FREQ=WEEKLY;BYDAY=MO,TH;COUNT=4"))
        assert old + new == blocks(WHOLE)
        assert (len(old), len(new)) == (8, 4)

    def test_all_day_series_are_split_by_dates(self) -> None:
        whole, old, new = (
            series(f"RRULE:FREQ=DAILY;{end}") | {"start": all_day(start), "end": all_day(f"{start[:8]}{after}")}
            for end, start, after in (
                ("COUNT=6", "2027-03-25", "26"),
                ("UNTIL=20270327", "2027-03-25", "26"),
                ("COUNT=3", "2027-03-28", "29"),
            )
        )
        assert merge([*blocks(old), *blocks(new)]) == blocks(whole)
        assert [block.start for block in blocks(new)] == [block.end for block in blocks(old)]

    def test_each_half_keeps_its_own_exceptions(self) -> None:
        cancelled, moved = "2027-03-04T09:00:00+01:00", "2027-04-01T09:00:00+02:00"
        to = ("2027-04-02T07:00:00Z", "2027-04-02T08:00:00Z")
        old = blocks(series("RRULE:FREQ=WEEKLY;BYDAY=MO,TH;UNTIL=20270328"), exception(cancelled))
        new = blocks(self.following("RRULE:FREQ=WEEKLY;BYDAY=MO,TH;COUNT=4"), exception(moved, *to))
        assert old + new == blocks(WHOLE, exception(cancelled), exception(moved, *to))

    def test_the_rest_may_be_at_another_time(self) -> None:
        old = blocks(series("RRULE:FREQ=WEEKLY;BYDAY=MO,TH;UNTIL=20270328"))
        later = self.following("RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=1") | {
            "start": timed("2027-03-30T16:00:00+02:00", BERLIN),
            "end": timed("2027-03-30T17:00:00+02:00", BERLIN),
        }
        assert old + blocks(later) == [*blocks(WHOLE)[:8], *hours_from("2027-03-30T14:00Z")]

    def following(self, rule: str) -> dict[str, Any]:
        return series(rule, id_="ser1_R20270329T070000") | {
            "start": timed("2027-03-29T09:00:00+02:00", BERLIN),
            "end": timed("2027-03-29T10:00:00+02:00", BERLIN),
        }
