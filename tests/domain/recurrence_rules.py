"""Recurrence rules drawn at random: all that RFC 5545 allows of years, months, weeks and days, and what calendars write more often."""

from collections.abc import Sequence

from hypothesis import strategies as st

from tests.domain.recurrence_by_days import WEEKDAYS

FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")

Rule = dict[str, str]


@st.composite
def rules(draw: st.DrawFn, *, frequencies: Sequence[str] = FREQUENCIES) -> Rule:
    """A rule without an end, its parts by name."""
    frequency = draw(st.sampled_from(frequencies))
    rule = {"FREQ": frequency} | draw(_sometimes("INTERVAL", st.sampled_from([2, 3, 4, 5, 12, 13])))
    rule |= draw(_sometimes("BYMONTH", _list(st.integers(1, 12))))
    if frequency != "WEEKLY":
        rule |= draw(_sometimes("BYMONTHDAY", _list(st.integers(1, 31) | st.integers(-31, -1))))
    if frequency == "YEARLY":
        rule |= draw(st.just({}) | _sometimes("BYYEARDAY", _list(st.sampled_from([1, 60, 100, 365, 366, -1, -366]))))
        rule |= draw(st.just({}) | _sometimes("BYWEEKNO", _list(st.sampled_from([1, 9, 20, 52, 53, -1, -53]))))
    rule |= draw(_sometimes("BYDAY", _list(_weekdays(rule))))
    if "BYDAY" in rule and not (frequency == "WEEKLY" and "BYMONTH" in rule):  # such a week is busy on all its days
        rule |= draw(_sometimes("BYSETPOS", _list(st.integers(1, 6) | st.integers(-4, -1))))
    return rule | draw(_sometimes("WKST", st.sampled_from(WEEKDAYS)))


def text_of(rule: Rule) -> str:
    return ";".join(f"{name}={value}" for name, value in rule.items())


def _sometimes(name: str, values: st.SearchStrategy[object]) -> st.SearchStrategy[Rule]:
    return st.just({}) | values.map(lambda value: {name: str(value)})


def _list(values: st.SearchStrategy[object]) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=4, unique=True).map(lambda each: ",".join(map(str, each)))


def _weekdays(rule: Rule) -> st.SearchStrategy[str]:
    plain = st.sampled_from(WEEKDAYS)
    monthly = rule["FREQ"] == "MONTHLY" or "BYMONTH" in rule
    # The number counts in the month or in the year: it can't be said which, where a yearly day of the month stands without a month.
    if rule["FREQ"] not in ("MONTHLY", "YEARLY") or "BYWEEKNO" in rule or ("BYMONTHDAY" in rule and not monthly):
        return plain
    numbers = st.sampled_from([1, 2, 3, 4, 5, -1, -2, -5] if monthly else [1, 2, 20, 53, -1, -20, -53])
    return plain | st.builds("{}{}".format, numbers, plain)
