"""What the tests of availability share: how a service is asked for, and the dates that they ask about."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.studio import DAY, Studio

TODAY = datetime.now(UTC).date()
BERLIN = ZoneInfo("Europe/Berlin")

YEAR = {"window": {"kind": "rolling_days", "days": 365}}
EVER = {"window": {"kind": "unlimited"}}

ONE_DAY = {"start": DAY.isoformat(), "end": (DAY + timedelta(days=1)).isoformat()}


def everything() -> list[tuple[str, dict[str, str]]]:
    """The three questions of clients, about the same date."""
    return [
        ("availability", ONE_DAY),
        ("next", {"after": f"{DAY}T00:00:00Z"}),
        ("overview", {"month": f"{DAY:%Y-%m}"}),
    ]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def starts_on(days: dict[str, dict[str, Any]], day: date) -> list[str]:
    return [start["start"] for start in days[day.isoformat()]["starts"]]


def anna_and_ben(studio: Studio) -> Studio:
    """Anna works from nine to five, ben from four to six; either of them serves."""
    studio.open(start="16:00", end="18:00", resource="ben")
    studio.offer(resources=["anna", "ben"])
    return studio
