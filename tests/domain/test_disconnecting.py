"""A connection that is ended: what becomes of its calendars and resources at once, and of each session that had its event there."""

import pytest

from functions.domain.calendar import Calendar, Channel, Connection, Ending, Lease
from functions.domain.configuration import Resource
from functions.domain.decision import Decision, Effect
from functions.domain.disconnecting import (
    GIVEN_UP_AFTER_MS,
    Disconnected,
    Events,
    asks_google,
    disconnect,
    finish,
    go_on_alone,
    grant_after,
    has_event_ahead,
    in_words,
    part,
    taken_over,
)
from functions.domain.errors import IllegalMove
from functions.domain.linking import touches
from functions.domain.session import Conflict, GoogleCopy, Session
from functions.domain.standing import Obstacle
from tests.domain.builders import (
    BY_OPERATOR,
    CALENDAR,
    NOW,
    SESSION,
    calendar,
    connection,
    copy,
    minute,
    resource,
    session,
)

NINE = "2027-03-01T09:00Z/2027-03-01T10:00Z"
ENDING = Ending(events="leave", since=NOW)
ENDED = connection(status="disconnected", ending=ENDING)
OTHER = "other"


def ended(
    *calendars: Calendar,
    resources: tuple[Resource, ...] = (),
    before: Connection | None = None,
    events: Events = "leave",
) -> Decision[Disconnected]:
    return disconnect(before or connection(), calendars, resources, events=events, now=NOW, author=BY_OPERATOR)


def after(decision: Decision[None], before: Session) -> Session:
    return next((each for each in decision.documents if isinstance(each, Session)), before)


class TestDisconnect:
    def test_its_calendars_do_nothing_any_more_and_whoever_reads_one_can_commit_nothing(self) -> None:
        channel = Channel(id="c", address="https://x", resource="r", created_at=0, expires_at=NOW)
        used = calendar(
            destination_for=("anna",),
            channel=channel,
            next_channel=channel,
            lease=Lease(holder="worker", fence=7, expires_at=NOW + 1),
            next_poll_at=NOW,
            renew_at=NOW,
            projected={"anna": 1},
            last_success_at=NOW,
        )
        decision = ended(used, resources=(resource("anna"),))
        (unused,) = [each for each in decision.documents if isinstance(each, Calendar)]
        assert not unused.selected
        assert unused.lease == Lease(fence=7)
        assert (unused.next_poll_at, unused.renew_at, unused.next_channel) == (None, None, None)
        assert unused.channel == channel, "it is still to be stopped"
        assert not unused.laid_out

    def test_resources_keep_their_other_calendars_and_are_looked_at_again(self) -> None:
        anna = resource("anna", blocked_by=(CALENDAR, OTHER), destination=CALENDAR)
        ben = resource("ben", blocked_by=(CALENDAR,), destination=OTHER)
        decision = ended(calendar(resources=("anna", "ben"), destination_for=("anna",)), resources=(anna, ben))
        freed = {each.id: each for each in decision.documents if isinstance(each, Resource)}
        assert (freed["anna"].blocked_by, freed["anna"].destination) == ((OTHER,), None)
        assert (freed["ben"].blocked_by, freed["ben"].destination) == ((), OTHER)
        assert decision.touches == touches(["anna", "ben"], NOW)
        assert decision.effects == (
            Effect(kind="disconnect", subject="conn"),
            Effect(kind="recalculate", subject="anna"),
            Effect(kind="recalculate", subject="ben"),
        )
        assert list(in_words(decision.answer, 2)) == [
            "What is in the calendars of anna@example.com closes no time of Anna any more; other calendars do.",
            "No calendar closes time of Ben any more: only opening hours and bookings do.",
            "Bookings with Anna are not written to a calendar any more.",
            "2 events of bookings stay in Google Calendar as they are.",
            "All bookings stay.",
        ]

    def test_who_did_it_and_what_was_chosen_is_in_the_history(self) -> None:
        decision = ended(calendar(), calendar(id="unused", resources=()), events="remove")
        connection_entry, calendar_entry = decision.history
        assert (connection_entry.what, connection_entry.author) == ("connection.ended", BY_OPERATOR)
        assert connection_entry.after["events"] == "remove"
        assert (calendar_entry.calendar, calendar_entry.before["blocks"]) == (CALENDAR, ["anna"])

    @pytest.mark.parametrize("status", ["active", "needs_reconnect"])
    def test_the_token_stays_until_all_is_done(self, status: str) -> None:
        decision = ended(before=connection(status=status))
        assert decision.answer.connection.secret
        done = finish(decision.answer.connection, events_left=0, given_back=True)
        (forgotten,) = done.documents
        assert isinstance(forgotten, Connection)
        assert (forgotten.status, forgotten.secret, forgotten.ending) == ("disconnected", "", None)

    def test_once(self) -> None:
        with pytest.raises(IllegalMove):
            ended(before=ENDED)

    def test_google_is_asked_for_a_day_or_until_the_account_is_connected_anew(self) -> None:
        assert asks_google(ENDING, NOW + GIVEN_UP_AFTER_MS - 1)
        assert not asks_google(ENDING, NOW + GIVEN_UP_AFTER_MS)
        decision = go_on_alone(ENDED)
        (alone,) = decision.documents
        assert isinstance(alone, Connection)
        assert alone.ending is not None
        assert not asks_google(alone.ending, NOW)
        assert decision.effects == (Effect(kind="disconnect", subject="conn"),)
        assert go_on_alone(alone).writes_nothing
        assert go_on_alone(connection()).writes_nothing


class TestGrant:
    """One person's, for all connections to their account, of whatever business."""

    def ending(self, since: int, *, alone: bool = False) -> Connection:
        return connection(status="disconnected", ending=Ending(events="remove", since=since, alone=alone))

    def after(self, mine: Connection, **others: Connection) -> str:
        return grant_after(("studio", mine), [("studio", mine), *others.items()], NOW)

    def test_the_last_that_needs_it_gives_it_back(self) -> None:
        mine = self.ending(NOW)
        assert self.after(mine) == "given back"
        assert self.after(mine, ended=connection(status="disconnected")) == "given back"
        assert self.after(mine, used=connection(), ends=self.ending(NOW - 1)) == "kept"
        assert self.after(mine, lost=connection(status="needs_reconnect")) == "kept"

    @pytest.mark.parametrize("since", [NOW - 1, NOW, NOW + 1])
    def test_of_two_that_end_at_once_one_waits_for_the_other(self, since: int) -> None:
        both = {"here": self.ending(NOW), "there": self.ending(since)}
        found = {name: grant_after((name, each), both.items(), NOW) for name, each in both.items()}
        later = "there" if since >= NOW else "here"
        assert found[later] == "awaited"
        assert [grant for name, grant in found.items() if name != later] == ["kept"]

    @pytest.mark.parametrize("other", [NOW - GIVEN_UP_AFTER_MS, NOW + 1])
    def test_nobody_waits_for_one_that_asks_google_for_nothing(self, other: int) -> None:
        ending = self.ending(other, alone=other > NOW)
        assert self.after(self.ending(NOW), there=ending) == "given back"

    def test_it_is_needed_until_the_end_is_done(self) -> None:
        assert connection().needs_grant
        assert self.ending(NOW).needs_grant
        assert not self.ending(NOW, alone=True).needs_grant
        assert not connection(status="disconnected").needs_grant


class TestPart:
    def parted(self, before: Session, *, removed: frozenset[str] = frozenset()) -> Session:
        return after(part(before, {CALENDAR}, removed=removed), before)

    def test_an_event_that_stays_is_out_of_reach_and_waits_for_nothing(self) -> None:
        before = session(copies={CALENDAR: copy(NINE, written=1, error="backendError", error_since=1)}, version=2)
        assert before.copy_pending
        left = self.parted(before)
        assert left.copies[CALENDAR].out_of_reach
        assert left.copies[CALENDAR].error is None
        assert not left.copy_pending
        assert self.parted(left) == left, "twice changes nothing"

    @pytest.mark.parametrize(
        "gone",
        [
            pytest.param(copy(), id="Google was never told of it"),
            pytest.param(copy(NINE, gone=True), id="it was let go of"),
            pytest.param(copy(NINE, missing_since=1), id="its owner has deleted it"),
        ],
    )
    def test_of_what_is_not_there_nothing_is_kept(self, gone: GoogleCopy) -> None:
        assert self.parted(session(copies={CALENDAR: gone})).copies == {}

    def test_one_that_may_be_on_its_way_is_known_should_it_arrive(self) -> None:
        assert self.parted(session(copies={CALENDAR: copy(asked=[NINE])})).copies[CALENDAR].out_of_reach

    def test_what_was_removed_is_forgotten_and_other_calendars_are_not_touched(self) -> None:
        elsewhere = copy(NINE, calendar=OTHER)
        before = session(copies={CALENDAR: copy(NINE), OTHER: elsewhere})
        assert self.parted(before, removed=frozenset({CALENDAR})).copies == {OTHER: elsewhere}

    @pytest.mark.parametrize("reason", [Obstacle.MOVED, Obstacle.DELETED, Obstacle.DECLINED])
    def test_nobody_is_asked_any_more_about_an_event_that_is_out_of_reach(self, reason: Obstacle) -> None:
        before = session(copies={CALENDAR: copy(NINE)}, conflict=Conflict(reason=reason, since=1, calendar=CALENDAR))
        decision = part(before, {CALENDAR}, removed=frozenset())
        assert after(decision, before).conflict is None
        assert [change.sessions[SESSION].conflict for change in decision.changes if change.sessions[SESSION]] == [None]
        assert [entry.what for entry in decision.history] == ["session.supported"]
        # What waited for that is done: something else may stand in its way, and its destination may be another calendar by now.
        assert [(each.kind, each.subject) for each in decision.effects] == [
            ("recalculate", "anna"),
            ("redirect", "anna"),
        ]

    def test_where_its_missing_event_was_to_be_looked_for_it_follows_its_destination(self) -> None:
        missing = session(copies={CALENDAR: copy(NINE, missing_since=1), OTHER: copy(NINE, calendar=OTHER)})
        decision = part(missing, {CALENDAR}, removed=frozenset())
        assert decision.effects == (Effect(kind="redirect", subject="anna"),)

    def test_what_waited_for_the_answer_is_written_to_the_other_calendars(self) -> None:
        moved = Conflict(reason=Obstacle.MOVED, since=1, calendar=CALENDAR)
        copies = {CALENDAR: copy(NINE, written=1), OTHER: copy(NINE, calendar=OTHER, written=1)}
        decision = part(session(copies=copies, conflict=moved, version=2), {CALENDAR}, removed=frozenset())
        assert Effect(kind="push", subject=SESSION) in decision.effects

    @pytest.mark.parametrize(
        "conflict",
        [
            pytest.param(Conflict(reason=Obstacle.MOVED, since=1, calendar=OTHER), id="of another calendar"),
            pytest.param(Conflict(reason=Obstacle.TAKEN, since=1), id="of no calendar"),
        ],
    )
    def test_what_has_nothing_to_do_with_it_is_still_to_be_decided(self, conflict: Conflict) -> None:
        before = session(copies={CALENDAR: copy(NINE), OTHER: copy(NINE, calendar=OTHER)}, conflict=conflict)
        assert self.parted(before).conflict == conflict


class TestReachedAgain:
    def test_what_was_left_is_known_under_the_new_id(self) -> None:
        before = session(copies={CALENDAR: copy(NINE, out_of_reach=True), OTHER: copy(NINE, calendar=OTHER)})
        (moved,) = taken_over(before, {CALENDAR: "new"}).documents
        assert isinstance(moved, Session)
        assert moved.copies.keys() == {"new", OTHER}
        assert moved.copies["new"] == before.copies[CALENDAR].model_copy(update={"calendar": "new"})
        assert taken_over(moved, {CALENDAR: "new"}).writes_nothing

    def test_what_is_in_step_stays_where_it_is(self) -> None:
        assert taken_over(session(copies={CALENDAR: copy(NINE)}), {CALENDAR: "new"}).writes_nothing


@pytest.mark.parametrize(
    ("before", "there"),
    [
        pytest.param(session(copies={CALENDAR: copy(NINE)}), True, id="written"),
        pytest.param(session(copies={CALENDAR: copy(asked=[NINE])}), True, id="being written"),
        pytest.param(session(copies={CALENDAR: copy()}), False, id="not written yet"),
        pytest.param(session(copies={CALENDAR: copy(NINE, gone=True)}), False, id="gone"),
        pytest.param(session(copies={OTHER: copy(NINE, calendar=OTHER)}), False, id="in another calendar"),
        pytest.param(session(copies={CALENDAR: copy(NINE)}, status="cancelled"), False, id="cancelled"),
        pytest.param(
            session("2027-01-01T09:00Z", "2027-01-01T10:00Z", copies={CALENDAR: copy(NINE)}), False, id="over"
        ),
    ],
)
def test_which_sessions_have_an_event_ahead(before: Session, there: bool) -> None:
    assert has_event_ahead(before, [CALENDAR], NOW) == there
    assert minute("2027-03-01T09:00Z") * 60_000 > NOW
