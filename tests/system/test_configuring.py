"""What an operator sets up comes back as it was sent, and what can't be is refused with the reason, and changes nothing."""

from typing import Any

import pytest

from tests.studio import DAY, Studio
from tests.system.test_bad_input import problem

RESOURCE: dict[str, Any] = {
    "name": "Anna",
    "time_zone": "Europe/Berlin",
    "hours": [{"days": [1, 2, 3, 4, 5], "start": "09:00", "end": "17:00"}],
}
SERVICE: dict[str, Any] = {"name": "Consultation", "duration_minutes": 30, "step_minutes": 30, "resources": ["anna"]}


def test_a_resource_comes_back_as_it_was_sent(empty_studio: Studio) -> None:
    rules = {
        "overrides": [
            {"date": "2027-03-01", "kind": "add", "intervals": [{"start": "18:00", "end": "20:00"}]},
            {"date": "2027-03-02", "kind": "close", "intervals": [{"start": "12:00", "end": "13:00"}]},
            {"date": "2027-03-03", "kind": "replace", "intervals": []},
        ],
        "closed": [{"first": "2027-12-24", "last": "2028-01-01", "name": "Winter"}],
        "holidays": [{"date": "2027-05-01", "name": "May Day"}],
        "seasons": [
            {
                "first": "2027-06-01",
                "last": "2027-08-31",
                "name": "Summer",
                "weekly": [{"days": [6], "start": "10:00", "end": "14:00"}],
            }
        ],
        "travel": [{"first": "2027-04-01", "last": "2027-04-08", "time_zone": "America/New_York"}],
    }
    limits = {"per_day": 6, "per_week": 20, "per_month": 60}
    empty_studio.put("resources/anna", {**RESOURCE, **rules, "limits": limits})
    (anna,) = empty_studio.look("resources")["resources"]
    assert {name: anna["hours"][name] for name in rules} == rules
    assert anna["limits"] == limits


def test_a_service_comes_back_as_it_was_sent(empty_studio: Studio) -> None:
    empty_studio.open(resource="ben")
    rules = {
        "kind": "appointment",
        "durations": [30, 60],
        "offset_minutes": 15,
        "buffer_before_minutes": 5,
        "buffer_after_minutes": 10,
        "notice_minutes": 120,
        "window": {"kind": "bookable_days", "days": 10},
        "limits": {"per_day": 4},
        "client_limits": {"per_month": 2, "at_once": 1},
        "capacity": 6,
        "show_seats_left": False,
        "clients_as_guests": False,
        "meet": True,
        "assignment": "any",
        "pick": "least_busy",
        "priorities": {"ben": 5},
        "weights": {"anna": 2},
        "active": True,
    }
    answer = empty_studio.put("services/consult", {**SERVICE, **rules, "resources": ["anna", "ben"]})
    assert {name: answer[name] for name in rules} == rules


@pytest.mark.parametrize(
    "window",
    [
        {"kind": "rolling_days", "days": 0},
        {"kind": "rolling_days", "days": 365},
        {"kind": "bookable_days", "days": 365},
        {"kind": "fixed_dates", "first": "1990-01-01", "last": "2200-12-31"},
        {"kind": "unlimited"},
    ],
    ids=lambda window: "-".join(map(str, window.values())),
)
def test_every_kind_of_window_is_taken_and_asked_of(empty_studio: Studio, window: dict[str, Any]) -> None:
    assert empty_studio.put("services/consult", {**SERVICE, "window": window})["window"] == window
    assert empty_studio.ask("next").status_code == 200
    assert empty_studio.days(days=92)
    empty_studio.explain(f"{DAY}T10:00:00Z")


def test_dates_at_the_ends_of_what_is_allowed_harm_nothing(empty_studio: Studio) -> None:
    ever = {"first": "1990-01-01", "last": "2200-12-31"}
    empty_studio.open(
        closed=[{"first": "1990-01-01", "last": "1990-12-31"}],
        seasons=[{**ever, "weekly": [{"days": [1, 2, 3, 4, 5, 6, 7], "start": "10:00", "end": "11:00"}]}],
        travel=[{**ever, "time_zone": "Pacific/Kiritimati"}],
        holidays=[{"date": "1990-01-01"}, {"date": "2200-12-31"}],
    )
    assert len(empty_studio.days(time_zone="Pacific/Kiritimati")[str(DAY)]["starts"]) == 2


def period(first: str, last: str, **more: Any) -> dict[str, Any]:
    return {"first": first, "last": last, **more}


BAD_RESOURCES: list[Any] = [
    pytest.param({"holiday": []}, "holiday", "not permitted", id="a typing error"),
    pytest.param({"time_zone": "Mars/Base"}, "time_zone", "not a zone", id="a zone that is not there"),
    pytest.param(
        {"hours": [{"days": [8], "start": "09:00", "end": "17:00"}]}, "hours.0.days.0", "", id="an eighth day"
    ),
    pytest.param({"hours": [{"days": [1], "start": "9", "end": "17:00"}]}, "hours.0.start", "", id="no wall time"),
    pytest.param({"overrides": [{"date": "2027-02-30"}]}, "overrides.0.date", "", id="a day that is not"),
    pytest.param({"overrides": [{"date": "9999-12-31"}]}, "overrides.0", "out of range", id="the last day of all"),
    pytest.param(
        {"overrides": [{"date": "2027-03-01", "kind": "open"}]}, "overrides.0.kind", "", id="a kind that is none"
    ),
    pytest.param(
        {"overrides": [{"date": "2027-03-01"}] * 2}, None, "two overrides name the same date", id="two overrides"
    ),
    pytest.param({"overrides": [{"date": "2027-03-01"}] * 1001}, "overrides", "at most 1000", id="too many overrides"),
    pytest.param(
        {"closed": [period("2027-03-02", "2027-03-01")]}, "closed.0", "last lies before first", id="a period backwards"
    ),
    pytest.param(
        {"closed": [period("0001-01-01", "2027-03-01")]}, "closed.0", "out of range", id="since the first day of all"
    ),
    pytest.param(
        {"closed": [period("2027-03-01", "2027-03-01")] * 201}, "closed", "at most 200", id="too many periods"
    ),
    pytest.param(
        {"closed": [period("2027-03-01", "2027-03-01", name="x" * 201)]},
        "closed.0.name",
        "at most 200",
        id="an endless name",
    ),
    pytest.param(
        {"holidays": [{"date": "2027-03-01", "name": "a\nb"}]}, "holidays.0", "one line", id="a line break in a name"
    ),
    pytest.param(
        {"holidays": [{"date": "2027-03-01", "title": "May"}]}, "holidays.0.title", "not permitted", id="a title"
    ),
    pytest.param({"holidays": [{"date": "2027-03-01"}] * 1001}, "holidays", "at most 1000", id="too many holidays"),
    pytest.param(
        {"seasons": [period("2027-03-01", "2027-03-31"), period("2027-03-31", "2027-04-30")]},
        None,
        "two seasons hold on the same date",
        id="seasons that overlap",
    ),
    pytest.param(
        {"seasons": [period("2027-01-01", "2027-01-01")] * 51}, "seasons", "at most 50", id="too many seasons"
    ),
    pytest.param(
        {
            "travel": [
                period("2027-03-01", "2027-03-31", time_zone="UTC"),
                period("2027-03-05", "2027-03-06", time_zone="UTC"),
            ]
        },
        None,
        "two travels hold on the same date",
        id="in two places at a time",
    ),
    pytest.param(
        {"travel": [period("2027-03-01", "2027-03-31", time_zone="Mars/Base")]},
        "travel.0.time_zone",
        "not a zone",
        id="to Mars",
    ),
    pytest.param({"limits": {"per_day": 0}}, "limits.per_day", "greater", id="a limit of none"),
    pytest.param({"limits": {"per_dya": 1}}, "limits.per_dya", "not permitted", id="a typing error in a limit"),
]

BAD_SERVICES: list[Any] = [
    pytest.param({"window_days": 60}, "window_days", "not permitted", id="a window as it was written once"),
    pytest.param(
        {"window": {"kind": "rolling_days"}}, "window.rolling_days.days", "required", id="a window without an end"
    ),
    pytest.param(
        {"window": {"kind": "rolling_days", "days": 366}}, "window.rolling_days.days", "365", id="more than a year"
    ),
    pytest.param(
        {"window": {"kind": "rolling_days", "days": 5, "last": "2027-01-01"}},
        "window.rolling_days.last",
        "not permitted",
        id="two windows in one",
    ),
    pytest.param({"window": {"kind": "sometimes"}}, "window", "expected tags", id="a window of no kind"),
    pytest.param(
        {"window": {"kind": "fixed_dates", **period("2027-03-02", "2027-03-01")}},
        "window.fixed_dates",
        "last lies before first",
        id="a window backwards",
    ),
    pytest.param(
        {"window": {"kind": "fixed_dates", **period("2027-03-02", "9999-12-31")}},
        "window.fixed_dates",
        "out of range",
        id="until the last day of all",
    ),
    pytest.param({"kind": "party"}, "kind", "", id="a kind that is none"),
    pytest.param({"duration_minutes": 0}, "duration_minutes", "", id="no time at all"),
    pytest.param({"duration_minutes": 7 * 24 * 60 + 1}, "duration_minutes", "", id="more than a week"),
    pytest.param(
        {"durations": [60, 90]},
        None,
        "duration_minutes must be one of durations",
        id="its own length is none of its lengths",
    ),
    pytest.param({"durations": [30, 0]}, "durations.1", "", id="a length of nothing"),
    pytest.param({"durations": list(range(30, 51))}, "durations", "at most 20", id="too many lengths"),
    pytest.param({"step_minutes": 0}, "step_minutes", "", id="a step of nothing"),
    pytest.param({"offset_minutes": 1440}, "offset_minutes", "", id="an offset of a day"),
    pytest.param({"capacity": 0}, "capacity", "", id="no seats"),
    pytest.param({"capacity": 1001}, "capacity", "", id="a stadium"),
    pytest.param({"resources": []}, "resources", "at least 1", id="nobody"),
    pytest.param({"resources": ["anna", "anna"]}, None, "named twice", id="somebody twice"),
    pytest.param({"resources": ["anna", "zoe"]}, None, "no resource zoe", id="a stranger"),
    pytest.param({"assignment": "some"}, "assignment", "", id="some of a pool"),
    pytest.param({"pick": "tallest"}, "pick", "", id="by height"),
    pytest.param({"priorities": {"ben": 1}}, None, "among the resources: ben", id="a stranger's priority"),
    pytest.param({"weights": {"ben": 1}}, None, "among the resources: ben", id="a stranger's weight"),
    pytest.param({"priorities": {"anna": 10**30}}, "priorities.anna", "1000", id="a priority beyond all numbers"),
    pytest.param({"weights": {"anna": 0}}, "weights.anna", "", id="no weight"),
    pytest.param({"limits": {"per_year": 1}}, "limits.per_year", "not permitted", id="a limit by the year"),
    pytest.param({"client_limits": {"at_once": 0}}, "client_limits.at_once", "", id="nothing at once"),
]


def refused(studio: Studio, path: str, body: dict[str, Any], field: str | None, message: str) -> None:
    """The field is named, or the rule is said that several fields break together."""
    before = studio.look("resources"), studio.look("services"), studio.history(resource="anna")
    answer = problem(
        studio.http.put(f"{studio.base}/{path}", json=body, headers=studio.operator), 422, "invalid-request"
    )
    errors = list(answer.get("errors", []))
    if field is None:
        assert message in f"{answer['detail']} {errors}"
    else:
        assert message in next(error["message"] for error in errors if error["field"] == field)
    assert (studio.look("resources"), studio.look("services"), studio.history(resource="anna")) == before


@pytest.mark.parametrize(("change", "field", "message"), BAD_RESOURCES)
def test_a_resource_that_can_not_be(
    empty_studio: Studio, change: dict[str, Any], field: str | None, message: str
) -> None:
    refused(empty_studio, "resources/anna", RESOURCE | change, field, message)


@pytest.mark.parametrize(("change", "field", "message"), BAD_SERVICES)
def test_a_service_that_can_not_be(
    empty_studio: Studio, change: dict[str, Any], field: str | None, message: str
) -> None:
    refused(empty_studio, "services/consult", SERVICE | change, field, message)


def test_a_resource_may_have_a_larger_body_than_others_and_not_any(empty_studio: Studio) -> None:
    rules = [
        {"date": f"{2030 + n // 336}-{n // 28 % 12 + 1:02}-{n % 28 + 1:02}", "name": "x" * 120} for n in range(1000)
    ]
    empty_studio.put("resources/anna", {**RESOURCE, "holidays": rules})
    body = {**RESOURCE, "name": "x" * 300_000}
    answer = empty_studio.http.put(f"{empty_studio.base}/resources/anna", json=body, headers=empty_studio.operator)
    problem(answer, 413, "too-large")
    answer = empty_studio.http.put(
        f"{empty_studio.base}/services/consult", json=SERVICE | {"name": "x" * 70_000}, headers=empty_studio.operator
    )
    problem(answer, 413, "too-large")
