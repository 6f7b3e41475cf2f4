"""An operator imports the holidays of a resource from an iCalendar file: what it closes, what it keeps, and what it refuses."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.adapters.test_holidays import REALISTIC, file_of
from tests.studio import DAY, Studio
from tests.system.asking import TODAY
from tests.system.test_bad_input import problem


def holiday(day: date, name: str = "Closed", *more: str) -> str:
    return "\r\n".join((f"DTSTART;VALUE=DATE:{day:%Y%m%d}", f"SUMMARY:{name}", *more))


def ok(studio: Studio, *events: str, **more: Any) -> dict[str, Any]:
    answer = studio.import_holidays(file_of(*events), **more)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def holidays(studio: Studio, resource: str = "anna") -> list[dict[str, str]]:
    found = next(one for one in studio.look("resources")["resources"] if one["id"] == resource)
    return list(found["hours"]["holidays"])


def test_a_realistic_file_closes_its_dates(empty_studio: Studio) -> None:
    soon = REALISTIC.replace("20270326", f"{DAY:%Y%m%d}").replace("20270327", f"{DAY + timedelta(days=1):%Y%m%d}")
    answer = empty_studio.import_holidays(soon.encode(), content_type="text/calendar; charset=utf-8").json()
    assert answer["skipped"] == 1
    assert {"date": str(DAY), "name": "Karfreitag"} in answer["imported"]
    yearly = [one["date"] for one in answer["imported"] if one["name"].startswith("Tag der Deutschen Einheit,")]
    assert len(yearly) == 3
    assert holidays(empty_studio) == answer["imported"]

    assert empty_studio.days()[str(DAY)] == {"date": str(DAY), "starts": [], "closed": "no_hours"}
    (reason,) = empty_studio.explain(f"{DAY}T10:00:00Z")["reasons"]
    assert reason["cause"] == {"date": str(DAY), "hours": "holiday", "name": "Karfreitag"}
    assert empty_studio.starts(DAY + timedelta(days=1)) != []


def test_what_was_there_stays_and_of_the_same_date_the_import_wins(empty_studio: Studio) -> None:
    there = [{"date": str(DAY + timedelta(days=n)), "name": "Kept"} for n in (0, 3)]
    override = [{"date": str(DAY + timedelta(days=9)), "kind": "close", "intervals": []}]
    empty_studio.open(holidays=there, overrides=override, limits={"per_day": 7})
    ok(empty_studio, holiday(DAY + timedelta(days=5), "New"), holiday(DAY + timedelta(days=3), "Renamed"))
    assert holidays(empty_studio) == [
        {"date": str(DAY), "name": "Kept"},
        {"date": str(DAY + timedelta(days=3)), "name": "Renamed"},
        {"date": str(DAY + timedelta(days=5)), "name": "New"},
    ]
    (anna,) = empty_studio.look("resources")["resources"]
    assert (anna["hours"]["overrides"], anna["limits"]["per_day"], anna["name"]) == (override, 7, "Anna")


def test_past_dates_are_forgotten(empty_studio: Studio) -> None:
    empty_studio.open(holidays=[{"date": "2020-12-25", "name": "Long ago"}])
    answer = ok(empty_studio, holiday(TODAY - timedelta(days=2)), holiday(DAY))
    assert [one["date"] for one in answer["imported"]] == [one["date"] for one in holidays(empty_studio)] == [str(DAY)]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_present_date_is_the_resources(empty_studio: Studio, zone: str) -> None:
    """One of the two has another date than UTC at any time."""
    empty_studio.open(zone=zone)
    around = [TODAY + timedelta(days=n) for n in (-3, -2, -1, 0, 1, 2)]
    before = datetime.now(ZoneInfo(zone)).date()
    imported = [date.fromisoformat(one["date"]) for one in ok(empty_studio, *map(holiday, around))["imported"]]
    after = datetime.now(ZoneInfo(zone)).date()  # midnight may have passed there
    assert imported in [[day for day in around if day >= today] for today in (before, after)]


def test_the_import_is_in_the_history_by_its_author(empty_studio: Studio) -> None:
    ok(empty_studio, holiday(DAY, "Founders' Day"))
    entry = empty_studio.history(resource="anna")[-1]
    assert (entry["what"], entry["author_kind"], entry["why"]) == ("resource.changed", "operator", "holidays imported")
    assert entry["after"] == {"holidays": [{"date": str(DAY), "name": "Founders' Day"}]}


def test_the_same_file_again_changes_nothing(empty_studio: Studio) -> None:
    first = ok(empty_studio, holiday(DAY), "DTSTART:20270501T090000Z")
    before = empty_studio.history(resource="anna")
    assert ok(empty_studio, holiday(DAY), "DTSTART:20270501T090000Z") == first
    assert empty_studio.history(resource="anna") == before


def test_only_timed_events_are_no_holidays(empty_studio: Studio) -> None:
    assert ok(empty_studio, "DTSTART:20270501T090000Z", "DTSTART:20270502T090000Z") == {"imported": [], "skipped": 2}
    assert holidays(empty_studio) == []


def test_it_is_for_operators(empty_studio: Studio) -> None:
    address = f"{empty_studio.base}/resources/anna/holidays"
    answer = empty_studio.http.post(address, data=file_of(holiday(DAY)), headers={"Content-Type": "text/calendar"})
    problem(answer, 401, "unauthorized")
    assert holidays(empty_studio) == []


MANY = [holiday(DAY + timedelta(days=2 * n)) for n in range(600)]


@pytest.mark.parametrize(
    ("content", "status", "slug"),
    [
        pytest.param(b"", 422, "invalid-request", id="empty"),
        pytest.param(b"BEGIN:VCALENDAR", 422, "invalid-request", id="cut off"),
        pytest.param(b"\xff\xfe\x00", 422, "invalid-request", id="bytes that are no text"),
        pytest.param(b"/etc/passwd", 422, "invalid-request", id="the path of a file"),
        pytest.param(file_of("DTSTART;VALUE=DATE:20271301"), 422, "invalid-request", id="a date that is not"),
        pytest.param(
            file_of("DTSTART;VALUE=DATE:20270101\r\nRRULE:FREQ=SECONDLY"), 422, "invalid-request", id="each second"
        ),
        pytest.param(file_of(holiday(DAY)) + b" " * 1024 * 1024, 413, "too-large", id="more than a megabyte"),
    ],
)
def test_a_file_that_is_refused_changes_nothing(empty_studio: Studio, content: bytes, status: int, slug: str) -> None:
    problem(empty_studio.import_holidays(content), status, slug)
    assert holidays(empty_studio) == []


def test_a_megabyte_is_taken(empty_studio: Studio) -> None:
    padded = file_of(holiday(DAY, "Padded", "DESCRIPTION:" + "x" * 900_000))
    assert empty_studio.import_holidays(padded).status_code == 200


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
def test_another_kind_of_content_is_refused(empty_studio: Studio, content_type: str) -> None:
    answer = empty_studio.import_holidays(file_of(holiday(DAY)), content_type=content_type)
    problem(answer, 415, "unsupported-media-type")


def test_a_resource_that_is_not_there(empty_studio: Studio) -> None:
    problem(empty_studio.import_holidays(file_of(holiday(DAY)), resource="nobody"), 404, "not-found")


def test_there_can_be_too_many_with_those_that_are_there(empty_studio: Studio) -> None:
    assert len(ok(empty_studio, *MANY)["imported"]) == 600
    assert len(ok(empty_studio, *MANY)["imported"]) == 600  # the same dates again
    others = [holiday(DAY + timedelta(days=2 * n + 1)) for n in range(600)]
    detail = problem(empty_studio.import_holidays(file_of(*others)), 422, "invalid-request")["detail"]
    assert detail == "With these there would be 1200 holidays, and there may be 1000."
    assert len(holidays(empty_studio)) == 600


def test_what_was_imported_can_be_put_back(empty_studio: Studio) -> None:
    ok(
        empty_studio,
        *(
            holiday(DAY + timedelta(days=n), "A holiday with a rather long name, as some have them")
            for n in range(1000)
        ),
    )
    there = holidays(empty_studio)
    empty_studio.open(holidays=there)
    assert holidays(empty_studio) == there
