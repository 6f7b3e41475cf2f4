"""Seats that are kept: while a client fills in the form, and until an operator has answered a request."""

import time
from typing import Any

import requests

from tests.studio import Studio, until


def _hold(studio: Studio, start: str, **more: Any) -> requests.Response:
    return studio.post("holds", {"service": "consult", "start": start, **more})


def _proof(answer: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {answer['manage_token']}"}


def _client(studio: Studio) -> dict[str, Any]:
    return {"client": {"name": "Kim Doe", "email": studio.client_email}}


def _expire(studio: Studio, booking: str, session: str) -> None:
    """The hold's time is over, in every document that says when; nobody waits ten minutes."""
    past = int(time.time() * 1000) - 1
    account = studio.store.client.document(f"accounts/{studio.account}")
    account.collection("bookings").document(booking).update({"expires_at": past})
    account.collection("sessions").document(session).update({f"holds.`{booking}`.expires_at": past})
    for month in account.collection("resources").document("anna").collection("months").stream():
        entry = (month.to_dict() or {}).get("sessions", {}).get(session)
        if entry and booking in entry["holds"]:
            seats, _ = entry["holds"][booking]
            month.reference.update({f"sessions.`{session}`.holds.`{booking}`": [seats, past]})


def test_a_hold_keeps_the_time_and_becomes_a_booking(studio: Studio) -> None:
    nine = studio.starts()[0]
    held = _hold(studio, nine).json()
    assert (held["status"], held["start"]) == ("held", nine)
    assert nine not in studio.starts()
    assert studio.try_to_book(nine).status_code == 409
    assert studio.person.events() == [], "Google hears of it when somebody books"

    confirmed = studio.post(f"bookings/{held['id']}/confirm", _client(studio), **_proof(held))
    assert confirmed.status_code == 200
    assert confirmed.json()["status"] == "confirmed"
    until(lambda: len(studio.person.events()) == 1)
    until(lambda: any("confirmed" in subject for subject in studio.mails()))
    again = studio.post(f"bookings/{held['id']}/confirm", _client(studio), **_proof(held))
    assert again.json()["status"] == "confirmed", "confirming twice is once"


def test_a_hold_that_is_let_go_frees_the_time_at_once(empty_studio: Studio) -> None:
    whole = empty_studio.starts()
    held = _hold(empty_studio, whole[0]).json()
    assert empty_studio.post(f"bookings/{held['id']}/cancel", {}, **_proof(held)).status_code == 200
    assert empty_studio.starts() == whole


def test_a_hold_lapses_by_the_clock_and_is_cleared_away(empty_studio: Studio) -> None:
    whole = empty_studio.starts()
    held = _hold(empty_studio, whole[0]).json()
    _expire(empty_studio, held["id"], held["session"])
    assert empty_studio.starts() == whole, "free from that moment, whoever clears away"
    other = empty_studio.book(whole[0])
    late = empty_studio.post(f"bookings/{held['id']}/confirm", _client(empty_studio), **_proof(held))
    assert late.status_code == 409
    assert late.json()["type"] == "urn:booking:problem:hold-lapsed"
    assert other.look()["status"] == "confirmed"


def test_a_hold_that_lapsed_and_nobody_else_wanted_is_still_good(empty_studio: Studio) -> None:
    nine = empty_studio.starts()[0]
    held = _hold(empty_studio, nine).json()
    _expire(empty_studio, held["id"], held["session"])
    confirmed = empty_studio.post(f"bookings/{held['id']}/confirm", _client(empty_studio), **_proof(held))
    assert confirmed.json()["status"] == "confirmed"
    assert nine not in empty_studio.starts()


def test_holds_of_a_class_count_as_seats(empty_studio: Studio) -> None:
    empty_studio.offer(capacity=3)
    nine = empty_studio.starts()[0]
    first = _hold(empty_studio, nine, seats=2).json()
    assert nine in empty_studio.starts(seats=1)
    assert _hold(empty_studio, nine, seats=2).status_code == 409
    assert empty_studio.book(nine).session == first["session"]
    assert nine not in empty_studio.starts()


def test_a_request_keeps_its_seats_until_an_operator_confirms_it(studio: Studio) -> None:
    studio.offer(confirmation="operator")
    nine = studio.starts()[0]
    asked = studio.try_to_book(nine).json()
    assert (asked["status"], asked["requested"]) == ("held", True)
    assert nine not in studio.starts()
    until(lambda: any("request" in subject for subject in studio.mails()))
    own = studio.post(f"bookings/{asked['id']}/confirm", {}, **_proof(asked))
    assert own.status_code == 409, "a client can't confirm their own request"

    answer = studio.http.post(f"{studio.base}/bookings/{asked['id']}/confirm", headers=studio.operator)
    assert answer.json()["status"] == "confirmed"
    until(lambda: len(studio.person.events()) == 1)
    assert ("booking.confirmed", "operator") in [
        (entry["what"], entry["author_kind"]) for entry in studio.history(booking=asked["id"])
    ]


def test_a_form_that_is_filled_in_is_a_request_where_an_operator_confirms(empty_studio: Studio) -> None:
    empty_studio.offer(confirmation="operator")
    nine = empty_studio.starts()[0]
    held = _hold(empty_studio, nine).json()
    asked = empty_studio.post(f"bookings/{held['id']}/confirm", _client(empty_studio), **_proof(held)).json()
    assert (asked["status"], asked["requested"]) == ("held", True)
    again = empty_studio.post(f"bookings/{held['id']}/confirm", _client(empty_studio), **_proof(held))
    assert (again.status_code, again.json()) == (200, asked), "the same form is answered the same"
    other = {"client": {"name": "Lee Doe", "email": empty_studio.client_email}}
    changed = empty_studio.post(f"bookings/{held['id']}/confirm", other, **_proof(held))
    assert changed.status_code == 409, "it is with the operator now"
    answer = empty_studio.http.post(f"{empty_studio.base}/bookings/{held['id']}/confirm", headers=empty_studio.operator)
    assert answer.json()["status"] == "confirmed"


def test_two_requests_for_one_slot_are_one_too_many(empty_studio: Studio) -> None:
    empty_studio.offer(confirmation="operator")
    nine = empty_studio.starts()[0]
    assert empty_studio.try_to_book(nine).status_code == 201
    assert empty_studio.try_to_book(nine).status_code == 409


def test_clients_change_their_booking_until_the_service_says_and_operators_longer(empty_studio: Studio) -> None:
    empty_studio.offer(client_cancel_until_minutes=30 * 24 * 60, client_reschedule_until_minutes=30 * 24 * 60)
    nine, ten = empty_studio.starts()[0], empty_studio.starts()[2]
    booked = empty_studio.book(nine)
    assert booked.reschedule(ten).status_code == 409
    cancel = f"{empty_studio.base}/bookings/{booked.id}/cancel"
    late = empty_studio.http.post(cancel, json={}, headers={"Authorization": f"Bearer {booked.token}"})
    assert (late.status_code, late.json()["until_minutes"]) == (409, 30 * 24 * 60)
    assert empty_studio.http.post(cancel, json={}, headers=empty_studio.operator).status_code == 200
