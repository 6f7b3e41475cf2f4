"""The webhook and what follows from it: whose notifications lead to a pull, and what comes of many of them."""

import time
import uuid
from itertools import pairwise

import pytest
import requests

from functions.adapters.settings import read_settings
from functions.adapters.signing import ChannelClaim, channel_token
from infra.local.platform import Platform
from tests.studio import Studio, until


class Channel:
    """A channel as Google would call on it, with a token made by the platform's own key."""

    def __init__(self, platform: Platform, studio: Studio) -> None:
        self.url = platform.addresses.webhook
        self.id = str(uuid.uuid4())
        self.key = read_settings(platform.configuration.functions_environment).signing_keys[0]
        self.claim = ChannelClaim(account=studio.account, calendar=studio.calendar, expires=int(time.time()) + 3600)

    def call(self, method: str = "POST", **changes: str) -> int:
        headers = {
            "X-Goog-Channel-ID": self.id,
            "X-Goog-Channel-Token": channel_token(self.key, self.id, self.claim),
            "X-Goog-Resource-State": "exists",
            "X-Goog-Resource-ID": "r",
            "X-Goog-Message-Number": "7",
        }
        named = {name.replace("_", "-"): value for name, value in changes.items()}
        return requests.request(method, self.url, headers=headers | named, timeout=10).status_code


@pytest.fixture
def channel(platform: Platform, studio: Studio) -> Channel:
    return Channel(platform, studio)


def lists_of(studio: Studio, since: int = 0) -> tuple[int, int]:
    """How often Google was asked for the events of the studio's calendar after the call `since`, and the number of the last call."""
    calls = studio.google_control("GET", f"calls?since={since}")
    mine = [call for call in calls["calls"] if call["id"] == "events.list" and call["user"] == studio.person.email]
    return len(mine), calls["last"]


def all_is_quiet(studio: Studio) -> None:
    """No task is due, nor will one be within a second: what a notification has led to is done."""
    answer = requests.get(
        f"{studio.addresses.tasks_http}/control/idle", params={"timeout": 30, "within": 1}, timeout=40
    )
    assert answer.json() == {"idle": True}


def test_a_notification_leads_to_one_pull_however_often_it_comes(
    studio: Studio, channel: Channel
) -> None:  # cases 3, 10
    (_, since), before = lists_of(studio), time.time()
    assert {channel.call(), channel.call(), channel.call(X_Goog_Resource_State="not_exists")} == {204}
    assert channel.call(X_Goog_Resource_State="something_new") == 204
    until(lambda: studio.fresh_since(before * 1000))
    all_is_quiet(studio)
    # The second may have changed between the calls; and who found nothing looks once more.
    assert lists_of(studio, since)[0] <= 3


def test_what_is_not_ours_leads_to_nothing(studio: Studio, channel: Channel) -> None:  # cases 5, 6, 12
    all_is_quiet(studio)
    _, since = lists_of(studio)
    good = channel_token(channel.key, channel.id, channel.claim)
    account_part = good.replace(studio.account, "other-account")
    assert channel.call(X_Goog_Channel_Token="") == 403
    assert channel.call(X_Goog_Channel_Token="a.b.c.1.e") == 403
    assert channel.call(X_Goog_Channel_Token=good + "x") == 403
    assert channel.call(X_Goog_Channel_Token=account_part) == 403
    assert channel.call(X_Goog_Channel_ID=str(uuid.uuid4())) == 403
    assert channel.call("GET") == 405
    assert channel.call("PUT") == 405
    assert channel.call(X_Goog_Resource_State="sync") == 204  # case 1
    channel.claim = ChannelClaim(account=studio.account, calendar=studio.calendar, expires=int(time.time()) - 3 * 86400)
    assert channel.call() == 403
    all_is_quiet(studio)
    assert lists_of(studio, since)[0] == 0


def test_header_names_in_any_case_are_read(studio: Studio, channel: Channel) -> None:  # case 11
    before = time.time()
    token = channel_token(channel.key, channel.id, channel.claim)
    headers = {"x-goog-channel-id": channel.id, "X-GOOG-CHANNEL-TOKEN": token, "x-goog-resource-state": "exists"}
    assert requests.post(channel.url, headers=headers, data=b"unexpected body", timeout=10).status_code == 204
    until(lambda: studio.fresh_since(before * 1000))


def test_a_storm_costs_few_pulls_and_its_last_change_is_seen(studio: Studio) -> None:  # cases 15 and 16
    all_is_quiet(studio)
    _, before = lists_of(studio)
    taken, began = studio.starts()[:12], time.monotonic()
    with studio.pushes(duplicate=1):
        event = studio.person.add(taken[0], taken[1])
        for start, end in pairwise(taken[1:]):
            studio.person.move(event["id"], start, end)
        until(lambda: studio.starts()[:11] == [*taken[:10], taken[11]])
    seconds = time.monotonic() - began
    assert lists_of(studio, since=before)[0] <= seconds + 1


def test_what_happens_after_the_pull_of_a_moment_is_pulled_in_its_own(studio: Studio) -> None:  # case 18
    """The name of the first pull's task can't be used again for an hour or more: the second must not need it."""
    for start, end in pairwise(studio.starts()[:4]):
        studio.person.add(start, end)
        until(lambda start=start: start not in studio.starts())  # type: ignore[misc]
