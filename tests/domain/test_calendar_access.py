"""What becomes of a calendar when Google lets us do more or less with it, or does not show it any more."""

from collections.abc import Iterable

import pytest

from functions.domain.calendar import Bounds, Calendar, Channel, Cursor
from functions.domain.calendar_access import (
    CONFIRMED_AFTER_MS,
    GONE,
    GOOGLE,
    LOOKS,
    disappear,
    found,
    is_confirmed,
    missed,
    next_look,
    reappear,
    with_role,
)
from functions.domain.configuration import Resource
from functions.domain.decision import Decision, Effect
from functions.domain.errors import Invalid
from functions.domain.linking import Links, link, touches
from tests.domain.builders import BY_OPERATOR, CALENDAR, NOW, calendar, connection, minute, resource

MINUTE_MS = 60_000
HORIZON = minute("2028-03-01T00:00Z")
ANNA = resource("anna", destination=CALENDAR)
BEN = resource("ben", blocked_by=("other", CALENDAR), destination="other")
USED = calendar(
    resources=("anna", "ben"),
    destination_for=("anna",),
    cursor=Cursor(sync_token="t", generation=4, bounds=Bounds(start=1, end=2)),
    channel=Channel(id="ch", address="https://hook.example.com", created_at=NOW),
    horizon=HORIZON,
    projected={"anna": HORIZON, "ben": HORIZON},
    last_success_at=NOW,
    next_poll_at=NOW,
    renew_at=NOW,
)


def calendar_after(decision: Decision[None]) -> Calendar:
    (after,) = (each for each in decision.documents if isinstance(each, Calendar))
    return after


def resources_after(decision: Decision[None]) -> dict[str, Resource]:
    return {each.id: each for each in decision.documents if isinstance(each, Resource)}


class TestRole:
    def test_what_is_as_it_was_writes_nothing(self) -> None:
        assert with_role(USED, "owner").writes_nothing
        assert with_role(USED, "").writes_nothing

    @pytest.mark.parametrize(
        ("before", "after", "copies"),
        [
            pytest.param("owner", "reader", True, id="it can't be written any more"),
            pytest.param("writer", "freeBusyReader", True, id="only free and busy are left"),
            pytest.param("reader", "writer", True, id="it can be written again"),
            pytest.param("owner", "writer", False, id="less, but still a writer"),
            pytest.param("reader", "freeBusyReader", False, id="never written to"),
            pytest.param("owner", "conductor", True, id="a role that we do not know may only read"),  # case 76
        ],
    )
    def test_a_destination_s_copies_are_looked_after_where_writing_begins_or_ends(
        self, before: str, after: str, *, copies: bool
    ) -> None:  # cases 74 and 75
        decision = with_role(calendar(role=before, destination_for=("anna",)), after)
        assert decision.answer.role == after
        assert decision.effects == ((Effect(kind="copies", subject=CALENDAR),) if copies else ())
        (entry,) = decision.history
        assert (entry.what, entry.author, entry.before, entry.after) == (
            "calendar.role_changed",
            GOOGLE,
            {"role": before},
            {"role": after},
        )

    def test_one_that_is_no_destination_may_have_copies_that_were_moved_there(self) -> None:  # case 113
        assert with_role(calendar(role="reader"), "owner").effects == (Effect(kind="copies", subject=CALENDAR),)

    def test_one_that_nobody_uses_changes_without_a_word(self) -> None:
        decision = with_role(calendar(role="owner", resources=()), "reader")
        assert (decision.history, len(decision.documents)) == ((), 1)


class TestMissing:  # cases 38 and 72
    def looks(self, *after_ms: int) -> Calendar:
        seen = USED
        for each in after_ms:
            seen = missed(seen, now=NOW + each)
        return seen

    @pytest.mark.parametrize(
        ("after_ms", "believed"),
        [
            pytest.param([0], False, id="once"),
            pytest.param([0, 1, 2, 3], False, id="often, within a moment"),
            pytest.param([0, CONFIRMED_AFTER_MS], False, id="for long, but only twice"),
            pytest.param([0, MINUTE_MS, CONFIRMED_AFTER_MS - 1], False, id="not long enough yet"),
            pytest.param([0, MINUTE_MS, CONFIRMED_AFTER_MS], True, id="three times in five minutes"),
        ],
    )
    def test_it_is_believed_after_some_looks_and_some_time(self, after_ms: list[int], *, believed: bool) -> None:
        assert is_confirmed(self.looks(*after_ms), now=NOW + after_ms[-1]) is believed

    def test_until_then_everything_stays(self) -> None:
        seen = self.looks(0, MINUTE_MS)
        assert seen.model_copy(update={"missing_since": None, "missed": 0}) == USED

    def test_seen_in_between_nothing_counts_that_was_before(self) -> None:
        again = missed(found(self.looks(0, MINUTE_MS)), now=NOW + CONFIRMED_AFTER_MS)
        assert (again.missed, again.missing_since) == (1, NOW + CONFIRMED_AFTER_MS)

    def test_the_looks_that_it_asks_for_end_in_certainty(self) -> None:
        now, seen = NOW, USED
        for _ in range(LOOKS):
            seen = missed(seen, now=now)
            last, now = now, next_look(seen, now=now)
        assert is_confirmed(seen, now=last)
        assert last == NOW + CONFIRMED_AFTER_MS


class TestGone:  # case 72
    DECISION = disappear(USED, [ANNA, BEN], now=NOW)

    def test_it_blocks_nothing_and_is_nobody_s_destination(self) -> None:
        after = resources_after(self.DECISION)
        assert (after["anna"].blocked_by, after["anna"].destination) == ((), None)
        assert (after["ben"].blocked_by, after["ben"].destination) == (("other",), "other")
        assert set(self.DECISION.touches) == set(touches(["anna", "ben"], NOW))

    def test_it_is_polled_and_watched_no_more_and_remembers_whose_it_was(self) -> None:
        after = calendar_after(self.DECISION)
        assert (after.state, after.in_use, after.selected) == ("gone", False, True)
        assert (after.resources, after.destination_for) == (USED.resources, USED.destination_for)
        assert (after.next_poll_at, after.renew_at, after.channel) == (None, None, None)
        assert (after.last_error, after.known_until("anna", now=NOW, stale_after=1)) == (GONE, 0)

    def test_its_copies_and_the_time_that_came_free_are_looked_after(self) -> None:
        assert self.DECISION.effects == (
            Effect(kind="copies", subject=CALENDAR),
            Effect(kind="recalculate", subject="anna"),
            Effect(kind="recalculate", subject="ben"),
        )

    def test_google_is_who_did_it(self) -> None:
        (entry,) = self.DECISION.history
        assert (entry.what, entry.author, entry.calendar) == ("calendar.gone", GOOGLE, CALENDAR)
        assert entry.before == {"blocks": ["anna", "ben"], "destination_for": ["anna"]}

    def test_no_session_is_touched(self) -> None:
        assert {type(each) for each in self.DECISION.documents} == {Calendar, Resource}

    def linked(self, blocks: Iterable[str]) -> Decision[Calendar]:
        links = Links(
            calendar=calendar_after(self.DECISION),
            connection=connection(),
            blocks=frozenset(blocks),
            destination_for=frozenset(),
            resources=(ANNA,),
            others=(),
        )
        return link(links, now=NOW, author=BY_OPERATOR)

    def test_an_operator_can_give_it_up_but_not_use_it(self) -> None:
        assert not self.linked([]).answer.selected
        with pytest.raises(Invalid, match="does not show this calendar"):
            self.linked(["anna"])


class TestBack:
    GONE = calendar_after(disappear(missed(USED, now=NOW), [ANNA, BEN], now=NOW))
    FREED = resources_after(disappear(USED, [ANNA, BEN], now=NOW))

    def back(self, *resources: Resource, of: Calendar = GONE) -> Decision[None]:
        return reappear(of, resources, now=NOW)

    def test_it_takes_its_place_again(self) -> None:
        decision = self.back(*self.FREED.values())
        assert resources_after(decision)["anna"].blocked_by == (CALENDAR,)
        assert resources_after(decision)["anna"].destination == CALENDAR
        assert resources_after(decision)["ben"].blocked_by == (CALENDAR, "other")
        after = calendar_after(decision)
        assert (after.state, after.last_error, after.missing_since, after.missed) == ("active", None, None, 0)
        assert (after.next_poll_at, after.renew_at) == (NOW, NOW)

    def test_nothing_of_it_is_known_before_it_has_been_read_in_full(self) -> None:
        after = calendar_after(self.back(*self.FREED.values()))
        assert after.known_until("anna", now=NOW, stale_after=1) == 0
        assert after.cursor == Cursor(generation=4)
        assert after.cursor.at_rest

    def test_it_is_pulled_watched_and_written_to(self) -> None:
        kinds = [effect.kind for effect in self.back(*self.FREED.values()).effects]
        assert kinds == ["pull", "watch", "copies", "redirect"]

    def test_who_has_another_destination_by_now_keeps_it(self) -> None:
        moved_on = self.FREED["anna"].model_copy(update={"destination": "newer"})
        decision = self.back(moved_on, self.FREED["ben"])
        assert resources_after(decision)["anna"].destination == "newer"
        assert (calendar_after(decision).destination_for, calendar_after(decision).formerly_for) == ((), ("anna",))
        # What of hers still stands there is looked after, and nothing goes back there.
        assert [effect.kind for effect in decision.effects] == ["pull", "watch", "copies"]

    def test_one_that_may_only_be_read_now_is_no_destination(self) -> None:
        decision = self.back(*self.FREED.values(), of=self.GONE.model_copy(update={"role": "reader"}))
        assert resources_after(decision)["anna"].destination is None
        assert calendar_after(decision).destination_for == ()

    def test_a_resource_that_is_no_more_is_passed_over(self) -> None:
        assert calendar_after(self.back(self.FREED["ben"])).resources == ("ben",)

    def test_one_that_nobody_wants_any_more_is_only_listed(self) -> None:
        unwanted = self.GONE.model_copy(update={"resources": (), "destination_for": ()})
        decision = self.back(of=unwanted)
        assert (calendar_after(decision).state, calendar_after(decision).next_poll_at) == ("active", None)
        assert decision.effects == ()
