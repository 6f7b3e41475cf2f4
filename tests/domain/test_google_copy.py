"""What a session looks like in Google: all of it in the insert, only what we own and what changed in a patch."""

from typing import Any

import pytest

from functions.domain.configuration import FormQuestion
from functions.domain.google_copy import is_of_session, new_event, patch
from functions.domain.inbound import new_times
from functions.domain.session import Client
from tests.domain.builders import BERLIN, SESSION, booking, copy, google_event, resource, row, service, session

NINE = "2027-03-01T09:00Z/2027-03-01T10:00Z"
TEN = "2027-03-01T10:00Z/2027-03-01T11:00Z"
KIM = booking(notes="by the window", client=Client(name="Kim", email="kim@example.com", phone="+49 30 1234"))
LOU = booking(id="booking2", client=Client(name="Lou", email="lou@example.com"))
PROPERTIES = {
    "private": {"bookingAccount": "demo", "bookingSession": SESSION, "bookingVersion": "1"},
}


def inserted(*bookings: Any) -> dict[str, Any]:
    return new_event(session(), copy(), account="demo", service=service(), resource=resource(), bookings=bookings)


class TestInsert:
    def test_it_has_its_own_id_so_that_it_is_safe_to_repeat(self) -> None:  # case 92
        assert inserted(KIM)["id"] == copy().event

    def test_its_times_are_instants_with_the_resources_zone(self) -> None:
        body = inserted(KIM)
        assert body["start"] == {"dateTime": "2027-03-01T09:00:00Z", "timeZone": BERLIN}
        assert body["end"] == {"dateTime": "2027-03-01T10:00:00Z", "timeZone": BERLIN}

    def test_it_says_who_comes_and_how_to_reach_them(self) -> None:
        body = inserted(KIM, LOU)
        assert body["summary"] == "Haircut: Kim, Lou"
        assert body["description"] == "Kim\nkim@example.com\n+49 30 1234\nby the window\n\nLou\nlou@example.com"
        assert [guest["email"] for guest in body["attendees"]] == ["kim@example.com", "lou@example.com"]

    def test_it_says_what_they_answered_with_the_questions(self) -> None:
        asked = service(
            questions=(FormQuestion(id="mat", label="Which mat?", kind="choice", choices=("thin", "thick")),)
        )
        body = new_event(
            session(),
            copy(),
            account="demo",
            service=asked,
            resource=resource(),
            bookings=[KIM.model_copy(update={"answers": {"mat": "thick"}}), LOU],
        )
        assert body["description"] == (
            "Kim\nkim@example.com\n+49 30 1234\nby the window\nWhich mat?: thick\n\nLou\nlou@example.com"
        )

    def test_of_a_session_with_nobody_in_it_yet_it_says_what_it_is(self) -> None:
        body = inserted()
        assert (body["summary"], body["description"], body["attendees"]) == ("Haircut", "", [])

    def test_it_carries_our_mark_in_this_calendars_copy_only(self) -> None:
        assert inserted(KIM)["extendedProperties"] == PROPERTIES

    def test_what_we_insert_is_read_back_as_the_session(self) -> None:  # case 91
        body = inserted(KIM)
        assert new_times(row(body), BERLIN) == session().times
        assert is_of_session(body, session())


class TestPatch:
    def patched(self, base: str) -> dict[str, Any]:
        return patch(session(), copy(base), account="demo", resource=resource())

    def test_a_move_is_sent_and_nothing_of_the_owners(self) -> None:  # cases 97 and 108
        assert self.patched(TEN) == {
            "start": {"dateTime": "2027-03-01T09:00:00Z", "date": None, "timeZone": BERLIN},
            "end": {"dateTime": "2027-03-01T10:00:00Z", "date": None, "timeZone": BERLIN},
            "extendedProperties": PROPERTIES,
        }

    def test_times_that_google_has_already_are_not_sent_again(self) -> None:
        assert self.patched(NINE) == {"extendedProperties": PROPERTIES}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"extendedProperties": PROPERTIES}, True, id="our mark"),
        pytest.param({"extendedProperties": {"private": {"bookingSession": "another"}}}, False, id="another session's"),
        pytest.param({"extendedProperties": {"shared": PROPERTIES["private"]}}, False, id="where guests can write it"),
        pytest.param({"extendedProperties": {}}, False, id="none"),
        pytest.param({"extendedProperties": None}, False, id="nothing"),
        pytest.param({}, False, id="no properties"),
    ],
)
def test_an_event_with_our_id_is_ours_only_with_our_mark(changes: dict[str, Any], *, expected: bool) -> None:  # case 95
    assert is_of_session(google_event() | changes, session()) is expected
