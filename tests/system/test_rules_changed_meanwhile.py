"""A rule that changes between the moment at which a decision reads it and its commit: what is sold is never sold by rules that count no more (law 1)."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from functions.adapters.store.store import Store
from infra.local.platform import Platform
from tests.in_process import application_of, booking_client
from tests.studio import DAY, Booked, Studio

Rule = Callable[[Studio], object]


def _no_hours(studio: Studio) -> None:
    studio.open(hours=[])


CLOSED: Mapping[str, Rule] = {
    "its hours end": _no_hours,
    "the day is closed": lambda studio: studio.open(closed=[{"first": str(DAY), "last": str(DAY)}]),
    "the day becomes a holiday": lambda studio: studio.import_holidays(_holiday()),
    "the resource takes fewer": lambda studio: studio.open(limits={"per_day": 1}),
    "the service is sold less often": lambda studio: studio.offer(limits={"per_day": 1}),
    "more notice is wanted": lambda studio: studio.offer(notice_minutes=300 * 24 * 60),
    "the window ends sooner": lambda studio: studio.offer(window={"kind": "rolling_days", "days": 0}),
    "it is not offered any more": lambda studio: studio.offer(active=False),
    "another serves it": lambda studio: studio.offer(resources=["ben"]),
}


def _holiday() -> bytes:
    lines = [
        "BEGIN:VCALENDAR",
        "BEGIN:VEVENT",
        f"DTSTART;VALUE=DATE:{DAY:%Y%m%d}",
        f"DTEND;VALUE=DATE:{DAY + timedelta(days=1):%Y%m%d}",
    ]
    return "\r\n".join([*lines, "SUMMARY:Founders' Day", "END:VEVENT", "END:VCALENDAR", ""]).encode()


@pytest.fixture
def scene(empty_studio: Studio) -> Studio:
    """One booking at half past ten is there already; Ben is never open."""
    empty_studio.open(resource="ben", hours=[])
    empty_studio.book(empty_studio.starts()[3])
    return empty_studio


@pytest.fixture
def here(platform: Platform) -> FlaskClient:
    """The booking function in this process, while everybody else calls the running one."""
    return booking_client(application_of(platform))


def _overtaken(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> list[int]:
    """The change is made when the first decision here is made and not committed yet. How many commits were tried in the end."""
    commit, tries = Store._commit, [0]

    def overtaken(*parts: Any) -> None:
        tries[0] += 1
        if tries[0] == 1:
            change()
        commit(*parts)

    monkeypatch.setattr(Store, "_commit", overtaken)
    return tries


def _send(here: FlaskClient, studio: Studio, path: str, body: Any, token: str = "") -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = here.post(f"/v1/accounts/{studio.account}/{path}", json=body, headers=headers)
    told: Any = answer.get_json()
    return answer.status_code, told.get("type", "").removeprefix("urn:booking:problem:")


def _wish(studio: Studio, start: str) -> dict[str, Any]:
    return {"service": "consult", "start": start, "client": studio.details("lee")}


@pytest.mark.parametrize("change", CLOSED.values(), ids=CLOSED)
def test_a_booking_that_the_new_rule_forbids_is_not_made_by_the_old_one(
    scene: Studio, here: FlaskClient, monkeypatch: pytest.MonkeyPatch, change: Rule
) -> None:
    nine = scene.starts()[0]
    tries = _overtaken(monkeypatch, lambda: change(scene))
    assert _send(here, scene, "bookings", _wish(scene, nine)) == (422, "start-closed")
    assert tries == [1]
    assert len(scene.look("bookings")["bookings"]) == 1


def _into_a_class(studio: Studio) -> tuple[str, Any, str]:
    studio.offer(capacity=3)
    return "bookings", _wish(studio, studio.book(studio.starts()[0]).look()["start"]), ""


def _a_hold(studio: Studio) -> tuple[str, Any, str]:
    return "holds", {"service": "consult", "start": studio.starts()[0]}, ""


def _elsewhere(studio: Studio) -> tuple[str, Any, str]:
    there: Booked = studio.book(studio.starts()[0])
    return f"bookings/{there.id}/reschedule", {"start": studio.starts()[-1]}, there.token


def _weekly(studio: Studio) -> tuple[str, Any, str]:
    return "series", {**_wish(studio, studio.starts()[0]), "weeks": 2}, ""


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        (_into_a_class, "start-closed"),
        (_a_hold, "start-closed"),
        (_elsewhere, "start-closed"),
        (_weekly, "series-taken"),
    ],
)
def test_whatever_takes_a_start_is_overtaken_alike(
    scene: Studio,
    here: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
    asked: Callable[[Studio], tuple[str, Any, str]],
    refused: str,
) -> None:
    path, body, token = asked(scene)
    before = scene.look("bookings")["bookings"]
    tries = _overtaken(monkeypatch, lambda: _no_hours(scene))
    assert _send(here, scene, path, body, token)[1] == refused
    assert tries == [1]
    after = scene.look("bookings")["bookings"]
    assert {booking["id"]: booking["start"] for booking in after} == {b["id"]: b["start"] for b in before}
