"""The first thing that must be true: a booking reaches Google Calendar, and Google's changes reach availability."""

from tests.studio import Studio, instants, until


def test_a_booking_and_its_event_tell_the_same_story_from_both_sides(studio: Studio) -> None:
    nine, half_past, ten, eleven, noon = (studio.starts()[n] for n in (0, 1, 2, 4, 6))

    booking = studio.book(nine)
    event = booking.written()
    assert instants(event) == (nine, half_past)
    assert [guest["email"] for guest in event["attendees"]] == [studio.client_email]
    assert event["extendedProperties"]["private"]["bookingAccount"] == studio.account
    assert event["extendedProperties"]["private"]["bookingSession"] == booking.session
    assert nine not in studio.starts()

    private = studio.person.add(ten, eleven)
    until(lambda: ten not in studio.starts())
    assert eleven in studio.starts()
    assert studio.try_to_book(ten).json()["type"] == "urn:booking:problem:slot-taken"

    studio.person.delete(private["id"])
    until(lambda: ten in studio.starts())

    studio.person.move(event["id"], eleven, studio.starts()[4])
    until(lambda: booking.look()["start"] == eleven)
    assert nine in studio.starts()
    assert eleven not in studio.starts()

    assert booking.reschedule(noon).status_code == 200
    event = booking.written()
    assert instants(event)[0] == noon
    assert eleven in studio.starts()

    studio.person.delete(event["id"])
    until(lambda: booking.look()["status"] == "cancelled")
    assert booking.look()["cancelled_by"] == "google"
    assert noon in studio.starts()
    assert booking.event() is None

    assert booking.history() == [
        ("booking.confirmed", "client"),
        ("session.moved", "google"),
        ("session.moved", "client"),
        ("booking.cancelled", "google"),
    ]
    until(lambda: len(studio.mails()) == 4)
    assert [subject.partition(":")[0] for subject in studio.mails()] == [
        "Your booking is confirmed",
        "Your booking has a new time",
        "Your booking has a new time",
        "Your booking is cancelled",
    ]


def test_the_same_story_with_every_push_lost_converges_by_polling(studio: Studio) -> None:  # case 19
    nine, ten, eleven = (studio.starts()[n] for n in (0, 2, 4))
    booking = studio.book(nine)
    event = booking.written()

    with studio.pushes(drop=1.0):
        studio.person.add(ten, eleven)
        until(lambda: ten not in studio.starts(), nudge=studio.poll)
        studio.person.move(event["id"], eleven, studio.starts()[3])
        until(lambda: booking.look()["start"] == eleven, nudge=studio.poll)
        assert nine in studio.starts()
        studio.person.delete(event["id"])
        until(lambda: booking.look()["status"] == "cancelled", nudge=studio.poll)
        assert eleven in studio.starts()
    assert booking.history() == [
        ("booking.confirmed", "client"),
        ("session.moved", "google"),
        ("booking.cancelled", "google"),
    ]


def test_a_client_who_cancels_frees_the_time_and_takes_the_event_away(studio: Studio) -> None:
    nine = studio.starts()[0]
    booking = studio.book(nine)
    booking.written()
    assert booking.cancel()["status"] == "cancelled"
    assert nine in studio.starts()
    until(lambda: booking.event() is None)
    assert booking.cancel()["status"] == "cancelled"  # again is no error
    again = studio.book(nine)  # case 121
    assert again.written()["id"] != booking.id
    assert booking.history() == [("booking.confirmed", "client"), ("booking.cancelled", "client")]


def test_a_booking_cancelled_before_google_heard_of_it_leaves_nothing_behind(studio: Studio) -> None:
    for start in studio.starts()[:4]:
        booking = studio.book(start)
        booking.cancel()
        until(lambda b=booking: b.look()["calendar_copy"] == "written")
        assert booking.event() is None
