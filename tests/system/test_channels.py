"""Push channels: opened, renewed, moved, lost sight of; and that Google's side is left as tidy as ours."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.adapters.clock import now_millis
from functions.adapters.composition import Application
from functions.adapters.google_calendar import GoogleCalendar, WatchAnswer
from functions.adapters.google_errors import GoogleError, OurMistake, Unavailable
from functions.sync import channels, orphans, schedules
from functions.sync.channels import ASKING_MS
from functions.sync.work import Work
from infra.local.platform import Platform
from tests.in_process import Backstage, application_of, worker
from tests.studio import DAY, Studio, until

DAY_MS = 86_400_000


class Line(Backstage):
    """A studio's calendar and its channels, from both ends."""

    def __init__(self, studio: Studio, platform: Platform) -> None:
        super().__init__(studio, application_of(platform))
        self.platform = platform

    def live(self) -> list[str]:
        """The ids of the channels that Google has for it."""
        known = self.studio.google_control("GET", "channels")["channels"]
        return [each["id"] for each in known if each["target"] == self.studio.person.email and each["live"]]

    def make_due(self) -> None:
        """Its life is nearly over by our reckoning; Google's channel lives on."""
        self.set(**{"channel.created_at": now_millis() - 6 * DAY_MS, "channel.expires_at": now_millis() + DAY_MS})

    def answer(self, **fault: Any) -> None:
        order = {"user": self.studio.person.email, "method": "events.watch", **fault}
        self.studio.google_control("POST", "faults", order)

    def asked_of_google(self, *, since: int) -> list[str]:
        return [call["id"] for call in self.calls(since=since)]


@pytest.fixture
def line(studio: Studio, platform: Platform) -> Line:
    """Connected, pulled and watched, with nothing on its way."""
    found = Line(studio, platform)
    found.wait_for_quiet()
    return found


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        pytest.param({"status": 503}, Unavailable, id="Google is down"),
        pytest.param({"status": 429, "reason": "rateLimitExceeded"}, GoogleError, id="too fast"),
        pytest.param({"status": 400, "reason": "channelIdNotUnique"}, OurMistake, id="an id that is taken"),  # case 25
    ],
)
def test_a_calendar_that_can_not_be_watched_now_is_polled_often_and_asked_for_again(
    line: Line, fault: dict[str, Any], raised: type[GoogleError]
) -> None:  # case 23
    line.set(channel=None, renew_at=0)
    line.answer(**fault)
    with pytest.raises(raised):  # the task comes again, with the queue's waits
        channels.watch(line.work)
    assert (line.calendar.channel, line.calendar.next_channel) == (None, None)
    assert line.calendar.renew_at is not None
    now = now_millis()
    assert now < line.calendar.renew_at < now + 20 * 60_000
    line.studio.poll()
    settings = line.work.application.settings
    soon = settings.poll_unwatched_seconds * 1000 * 1.25
    until(lambda: now < (line.calendar.next_poll_at or 0) <= now_millis() + soon)
    channels.watch(line.work)
    channel = line.calendar.channel
    assert channel is not None
    assert channel.alive(now_millis())
    assert channel.id in line.live()


def test_a_renewal_opens_the_new_channel_before_it_stops_the_old(line: Line) -> None:  # case 27
    old = line.calendar.channel
    assert old is not None
    line.make_due()
    seen = line.calls_so_far()
    channels.watch(line.work)
    made = [call for call in line.asked_of_google(since=seen) if call in ("events.watch", "channels.stop")]
    assert made == ["events.watch", "channels.stop"]
    new = line.calendar.channel
    assert new is not None
    assert new.id != old.id
    assert line.live() == [new.id]


def test_a_renewal_that_fails_leaves_the_old_channel_alive(line: Line) -> None:  # case 27
    old = line.calendar.channel
    assert old is not None
    line.make_due()
    line.answer(status=503)
    with pytest.raises(Unavailable):
        channels.watch(line.work)
    assert line.calendar.channel is not None
    assert line.calendar.channel.id == old.id
    assert line.live() == [old.id]


def test_what_changed_between_two_channels_comes_with_the_new_one(line: Line) -> None:  # cases 28 and 29
    studio = line.studio
    studio.google_control("POST", "channels/expire", {"calendar": studio.person.email})
    long_ago = now_millis() - 3 * DAY_MS
    line.set(
        **{"channel.created_at": long_ago - 7 * DAY_MS, "channel.expires_at": long_ago, "renew_at": long_ago},
        next_poll_at=now_millis() + DAY_MS,
    )
    studio.person.add(f"{DAY}T08:00:00Z", f"{DAY}T09:00:00Z")  # nobody is told
    studio.fire("quarter")
    until(lambda: f"{DAY}T08:00:00Z" not in studio.starts())
    assert len(line.live()) == 1


def test_a_watch_without_an_end_is_renewed_in_time_and_not_again_and_again(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:  # case 31
    real = GoogleCalendar.watch

    def endless(*args: Any, **asked: Any) -> WatchAnswer:
        return replace(real(*args, **asked), expires_at=None)

    monkeypatch.setattr(GoogleCalendar, "watch", endless)
    line.make_due()
    channels.watch(line.work)
    assert line.calendar.renew_at is not None
    assert now_millis() < line.calendar.renew_at < now_millis() + 6 * DAY_MS
    seen = line.calls_so_far()
    channels.watch(line.work)
    assert "events.watch" not in line.asked_of_google(since=seen)


class TestTwoRenewalsAtOnce:  # case 30
    @pytest.fixture
    def meanwhile(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
        """Something that happens while the first watch is with Google."""

        def install(act: Callable[[], object]) -> None:
            real = GoogleCalendar.watch

            def interrupted(*args: Any, **asked: Any) -> WatchAnswer:
                monkeypatch.setattr(GoogleCalendar, "watch", real)
                act()
                return real(*args, **asked)

            monkeypatch.setattr(GoogleCalendar, "watch", interrupted)

        return install

    def test_the_second_leaves_it_to_the_first(
        self, line: Line, meanwhile: Callable[[Callable[[], object]], None]
    ) -> None:
        line.make_due()
        meanwhile(lambda: channels.watch(line.work))
        seen = line.calls_so_far()
        channels.watch(line.work)
        assert line.asked_of_google(since=seen).count("events.watch") == 1
        assert line.calendar.channel is not None
        assert line.live() == [line.calendar.channel.id]

    def test_of_two_that_both_asked_one_channel_is_left(
        self, line: Line, meanwhile: Callable[[Callable[[], object]], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def as_if_the_first_had_died() -> None:
            with pytest.MonkeyPatch.context() as later:
                real = Work.now
                later.setattr(Work, "now", lambda work: real(work) + ASKING_MS)
                channels.watch(line.work)

        line.make_due()
        meanwhile(as_if_the_first_had_died)
        seen = line.calls_so_far()
        channels.watch(line.work)
        assert line.asked_of_google(since=seen).count("events.watch") == 2
        assert line.calendar.channel is not None
        assert line.live() == [line.calendar.channel.id]


@pytest.fixture
def elsewhere() -> Iterator[None]:
    """A machine whose clock shows New York's time."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "America/New_York"
    time.tzset()
    yield
    del os.environ["TZ"]
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


def test_a_machine_s_own_zone_moves_no_end(line: Line, elsewhere: None) -> None:  # case 32
    assert abs(now_millis() - datetime.now(UTC).timestamp() * 1000) < 5_000
    line.make_due()
    channels.watch(line.work)
    channel = line.calendar.channel
    assert channel is not None
    known = line.studio.google_control("GET", "channels")["channels"]
    (told,) = [each["expiration"] for each in known if each["id"] == channel.id]
    assert channel.expires_at == int(told)
    week = 7 * DAY_MS
    assert abs(channel.expires_at - (now_millis() + week)) < 60_000


class TestAnotherAddress:  # case 35
    @pytest.fixture
    def moved(self, line: Line) -> Application:
        """The functions with another public address, whose tasks are only looked at."""
        application = application_of(line.platform, WEBHOOK_URL=f"{line.studio.addresses.webhook}/moved")
        self.left: list[Any] = []
        application.tasks.create = self.left.append  # type: ignore[method-assign]
        return application

    def asked(self, line: Line, kind: str) -> list[str]:
        names = [each.name for each in self.left if each.kind == kind and each.body["subject"] == line.calendar.id]
        self.left.clear()
        return names

    def test_every_channel_moves_there(self, line: Line, moved: Application) -> None:
        old = line.calendar.channel
        assert old is not None
        schedules.quarter(moved)
        schedules.quarter(moved)
        assert len(set(self.asked(line, "watch"))) in (1, 2)  # one a minute, however often the schedule runs in it
        channels.watch(worker(moved, line.studio))
        channel = line.calendar.channel
        assert channel is not None
        assert channel.address.endswith("/moved")
        assert line.live() == [channel.id]
        schedules.quarter(moved)
        assert self.asked(line, "watch") == []

    def test_nothing_moves_where_the_address_is_the_same(self, line: Line) -> None:
        application = application_of(line.platform)
        self.left = []
        application.tasks.create = self.left.append  # type: ignore[method-assign]
        schedules.quarter(application)
        assert self.asked(line, "watch") == []


@pytest.mark.parametrize("status", ["disconnected", "needs_reconnect"])
def test_no_channel_is_renewed_for_an_account_that_is_not_connected(line: Line, status: str) -> None:  # case 37
    path = f"accounts/{line.work.account}/connections/{line.calendar.connection}"
    line.work.store.client.document(path).update({"status": status})
    line.make_due()
    before, seen = line.calendar.channel, line.calls_so_far()
    channels.watch(line.work)
    assert line.asked_of_google(since=seen) == []
    assert (line.calendar.channel, line.calendar.next_channel) == (before, None)
    assert line.calendar.renew_at is None  # it is in nobody's way at the next quarter
    line.work.store.client.document(path).update({"status": "active"})
    channels.watch(line.work)  # as whoever connects it again asks for
    assert line.calendar.channel != before
    assert line.calendar.renew_at is not None


def test_a_watch_that_finds_no_calendar_lets_the_list_decide(line: Line) -> None:  # case 38
    line.set(channel=None)
    line.answer(status=404, reason="notFound")
    since = now_millis()
    channels.watch(line.work)  # done: it does not come again and again
    until(lambda: (line.calendar.last_success_at or 0) > since)
    assert (line.calendar.state, line.calendar.missing_since) == ("active", None)


class TestOrphans:
    """Channels that live at Google and are nobody's here."""

    def test_one_whose_answer_was_lost_is_stopped_when_it_calls(self, line: Line) -> None:  # case 26
        line.set(channel=None)
        (first,) = line.live()
        line.answer(status=503, when="after")
        with pytest.raises(Unavailable):
            channels.watch(line.work)
        channels.watch(line.work)
        kept = line.calendar.channel
        assert kept is not None
        assert len(line.live()) == 3
        assert first != kept.id
        until(lambda: line.live() == [kept.id], nudge=self.something_happens(line))

    def something_happens(self, line: Line) -> Callable[[], object]:
        return lambda: line.studio.person.add(f"{DAY}T08:00:00Z", f"{DAY}T09:00:00Z")

    def test_one_of_a_calendar_that_nobody_uses_any_more_ends_with_its_use(self, line: Line) -> None:  # case 9
        line.studio.put(f"calendars/{line.calendar.id}", {"blocks": [], "destination_for": []})
        until(lambda: line.live() == [])
        assert line.calendar.channel is None

    def test_one_that_calls_for_a_calendar_that_nobody_uses_is_stopped(self, line: Line) -> None:  # case 9
        line.set(resources=[], destination_for=[], channel=None)
        self.something_happens(line)()
        until(lambda: line.live() == [])

    def test_the_calendar_s_own_channels_are_left_alone(self, line: Line) -> None:  # cases 2 and 4
        channel = line.calendar.channel
        assert channel is not None
        line.set(channel=None, next_channel={"id": channel.id, "address": channel.address, "created_at": 1})
        assert channel.resource is not None
        orphans.unwatch(replace(line.work, channel=channel.id, resource=channel.resource))
        assert line.live() == [channel.id]

    def test_one_that_google_does_not_let_us_stop_is_let_be(self, line: Line) -> None:  # cases 33 and 34
        seen = line.calls_so_far()
        orphans.unwatch(replace(line.work, channel="of-another-client", resource="r"))
        assert "channels.stop" in line.asked_of_google(since=seen)
        assert len(line.live()) == 1
