"""What a session looks like in Google: all of it in the insert, only what we own and what changed in a patch."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.configuration import FormQuestion
from functions.domain.google_copy import (
    MOST_GUESTS,
    Content,
    content_of,
    is_of_session,
    is_only_ours,
    is_strangers,
    marks,
    must_be_seen,
    new_event,
    patch,
    patch_seen,
    says,
)
from functions.domain.own_event import new_times
from functions.domain.session import Booking, Client, GoogleCopy
from tests.domain.builders import (
    BERLIN,
    CALENDAR,
    SESSION,
    booking,
    copy,
    google_event,
    resource,
    row,
    service,
    session,
    times,
)

NINE = "2027-03-01T09:00Z/2027-03-01T10:00Z"
TEN = "2027-03-01T10:00Z/2027-03-01T11:00Z"
AT_NINE = {
    "start": {"dateTime": "2027-03-01T09:00:00Z", "timeZone": BERLIN},
    "end": {"dateTime": "2027-03-01T10:00:00Z", "timeZone": BERLIN},
}
KIM = booking(notes="by the window", client=Client(name="Kim", email="kim@example.com", phone="+49 30 1234"))
LOU = booking(id="booking2", client=Client(name="Lou", email="lou@example.com"))
MAX = booking(id="booking3", client=Client(name="Max", email="Max@example.com"))
OWNERS_GUEST = {"email": "partner@example.com", "responseStatus": "tentative"}
PROPERTIES = {
    "private": {"bookingAccount": "demo", "bookingSession": SESSION, "bookingVersion": "1"},
}


def saying(*bookings: Booking) -> Content:
    return content_of(session(), CALENDAR, service(), bookings)


def inserted(*bookings: Booking) -> dict[str, Any]:
    return new_event(session(), copy(), saying(*bookings), account="demo", resource=resource())


def written(*bookings: Booking, base: str = NINE, **changes: Any) -> GoogleCopy:
    """The copy after a write of a session with these bookings that nobody has touched since."""
    return copy(base, **{"etag": '"1"', "left": '"1"', "wrote": marks(copy(), saying(*bookings)), **changes})


def emails(body: dict[str, Any]) -> list[str]:
    return [guest["email"] for guest in body["attendees"]]


class TestInsert:
    def test_it_has_its_own_id_so_that_it_is_safe_to_repeat(self) -> None:  # case 92
        assert inserted(KIM)["id"] == copy().event

    def test_its_times_are_instants_with_the_resources_zone(self) -> None:
        assert AT_NINE.items() <= inserted(KIM).items()

    def test_it_says_who_comes_and_how_to_reach_them(self) -> None:
        body = inserted(KIM, LOU)
        assert body["summary"] == "Haircut: Kim, Lou"
        assert body["description"] == "Kim\nkim@example.com\n+49 30 1234\nby the window\n\nLou\nlou@example.com"
        assert emails(body) == ["kim@example.com", "lou@example.com"]

    def test_it_says_the_same_in_whatever_order_the_bookings_come(self) -> None:
        assert inserted(LOU, KIM) == inserted(KIM, LOU)

    def test_who_comes_twice_is_one_guest(self) -> None:
        again = LOU.model_copy(update={"id": "booking9", "client": Client(name="Lou", email="Lou@Example.com")})
        assert len(inserted(LOU, again)["attendees"]) == 1

    def test_of_a_great_many_as_many_are_guests_as_google_takes(self) -> None:
        crowd = [booking(id=f"b{n}", client=Client(name=f"N{n}", email=f"n{n}@example.com")) for n in range(250)]
        assert len(inserted(*crowd)["attendees"]) == MOST_GUESTS
        assert "n249@example.com" in inserted(*crowd)["description"]

    def test_it_says_what_they_answered_with_the_questions(self) -> None:
        asked = service(
            questions=(FormQuestion(id="mat", label="Which mat?", kind="choice", choices=("thin", "thick")),)
        )
        content = content_of(session(), CALENDAR, asked, [KIM.model_copy(update={"answers": {"mat": "thick"}}), LOU])
        assert content.description == (
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
        assert is_only_ours(body, saying(KIM))


class TestPatchOfAnEventAsWeLeftIt:
    def patched(self, held: GoogleCopy, *bookings: Booking) -> dict[str, Any]:
        assert not must_be_seen(held, saying(*bookings))
        return patch(session(), held, saying(*bookings), account="demo", resource=resource())

    def test_a_move_is_sent_and_nothing_of_the_owners(self) -> None:  # cases 97 and 108
        moved = {name: {**time, "date": None} for name, time in AT_NINE.items()}
        assert self.patched(written(KIM, base=TEN), KIM) == {**moved, "extendedProperties": PROPERTIES}

    def test_what_google_holds_already_is_not_sent_again(self) -> None:
        assert self.patched(written(KIM), KIM) == {}

    def test_who_joins_comes_into_title_text_and_guests(self) -> None:
        body = self.patched(written(KIM), KIM, LOU)
        assert (body["summary"], emails(body)) == ("Haircut: Kim, Lou", ["kim@example.com", "lou@example.com"])
        assert "Lou" in body["description"]
        assert "start" not in body

    def test_who_leaves_goes_out_of_them(self) -> None:
        body = self.patched(written(KIM, LOU), LOU)
        assert (body["summary"], emails(body), body["description"]) == (
            "Haircut: Lou",
            ["lou@example.com"],
            "Lou\nlou@example.com",
        )

    def test_what_a_client_changed_in_their_text_alone_leaves_the_guests_alone(self) -> None:
        body = self.patched(written(LOU), LOU.model_copy(update={"notes": "by the door"}))
        assert body == {"description": "Lou\nlou@example.com\nby the door", "extendedProperties": PROPERTIES}

    def test_where_clients_are_to_be_no_guests_any_more_they_go_and_the_text_stays(self) -> None:
        content = content_of(session(), CALENDAR, service(clients_as_guests=False), [KIM])
        body = patch(session(), written(KIM), content, account="demo", resource=resource())
        assert body == {"attendees": [], "extendedProperties": PROPERTIES}
        assert content.description == saying(KIM).description


class TestWhenTheEventMustBeSeen:
    @pytest.mark.parametrize(
        ("held", "now", "expected"),
        [
            pytest.param(written(KIM), (KIM, LOU), False, id="as we left it, and somebody joins"),
            pytest.param(written(KIM, base=TEN, etag='"2"'), (KIM,), False, id="touched, but only our time changes"),
            pytest.param(written(KIM, etag='"2"'), (KIM, LOU), True, id="touched, and somebody joins"),
            pytest.param(written(KIM, left=None), (KIM, LOU), True, id="with the owner's own, and somebody joins"),
            pytest.param(written(KIM, etag=None), (KIM,), True, id="no etag to hold on to"),
        ],
    )
    def test_only_where_a_patch_could_take_something_from_its_owner(
        self, held: GoogleCopy, now: tuple[Booking, ...], *, expected: bool
    ) -> None:
        assert must_be_seen(held, saying(*now)) is expected


class TestPatchOfAnEventAsItIs:
    def patched(self, event: dict[str, Any], held: GoogleCopy, *bookings: Booking, at: str = NINE) -> dict[str, Any]:
        """Without the mark that every patch carries."""
        content = saying(*bookings)
        body = patch_seen(event, times(at), session(), held, content, account="demo", resource=resource())
        assert not body or body.pop("extendedProperties") == PROPERTIES
        return body

    def test_guests_that_the_owner_added_stay(self) -> None:  # case 112
        event = inserted(KIM) | {"attendees": [*inserted(KIM)["attendees"], OWNERS_GUEST]}
        body = self.patched(event, written(KIM, left=None), LOU)
        assert body["attendees"] == [OWNERS_GUEST, inserted(LOU)["attendees"][0]]

    def test_a_client_whom_the_owner_took_out_does_not_come_back(self) -> None:  # case 112
        event = inserted(KIM) | {"attendees": []}
        assert emails(self.patched(event, written(KIM), KIM, LOU)) == ["lou@example.com"]

    def test_what_a_guest_answered_stays(self) -> None:  # case 111
        declined = inserted(KIM)["attendees"][0] | {"responseStatus": "declined", "comment": "ill"}
        body = self.patched(inserted(KIM) | {"attendees": [declined]}, written(KIM), KIM, LOU)
        assert body["attendees"] == [declined, inserted(LOU)["attendees"][0]]

    @pytest.mark.parametrize(
        ("theirs", "changed"),
        [
            pytest.param({}, {"summary", "description", "attendees"}, id="nothing of theirs"),
            pytest.param({"summary": "VIP!"}, {"description", "attendees"}, id="a title of theirs"),
            pytest.param({"description": "Ring twice"}, {"summary", "attendees"}, id="a text of theirs"),
            pytest.param({"description": None}, {"summary", "attendees"}, id="they took the text away"),
        ],
    )
    def test_texts_that_the_owner_wrote_stay(self, theirs: dict[str, Any], changed: set[str]) -> None:  # cases 97, 108
        assert set(self.patched(inserted(KIM) | theirs, written(KIM), KIM, LOU)) == changed

    def test_what_is_there_already_is_not_sent_again(self) -> None:
        assert self.patched(inserted(KIM), copy(asked=[NINE], writing=marks(copy(), saying(KIM))), KIM) == {}

    def test_what_a_lost_write_brought_is_known_as_ours(self) -> None:  # case 92
        held = copy(asked=[TEN, NINE], writing=(*marks(copy(), saying(KIM)), *marks(copy(), saying(KIM, LOU))))
        body = self.patched(inserted(KIM), held, KIM, LOU, at=TEN)
        assert (body["summary"], emails(body)) == ("Haircut: Kim, Lou", ["kim@example.com", "lou@example.com"])
        assert body["start"] == {**AT_NINE["start"], "date": None}

    def test_where_google_hides_guests_none_is_lost(self) -> None:
        event = inserted(KIM) | {"attendees": [], "attendeesOmitted": True}
        assert "attendees" not in self.patched(event, written(KIM), KIM, LOU)

    def test_the_owners_guests_and_ours_are_never_more_than_google_takes(self) -> None:
        theirs = [{"email": f"n{n}@example.org"} for n in range(MOST_GUESTS)]
        assert self.patched(inserted(KIM) | {"attendees": theirs}, written(KIM), KIM, LOU).get("attendees") is None


SOME = st.lists(st.sampled_from([KIM, LOU, MAX]), unique_by=lambda each: each.id)
GUESTS = st.lists(st.sampled_from(["partner@example.com", "boss@example.com"]), unique=True)


@given(was=SOME, now=SOME, theirs=GUESTS, title=st.sampled_from([None, "VIP!"]))
def test_whoever_comes_and_goes_the_event_says_what_is_and_the_owners_own_stays(
    was: list[Booking], now: list[Booking], theirs: list[str], title: str | None
) -> None:
    event = inserted(*was)
    event["attendees"] += [{"email": address} for address in theirs]
    event["summary"] = title or event["summary"]
    held = written(*was, etag='"2"')
    for _ in range(2):  # the second finds nothing to do
        event |= patch_seen(event, times(NINE), session(), held, saying(*now), account="demo", resource=resource())
        held = written(*now, etag='"3"')
        assert set(emails(event)) == {*theirs, *(each.client.email for each in now)}
        assert event["summary"] == (title or inserted(*now)["summary"])
        assert event["description"] == inserted(*now)["description"]
    assert says(held, saying(*now))
    assert is_only_ours(event, saying(*now)) is (not theirs and title is None)


def test_marks_keep_no_address_and_are_another_in_every_event() -> None:
    kept = marks(copy(), saying(KIM))
    assert not [mark for mark in kept if "kim" in mark.casefold()]
    assert not {*kept} & {*marks(copy(event="another"), saying(KIM))}


@pytest.mark.parametrize(
    ("event", "held", "expected"),
    [
        pytest.param(google_event(copy().event), copy(), True, id="no mark, and nothing of ours is there yet"),
        pytest.param(inserted(KIM), copy(), False, id="our mark"),
        pytest.param(google_event(copy().event), copy(NINE), False, id="ours, and the mark was dropped by its owner"),
        pytest.param({"id": copy().event, "status": "cancelled"}, copy(), False, id="what is left of a deleted one"),
        pytest.param(google_event("another"), copy(), False, id="another event"),
    ],
)
def test_an_event_with_our_id_is_a_strangers_only_while_ours_is_not_there(  # case 95
    event: dict[str, Any], held: GoogleCopy, *, expected: bool
) -> None:
    assert is_strangers(event, session(copies={CALENDAR: held}), CALENDAR) is expected
    assert not is_strangers(event, None, CALENDAR)


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
