"""A thousand notifications within ten seconds about one calendar, which changes all the while: how many pulls they cost, and what is known at the end."""

import time
from concurrent.futures import ThreadPoolExecutor

import requests

from functions.adapters.settings import read_settings
from functions.adapters.signing import ChannelClaim, channel_token
from functions.domain.calendar import Calendar
from functions.domain.decision import Ref
from infra.local.platform import Platform
from tests.bench.measured import Measured, percentile
from tests.studio import Studio, until

NOTIFICATIONS = 1000
SECONDS = 10.0
EACH_CHANGE = 50  # one change to so many notifications
PULLS = 12
P99_MS = 250.0  # of the webhook's answers, on a machine that runs everything else beside it


def storm(platform: Platform, studio: Studio) -> list[Measured]:
    studio.open(start="00:00", end="24:00")
    studio.offer()
    studio.connect_and_wait()
    headers = _headers(platform, studio)
    free = studio.starts()
    calls = studio.google_control("GET", "calls")["last"]
    with studio.pushes(drop=1.0), ThreadPoolExecutor(16) as threads:
        event = studio.person.add(free[0], free[1])["id"]
        began = time.monotonic()

        def notify(number: int) -> float:
            time.sleep(max(0.0, began + number * SECONDS / NOTIFICATIONS - time.monotonic()))
            if number % EACH_CHANGE == 0:
                place = number // EACH_CHANGE
                studio.person.move(event, free[place], free[place + 1])
            asked = time.perf_counter()
            answer = requests.post(platform.addresses.webhook, headers=headers, timeout=30)
            assert answer.status_code == 204, answer.status_code
            return (time.perf_counter() - asked) * 1000

        answers = list(threads.map(notify, range(NOTIFICATIONS)))
        last = (NOTIFICATIONS - 1) // EACH_CHANGE
        until(lambda: studio.starts() == [start for start in free if start != free[last]])
    counted = studio.google_control("GET", f"calls?since={calls}")["calls"]
    pulls = sum(call["id"] == "events.list" and call["user"] == studio.person.email for call in counted)
    what = f"{NOTIFICATIONS} notifications in {SECONDS:g} s on one calendar"
    return [
        Measured(what=f"{what}: pulls", value=pulls, unit="", budget=PULLS),
        Measured(what="  the webhook's answer, p50", value=percentile(answers, 0.5), unit="ms"),
        Measured(what="  the webhook's answer, p99", value=percentile(answers, 0.99), unit="ms", budget=P99_MS),
    ]


def _headers(platform: Platform, studio: Studio) -> dict[str, str]:
    """Of the calendar's own channel, as Google sends them."""
    calendar = studio.store.get(studio.account, Ref(Calendar, studio.calendar))
    channel = None if calendar is None else calendar.channel
    assert channel is not None
    assert channel.expires_at is not None
    claim = ChannelClaim(account=studio.account, calendar=studio.calendar, expires=channel.expires_at // 1000)
    key = read_settings(platform.configuration.functions_environment).signing_keys[0]
    return {
        "X-Goog-Channel-ID": channel.id,
        "X-Goog-Channel-Token": channel_token(key, channel.id, claim),
        "X-Goog-Resource-ID": channel.resource or "",
        "X-Goog-Resource-State": "exists",
    }
