"""What a client and an owner wait for, over HTTP against the running platform."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.bench.measured import Measured, each_ms, percentile
from tests.studio import DAY, Studio, until

BOOKINGS = 60
CHANGES = 40


def over_http(make_studio: Callable[[], Any]) -> list[Measured]:
    studio: Studio = make_studio()
    studio.open(start="00:00", end="24:00")
    studio.offer(duration_minutes=15, step_minutes=15, window={"kind": "rolling_days", "days": 60})
    studio.connect_and_wait()
    return [*_availability(studio), *_booking(studio), *_lag(studio)]


def _availability(studio: Studio) -> list[Measured]:
    month = {"start": DAY.isoformat(), "end": (DAY + timedelta(days=28)).isoformat()}
    path = f"{studio.base}/services/consult/availability"
    times = each_ms(lambda: studio.http.get(path, params=month).raise_for_status(), repetitions=40)
    return [Measured(what="GET availability, 4 weeks, p50", value=percentile(times, 0.5), unit="ms")]


def _booking(studio: Studio) -> list[Measured]:
    starts = iter(studio.starts()[:BOOKINGS])
    times = each_ms(lambda: studio.book(next(starts)), repetitions=BOOKINGS)
    until(lambda: all(b["calendar_copy"] == "written" for b in studio.look("bookings")["bookings"]), within=120)
    return [
        Measured(what="POST booking, p50", value=percentile(times, 0.5), unit="ms"),
        Measured(what="POST booking, p95", value=percentile(times, 0.95), unit="ms"),
    ]


def _lag(studio: Studio) -> list[Measured]:
    """From Google's answer to the owner's change until availability shows it."""
    day = DAY + timedelta(days=1)
    lags = []
    for start, end in list(zip(studio.starts(day), studio.starts(day)[1:], strict=False))[:CHANGES]:
        studio.person.add(start, end)
        began = time.perf_counter()
        until(lambda taken=start: taken not in studio.starts(day))  # type: ignore[misc]
        lags.append((time.perf_counter() - began) * 1000)
    return [
        Measured(what="a change in Google to availability, p50", value=percentile(lags, 0.5), unit="ms", budget=1500),
        Measured(what="a change in Google to availability, p99", value=percentile(lags, 0.99), unit="ms", budget=3000),
    ]
