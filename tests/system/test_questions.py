"""What a service asks its clients: shown to them, answered with the booking, read by operators and in Google."""

from typing import Any

import pytest

from tests.studio import Studio
from tests.system.test_bad_input import problem

MAT = {
    "id": "mat",
    "label": "Which mat?",
    "kind": "choice",
    "choices": ["thin", "thick"],
    "required": True,
}
ALLERGIES = {"id": "allergies", "label": "Any allergies?", "kind": "text"}
ANSWERS = {"mat": "thick", "allergies": "nuts"}


@pytest.fixture
def asking(empty_studio: Studio) -> Studio:
    empty_studio.offer(questions=[MAT, ALLERGIES])
    return empty_studio


def by_operator(studio: Studio) -> list[dict[str, Any]]:
    return [booking.get("answers") for booking in studio.look("bookings")["bookings"]]


def test_clients_see_what_they_will_be_asked(asking: Studio) -> None:
    (service,) = asking.http.get(f"{asking.base}/services").json()["services"]
    assert service["questions"] == [MAT, ALLERGIES | {"required": False, "choices": []}]


def test_answers_are_read_by_operators_and_in_google_with_their_questions(studio: Studio) -> None:
    studio.offer(questions=[MAT, ALLERGIES])
    booked = studio.book(studio.starts()[0], answers=ANSWERS, notes="by the window")
    assert by_operator(studio) == [ANSWERS]
    assert "answers" not in booked.look(), "what a client wrote is for the business"
    lines = booked.written()["description"].splitlines()
    assert lines[-3:] == ["by the window", "Which mat?: thick", "Any allergies?: nuts"]


@pytest.mark.parametrize(
    ("answers", "field", "message"),
    [
        pytest.param({}, "answers.mat", "Answer this question.", id="a required one left out"),
        pytest.param({"mat": "soft"}, "answers.mat", "Choose one of: thin, thick.", id="none of the choices"),
        pytest.param({"mat": "thin", "size": "M"}, "answers.size", "Nobody asks this", id="an answer to nothing"),
        pytest.param(
            {"mat": "thin", "allergies": "x" * 2001}, "answers.allergies", "at most 2000", id="an endless answer"
        ),
    ],
)
def test_what_does_not_answer_is_named_and_nothing_is_booked(
    asking: Studio, answers: dict[str, str], field: str, message: str
) -> None:
    nine = asking.starts()[0]
    for answer in (
        asking.try_to_book(nine, answers=answers),
        asking.try_to_book_series(nine, weeks=2, answers=answers),
    ):
        errors = problem(answer, 422, "invalid-request")["errors"]
        (error,) = errors  # type: ignore[misc]
        assert error["field"] == field
        assert message in error["message"]
    assert nine in asking.starts()


@pytest.mark.parametrize("answers", [{"mat": True}, {"mat": "th\u0000in"}, ["thin"], {"x" * 41: "y"}])
def test_what_is_no_answer_at_all(asking: Studio, answers: Any) -> None:
    problem(asking.try_to_book(asking.starts()[0], answers=answers), 422, "invalid-request")


def test_a_hold_needs_none_until_it_is_confirmed(asking: Studio) -> None:
    held = asking.post("holds", {"service": "consult", "start": asking.starts()[0]}).json()
    proof = {"Authorization": f"Bearer {held['manage_token']}"}
    form: dict[str, Any] = {"client": {"name": "Kim Doe", "email": asking.client_email}}
    address = f"bookings/{held['id']}/confirm"
    problem(asking.post(address, form, **proof), 422, "invalid-request")
    confirmed = asking.post(address, form | {"answers": ANSWERS}, **proof)
    assert confirmed.json()["status"] == "confirmed"
    assert asking.post(address, form, **proof).json()["status"] == "confirmed", "confirming twice is once"
    assert by_operator(asking) == [ANSWERS]


def test_an_operator_who_confirms_a_request_keeps_them(empty_studio: Studio) -> None:
    empty_studio.offer(questions=[MAT], confirmation="operator")
    asked = empty_studio.try_to_book(empty_studio.starts()[0], answers={"mat": "thin"}).json()
    answer = empty_studio.http.post(
        f"{empty_studio.base}/bookings/{asked['id']}/confirm", headers=empty_studio.operator
    )
    assert answer.json()["status"] == "confirmed"
    assert by_operator(empty_studio) == [{"mat": "thin"}]


def test_a_series_has_them_on_every_week(asking: Studio) -> None:
    asking.book_series(asking.starts()[0], weeks=2, answers=ANSWERS)
    assert by_operator(asking) == [ANSWERS, ANSWERS]


@pytest.mark.parametrize(
    "questions",
    [
        pytest.param([MAT, MAT], id="the same id twice"),
        pytest.param([MAT | {"id": "Mat"}], id="an id in capitals"),
        pytest.param([MAT | {"choices": []}], id="a choice without choices"),
        pytest.param([ALLERGIES | {"choices": ["nuts"]}], id="choices without a choice"),
        pytest.param([MAT | {"kind": "colour"}], id="a kind that is none"),
        pytest.param([MAT | {"label": ""}], id="no question"),
        pytest.param([MAT | {"label": "two\nlines"}], id="a question on two lines"),
        pytest.param([MAT | {"colour": "red"}], id="an unknown field"),
        pytest.param([MAT | {"id": f"q{n}"} for n in range(21)], id="too many"),
    ],
)
def test_what_can_not_be_asked(empty_studio: Studio, questions: list[dict[str, Any]]) -> None:
    body = {"name": "C", "duration_minutes": 30, "step_minutes": 30, "resources": ["anna"], "questions": questions}
    address = f"{empty_studio.base}/services/consult"
    problem(empty_studio.http.put(address, json=body, headers=empty_studio.operator), 422, "invalid-request")
