"""Who may decide is told that something waits for them: once, in one mail with all else that came up in the same minutes, and not of what is over by then."""

from collections.abc import Iterator
from typing import Any

import pytest

from functions.adapters.mail import MailFailed
from functions.domain.decision import Decision
from functions.domain.inbox_news import TOLD_AFTER_MS
from functions.domain.membership import Member
from functions.domain.permissions import Role
from tests.reliability.simulation.business import ACCOUNT, ANNA, business
from tests.reliability.simulation.chance import Clock, decided_by
from tests.reliability.simulation.people import DAY
from tests.reliability.test_simulated_cases import Stage

ROLES: tuple[Role, ...] = ("owner", "manager", "viewer")
WHO_DECIDES = "owner <owner@studio.example>, manager <manager@studio.example>"
LEE = "lee@elsewhere.example"


@pytest.fixture
def stage() -> Iterator[Stage]:
    """With an owner, a manager and a viewer."""
    clock = Clock()
    made = Stage(clock)
    members = tuple(
        Member(id=role, email=f"{role}@studio.example", name=role, role=role, joined_at=place)
        for place, role in enumerate(ROLES)
    )
    with decided_by("inbox", clock), business(clock, made.io, lambda written: None) as furnished:
        made.business = furnished
        furnished.store.run(ACCOUNT, lambda reader: Decision(answer=None, documents=members))
        yield made


def sold(stage: Stage, *hours: int) -> list[str]:
    """Sessions of Anna's at these hours, with their events."""
    sessions = [stage.book(f"{DAY}T{hour:02}:00:00Z") for hour in hours]
    stage.business.settle()
    return sessions


def deleted(stage: Stage, *sessions: str) -> None:
    """By Anna, where that is to be asked about."""
    for session in sessions:
        stage.delete_event(session)
    stage.pull()
    stage.business.settle()
    assert {stage.conflict(session) for session in sessions} == {"deleted_in_calendar"}


def minutes_pass(stage: Stage, minutes: int) -> None:
    stage.clock.move(minutes * 60_000)
    stage.business.settle()


def to_operators(stage: Stage) -> list[Any]:
    """All that did not go to a client."""
    return [mail for mail in stage.business.mails if LEE not in mail["To"]]


def test_what_begins_in_the_same_minutes_is_one_mail_with_the_choices_and_where_to_decide(stage: Stage) -> None:
    stage.rule(on_calendar_delete="ask", on_calendar_move="ask")
    nine, ten, eleven = sold(stage, 9, 10, 11)
    to_lee = len(stage.business.mails)
    deleted(stage, nine, ten)
    minutes_pass(stage, 1)
    assert to_operators(stage) == []
    stage.retime(eleven, ANNA, "12:00", "12:30")
    stage.pull()
    minutes_pass(stage, 1)
    (mail,) = to_operators(stage)
    assert (mail["To"], mail["Subject"]) == (WHO_DECIDES, "3 sessions wait for your decision")
    text = mail.get_content()
    assert "Consult (Anna), Wednesday 3 March 2027, 09:00 (UTC): Its event was deleted in Google Calendar" in text
    assert "You can choose: restore, keep, cancel." in text
    assert "11:00 (UTC): Its event was moved in Google Calendar. Both times are taken until you decide." in text
    assert "It is there on Wednesday 3 March 2027, 12:00 (UTC). You can choose: follow, restore, cancel." in text
    assert text.count("restore: Its event is put back into Google Calendar, at its time. Nobody is told.") == 1
    assert f"https://booking.example/v1/accounts/{ACCOUNT}/conflicts" in text
    minutes_pass(stage, 30)
    assert (len(to_operators(stage)), len(stage.business.mails)) == (1, to_lee + 1)


def test_what_is_over_when_it_would_go_out_is_not_told(stage: Stage) -> None:
    stage.rule(on_calendar_delete="ask")
    nine, ten = sold(stage, 9, 10)
    deleted(stage, nine, ten)
    stage.decide(nine, "restore")
    minutes_pass(stage, 2)
    (mail,) = to_operators(stage)
    assert mail["Subject"].startswith("A session waits for your decision: Consult (Anna), ")
    assert "10:00 (UTC)" in mail["Subject"]
    assert "09:00" not in mail.get_content()
    stage.decide(ten, "restore")
    stage.business.settle()
    deleted(stage, nine, ten)
    stage.decide(nine, "cancel")
    stage.decide(ten, "keep")
    minutes_pass(stage, 30)
    assert len(to_operators(stage)) == 1


def test_where_the_rule_decides_operators_are_left_alone(stage: Stage) -> None:
    stage.rule(on_calendar_delete="cancel")
    (nine,) = sold(stage, 9)
    stage.delete_event(nine)
    stage.pull()
    minutes_pass(stage, 30)
    assert stage.session(nine).status == "cancelled"
    assert [mail["Subject"].partition(":")[0] for mail in stage.business.mails] == [
        "Your booking is confirmed",
        "Your booking is cancelled",
    ]


def test_a_mail_that_fails_goes_out_later_and_one_that_comes_twice_is_one(stage: Stage) -> None:
    stage.rule(on_calendar_delete="ask")
    deleted(stage, *sold(stage, 9, 10))
    first, second = (waiting.task for waiting in stage.business.tasks.waiting if waiting.task.kind == "notify")
    stage.clock.move(TOLD_AFTER_MS)

    def fail() -> None:
        raise MailFailed("refused")

    stage.before["mail"] = fail
    assert stage.business.run(first) == 502
    assert to_operators(stage) == []
    stage.before["mail"] = lambda: answers.append(stage.business.run(first))
    answers: list[int] = []
    assert stage.business.run(second) == 204
    assert (answers, len(to_operators(stage))) == ([502], 1)  # another delivery was at it
    assert [stage.business.run(task) for task in (first, second)] == [204, 204]
    minutes_pass(stage, 30)
    assert len(to_operators(stage)) == 1


def test_a_client_who_declines_in_google_is_told_of_unless_they_think_better_of_it(stage: Stage) -> None:  # case 111
    (nine,) = sold(stage, 9)

    def answer(said: str) -> None:
        guests = [{"email": LEE, "responseStatus": said}]
        stage.person("PATCH", f"calendars/{ANNA}/events/{stage.event(nine)}", {"attendees": guests})
        stage.pull()

    answer("declined")
    answer("accepted")
    minutes_pass(stage, 30)
    assert to_operators(stage) == []
    answer("declined")
    minutes_pass(stage, 2)
    (mail,) = to_operators(stage)
    assert mail["Subject"] == "A client has declined: Consult (Anna), Wednesday 3 March 2027, 09:00 (UTC)"
    assert "Lee has declined the invitation in their calendar." in mail.get_content()
    assert "Where to decide" not in mail.get_content()
    minutes_pass(stage, 30)
    assert len(to_operators(stage)) == 1
