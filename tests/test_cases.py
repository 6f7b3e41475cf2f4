"""The list of cases against the tests. (Not in one of their folders, because the numbers in here hold nothing.)"""

import textwrap

import pytest

from tests.cases import KNOWN, PAGE, Case, Mention, cases_of, every_mention, faults, mentions_in


def test_every_case_is_held_by_a_test_or_says_why_it_is_not() -> None:
    assert faults(cases_of(PAGE.read_text()), every_mention()) == []


def held(source: str) -> list[int]:
    return [mention.number for mention in mentions_in(textwrap.dedent(source), "module") if mention.holds]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("case 47", [47]),
        ("cases 3 and 42", [3, 42]),
        ("cases 3, 4, 16 and 18", [3, 4, 16, 18]),
        ("cases 41 to 43", [41, 42, 43]),
        ("cases 1, 5 to 7, and 9", [1, 5, 6, 7, 9]),
        ("in that case 2 are left, in case 3", [2, 3]),
        ("the case of 47", []),
        ("showcase 47", []),
    ],
)
def test_how_numbers_are_written(text: str, numbers: list[int]) -> None:
    assert held(f"def test_it():  # {text}\n    pass") == numbers


@pytest.mark.parametrize(
    ("source", "counts"),
    [
        pytest.param("def test_it():\n    pass  # case 1", True, id="in a test"),
        pytest.param('def test_it():\n    """Case 1 (case 1)"""', True, id="in its docstring"),
        pytest.param("# case 1\ndef test_it(): ...", True, id="directly above it"),
        pytest.param("# case 1\n@mark(2)\ndef test_it(): ...", True, id="above its decorators"),
        pytest.param("# case 1\n\ndef test_it(): ...", False, id="above it, a line apart"),
        pytest.param("class TestIt:  # case 1\n    def test_it(self): ...", True, id="in its class"),
        pytest.param("ROWS = [\n    2,  # case 1\n]\n@mark(ROWS)\ndef test_it(): ...", True, id="in its table"),
        pytest.param(
            "A = [\n    2,  # case 1\n]\nB = [*A]\n@mark(B)\ndef test_it(): ...", True, id="in a table of its table"
        ),
        pytest.param("ROWS = [\n    2,  # case 1\n]\ndef test_it(): ...", False, id="in a table of nobody's"),
        pytest.param(
            "class World:\n    pass  # case 1\nTestWorld = World.TestCase", True, id="in a machine of Hypothesis's"
        ),
        pytest.param('"""Case 1, case 1"""\ndef test_it(): ...', False, id="in the module's docstring"),
        pytest.param("def it():\n    pass  # case 1\ndef test_it(): ...", False, id="in what is no test"),
        pytest.param("def test_it(x):\n    match x:\n        case 1: ...", False, id="in code"),
    ],
)
def test_where_a_number_counts(source: str, counts: bool) -> None:
    assert held(source) == ([1] if counts else [])


def case(number: int, answer: str = "It is done") -> Case:
    return Case(number=number, what="It happens", answer=answer)


def holds(number: int) -> Mention:
    return Mention(number=number, where="a.py:1", holds=True)


EVERYTHING = [case(number) for number in KNOWN]
ALL_HELD = [holds(number) for number in KNOWN]


def test_a_list_that_is_held_has_no_faults() -> None:
    assert faults(EVERYTHING, ALL_HELD) == []


@pytest.mark.parametrize(
    ("cases", "mentions", "fault"),
    [
        (EVERYTHING, ALL_HELD[1:], "case 1 has no test (It happens)"),
        (
            EVERYTHING,
            [*ALL_HELD[1:], Mention(number=1, where="a.py:1", holds=False)],
            "case 1 has no test (It happens)",
        ),
        (EVERYTHING[1:], ALL_HELD, "case 1 is not on the page"),
        ([*EVERYTHING, case(1)], ALL_HELD, "case 1 is on the page more than once"),
        ([*EVERYTHING, case(161, "Not handled: no")], ALL_HELD, "case 161 is on the page and nobody knows it"),
        (EVERYTHING, [*ALL_HELD, holds(161)], "a.py:1: there is no case 161"),
        ([case(1, "Not handled: "), *EVERYTHING[1:]], ALL_HELD[1:], "case 1 has no reason"),
        ([case(1, "Not handled: no"), *EVERYTHING[1:]], ALL_HELD, "case 1 is held by a test; the page denies it"),
    ],
)
def test_what_is_wrong_is_said(cases: list[Case], mentions: list[Mention], fault: str) -> None:
    assert faults(cases, mentions) == [fault]


def test_a_reason_stands_for_a_test() -> None:
    assert faults([case(1, "Not handled: it can't happen"), *EVERYTHING[1:]], ALL_HELD[1:]) == []


def test_the_page_s_tables_are_read_and_nothing_else_is() -> None:
    page = "| case | what | answer |\n| --- | --- | --- |\n| 7 | A 410 comes | Begun again |\n\nSee case 8 | 9 |\n"
    assert cases_of(page) == [Case(number=7, what="A 410 comes", answer="Begun again")]
