"""How long nobody asks Google again that refuses writes to a calendar, and who is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.decision import Decision, Ref
from functions.domain.pacing import (
    DAY_MS,
    HOUR_MS,
    WritePause,
    WriteRefused,
    next_try_forbidden,
    pause_writes,
    resume_writes,
)
from tests.domain.builders import CALENDAR, NOW

SECOND = 1000
TOO_FAST = WriteRefused(calendar=CALENDAR, reason="rateLimitExceeded", usage_limit=False)
LIMIT = WriteRefused(calendar=CALENDAR, reason="quotaExceeded", usage_limit=True)


def waits(*refusals: WriteRefused, jitter: float = 0) -> list[int]:
    """How long each refusal in a row makes us wait, when we come again exactly then."""
    pause: WritePause | None = None
    now, found = NOW, []
    for refused in refusals:
        pause = pause_writes(pause, refused, now=now, jitter=jitter).answer
        found.append(pause.until - now)
        now = pause.until
    return found


def told(*refusals: WriteRefused) -> list[str]:
    """What is entered in the history and mailed, when we come again after each wait."""
    pause: WritePause | None = None
    now, found = NOW, []
    for refused in refusals:
        decision = pause_writes(pause, refused, now=now, jitter=0)
        assert [effect.about for effect in decision.effects] == ["writes_paused"] * len(decision.history)
        found += [entry.what for entry in decision.history]
        pause, now = decision.answer, decision.answer.until
    return found


def test_too_fast_is_a_matter_of_seconds_twice_as_long_each_time() -> None:  # case 68
    assert waits(*[TOO_FAST] * 9) == [n * SECOND for n in (2, 4, 8, 16, 32, 64, 128, 256, 300)]


def test_a_usage_limit_is_a_matter_of_hours() -> None:  # case 69
    assert waits(*[LIMIT] * 5) == [n * HOUR_MS for n in (1, 2, 4, 6, 6)]


@pytest.mark.parametrize(("refused", "usual"), [(TOO_FAST, 2 * SECOND), (LIMIT, HOUR_MS)], ids=["fast", "limit"])
def test_what_google_asks_for_is_the_least(refused: WriteRefused, usual: int) -> None:
    def after(retry_after: int) -> int:
        asked = WriteRefused(**{**vars(refused), "retry_after": retry_after})
        return waits(asked)[0]

    assert after(usual - 1) == usual
    assert after(usual + 1) == usual + 1


def test_a_usage_limit_is_told_once_however_long_it_lasts() -> None:  # case 69
    assert told(TOO_FAST, TOO_FAST) == []
    assert told(TOO_FAST, LIMIT, LIMIT, TOO_FAST, LIMIT) == ["calendar.writes_paused"]


def test_writes_that_were_under_way_together_count_as_one_refusal() -> None:
    first = pause_writes(None, LIMIT, now=NOW, jitter=0).answer
    second = pause_writes(first, LIMIT, now=NOW + 1, jitter=1)
    assert second == Decision(answer=first)


def test_a_usage_limit_cuts_a_short_pause_in() -> None:
    short = pause_writes(None, TOO_FAST, now=NOW, jitter=0).answer
    assert pause_writes(short, LIMIT, now=NOW + 1, jitter=0).answer.until == NOW + 1 + HOUR_MS


@pytest.mark.parametrize(
    ("refused", "expected"), [(TOO_FAST, []), (LIMIT, ["calendar.writes_resumed"])], ids=["fast", "limit"]
)
def test_it_is_over_with_the_first_write_that_google_takes(refused: WriteRefused, expected: list[str]) -> None:
    over = resume_writes(pause_writes(None, refused, now=NOW, jitter=0).answer)
    assert over.deletions == (Ref(WritePause, CALENDAR),)
    assert [entry.what for entry in over.history] == expected


@given(jitter=st.floats(0, 1), late=st.integers(0, 2 * SECOND))
def test_what_waits_comes_after_the_pause_and_not_all_at_once(jitter: float, late: int) -> None:
    pause = pause_writes(None, TOO_FAST, now=NOW, jitter=jitter).answer
    assert 2 * SECOND <= pause.until - NOW <= 2.5 * SECOND
    assert pause.until <= pause.next_try(NOW + late, jitter=jitter) <= pause.until + 0.25 * (pause.until - NOW)
    assert pause.holds(pause.until - 1)
    assert not pause.holds(pause.until)


def test_what_is_forbidden_is_tried_again_more_and_more_seldom() -> None:  # case 74
    tries = [next_try_forbidden(NOW, now=NOW)]
    while len(tries) < 8:
        tries.append(next_try_forbidden(NOW, now=tries[-1]))
    assert [each - NOW for each in tries] == [hours * HOUR_MS for hours in (1, 2, 4, 8, 16, 32, 56, 80)]


@given(late=st.integers(0, 10 * DAY_MS))
def test_between_two_tries_the_next_one_is_the_same_whoever_asks(late: int) -> None:
    again = next_try_forbidden(NOW, now=NOW + late)
    assert NOW + late < again <= NOW + late + DAY_MS + HOUR_MS
    assert next_try_forbidden(NOW, now=again - 1) == again
