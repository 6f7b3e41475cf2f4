"""Quiet hours: when it is quiet, and how long an offer lasts around them; held against an oracle that looks at every single minute."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from functions.domain.hours import DailyInterval
from functions.domain.instants import DAY_MINUTES, MINUTE_MS
from functions.domain.waitlist.preset import MOST_QUIET_MINUTES
from functions.domain.waitlist.quiet import after_waking, quiet_until
from tests.domain.builders import BERLIN, millis
from tests.domain.waitlist_world import rules

NIGHT = DailyInterval(start="22:00", end="07:00")
NOON_REST = DailyInterval(start="12:00", end="14:00")


def is_quiet(minute: int, quiet: DailyInterval, zone: ZoneInfo) -> bool:
    """By the wall clock of that minute alone."""
    local = datetime.fromtimestamp(minute * 60, UTC).astimezone(zone)
    now, (start, end) = local.hour * 60 + local.minute, quiet.minutes()
    return start <= now < end or now < end - DAY_MINUTES


class TestWhetherItIsQuiet:
    CASES = (
        ("2027-03-01T21:59:59Z", NIGHT, "UTC", None),
        ("2027-03-01T22:00:00Z", NIGHT, "UTC", "2027-03-02T07:00:00Z"),
        ("2027-03-02T03:12:34Z", NIGHT, "UTC", "2027-03-02T07:00:00Z"),
        ("2027-03-02T06:59:59Z", NIGHT, "UTC", "2027-03-02T07:00:00Z"),
        ("2027-03-02T07:00:00Z", NIGHT, "UTC", None),
        ("2027-03-01T21:00:00Z", NIGHT, BERLIN, "2027-03-02T06:00:00Z"),
        ("2027-03-01T12:30:00Z", NOON_REST, "UTC", "2027-03-01T14:00:00Z"),
        ("2027-03-01T15:00:00Z", NOON_REST, "UTC", None),
        ("2027-03-27T22:00:00Z", NIGHT, BERLIN, "2027-03-28T05:00:00Z"),  # the night in which clocks go forward
        ("2027-10-31T00:30:00Z", NIGHT, BERLIN, "2027-10-31T06:00:00Z"),  # the night in which they go back
    )

    @pytest.mark.parametrize(
        ("now", "quiet", "zone", "until"), CASES, ids=[f"at {now} in {zone}" for now, _, zone, _ in CASES]
    )
    def test_(self, now: str, quiet: DailyInterval, zone: str, until: str | None) -> None:
        assert quiet_until(millis(now), quiet, zone) == (None if until is None else millis(until))

    def test_it_never_is_where_there_are_no_quiet_hours(self) -> None:
        assert quiet_until(millis("2027-03-01T03:00:00Z"), None, "UTC") is None


class TestHowLongAnOfferLasts:
    CASES = (
        ("before they begin", "2027-03-01T12:00:00Z", 120, "2027-03-01T14:00:00Z"),
        ("as long as it is until they begin", "2027-03-01T20:00:00Z", 120, "2027-03-01T22:00:00Z"),
        ("a minute longer", "2027-03-01T20:00:00Z", 121, "2027-03-02T07:01:00Z"),
        ("over one night", "2027-03-01T21:00:00Z", 120, "2027-03-02T08:00:00Z"),
        ("made in them", "2027-03-01T23:30:00Z", 120, "2027-03-02T09:00:00Z"),
        ("made as they end", "2027-03-02T07:00:00Z", 120, "2027-03-02T09:00:00Z"),
        ("over two nights", "2027-03-01T21:00:00Z", 17 * 60, "2027-03-03T08:00:00Z"),
        ("to the second", "2027-03-01T21:00:30Z", 120, "2027-03-02T08:00:30Z"),
    )

    @pytest.mark.parametrize(("now", "minutes", "ends"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
    def test_(self, now: str, minutes: int, ends: str) -> None:
        assert after_waking(millis(now), minutes, NIGHT, "UTC") == millis(ends)

    def test_where_there_are_none_it_is_its_lifetime(self) -> None:
        assert after_waking(1_000, 5, None, "UTC") == 1_000 + 5 * MINUTE_MS


ZONES = st.sampled_from(["UTC", BERLIN, "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"])
# Not between one and three: what an edge in an hour that is skipped or comes twice means is for the hours' own tests to say.
WALL = st.one_of(st.integers(0, 60), st.integers(180, DAY_MINUTES - 1)).map(
    lambda minutes: f"{minutes // 60:02}:{minutes % 60:02}"
)
QUIET = st.builds(DailyInterval, start=WALL, end=WALL).filter(
    lambda quiet: quiet.minutes()[1] - quiet.minutes()[0] <= MOST_QUIET_MINUTES
)
# Nights in which clocks change somewhere, and one in which none does.
NOWS = st.builds(
    lambda night, minutes, rest: millis(night) + minutes * MINUTE_MS + rest,
    st.sampled_from(["2027-03-01T00:00:00Z", "2027-03-13T12:00:00Z", "2027-03-27T12:00:00Z", "2027-10-30T12:00:00Z"]),
    st.integers(0, 3 * DAY_MINUTES),
    st.sampled_from([0, 1, MINUTE_MS - 1]),
)
LASTS = st.sampled_from([5, 30, 120, 600, 2 * DAY_MINUTES])


@given(NOWS, QUIET, ZONES)
def test_it_is_quiet_exactly_in_the_minutes_whose_wall_clock_says_so(now: int, quiet: DailyInterval, zone: str) -> None:
    ends = quiet_until(now, quiet, zone)
    minute, where = now // MINUTE_MS, ZoneInfo(zone)
    expected = minute
    while is_quiet(expected, quiet, where):
        expected += 1
    assert ends == (None if expected == minute else expected * MINUTE_MS)


@given(NOWS, LASTS, QUIET, ZONES)
def test_an_offer_lasts_as_many_minutes_as_are_not_quiet(
    now: int, minutes: int, quiet: DailyInterval, zone: str
) -> None:
    ends, where = after_waking(now, minutes, quiet, zone), ZoneInfo(zone)
    awake = sum(
        min(ends, (minute + 1) * MINUTE_MS) - max(now, minute * MINUTE_MS)
        for minute in range(now // MINUTE_MS, -(-ends // MINUTE_MS))
        if not is_quiet(minute, quiet, where)
    )
    assert awake == minutes * MINUTE_MS
    assert not is_quiet((ends - 1) // MINUTE_MS, quiet, where), "it does not end while nobody is told anything"


@given(NOWS, st.integers(0, 3 * DAY_MINUTES), LASTS, QUIET, ZONES)
def test_who_is_asked_later_has_as_long_or_longer(
    now: int, later: int, minutes: int, quiet: DailyInterval, zone: str
) -> None:
    first = after_waking(now, minutes, quiet, zone)
    assert first <= after_waking(now + later, minutes, quiet, zone)
    assert first <= after_waking(now, minutes + later, quiet, zone)


def test_the_longest_offer_among_the_longest_quiet_hours_ends() -> None:
    quiet = DailyInterval(start="04:00", end="00:00")
    now = millis("2027-03-01T04:00:00Z")
    # Four hours a day from the second on, for 84 days.
    assert after_waking(now, 14 * DAY_MINUTES, quiet, "UTC") == millis("2027-05-24T04:00:00Z")


@pytest.mark.parametrize("quiet", [("00:00", "24:00"), ("08:00", "04:01"), ("08:00", "08:00")])
def test_hours_in_which_no_offer_could_be_answered_are_refused(quiet: tuple[str, str]) -> None:
    with pytest.raises(ValidationError, match="20 hours"):
        rules(quiet=DailyInterval(start=quiet[0], end=quiet[1]))


def test_twenty_hours_are_not() -> None:
    assert rules(quiet=DailyInterval(start="08:00", end="04:00")).quiet is not None
