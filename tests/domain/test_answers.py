"""Answers to a service's questions: what is kept, and what is sent back with what to do about it."""

import pytest

from functions.domain.answers import checked, labelled
from functions.domain.configuration import FormQuestion
from functions.domain.errors import Invalid
from tests.domain.builders import service

ALLERGIES = FormQuestion(id="allergies", label="Any allergies?", kind="text")
NICKNAME = FormQuestion(id="nickname", label="What shall we call you?")
FIRST_TIME = FormQuestion(id="first_time", label="Is it your first time?", kind="yes_no", required=True)
MAT = FormQuestion(id="mat", label="Which mat?", kind="choice", choices=("thin", "thick"))
YOGA = service(questions=(FIRST_TIME, NICKNAME, MAT, ALLERGIES))


def complaints(**answers: str) -> dict[str, str]:
    """What is said of each field."""
    with pytest.raises(Invalid) as refused:
        checked(YOGA, answers)
    return {error["field"]: error["message"] for error in refused.value.extra["errors"]}


def test_answers_are_kept_in_the_order_of_the_questions_and_trimmed() -> None:
    given = {"allergies": " nuts,\nlatex ", "mat": "thick", "first_time": "no", "nickname": ""}
    kept = checked(YOGA, given)
    assert list(kept.items()) == [("first_time", "no"), ("mat", "thick"), ("allergies", "nuts,\nlatex")]


@pytest.mark.parametrize(
    ("answers", "field", "message"),
    [
        pytest.param({}, "first_time", "Answer this question.", id="a required one left out"),
        pytest.param({"first_time": "  "}, "first_time", "Answer this question.", id="a required one left empty"),
        pytest.param({"first_time": "maybe"}, "first_time", "Answer yes or no.", id="neither yes nor no"),
        pytest.param({"mat": "soft"}, "mat", "Choose one of: thin, thick.", id="none of the choices"),
        pytest.param({"nickname": "K\nim"}, "nickname", "Write it on one line.", id="two lines"),
        pytest.param(
            {"nickname": "x" * 201}, "nickname", "Write at most 200 characters; there are 201.", id="a long line"
        ),
        pytest.param(
            {"allergies": "x" * 2001}, "allergies", "Write at most 2000 characters; there are 2001.", id="a long text"
        ),
        pytest.param(
            {"size": "M"},
            "size",
            "Nobody asks this. The questions are: allergies, first_time, mat, nickname.",
            id="an answer to nothing",
        ),
    ],
)
def test_what_does_not_answer_is_named_with_what_to_do(answers: dict[str, str], field: str, message: str) -> None:
    assert complaints(**{"first_time": "yes"} | answers if answers else {}) == {f"answers.{field}": message}


def test_all_that_is_wrong_is_named_at_once() -> None:
    assert set(complaints(mat="soft", size="M")) == {"answers.first_time", "answers.mat", "answers.size"}


@pytest.mark.parametrize("longest", [{"nickname": "x" * 200}, {"allergies": "x" * 2000}], ids=["a line", "a text"])
def test_what_is_just_not_too_long(longest: dict[str, str]) -> None:
    assert checked(YOGA, {"first_time": "yes"} | longest) == {"first_time": "yes"} | longest


def test_where_nothing_is_asked_nothing_is_answered() -> None:
    assert checked(service(), {}) == {}
    with pytest.raises(Invalid) as refused:
        checked(service(), {"mat": "thin"})
    assert refused.value.extra["errors"][0]["message"] == "Nobody asks this. The questions are: none."


def test_people_read_answers_with_their_questions_also_those_that_are_asked_no_more() -> None:
    assert labelled(YOGA, {"mat": "thin", "size": "M"}) == ["Which mat?: thin", "size: M"]
