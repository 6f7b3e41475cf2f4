"""What a page does to the mirror and the ledger, in the store: repeated, split or swept, it leaves no block behind."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.adapters.composition import Application
from functions.adapters.google_calendar import EventPage
from functions.adapters.settings import read_settings
from functions.adapters.store.documents import ledger_ref
from functions.adapters.store.store import Store
from functions.domain.instants import DAY_MINUTES, datetime_of, minute_floor, months_between, rfc3339
from functions.sync.leases import Held, acquire
from functions.sync.pages import apply_page, apply_rows
from functions.sync.work import Work
from infra.local.platform import Platform
from tests.studio import DAY, Studio, until

Events = list[dict[str, Any]]


@pytest.fixture
def work(studio: Studio, platform: Platform, store: Store, monkeypatch: pytest.MonkeyPatch) -> Work:
    """A worker in this process, of a calendar whose pushes are lost, so that nobody else works on it."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", platform.addresses.firestore)
    studio.google_control("PUT", "push", {"calendar": studio.person.email, "drop": 1.0})
    application = Application(read_settings(platform.configuration.functions_environment))
    return Work(application=application, account=studio.account, subject=studio.calendar)


@pytest.fixture
def held(work: Work) -> Held:
    return until(lambda: acquire(work))  # the pull that follows a watch may still be at it


@pytest.fixture
def blocks(store: Store, studio: Studio) -> Callable[[], dict[str, list[str]]]:
    """Month → keys of the events that block in it, for the months around the test's day."""
    first = minute_floor(datetime_of(0).replace(year=DAY.year, month=DAY.month, day=1))
    months = months_between(first, first + 200 * DAY_MINUTES)

    def look() -> dict[str, list[str]]:
        ledgers = {month: store.get(studio.account, ledger_ref("anna", month)) for month in months}
        keys = {month: sorted(ledger.blocks.get(studio.calendar, ())) for month, ledger in ledgers.items() if ledger}
        return {month: found for month, found in keys.items() if found}

    return look


def _at(day: int) -> dict[str, Any]:
    """Nine o'clock, so many days after the test's day, for an hour."""
    start = minute_floor(datetime_of(0).replace(year=DAY.year, month=DAY.month, day=DAY.day)) + day * DAY_MINUTES + 540
    times = {"start": rfc3339(start), "end": rfc3339(start + 60)}
    return {name: {"dateTime": time, "timeZone": "UTC"} for name, time in times.items()}


def _series(days: int) -> dict[str, Any]:
    return {
        "id": "series",
        "status": "confirmed",
        "recurrence": [f"RRULE:FREQ=DAILY;INTERVAL=30;COUNT={days}"],
        **_at(0),
    }


def _moved(original: int, to: int) -> dict[str, Any]:
    return {
        "id": f"series_{original}",
        "status": "confirmed",
        "recurringEventId": "series",
        "originalStartTime": _at(original)["start"],
        **_at(to),
    }


def _page(*events: dict[str, Any]) -> EventPage:
    return EventPage(
        events=events, next_page_token=None, next_sync_token="t", time_zone="Europe/Berlin", access_role="owner"
    )


GONE = {"id": "series", "status": "cancelled"}


def test_a_swept_exception_leaves_its_series_knowing_where_its_blocks_are(
    work: Work, held: Held, studio: Studio, blocks: Callable[[], dict[str, list[str]]]
) -> None:
    apply_page(work, held, _page(_series(4), _moved(90, 150)))
    assert set(blocks()) == {_at(day)["start"]["dateTime"][:7] for day in (0, 30, 60, 150)}
    # A full list brought the series without the exception: the sweep removes that row, and its occurrence is back in its own month.
    apply_rows(work, held, [], removed=frozenset({"series_90"}))
    back = _at(90)["start"]["dateTime"][:7]
    assert blocks()[back] == ["series"]
    apply_page(work, held, _page(GONE))
    assert blocks() == {}


def test_a_page_with_a_deleted_series_and_its_exception_is_harmless_to_repeat(  # cases 41, 139
    work: Work, held: Held, blocks: Callable[[], dict[str, list[str]]]
) -> None:
    apply_page(work, held, _page(_series(3), _moved(30, 31)))
    for _ in range(2):
        apply_page(work, held, _page(GONE, _moved(30, 31)))
        assert blocks() == {}
        apply_page(work, held, _page(_moved(30, 31), GONE))
        assert blocks() == {}


def test_an_occurrence_that_is_told_by_itself_leaves_its_series(
    work: Work, held: Held, studio: Studio, store: Store, blocks: Callable[[], dict[str, list[str]]]
) -> None:  # case 74
    apply_page(work, held, _page(_series(4), _moved(90, 150)))
    far, near = _at(150)["start"]["dateTime"][:7], _at(120)["start"]["dateTime"][:7]
    assert blocks()[far] == ["series"]
    bounds = {"start": 0, "end": 10**9}
    store.client.document(f"accounts/{studio.account}/calendars/{studio.calendar}").update({"cursor.bounds": bounds})
    apply_page(work, held, _page(_moved(90, 120)))
    assert far not in blocks()
    assert "series_90" in blocks()[near]


def test_a_zone_that_nobody_knows_stops_nothing(
    work: Work, held: Held, studio: Studio, blocks: Callable[[], dict[str, list[str]]]
) -> None:
    day = _at(5)["start"]["dateTime"][:10]
    event = {"id": "allday", "status": "confirmed", "start": {"date": day}, "end": {"date": day}}
    page = _page(event)
    apply_page(work, held, EventPage(**{**vars(page), "time_zone": "Mars/Olympus_Mons"}))
    assert studio.look("health")["calendars"][0]["time_zone"] == "Europe/Berlin"
    assert any("allday" in keys for keys in blocks().values())
