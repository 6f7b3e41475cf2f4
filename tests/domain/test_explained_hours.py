"""A start outside the hours is explained with the date, and with the rule that the hours of that date come from."""

from datetime import date
from typing import Any

import pytest

from functions.domain.availability import Closed, explain
from functions.domain.configuration import Resource
from functions.domain.hours import ClosedPeriod, DateOverride, Holiday, Season, Travel
from tests.domain.builders import hours, override, question, weekly
from tests.domain.monday import DATE, because, on_monday, works

FIRST_OF_MARCH, SECOND = date(2027, 3, 1), date(2027, 3, 2)
KIRITIMATI = "Pacific/Kiritimati"  # 14 hours ahead of UTC


def on_weekdays(**changes: Any) -> Resource:
    """From 9 to 12, but for `changes` of the hours."""
    return works(hours=hours(weekly("09:00", "12:00"), zone="UTC").model_copy(update=changes))


HOURS = [
    pytest.param(works(), "08:30", {"date": DATE, "hours": "weekly"}, id="before the opening"),
    pytest.param(works(), "12:00", {"date": DATE, "hours": "weekly"}, id="after closing"),
    pytest.param(works(), "11:30", {"date": DATE, "hours": "weekly"}, id="too late to end before it"),
    pytest.param(
        works("14:00-15:00", zone=KIRITIMATI),
        "10:00",
        {"date": "2027-03-02", "hours": "weekly"},
        id="on the date that it is where the resource is",
    ),
    pytest.param(
        on_weekdays(travel=(Travel(first=FIRST_OF_MARCH, last=SECOND, time_zone=KIRITIMATI),)),
        "10:00",
        {"date": "2027-03-02", "hours": "weekly"},
        id="or where it travels",
    ),
    pytest.param(
        on_weekdays(overrides=(override(DATE, ("14:00", "15:00")),)),
        "10:00",
        {"date": DATE, "hours": "override"},
        id="other hours on this date",
    ),
    pytest.param(
        on_weekdays(overrides=(DateOverride(date=FIRST_OF_MARCH, kind="close"),)),
        "10:00",
        {"date": DATE, "hours": "override"},
        id="closed on this date",
    ),
    pytest.param(
        on_weekdays(overrides=(override("2027-03-02"),)),
        "12:00",
        {"date": DATE, "hours": "weekly"},
        id="other hours on another date",
    ),
    pytest.param(
        on_weekdays(holidays=(Holiday(date=FIRST_OF_MARCH, name="St David's Day"),)),
        "10:00",
        {"date": DATE, "hours": "holiday", "name": "St David's Day"},
        id="a holiday by its name",
    ),
    pytest.param(
        on_weekdays(closed=(ClosedPeriod(first=FIRST_OF_MARCH, last=SECOND, name="Painters"),)),
        "10:00",
        {"date": DATE, "hours": "closed_period", "name": "Painters"},
        id="a closed period by its name",
    ),
    pytest.param(
        on_weekdays(closed=(ClosedPeriod(first=FIRST_OF_MARCH, last=SECOND),)),
        "10:00",
        {"date": DATE, "hours": "closed_period"},
        id="one without a name",
    ),
    pytest.param(
        on_weekdays(seasons=(Season(first=FIRST_OF_MARCH, last=SECOND, name="Lent"),)),
        "10:00",
        {"date": DATE, "hours": "season", "name": "Lent"},
        id="a season by its name",
    ),
    pytest.param(
        on_weekdays(
            overrides=(override(DATE, ("14:00", "15:00")),),
            holidays=(Holiday(date=FIRST_OF_MARCH, name="St David's Day"),),
            closed=(ClosedPeriod(first=FIRST_OF_MARCH, last=SECOND, name="Painters"),),
        ),
        "10:00",
        {"date": DATE, "hours": "override"},
        id="of several the rule that holds",
    ),
]


@pytest.mark.parametrize(("of", "start", "cause"), HOURS)
def test_why_a_start_lies_outside_the_hours(of: Resource, start: str, cause: dict[str, str]) -> None:
    assert list(explain(question(of=of), on_monday(start))) == [because(Closed.OUTSIDE_HOURS, "anna", **cause)]
