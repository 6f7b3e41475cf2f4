"""What stories of the simulation have shown, each told by itself: the functions, Firestore and Google in this process, and nothing that happens by chance."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from functions.adapters.store import queries
from functions.adapters.tasks import Task
from functions.domain.calendar import Calendar
from functions.domain.decision import Ref
from functions.domain.session import Session
from infra.local.google.faults import Paging
from tests.reliability.simulation.business import ACCOUNT, ANNA, BEN, PRIVATE, ROOM, WHO_READS, Business, business
from tests.reliability.simulation.chance import Clock, decided_by
from tests.reliability.simulation.checks import when_quiet
from tests.reliability.simulation.people import DAY, Deeds
from tests.reliability.simulation.turns import Died

NINE = {"start": {"dateTime": f"{DAY}T09:00:00Z"}, "end": {"dateTime": f"{DAY}T09:30:00Z"}}


@dataclass
class Stage:
    """A business with its clock. `before`: what happens right before the next I/O of that name; it may raise what that I/O fails with."""

    clock: Clock
    before: dict[str, Callable[[], None]] = field(default_factory=dict)
    after: dict[str, Callable[[], None]] = field(default_factory=dict)
    business: Business = field(init=False)

    def io(self, what: str, do: Callable[[], Any]) -> Any:
        if first := self.before.pop(what, None):
            first()
        answer = do()
        if then := self.after.pop(what, None):
            then()
        return answer

    def book(self, start: str = f"{DAY}T09:00:00Z", **service: str) -> str:
        """The session of a new booking, with Anna unless it says otherwise; its tasks wait."""
        client = {"name": "Lee", "email": "lee@elsewhere.example"}
        body = {"start": start, "client": client, **(service or {"service": "consult", "resource": "anna"})}
        answer = self.business.ask("POST", "bookings", body)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return str(answer.get_json()["session"])

    def rule(self, **rules: str) -> None:
        """From now on, for every service."""
        self.business.rules = rules
        self.business.offer()

    def conflict(self, session: str) -> str | None:
        """What a person is asked about it."""
        conflict = self.session(session).conflict
        return None if conflict is None else conflict.reason

    def decide(self, session: str, choice: str) -> None:
        answer = self.business.as_operator("POST", f"conflicts/{session}/resolve", {"choice": choice})
        assert answer.status_code == 200, answer.get_data(as_text=True)

    def session(self, name: str) -> Session:
        found = self.business.store.get(ACCOUNT, Ref(Session, name))
        assert found is not None
        return found

    def run(self, kind: str, subject: str, **more: str) -> int:
        return self.business.run(Task(kind=kind, name="", body={"account": ACCOUNT, "subject": subject, **more}))

    def pull(self, google_id: str = ANNA) -> int:
        return self.run("pull", self.business.calendars[google_id])

    def calendar(self, google_id: str = ANNA) -> Calendar:
        found = self.business.store.get(ACCOUNT, Ref(Calendar, self.business.calendars[google_id]))
        assert found is not None
        return found

    def person(self, method: str, path: str, body: Any = None) -> Any:
        return self.business.wire.as_person(ANNA, method, path, body)

    def event(self, session: str, google_id: str = ANNA) -> str:
        return self.session(session).copies[self.business.calendars[google_id]].event

    def delete_event(self, session: str, google_id: str = ANNA) -> None:
        """As Anna, in a calendar of hers."""
        self.person("DELETE", f"calendars/{google_id}/events/{self.event(session, google_id)}")

    def retime(self, session: str, google_id: str, start: str, end: str) -> None:
        """As whoever reads that calendar."""
        times = {"start": {"dateTime": f"{DAY}T{start}:00Z"}, "end": {"dateTime": f"{DAY}T{end}:00Z"}}
        path = f"calendars/{google_id}/events/{self.event(session, google_id)}"
        self.business.wire.as_person(WHO_READS[google_id], "PATCH", path, times)

    def move_event(self, session: str, to: str) -> str:
        """As Anna, from her calendar to that one."""
        event = self.event(session)
        self.business.wire.as_person(ANNA, "POST", f"calendars/{ANNA}/events/{event}/move", destination=to)
        return event

    def expire_sync_tokens(self, google_id: str = ANNA) -> None:
        self.business.world.calendars.get(google_id).token_epoch += 1

    def settle(self) -> None:
        """Until everything that waits for its time has come and nothing more is due within a day."""
        for _ in range(40):
            self.clock.move(10 * 60_000)
            self.business.fire("minute")
            for waiting in self.business.tasks.due():
                well = self.business.run(waiting.task) == 204
                self.business.tasks.took(waiting, well=well, backoff_ms=60_000)


@pytest.fixture
def stage() -> Iterator[Stage]:
    clock = Clock()
    made = Stage(clock)
    with decided_by("cases", clock), business(clock, made.io, lambda written: None) as furnished:
        made.business = furnished
        yield made


def untrue(stage: Stage) -> list[str]:
    deeds = Deeds()
    deeds.changed.update(dict.fromkeys(_events_of_sessions(stage), 9))
    return when_quiet(stage.business, deeds)


def _events_of_sessions(stage: Stage) -> set[str]:
    sessions = queries.all_of(stage.business.store, ACCOUNT, Session)
    return {copy.event for session in sessions for copy in session.copies.values()}


def test_all_is_true_of_a_booking_that_nobody_touches(stage: Stage) -> None:
    session = stage.book()
    stage.settle()
    assert untrue(stage) == []
    assert stage.session(session).status == "open"


def test_an_event_deleted_before_a_pull_saw_it_is_missed_though_the_sync_token_expires(stage: Stage) -> None:
    session = stage.book()
    stage.run("push", session)
    stage.delete_event(session)
    stage.expire_sync_tokens()
    stage.settle()
    assert stage.session(session).status == "cancelled"
    assert untrue(stage) == []


def test_the_same_where_the_answer_to_the_insert_was_lost(stage: Stage) -> None:
    session = stage.book()

    def die() -> None:
        raise Died

    stage.after["google events.insert"] = die
    with pytest.raises(Died):
        stage.run("push", session)
    stage.delete_event(session)
    stage.expire_sync_tokens()
    stage.settle()
    assert stage.session(session).status == "cancelled"
    assert untrue(stage) == []


def test_a_full_list_ends_no_session_whose_insert_is_still_on_its_way(stage: Stage) -> None:
    session = stage.book()

    def pull_in_full() -> None:
        stage.expire_sync_tokens()
        assert stage.pull() == 204

    stage.before["google events.insert"] = pull_in_full
    assert stage.run("push", session) == 204
    stage.settle()
    assert stage.session(session).status == "open"
    assert untrue(stage) == []


def test_a_list_that_was_interrupted_brings_what_came_after_its_beginning_too(stage: Stage) -> None:
    for _ in range(3):
        stage.person("POST", f"calendars/{ANNA}/events", {"summary": "Early", **NINE})
    stage.business.world.faults.set_paging("*", Paging(1, None))

    def die() -> None:
        raise Died

    # In the middle of the list: the first page is applied and the second one asked for.
    stage.after["google events.list"] = lambda: stage.before.update({"google events.list": die})
    with pytest.raises(Died):
        stage.pull()
    late = {"start": {"dateTime": f"{DAY}T11:00:00Z"}, "end": {"dateTime": f"{DAY}T12:00:00Z"}}
    stage.person("POST", f"calendars/{ANNA}/events", {"summary": "Late", **late})
    stage.clock.move(3_600_000)
    asked = stage.clock.millis
    assert stage.pull() == 204
    stage.business.world.faults.reset()
    assert stage.calendar().last_success_at == asked
    assert not [each for each in untrue(stage) if "mirror" in each or "drift" in each]


@pytest.mark.parametrize("kind", ["watch", "pull"])
def test_a_calendar_that_is_not_used_any_more_is_left_alone_by_the_schedules(stage: Stage, kind: str) -> None:
    """Its last use ended while somebody was watching or pulling it."""
    calendar = stage.business.calendars[PRIVATE]

    def unlink() -> None:
        answer = stage.business.as_operator("PUT", f"calendars/{calendar}", {"blocks": [], "destination_for": []})
        assert answer.status_code == 200

    stage.clock.move(6 * 24 * 3_600_000)  # the channel is due for renewal
    stage.before["google events.watch" if kind == "watch" else "google events.list"] = unlink
    stage.run(kind, calendar)
    assert not stage.before
    stage.clock.move(8 * 24 * 3_600_000)
    stage.settle()
    stage.business.fire("quarter")
    stage.settle()
    left = stage.calendar(PRIVATE)
    assert (left.next_poll_at, left.renew_at) == (None, None)


def test_a_calendar_that_is_used_again_while_its_channel_lives_is_not_asked_about_at_every_quarter(
    stage: Stage,
) -> None:
    path = f"calendars/{stage.business.calendars[PRIVATE]}"
    for blocks in ([], ["anna"]):
        stage.business.as_operator("PUT", path, {"blocks": blocks, "destination_for": []})
    stage.settle()
    again = stage.calendar(PRIVATE)
    assert again.channel is not None
    assert again.renew_at == again.channel.renewal_at


def test_what_a_full_list_brought_before_it_began_again_is_not_taken_for_there(stage: Stage) -> None:
    """It died with its first page applied and its cursor where it was: so it begins again, and what that page brought may be gone by then."""
    made = [stage.person("POST", f"calendars/{ANNA}/events", {"summary": "Theirs", **NINE}) for _ in range(3)]
    stage.expire_sync_tokens()
    stage.business.world.faults.set_paging("*", Paging(1, None))

    def die() -> None:
        raise Died

    def one_more_commit() -> None:
        stage.before["commit"] = lambda: stage.before.update({"commit": die})

    # The first list is refused, as its sync token has expired; the second one brings the page.
    stage.after["google events.list"] = lambda: stage.after.update({"google events.list": one_more_commit})
    with pytest.raises(Died):
        stage.pull()
    for event in made:
        stage.person("DELETE", f"calendars/{ANNA}/events/{event['id']}")
    stage.business.world.faults.reset()
    stage.clock.move(3_600_000)
    assert stage.pull() == 204
    assert not [each for each in untrue(stage) if "mirror" in each or "drift" in each]


def test_a_delete_whose_page_is_half_applied_is_known_though_the_sync_token_expires_then(stage: Stage) -> None:
    session = stage.book()
    stage.settle()
    stage.delete_event(session)

    def die() -> None:
        raise Died

    # The first commit after the list is the last one.
    stage.after["google events.list"] = lambda: stage.before.update(
        {"commit": lambda: stage.before.update({"commit": die})}
    )
    with pytest.raises(Died):
        stage.pull()
    stage.expire_sync_tokens()
    stage.settle()
    assert stage.session(session).status == "cancelled"
    assert untrue(stage) == []


def test_a_write_that_was_forbidden_for_a_while_of_which_no_pull_heard_is_made_by_itself(stage: Stage) -> None:
    # case 74
    session = stage.book(service="duo")
    stage.business.let_into_the_room("reader")
    stage.business.settle()
    stage.business.let_into_the_room("writer")
    assert stage.session(session).copies[stage.business.calendars[ROOM]].error == "requiredAccessLevel"
    stage.settle()
    assert stage.session(session).copies[stage.business.calendars[ROOM]].error is None
    assert untrue(stage) == []


def test_it_is_tried_again_by_one_task_however_often_it_was_refused(stage: Stage) -> None:
    session = stage.book(service="duo")
    stage.business.let_into_the_room("reader")
    for _ in range(3):
        assert stage.run("push", session) == 204
    waiting = [each.due - stage.clock.millis for each in stage.business.tasks.waiting if each.due > stage.clock.millis]
    assert waiting == [3_600_000]


def test_what_was_moved_to_the_calendar_of_another_resource_is_written_once_we_may_again(stage: Stage) -> None:
    # cases 74, 75 and 113
    session = stage.book()
    stage.settle()
    stage.move_event(session, ROOM)
    stage.settle()
    stage.business.let_into_the_room("reader")
    assert stage.pull(ROOM) == 204
    body = {"start": f"{DAY}T10:00:00Z"}
    assert stage.business.as_operator("PATCH", f"sessions/{session}", body).status_code == 200
    stage.settle()
    assert stage.session(session).copy_pending
    stage.business.let_into_the_room("writer")
    assert stage.pull(ROOM) == 204
    stage.settle()
    assert not stage.session(session).copy_pending
    assert untrue(stage) == []


# What is cancelled when its event has been moved to where the session has another one: before anybody has heard of it, or between the two pulls.
@pytest.mark.parametrize("pulled", [(), (ROOM,), (ANNA,), (ROOM, ANNA)], ids=lambda pulled: "-".join(pulled) or "none")
def test_an_event_that_was_moved_beside_another_one_takes_time_once_its_session_is_cancelled(
    stage: Stage, pulled: tuple[str, ...]
) -> None:
    # case 113
    session = stage.book(service="duo")
    stage.settle()
    event = stage.move_event(session, ROOM)
    for google_id in pulled:
        assert stage.pull(google_id) == 204
    assert stage.business.as_operator("POST", f"sessions/{session}/cancel").status_code == 200
    stage.settle()
    store = stage.business.world.events(stage.business.world.calendars.get(ROOM))
    record = store.find(event)
    assert record is not None
    assert not record.cancelled
    assert not [each for each in untrue(stage) if "drift" in each]


def test_a_page_that_was_looked_through_before_the_session_ended_leaves_no_free_time_behind(stage: Stage) -> None:
    # cases 113 and 159
    session = stage.book(service="duo")
    stage.settle()
    stage.move_event(session, ROOM)

    def end() -> None:
        assert stage.business.as_operator("POST", f"sessions/{session}/cancel").status_code == 200
        assert stage.run("push", session) == 204

    # The page's first commit is that of its rows.
    stage.after["google events.list"] = lambda: stage.before.update({"commit": end})
    assert stage.pull(ROOM) == 204
    stage.settle()
    assert not [each for each in untrue(stage) if "drift" in each]


def test_an_event_beside_another_one_takes_time_once_one_was_made_in_its_place(stage: Stage) -> None:
    # case 113
    session = stage.book(service="duo")
    stage.settle()
    stage.move_event(session, ROOM)
    stage.settle()
    assert stage.conflict(session) == "deleted_in_calendar"
    stage.decide(session, "restore")
    stage.settle()
    assert stage.conflict(session) == "taken"
    assert not [each for each in untrue(stage) if "drift" in each]


def test_of_two_events_that_are_missing_the_second_is_asked_about_once_the_first_is_decided(stage: Stage) -> None:
    # cases 100 and 113
    stage.rule(on_calendar_delete="ask")
    session = stage.book(service="duo")
    stage.settle()
    stage.delete_event(session)
    stage.delete_event(session, ROOM)
    stage.settle()
    for _ in range(2):
        assert stage.conflict(session) == "deleted_in_calendar"
        stage.decide(session, "restore")
        stage.settle()
    assert stage.conflict(session) is None
    assert untrue(stage) == []


def test_of_two_events_that_were_moved_the_first_is_asked_about_once_the_second_is_back(stage: Stage) -> None:
    # case 104
    stage.rule(on_calendar_move="ask")
    session = stage.book(service="duo")
    stage.settle()
    for google_id in (ANNA, ROOM):
        stage.retime(session, google_id, "11:00", "12:00")
        assert stage.pull(google_id) == 204
    stage.settle()
    assert untrue(stage) == []
    stage.retime(session, ROOM, "09:00", "10:00")
    stage.settle()
    conflict = stage.session(session).conflict
    assert conflict is not None
    assert (conflict.reason, conflict.calendar) == ("moved_in_calendar", stage.business.calendars[ANNA])
    assert untrue(stage) == []


def test_what_could_not_show_behind_what_an_operator_lives_with_shows_at_once(stage: Stage) -> None:
    kept, other = stage.book(), stage.book(f"{DAY}T11:00:00Z")
    stage.settle()
    day = {"start": {"date": DAY, "dateTime": None}, "end": {"date": f"{DAY[:-1]}4", "dateTime": None}}
    stage.person("PATCH", f"calendars/{ANNA}/events/{stage.event(kept)}", day)
    stage.settle()
    assert (stage.conflict(kept), stage.conflict(other)) == ("all_day", None)
    stage.decide(kept, "keep")
    assert (stage.conflict(kept), stage.conflict(other)) == ("taken", None)


def test_nothing_is_written_of_a_session_while_somebody_is_to_decide_where_its_event_goes(stage: Stage) -> None:
    # cases 96 and 104
    stage.rule(on_calendar_move="ask")
    body = {"service": "group", "start": f"{DAY}T09:00:00Z", "capacity": 2}
    scheduled = stage.business.as_operator("POST", "sessions", body, Idempotency_Key="one").get_json()["sessions"][0][
        "id"
    ]
    client = {"name": "Lee", "email": "lee@elsewhere.example"}
    sold = {"service": "group", "start": body["start"], "client": client}
    booked = stage.business.ask("POST", "bookings", sold).get_json()
    stage.settle()
    stage.retime(scheduled, BEN, "11:00", "11:30")
    stage.settle()
    assert stage.conflict(scheduled) == "moved_in_calendar"
    token = {"Authorization": f"Bearer {booked['manage_token']}"}
    assert stage.business.ask("POST", f"bookings/{booked['id']}/cancel", **token).status_code == 200
    assert stage.run("push", scheduled) == 204
    stage.settle()
    assert stage.session(scheduled).copy_pending
    stage.decide(scheduled, "follow")
    stage.settle()
    assert not stage.session(scheduled).copy_pending
    assert untrue(stage) == []
