"""Hours that are refused because they make no sense, and some that are not."""

from typing import Any

import pytest
from pydantic import ValidationError

from functions.domain.hours import DailyInterval, Hours
from tests.domain.builders import BERLIN
from tests.domain.zones import NEW_YORK


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        pytest.param({"start": "9:00", "end": "17:00"}, "not a wall time", id="one digit"),
        pytest.param({"start": "09:00", "end": "17:60"}, "outside", id="a sixtieth minute"),
        pytest.param({"start": "09:00", "end": "24:01"}, "outside", id="past the end of the day"),
        pytest.param({"start": "-1:00", "end": "17:00"}, "not a wall time", id="a sign"),
        pytest.param({"start": "09:00", "end": "1700"}, "not a wall time", id="no colon"),
        pytest.param({"start": "09:00:00", "end": "17:00"}, "not a wall time", id="seconds"),
        pytest.param({"start": "٠٩:00", "end": "17:00"}, "not a wall time", id="digits of another script"),
        pytest.param({"start": "", "end": "17:00"}, "not a wall time", id="nothing"),
    ],
)
def test_wall_times_that_are_none_are_refused(fields: dict[str, str], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        DailyInterval(**fields)


MARCH = {"first": "2027-03-01", "last": "2027-03-31"}
LATE_MARCH = {"first": "2027-03-31", "last": "2027-03-31"}
BACKWARDS = {"first": "2027-03-02", "last": "2027-03-01"}
THERE = {"time_zone": NEW_YORK}


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"time_zone": "Mars/Olympus"}, id="a zone that is not in the database"),
        pytest.param({"time_zone": ""}, id="no zone"),
        pytest.param({"time_zone": "../../etc/passwd"}, id="a path"),
        pytest.param({"time_zone": "Europe"}, id="half a zone"),
        pytest.param({"time_zone": "+01:00"}, id="an offset"),
        pytest.param(
            {"overrides": [{"date": "2027-03-01"}, {"date": "2027-03-01", "kind": "add"}]},
            id="two overrides of one date",
        ),
        pytest.param({"overrides": [{"date": "2027-03-01", "kind": "open"}]}, id="an override of no known kind"),
        pytest.param({"overrides": [{"date": "2027-02-29"}]}, id="an override of a date that does not exist"),
        pytest.param({"closed": [BACKWARDS]}, id="a closed period that ends before it begins"),
        pytest.param({"closed": [{"first": "2027-03-02"}]}, id="a closed period without an end"),
        pytest.param({"closed": [MARCH | {"name": "x" * 201}]}, id="a name that is too long"),
        pytest.param({"seasons": [BACKWARDS]}, id="a season that ends before it begins"),
        pytest.param({"seasons": [LATE_MARCH, MARCH]}, id="two seasons on the same date"),
        pytest.param({"travel": [BACKWARDS | THERE]}, id="a journey that ends before it begins"),
        pytest.param({"travel": [MARCH | THERE, LATE_MARCH | THERE]}, id="two journeys on the same date"),
        pytest.param({"travel": [MARCH | {"time_zone": "Mars/Olympus"}]}, id="a journey to a zone that is not there"),
        pytest.param({"travel": [MARCH]}, id="a journey to nowhere"),
        pytest.param({"holidays": [{"date": "2027-03-01", "closed": True}]}, id="a holiday with a field too many"),
        pytest.param({"weekly": [{"days": [], "start": "09:00", "end": "17:00"}]}, id="no weekday"),
        pytest.param({"weekly": [{"days": [0], "start": "09:00", "end": "17:00"}]}, id="a zeroth weekday"),
        pytest.param({"weekly": [{"days": [8], "start": "09:00", "end": "17:00"}]}, id="an eighth weekday"),
    ],
)
def test_hours_that_make_no_sense_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Hours.model_validate({"time_zone": BERLIN} | fields)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="a zone is enough"),
        pytest.param({"closed": [LATE_MARCH, MARCH, MARCH]}, id="closed periods may overlap"),
        pytest.param({"seasons": [MARCH, {"first": "2027-04-01", "last": "2027-04-01"}]}, id="seasons may touch"),
        pytest.param(
            {"travel": [MARCH | THERE, {"first": "2027-04-01", "last": "2027-04-01"} | THERE]}, id="so may journeys"
        ),
        pytest.param({"holidays": [{"date": "2027-03-01"}, {"date": "2027-03-01"}]}, id="a date may be two holidays"),
    ],
)
def test_hours_that_make_sense_are_taken(fields: dict[str, Any]) -> None:
    assert Hours.model_validate_json(Hours.model_validate({"time_zone": BERLIN} | fields).model_dump_json())
