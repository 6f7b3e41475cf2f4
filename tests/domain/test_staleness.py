"""Whose rule says how long a calendar may go unread, and what follows then: the resource's, else the service's, else the deployment's."""

from dataclasses import replace
from typing import Any

import pytest

from functions.domain.availability import explain
from functions.domain.instants import MINUTE_MS
from functions.domain.staleness import Staleness, staleness
from tests.domain.builders import NOW, minute, question, resource, service

USUAL = 360 * MINUTE_MS


@pytest.mark.parametrize(
    ("of_resource", "of_service", "minutes", "limit_of", "then"),
    [
        pytest.param({}, {}, 360, "deployment", "close", id="nobody says anything"),
        pytest.param({}, {"stale_after_minutes": 30}, 30, "service", "close", id="the service says how long"),
        pytest.param({}, {"on_stale": "keep"}, 360, "deployment", "keep", id="the service says what then"),
        pytest.param({"stale_after_minutes": 5}, {"stale_after_minutes": 30}, 5, "resource", "close", id="sooner"),
        pytest.param({"stale_after_minutes": 600}, {"stale_after_minutes": 30}, 600, "resource", "close", id="later"),
        pytest.param({"stale_after_minutes": 5}, {"on_stale": "keep"}, 5, "resource", "keep", id="each by itself"),
        pytest.param(
            {"on_stale": "close"}, {"on_stale": "keep"}, 360, "deployment", "close", id="it is closed after all"
        ),
        pytest.param(
            {"on_stale": "keep"}, {"stale_after_minutes": 30}, 30, "service", "keep", id="it is kept after all"
        ),
    ],
)
def test_the_resource_comes_before_the_service(
    of_resource: dict[str, Any], of_service: dict[str, Any], minutes: int, limit_of: str, then: str
) -> None:
    found = staleness(resource(**of_resource), service(**of_service), usual=USUAL)
    assert (found.limit, found.limit_of, found.then) == (minutes * MINUTE_MS, limit_of, then)
    assert found.known_for == (None if then == "keep" else minutes * MINUTE_MS)


def test_why_a_start_is_closed_says_by_whose_rule() -> None:
    asked = question(known_until=0)
    rules = Staleness(limit=5 * MINUTE_MS, limit_of="resource", then="close")
    unread = replace(asked.states[0], least_known="cal", last_read=NOW, staleness=rules)
    (reason,) = explain(replace(asked, states=(unread,)), minute("2027-03-01T09:00Z"))
    assert (reason.rule, reason.cause) == (
        "calendar_unknown",
        {
            "calendar": "cal",
            "not_read_since": "2027-02-22T08:00:00.000Z",
            "stale_after_minutes": 5,
            "by_rule_of": "resource",
        },
    )
