"""Minutes, milliseconds and months: everything against the standard library's own datetimes."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain import instants
from functions.domain.intervals import Interval
from tests.domain.builders import millis, minute, months_touched

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTES = st.integers(minute("1970-01-01T00:00Z"), minute("2099-12-31T23:59Z"))
MOMENTS = st.builds(
    lambda microseconds, zone: (EPOCH + timedelta(microseconds=microseconds)).astimezone(zone),
    st.integers(0, 130 * 365 * 86_400 * 10**6),
    st.sampled_from([UTC, timezone(timedelta(hours=-9.5)), timezone(timedelta(hours=5, minutes=45))]),
)


@pytest.mark.parametrize(
    ("instant", "floor", "ceil"),
    [
        pytest.param("2027-03-01T09:00:00+00:00", "09:00", "09:00", id="a whole minute is itself"),
        pytest.param("2027-03-01T09:00:01+00:00", "09:00", "09:01", id="a second into the minute"),
        pytest.param("2027-03-01T09:00:59.999999+00:00", "09:00", "09:01", id="the minute's last microsecond"),
        pytest.param("2027-03-01T10:00:00+01:00", "09:00", "09:00", id="an offset is taken off"),
        pytest.param("2027-03-01T14:45:30+05:45", "09:00", "09:01", id="so is one of quarter hours"),
    ],
)
def test_instants_are_rounded_to_the_minute_outward(instant: str, floor: str, ceil: str) -> None:
    moment = datetime.fromisoformat(instant)
    assert instants.minute_floor(moment) == minute(f"2027-03-01T{floor}Z")
    assert instants.minute_ceil(moment) == minute(f"2027-03-01T{ceil}Z")


@pytest.mark.parametrize(
    ("moment", "first"),
    [
        pytest.param("2027-03-01T09:00:00.000Z", "2027-03-01T09:00Z", id="exactly on the minute"),
        pytest.param("2027-03-01T09:00:00.001Z", "2027-03-01T09:01Z", id="a millisecond later, the next one"),
        pytest.param("2027-03-01T09:00:59.999Z", "2027-03-01T09:01Z", id="a millisecond before, the same next one"),
    ],
)
def test_from_now_on_begins_with_the_next_whole_minute(moment: str, first: str) -> None:
    assert instants.minute_of_millis(millis(moment)) == minute(first)


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        pytest.param("2027-03-01T00:00Z", "2027-04-01T00:00Z", ("2027-03",), id="a whole month touches only itself"),
        pytest.param("2027-03-01T00:00Z", "2027-04-01T00:01Z", ("2027-03", "2027-04"), id="a minute more, two"),
        pytest.param("2027-02-28T23:59Z", "2027-03-01T00:00Z", ("2027-02",), id="the last minute of a month"),
        pytest.param("2027-12-31T23:00Z", "2028-01-01T01:00Z", ("2027-12", "2028-01"), id="over New Year"),
        pytest.param("2027-11-15T00:00Z", "2028-02-01T00:01Z", ("2027-11", "2027-12", "2028-01", "2028-02"), id="long"),
        pytest.param("2027-03-01T00:00Z", "2027-03-01T00:00Z", ("2027-03",), id="an empty one has its start's month"),
        pytest.param(
            "2027-04-01T00:00Z", "2027-03-01T00:00Z", ("2027-04",), id="so has one that ends before it starts"
        ),
    ],
)
def test_months_between(start: str, end: str, months: tuple[str, ...]) -> None:
    assert instants.months_between(minute(start), minute(end)) == months


@pytest.mark.parametrize(
    ("month", "first", "after"),
    [
        ("2027-02", "2027-02-01T00:00Z", "2027-03-01T00:00Z"),
        ("2028-02", "2028-02-01T00:00Z", "2028-03-01T00:00Z"),
        ("2027-12", "2027-12-01T00:00Z", "2028-01-01T00:00Z"),
    ],
)
def test_month_bounds(month: str, first: str, after: str) -> None:
    assert instants.month_bounds(month) == (minute(first), minute(after))


def test_texts_are_utc_with_a_z() -> None:
    assert instants.rfc3339(minute("2027-03-01T09:05+01:00")) == "2027-03-01T08:05:00Z"
    assert instants.rfc3339_millis(millis("2027-03-01T09:05:06.007+01:00")) == "2027-03-01T08:05:06.007Z"


@given(MOMENTS)
def test_the_minute_holds_its_instant(moment: datetime) -> None:
    floor, ceil = instants.minute_floor(moment), instants.minute_ceil(moment)
    assert instants.datetime_of(floor) <= moment < instants.datetime_of(floor + 1)
    assert instants.datetime_of(ceil - 1) < moment <= instants.datetime_of(ceil)


@given(MOMENTS)
def test_millis_lose_nothing_of_a_millisecond(moment: datetime) -> None:
    again = instants.datetime_of_millis(instants.millis_of(moment))
    assert timedelta(0) <= moment - again < timedelta(milliseconds=1)


@given(MINUTES)
def test_a_minute_is_its_text(value: int) -> None:
    assert minute(instants.rfc3339(value)) == value


@given(MINUTES)
def test_a_minute_lies_within_the_bounds_of_its_month(value: int) -> None:
    first, after = instants.month_bounds(instants.month_of(value))
    assert first <= value < after
    assert instants.month_of(after - 1) == instants.month_of(value) != instants.month_of(after)


@given(MINUTES, st.integers(0, 200 * instants.DAY_MINUTES))
def test_months_between_are_exactly_those_of_the_minutes(start: int, length: int) -> None:
    months = instants.months_between(start, start + length)
    assert list(months) == months_touched(Interval(start, start + length))
