"""What a calendar's document says of itself: how far it is known, whose lease it is, when its channel is due."""

from typing import Any

import pytest

from functions.domain.calendar import Calendar, Channel, Lease
from functions.domain.instants import MINUTE_MS
from tests.domain.builders import NOW, calendar, minute

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
HORIZON = minute("2028-03-01T00:00Z")


class TestKnownUntil:  # case 156
    def known(self, of: Calendar, resource: str = "anna") -> int:
        return of.known_until(resource, now=NOW, stale_after=6 * HOUR_MS)

    def test_a_calendar_that_was_never_read_is_not_known(self) -> None:
        assert self.known(calendar(projected={"anna": HORIZON}, last_success_at=None)) == 0

    def test_a_fresh_one_is_known_as_far_as_its_events_are_in_the_ledger(self) -> None:
        assert self.known(calendar(projected={"anna": HORIZON}, last_success_at=NOW)) == HORIZON

    def test_it_is_known_up_to_the_limit_of_staleness(self) -> None:
        assert self.known(calendar(projected={"anna": HORIZON}, last_success_at=NOW - 6 * HOUR_MS)) == HORIZON

    def test_a_millisecond_past_the_limit_it_is_not_known(self) -> None:
        assert self.known(calendar(projected={"anna": HORIZON}, last_success_at=NOW - 6 * HOUR_MS - 1)) == 0

    def test_a_resource_it_was_not_projected_for_yet_is_not_known(self) -> None:
        known = calendar(projected={"anna": HORIZON}, horizon=HORIZON, last_success_at=NOW)
        assert self.known(known, "ben") == 0

    def test_without_a_limit_what_was_read_once_still_counts(self) -> None:
        old = calendar(projected={"anna": HORIZON}, last_success_at=0)
        assert old.known_until("anna", now=NOW, stale_after=None) == HORIZON
        assert calendar(projected={"anna": HORIZON}).known_until("anna", now=NOW, stale_after=None) == 0


class TestFresh:
    @pytest.mark.parametrize(
        ("age", "fresh_for", "expected"),
        [
            pytest.param(5 * MINUTE_MS - 1, 5 * MINUTE_MS, True, id="read just now"),
            pytest.param(5 * MINUTE_MS, 5 * MINUTE_MS, False, id="read too long ago"),
            pytest.param(0, 0, False, id="asked each time"),
        ],
    )
    def test_until_the_service_wants_to_know_again(self, age: int, fresh_for: int, expected: bool) -> None:
        assert calendar(last_success_at=NOW - age).fresh(NOW, fresh_for) is expected

    def test_what_was_never_read_is_not(self) -> None:
        assert not calendar().fresh(NOW, HOUR_MS)


class TestLaidOut:
    READ = calendar(last_success_at=NOW, projected={"anna": HORIZON})

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            pytest.param({}, True, id="read to the end"),
            pytest.param({"last_success_at": None}, False, id="in the middle of its first list"),
            pytest.param({"relist": True}, False, id="to be listed in full"),
            pytest.param({"resources": ("anna", "ben")}, False, id="blocks somebody else from now on"),
            pytest.param({"resources": (), "destination_for": ("anna",)}, True, id="blocks nobody"),
        ],
    )
    def test_when_every_ledger_holds_it(self, changes: dict[str, Any], expected: bool) -> None:
        assert self.READ.model_copy(update=changes).laid_out is expected


class TestLease:
    def test_a_new_calendar_is_free(self) -> None:
        assert not calendar().lease.held(NOW)

    def test_a_holder_has_it_until_it_runs_out(self) -> None:  # case 54
        lease = Lease(holder="worker", fence=3, expires_at=NOW)
        assert lease.held(NOW - 1)
        assert not lease.held(NOW)

    def test_without_a_holder_it_is_free_whatever_its_time_says(self) -> None:
        assert not Lease(holder=None, fence=3, expires_at=NOW + HOUR_MS).held(NOW)


class TestChannel:
    def channel(self, **changes: object) -> Channel:
        fields = {"id": "ch", "address": "https://hook.example.com", "created_at": NOW} | changes
        return Channel.model_validate(fields)

    def test_a_channel_that_was_not_answered_is_not_alive_and_due(self) -> None:  # case 26
        pending = self.channel()
        assert not pending.alive(NOW)
        assert pending.due_for_renewal(NOW)

    def test_an_answered_one_lives_until_its_end(self) -> None:
        answered = self.channel(resource="res", expires_at=NOW + 7 * DAY_MS)
        assert answered.alive(NOW)
        assert answered.alive(NOW + 7 * DAY_MS - 1)
        assert not answered.alive(NOW + 7 * DAY_MS)

    def test_it_is_due_at_four_fifths_of_the_life_that_google_gave(self) -> None:
        answered = self.channel(resource="res", expires_at=NOW + 5 * DAY_MS)
        assert not answered.due_for_renewal(NOW + 4 * DAY_MS - 1)
        assert answered.due_for_renewal(NOW + 4 * DAY_MS)

    def test_one_that_ended_long_ago_is_still_due(self) -> None:  # case 29
        answered = self.channel(resource="res", expires_at=NOW + 5 * DAY_MS)
        assert answered.due_for_renewal(NOW + 30 * DAY_MS)

    def test_an_answer_without_an_end_is_due_and_not_counted_on(self) -> None:  # case 31
        answered = self.channel(resource="res", expires_at=None)
        assert answered.due_for_renewal(NOW)
        assert not answered.alive(NOW)


@pytest.mark.parametrize(
    ("changes", "used"),
    [
        pytest.param({"resources": ("anna",)}, True, id="it blocks a resource"),
        pytest.param({"resources": (), "destination_for": ("anna",)}, True, id="it is a destination"),
        pytest.param({"resources": ()}, False, id="neither"),
        pytest.param({"resources": ("anna",), "state": "gone"}, False, id="it is gone"),
    ],
)
def test_a_calendar_in_use(changes: dict[str, object], *, used: bool) -> None:
    assert calendar(**changes).in_use is used
