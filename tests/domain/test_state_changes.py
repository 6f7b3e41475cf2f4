"""What history keeps of a state: only what changed, enough to rebuild the state, and nothing that is nobody's business."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.ledger import Hold, Waiting
from functions.domain.model import Document
from functions.domain.session import Booking, Client, Conflict, Session
from functions.domain.state_changes import difference, rebuilt, state_of
from functions.domain.waitlist.entry import Place, WaitlistEntry, Wish
from tests.domain.builders import CALENDAR, NOW, SESSION, booking, copy, session

CLASS = {f"booking{number}": 1 for number in range(200)}


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        pytest.param({}, {"start": 1, "seats": {}}, {"start": 1, "seats": {}}, id="all of what is new"),
        pytest.param({"start": 1}, {"start": 1}, {}, id="nothing of what is the same"),
        pytest.param({"start": 1, "end": 2}, {"start": 3, "end": 2}, {"start": 3}, id="a field that changed"),
        pytest.param({"reason": "ill"}, {}, {"reason": None}, id="a field that says nothing any more"),
        pytest.param({"closed": True}, {"closed": False}, {"closed": False}, id="false is not nothing"),
        pytest.param({"seats": CLASS}, {"seats": CLASS | {"x": 2}}, {"seats": {"x": 2}}, id="the one seat of a class"),
        pytest.param({"seats": {"a": 1, "b": 1}}, {"seats": {"b": 1}}, {"seats": {"a": None}}, id="a seat given up"),
        pytest.param({"seats": {"a": 1}}, {"seats": {}}, {"seats": {"a": None}}, id="the last seat given up"),
        pytest.param({"holds": {"a": {"seats": 1}}}, {"holds": {}}, {"holds": {"a": None}}, id="a hold let go"),
        pytest.param(
            {"holds": {"a": {"seats": 1, "expires_at": 5}}},
            {"holds": {"a": {"seats": 1, "expires_at": 9}}},
            {"holds": {"a": {"expires_at": 9}}},
            id="a hold kept longer",
        ),
        pytest.param({"resources": ["anna"]}, {"resources": ["ben"]}, {"resources": ["ben"]}, id="a list as a whole"),
        pytest.param({"a": 1}, {"a": {"b": 1}}, {"a": {"b": 1}}, id="a map where there was none"),
    ],
)
def test_a_change_holds_what_differs(before: dict[str, Any], after: dict[str, Any], change: dict[str, Any]) -> None:
    assert difference(before, after) == change
    assert rebuilt([difference({}, before), change]) == after


# Neither 0 nor 1, which Python takes for False and True.
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | st.integers(-3, 3).filter(lambda n: n not in (0, 1)) | st.sampled_from("ab"),
    lambda inner: st.lists(inner | st.none(), max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
STATES = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)


@given(st.lists(STATES, min_size=1, max_size=6))
def test_from_all_changes_in_order_comes_the_last_state(states: list[dict[str, Any]]) -> None:
    changes = [difference(before, after) for before, after in zip([{}, *states], states, strict=False)]
    assert rebuilt(changes) == states[-1]


# Everything that can be said of each of them, so that a field which is added is seen here to be kept, or left out on purpose.
FULL: dict[str, Document] = {
    "session": session(
        holds={"held": Hold(seats=2, expires_at=NOW)},
        copies={CALENDAR: copy(etag='"1"', written=1, error="usage limit")},
        conflict=Conflict(reason="taken", since=NOW),
        series="evenings",
        waitlist="evenings",
        waiting=Waiting(smallest=2, until=7),
        cancelled_by="google",
        reason="deleted in Google Calendar",
    ),
    "booking": booking(
        client=Client(name="Kim Doe", email="kim@example.com", phone="+49 30 1"),
        client_key="key of kim",
        notes="by the window",
        answers={"allergies": "nuts"},
        entry="entry1",
        series="weekly",
        conflict=Conflict(reason="taken", since=NOW),
        expires_at=NOW,
        cancelled_by="client",
        reason="ill",
        manage_hash="hash of a token",
    ),
    "entry": WaitlistEntry(
        id="entry1",
        service="cut",
        client=Client(name="Kim Doe", email="kim@example.com", phone="+49 30 1"),
        place=Place(wish=Wish(sessions=(SESSION,), start=1, end=2), seats=2, client_key="key of kim", joined_at=NOW),
        answers={"allergies": "nuts"},
        notes="by the window",
        booking="booking1",
        manage_hash="hash of a token",
        ended_by="client",
        reason="ill",
        created_at=NOW,
    ),
}


@pytest.mark.parametrize(
    ("name", "left_out"),
    [
        ("session", {"copies", "waiting"}),
        ("booking", {"client", "client_key", "notes", "answers", "manage_hash"}),
        ("entry", {"client", "notes", "answers", "manage_hash"}),
    ],
)
def test_every_field_is_state_but_for_these(name: str, left_out: set[str]) -> None:
    fields = {field for field, value in FULL[name].model_dump().items() if value is not None}
    assert fields - state_of(FULL[name]).keys() == left_out


@pytest.mark.parametrize("name", FULL)
def test_nobody_is_known_by_it_and_no_secret_is_in_it(name: str) -> None:
    kept = str(state_of(FULL[name])).casefold()
    assert not [word for word in ("kim", "+49", "window", "nuts", "hash") if word in kept]


def test_a_seat_taken_in_a_class_is_all_that_is_kept_of_it() -> None:
    before = session(seats=CLASS, version=200)
    after = before.model_copy(update={"seats": {**CLASS, "mine": 2}, "version": 201})
    assert difference(state_of(before), state_of(after)) == {"seats": {"mine": 2}, "version": 201}


def test_what_the_sync_notes_of_google_is_no_change() -> None:
    before = session(copies={CALENDAR: copy(written=0)})
    after = before.with_copy(copy(written=1, etag='"2"'))
    assert difference(state_of(before), state_of(after)) == {}


def test_what_is_not_there_has_no_state() -> None:
    assert state_of(None) == {}
    for document in (session(), booking()):
        assert isinstance(document, Session | Booking)
        assert difference(state_of(None), state_of(document)) == state_of(document)
