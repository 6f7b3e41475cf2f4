"""Which calendars block a resource and which one is written to: both sides of the link, in one decision."""

from collections.abc import Iterable

import pytest

from functions.domain.calendar import Calendar, Connection
from functions.domain.configuration import Resource
from functions.domain.decision import Decision, Effect, Ref
from functions.domain.errors import Invalid
from functions.domain.horizon import new_horizon
from functions.domain.intervals import Interval
from functions.domain.linking import Links, link, touches
from tests.domain.builders import BY_OPERATOR, CALENDAR, NOW, calendar, connection, minute, months_touched, resource

HORIZON = new_horizon(NOW)
ANNA = resource("anna", blocked_by=(), destination=None)
BEN = resource("ben", blocked_by=(), destination=None)
UNUSED = calendar(resources=(), destination_for=())
ACTIVE = connection()


def linked(
    before: Calendar,
    *resources: Resource,
    blocks: Iterable[str] = (),
    destination_for: Iterable[str] = (),
    others: Iterable[Calendar] = (),
    of: Connection | None = ACTIVE,
) -> Decision[Calendar]:
    links = Links(
        calendar=before,
        connection=of,
        blocks=frozenset(blocks),
        destination_for=frozenset(destination_for),
        resources=resources,
        others=tuple(others),
    )
    return link(links, now=NOW, author=BY_OPERATOR)


def redirected(decision: Decision[Calendar]) -> list[str]:
    return [effect.subject for effect in decision.effects if effect.kind == "redirect"]


def recalculated(decision: Decision[Calendar]) -> list[str]:
    return [effect.subject for effect in decision.effects if effect.kind == "recalculate"]


def resources_after(decision: Decision[Calendar]) -> dict[str, Resource]:
    return {each.id: each for each in decision.documents if isinstance(each, Resource)}


class TestLink:
    def test_both_sides_name_each_other(self) -> None:
        decision = linked(UNUSED, ANNA, BEN, blocks=["ben", "anna"], destination_for=["anna"])
        assert (decision.answer.resources, decision.answer.destination_for) == (("anna", "ben"), ("anna",))
        after = resources_after(decision)
        assert (after["anna"].blocked_by, after["anna"].destination) == ((CALENDAR,), CALENDAR)
        assert (after["ben"].blocked_by, after["ben"].destination) == ((CALENDAR,), None)
        assert decision.documents[0] == decision.answer

    def test_it_is_pulled_and_watched_from_now_on(self) -> None:
        decision = linked(UNUSED, ANNA, blocks=["anna"])
        assert decision.effects == (Effect(kind="pull", subject=CALENDAR), Effect(kind="watch", subject=CALENDAR))
        assert (decision.answer.next_poll_at, decision.answer.renew_at) == (NOW, NOW)

    def test_what_had_its_event_there_before_is_looked_after_where_it_becomes_a_destination(self) -> None:
        copies = Effect(kind="copies", subject=CALENDAR)
        assert copies in linked(UNUSED, ANNA, destination_for=["anna"]).effects
        known = calendar(destination_for=("anna",))
        assert copies not in linked(known, ANNA, blocks=["anna"], destination_for=["anna"]).effects

    def test_one_that_can_not_be_watched_is_polled(self) -> None:  # case 24
        decision = linked(calendar(resources=(), watchable=False), ANNA, blocks=["anna"])
        assert (decision.answer.next_poll_at, decision.answer.renew_at) == (NOW, None)

    def test_it_is_unknown_for_a_new_resource_and_stays_known_for_the_old(self) -> None:
        before = calendar(projected={"anna": HORIZON}, last_success_at=NOW)
        after = linked(before, ANNA, BEN, blocks=["anna", "ben"]).answer
        assert after.known_until("anna", now=NOW, stale_after=1) == HORIZON
        assert after.known_until("ben", now=NOW, stale_after=1) == 0

    def test_after_a_time_out_of_use_nothing_of_it_is_known(self) -> None:
        before = calendar(resources=(), projected={"anna": HORIZON}, last_success_at=NOW)
        after = linked(before, ANNA, blocks=["anna"]).answer
        assert after.known_until("anna", now=NOW, stale_after=1) == 0

    @pytest.mark.parametrize("ended", [None, connection(status="disconnected")])
    def test_it_is_given_nothing_to_do_once_its_connection_was_ended(self, ended: Connection | None) -> None:
        with pytest.raises(Invalid, match="is disconnected"):
            linked(UNUSED, ANNA, blocks=["anna"], of=ended)
        assert not linked(calendar(), ANNA, of=ended).answer.selected, "it can still be given up"
        # Who ends it at the same moment wins, or knows of it.
        assert linked(UNUSED, ANNA, blocks=["anna"]).guards == (Ref(Connection, "conn"),)

    def test_its_history_names_author_before_and_after(self) -> None:
        (entry,) = linked(calendar(), ANNA, BEN, blocks=["ben"], destination_for=["ben"]).history
        assert (entry.what, entry.author, entry.calendar) == ("calendar.linked", BY_OPERATOR, CALENDAR)
        assert entry.before == {"blocks": ["anna"], "destination_for": []}
        assert entry.after == {"blocks": ["ben"], "destination_for": ["ben"]}


class TestUnlink:
    USED = calendar(destination_for=("anna",), projected={"anna": HORIZON}, last_success_at=NOW, next_poll_at=1)
    HERS = resource("anna", blocked_by=("other", CALENDAR), destination=CALENDAR)

    def test_both_sides_forget_each_other(self) -> None:
        decision = linked(self.USED, self.HERS)
        assert (decision.answer.resources, decision.answer.destination_for) == ((), ())
        after = resources_after(decision)["anna"]
        assert (after.blocked_by, after.destination) == (("other",), None)

    def test_it_is_left_alone_from_now_on(self) -> None:
        decision = linked(self.USED, self.HERS)
        assert (decision.answer.next_poll_at, decision.answer.renew_at, decision.answer.in_use) == (None, None, False)
        assert decision.answer.projected == {}

    def test_whether_what_it_stood_in_the_way_of_can_be_kept_again_is_asked(self) -> None:
        assert recalculated(linked(self.USED, self.HERS)) == ["anna"]
        assert recalculated(linked(self.USED, self.HERS, BEN, blocks=["anna", "ben"])) == []

    def test_another_destination_is_not_taken_away(self) -> None:
        elsewhere = resource("anna", blocked_by=(CALENDAR,), destination="other")
        after = resources_after(linked(calendar(), elsewhere, blocks=["anna"]))["anna"]
        assert after.destination == "other"

    def test_the_former_destination_of_a_resource_lets_go_of_it_only(self) -> None:
        former = calendar(id="former", destination_for=("anna", "ben"))
        decision = linked(UNUSED, resource("anna", destination="former"), destination_for=["anna"], others=[former])
        (after,) = (each for each in decision.documents if isinstance(each, Calendar) and each.id == "former")
        assert (after.destination_for, after.formerly_for) == (("ben",), ("anna",))
        assert redirected(decision) == ["anna"]


class TestWhereEventsGo:
    """Whose sessions' events are looked after: those of resources whose destination is another one."""

    def test_a_first_destination_gets_what_lies_ahead(self) -> None:
        assert redirected(linked(UNUSED, ANNA, BEN, blocks=["ben"], destination_for=["anna"])) == ["anna"]

    def test_none_any_more(self) -> None:
        used = calendar(destination_for=("anna",))
        decision = linked(used, resource("anna", destination=CALENDAR), blocks=["anna"])
        assert redirected(decision) == ["anna"]
        assert decision.answer.formerly_for == ("anna",)

    def test_the_same_as_before(self) -> None:
        used = calendar(destination_for=("anna",), formerly_for=("ben",))
        decision = linked(used, resource("anna", destination=CALENDAR), destination_for=["anna"])
        assert redirected(decision) == []
        assert decision.answer.formerly_for == ("ben",)

    def test_once_more(self) -> None:
        left = calendar(formerly_for=("anna",))
        decision = linked(left, resource("anna", destination="other"), destination_for=["anna"])
        assert redirected(decision) == ["anna"]
        assert decision.answer.formerly_for == ()


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("owner", True),
        ("writer", True),
        ("writerWithoutPrivateAccess", True),
        ("reader", False),
        ("freeBusyReader", False),
        ("aRoleThatIsNew", False),
        ("", False),
    ],
)
def test_only_a_calendar_that_can_be_written_is_a_destination(role: str, *, allowed: bool) -> None:  # cases 74 and 76
    before = calendar(resources=(), role=role)
    assert linked(before, ANNA, blocks=["anna"]).answer.resources == ("anna",)
    if allowed:
        assert linked(before, ANNA, destination_for=["anna"]).answer.destination_for == ("anna",)
        return
    with pytest.raises(Invalid, match=role or "unknown"):
        linked(before, ANNA, destination_for=["anna"])


def test_a_change_of_rules_touches_every_month_that_a_decision_may_read() -> None:
    decision = linked(UNUSED, ANNA, BEN, blocks=["anna"])
    now = NOW // 60_000
    months = months_touched(Interval(now, HORIZON))
    for name in ("anna", "ben"):
        assert {touch.month for touch in decision.touches if touch.resource == name} >= set(months)
    assert touches([], NOW) == ()


def test_it_touches_the_month_before_where_a_buffer_reaches_back_into_it() -> None:
    first_minute = minute("2027-03-01T00:00Z") * 60_000
    assert touches(["anna"], first_minute)[0].month == "2027-02"
