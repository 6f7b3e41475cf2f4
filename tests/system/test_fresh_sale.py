"""Fresh at the moment of sale: a lost push can show a slot too long, but can't sell it (cases 19, 151 and 156)."""

from typing import Any

import pytest

from functions.adapters.clock import now_millis
from infra.local.platform import Platform
from infra.local.ports import Ports
from tests.in_process import application_of, booking_client
from tests.studio import Studio, until

MINUTE_MS = 60_000


def last_read(studio: Studio, *, minutes_ago: float) -> None:
    """The calendar was pulled then, and nobody is at it."""
    until(lambda: calendar_of(studio)["lease"]["holder"] is None)
    studio.store.client.document(f"accounts/{studio.account}/calendars/{studio.calendar}").update(
        {"last_success_at": now_millis() - int(minutes_ago * MINUTE_MS)}
    )


def calendar_of(studio: Studio) -> dict[str, Any]:
    document = studio.store.client.document(f"accounts/{studio.account}/calendars/{studio.calendar}").get()
    return dict(document.to_dict())


@pytest.fixture
def quiet_studio(studio: Studio) -> Studio:
    """Its person's events are pushed by nobody."""
    studio.google_control("PUT", "push", {"calendar": studio.person.email, "drop": 1.0})
    return studio


def test_nobody_is_sold_what_only_google_knows_to_be_busy(quiet_studio: Studio) -> None:  # case 151
    studio = quiet_studio
    nine, half_past = studio.starts()[:2]
    studio.person.add(nine, half_past)
    last_read(studio, minutes_ago=6)
    assert nine in studio.starts()

    answer = studio.try_to_book(nine)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:booking:problem:slot-taken")
    assert answer.json()["alternatives"][0] == half_past
    assert nine not in studio.starts()
    assert studio.try_to_book(half_past).status_code == 201
