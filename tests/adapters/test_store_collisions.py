"""Those who collided come again at moments of their own, and not all at once; each time a little later, and never so late that the client has gone."""

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from google.api_core.exceptions import Aborted

from functions.adapters.store import store as module
from functions.adapters.store.store import MAX_ATTEMPTS, Store
from functions.domain.decision import Decision, HistoryEntry
from functions.domain.errors import Contended
from tests.domain.builders import BY_CLIENT

LONGEST_S = 0.4


class Busy(Store):
    """Somebody else is always faster."""

    def _commit(self, *parts: Any) -> None:
        raise Aborted("somebody was faster")

    def _committed(self, *parts: Any) -> bool:
        return False


def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long a call that never gets its turn has waited, between one try and the next."""
    waited: list[float] = []
    monkeypatch.setattr(module, "time", SimpleNamespace(sleep=waited.append))
    entry = HistoryEntry(what="tried", author=BY_CLIENT)
    with pytest.raises(Contended):
        Busy(None, lambda account, records: None).run("a", lambda reader: Decision(answer=None, history=(entry,)))  # type: ignore[arg-type]
    return waited


def test_two_that_collide_again_and_again_wait_differently_long(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = waits(monkeypatch), waits(monkeypatch)
    assert len(one) == len(other) == MAX_ATTEMPTS
    assert all(mine != theirs for mine, theirs in zip(one, other, strict=True))


def test_the_wait_grows_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    longest = [max(tries) for tries in zip(*(waits(monkeypatch) for _ in range(200)), strict=True)]
    assert longest[0] <= 0.01
    assert all(later > earlier for earlier, later in pairwise(longest[:6]))
    assert LONGEST_S / 2 < max(longest) <= LONGEST_S
