"""Ids of Google events: legal for Google, and the way back to the session from nothing but the id."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.event_ids import event_id, session_id, session_of
from tests.domain.builders import CALENDAR, SESSION

LEGAL_FOR_GOOGLE = re.compile(r"[a-v0-9]{5,1024}")
BYTES = st.binary(min_size=16, max_size=16)
CALENDARS = st.text(min_size=1, max_size=64)
ATTEMPTS = st.integers(0, 1023)


@given(BYTES)
def test_a_session_id_is_26_legal_characters(random_bytes: bytes) -> None:
    made = session_id(random_bytes)
    assert len(made) == 26
    assert LEGAL_FOR_GOOGLE.fullmatch(made)


@given(BYTES, BYTES)
def test_different_bytes_make_different_sessions(one: bytes, other: bytes) -> None:
    assert (session_id(one) == session_id(other)) is (one == other)


@pytest.mark.parametrize("length", [0, 15, 17, 32])
def test_a_session_id_is_made_of_16_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        session_id(bytes(length))


@given(BYTES, CALENDARS, ATTEMPTS)
def test_an_event_id_is_legal_and_leads_back_to_its_session(random_bytes: bytes, calendar: str, attempt: int) -> None:
    session = session_id(random_bytes)
    event = event_id(session, calendar, attempt)
    assert LEGAL_FOR_GOOGLE.fullmatch(event)
    assert session_of(event) == session


@given(st.lists(ATTEMPTS, unique=True, min_size=2, max_size=2))
def test_every_attempt_has_an_id_of_its_own(attempts: list[int]) -> None:  # case 100: a deleted id can't be used again
    one, other = (event_id(SESSION, CALENDAR, attempt) for attempt in attempts)
    assert one != other


def test_every_calendar_has_an_id_of_its_own() -> None:
    assert len({event_id(SESSION, f"calendar {n}", 0) for n in range(100)}) == 100


def test_the_id_is_the_same_every_time() -> None:
    # Written out: a change of the rule would lose the way back from every event that exists in Google.
    assert event_id(SESSION, "cal", 33) == "0123456789abcdefghijklmnop" + "ua65qm" + "11"


@pytest.mark.parametrize(
    "event",
    [
        pytest.param("", id="nothing"),
        pytest.param("7cbh8rpc10lrc0ckih9tafss99", id="an id as Google makes them"),
        pytest.param("_60q30c1g60o30e1i60o4ac1g60rj8gpl88rj2c1h84s34h9g60s30c1g60o30c1g", id="an id of an import"),
        pytest.param(event_id(SESSION, CALENDAR, 0).upper(), id="ours in capitals"),
        pytest.param(event_id(SESSION, CALENDAR, 0)[:-1], id="ours without its last character"),
        pytest.param(event_id(SESSION, CALENDAR, 0) + "0", id="ours with one more"),
        pytest.param(event_id(SESSION, CALENDAR, 0) + "\n", id="ours with a line's end"),
        pytest.param(event_id(SESSION, CALENDAR, 0)[:-1] + "w", id="ours with a letter that base32hex does not have"),
        pytest.param(event_id(SESSION, CALENDAR, 0) + "_20270301T090000Z", id="an instance of ours, made recurring"),
    ],
)
def test_other_ids_name_no_session(event: str) -> None:
    assert session_of(event) is None
