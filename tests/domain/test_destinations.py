"""Where a session's events go when its resources' calendars are others: into the new ones, out of the old ones, and taken for nobody's deed."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functions.domain.calendar_access import GONE
from functions.domain.decision import Effect
from functions.domain.destinations import left, once_decided, redirect
from functions.domain.inbound import decide_inbound
from functions.domain.missing_event import rehomed
from functions.domain.own_event import Inbound, event_is_ours
from functions.domain.session import Conflict, GoogleCopy, Session
from functions.domain.standing import Obstacle
from tests.domain.builders import BERLIN, NOW, copy, google_event, resource, row, service, session, times, tombstone

NINE = "2027-03-01T09:00Z/2027-03-01T10:00Z"
NINE_IN_GOOGLE = ("2027-03-01T09:00:00Z", "2027-03-01T10:00:00Z")


def written(calendar: str, **more: object) -> GoogleCopy:
    return copy(NINE, calendar=calendar, event=f"event-in-{calendar}", written=1, **more)


def stands_in(*copies: GoogleCopy, **changes: object) -> Session:
    return session(copies={each.calendar: each for each in copies}, **changes)


def sent(before: Session, *destinations: str, gone: Collection[str] = ()) -> Session:
    return redirect(before, destinations, gone).answer


def places(of: Session) -> dict[str, str]:
    """By calendar: whether its event is there for good, on its way there, on its way out, or gone."""

    def place(each: GoogleCopy) -> str:
        if each.leaving is not None:
            return "gone" if each.gone else "leaves"
        return "stands" if each.base else "comes"

    return {name: place(each) for name, each in of.copies.items()}


class TestRedirect:
    def test_it_comes_to_the_new_calendar_and_leaves_the_old(self) -> None:
        decision = redirect(stands_in(written("old")), ["new"], ())
        assert places(decision.answer) == {"old": "leaves", "new": "comes"}
        assert decision.answer.copy_pending
        (entry,) = decision.history
        assert (entry.what, entry.before, entry.after) == (
            "session.redirected",
            {"calendars": ["old"]},
            {"calendars": ["new"]},
        )
        assert [(effect.kind, effect.subject) for effect in decision.effects] == [("push", decision.answer.id)]

    def test_twice_changes_nothing_more(self) -> None:
        once = sent(stands_in(written("old")), "new")
        assert redirect(once, ["new"], ()).writes_nothing

    def test_where_two_resources_share_the_old_one_it_stays_for_the_other(self) -> None:
        shared = stands_in(written("both"))
        assert places(sent(shared, "new", "both")) == {"both": "stands", "new": "comes"}

    def test_where_its_event_was_left_no_second_one_is_made_before_it_was_looked_for(self) -> None:
        left_there = stands_in(written("first", out_of_reach=True))
        assert redirect(left_there, ["first"], ()).writes_nothing
        assert places(sent(left_there, "new")) == {"first": "stands", "new": "comes"}, "nobody can take it away"

    def test_what_was_in_no_calendar_comes_into_the_first(self) -> None:
        assert places(sent(stands_in(), "first")) == {"first": "comes"}

    def test_where_nothing_is_written_any_more_it_leaves(self) -> None:
        assert places(sent(stands_in(written("old")))) == {"old": "leaves"}

    def test_of_what_google_never_heard_nothing_has_to_leave(self) -> None:
        only_kept = stands_in(copy(calendar="old"), seats={})
        decision = redirect(only_kept, ["new"], ())
        assert places(decision.answer) == {"new": "comes"}
        assert decision.effects == ()

    def test_from_a_calendar_that_is_gone_it_has_left(self) -> None:  # case 72
        after = sent(stands_in(written("old", error=GONE)), "new", gone=["old"])
        assert places(after) == {"old": "gone", "new": "comes"}

    def test_what_its_owner_took_elsewhere_stays_there(self) -> None:  # case 113
        moved = rehomed(stands_in(written("old")), "old", "elsewhere").answer
        assert redirect(moved, ["old"], ()).writes_nothing
        assert places(sent(moved, "new")) == {"elsewhere": "leaves", "new": "comes"}
        assert rehomed(moved, "elsewhere", "old").answer.copies["old"].home is None

    def test_what_its_owner_took_there_before_is_where_it_belongs(self) -> None:
        moved = rehomed(stands_in(written("old")), "old", "new").answer
        after = sent(moved, "new")
        assert places(after) == {"new": "stands"}
        assert after.copies["new"].home is None

    @pytest.mark.parametrize(
        "in_question",
        [
            stands_in(written("old", missing_since=NOW)),
            stands_in(
                written("old"), conflict=Conflict(reason=Obstacle.MOVED, since=NOW, calendar="old", times=times(NINE))
            ),
        ],
    )
    def test_what_is_in_question_stays_until_it_is_decided(self, in_question: Session) -> None:
        assert redirect(in_question, ["new"], ()).writes_nothing
        to_new, decided = [resource("anna", destination="new")], stands_in(written("old"))
        assert once_decided(in_question, decided, to_new) == (Effect(kind="redirect", subject="anna"),)
        assert once_decided(in_question, in_question, to_new) == ()
        assert once_decided(decided, decided, to_new) == (), (
            "the walk of the day on which the destination changed sees to it"
        )
        assert once_decided(in_question, decided, [resource("anna", destination="old")]) == ()

    def test_what_is_cancelled_is_deleted_where_it_is(self) -> None:
        assert redirect(stands_in(written("old"), status="cancelled"), ["new"], ()).writes_nothing


class TestBack:
    """The destination changes back while the event is on its way out."""

    LEAVING = sent(stands_in(written("old")), "new")

    def test_before_anything_was_asked_it_just_stays(self) -> None:
        after = sent(self.LEAVING, "old")
        assert places(after) == {"old": "stands"}
        assert not after.copy_pending

    def test_once_a_delete_was_asked_for_it_is_made_anew_when_that_is_through(self) -> None:
        asked = self.LEAVING.with_copy(written("old", leaving="asked"))
        after = sent(asked, "old")
        assert (after.copies["old"].leaving, after.copy_pending) == ("back", True)
        assert redirect(after, ["old"], ()).writes_nothing, "what was asked for is still known as ours"
        again = left(after, "old")
        assert places(again) == {"old": "comes"}
        assert again.copies["old"].attempt == 1

    def test_once_it_is_gone_it_has_an_id_that_google_has_not_seen(self) -> None:
        away = left(self.LEAVING, "old")
        assert places(away) == {"old": "gone", "new": "comes"}
        back = sent(away, "old")
        assert places(back) == {"old": "comes"}
        assert back.copies["old"].event not in {away.copies["old"].event, away.copies["new"].event}

    def test_in_a_calendar_that_is_shown_again_it_may_still_stand(self) -> None:
        away = sent(stands_in(written("old")), "new", gone=["old"])
        assert places(sent(away, "old")) == {"old": "stands"}


def inbound(of: Session, event: dict[str, object]) -> Inbound:
    found = row(event, of="old", session=of.id)
    return Inbound(event=found, session=of, bookings=(), states=(), service=service(), calendar_zone=BERLIN, now=NOW)


class TestWhatTheOldCalendarTells:
    LEAVING = sent(stands_in(written("old")), "new")

    def test_that_it_is_deleted_there_is_no_deed_of_its_owners(self) -> None:  # case 113
        decision = decide_inbound(inbound(self.LEAVING, tombstone("event-in-old")))
        (after,) = decision.documents
        assert isinstance(after, Session)
        assert (places(after), after.status) == ({"old": "gone", "new": "comes"}, "open")
        assert decision.history == ()
        assert decision.effects == (Effect(kind="settle", subject=after.id),), "it may be in another calendar by now"
        assert decide_inbound(inbound(after, tombstone("event-in-old"))).writes_nothing

    def test_where_we_have_asked_for_it_our_own_push_takes_note(self) -> None:
        asked = self.LEAVING.with_copy(written("old", leaving="asked"))
        assert decide_inbound(inbound(asked, tombstone("event-in-old"))).writes_nothing

    def test_as_long_as_it_stands_there_it_is_ours(self) -> None:
        assert event_is_ours("event-in-old", "old", self.LEAVING)
        echo = google_event("event-in-old", *NINE_IN_GOOGLE)
        decision = decide_inbound(inbound(self.LEAVING, echo))
        assert not [
            each for each in decision.documents if isinstance(each, Session) and each.start != self.LEAVING.start
        ]

    def test_should_it_show_once_more_it_is_deleted_once_more(self) -> None:
        away = left(self.LEAVING, "old")
        decision = decide_inbound(inbound(away, google_event("event-in-old", *NINE_IN_GOOGLE)))
        (after,) = decision.documents
        assert isinstance(after, Session)
        assert places(after)["old"] == "leaves"
        assert [effect.kind for effect in decision.effects] == ["push"]


@dataclass
class Google:
    """Calendars that hold events by id, never take an id twice, and tell of deletions late."""

    there: dict[str, set[str]] = field(default_factory=lambda: {"a": set(), "b": set()})
    used: set[str] = field(default_factory=set)
    untold: list[tuple[str, str]] = field(default_factory=list)

    def insert(self, each: GoogleCopy) -> None:
        if each.event not in self.used:
            self.used.add(each.event)
            self.there[each.calendar].add(each.event)

    def delete(self, each: GoogleCopy) -> None:
        if each.event in self.there[each.calendar]:
            self.there[each.calendar].remove(each.event)
            self.untold.append((each.calendar, each.event))

    def tell(self, of: Session) -> Session:
        for calendar, event in self.untold:
            known = of.copies.get(calendar)
            if known is not None and known.event == event:
                found = row(tombstone(event), of=calendar, session=of.id)
                decision = decide_inbound(
                    Inbound(
                        event=found,
                        session=of,
                        bookings=(),
                        states=(),
                        service=service(),
                        calendar_zone=BERLIN,
                        now=NOW,
                    )
                )
                of = next((each for each in decision.documents if isinstance(each, Session)), of)
        self.untold.clear()
        return of


def pushed(of: Session, google: Google, *, arrives: bool = True, answered: bool) -> Session:
    """What a push does. `arrives`: what it asks to be deleted reaches Google; `answered`: Google's answers to that come back."""
    for each in of.present_copies:
        if of.is_behind(each) and not each.left_alone:
            google.insert(each)
            of = of.with_copy(each.model_copy(update={"base": of.times, "written": of.version}))
    for each in [each for each in of.copies.values() if each.leaving is not None and not each.gone]:
        if each.leaving == "due":
            of = of.with_copy(each.model_copy(update={"leaving": "asked"}))
        if arrives:
            google.delete(each)
        if answered:
            of = left(of, each.calendar)
    return of


CALENDARS = st.sampled_from([("a",), ("b",), ("a", "b"), ()])
STEPS = st.lists(
    st.one_of(CALENDARS, st.sampled_from(["push", "push, answer lost", "push, cut short", "told"])), max_size=12
)


@example([("a",), "push", ("b",), "push, answer lost", ("a",)], ("b",))
@example([("a",), "push", ("b",), "push, cut short"], ("a",))
@given(STEPS, CALENDARS)
def test_whatever_comes_between_it_ends_in_the_calendars_that_it_should(
    steps: Iterable[str | tuple[str, ...]], last: tuple[str, ...]
) -> None:
    google, of = Google(), stands_in()
    for step in (*steps, last):
        if isinstance(step, tuple):
            of = sent(sent(of, *step), *step)  # as a walk does, which begins again until it finds nothing more to do
        elif step == "told":
            of = google.tell(of)
        else:
            of = pushed(of, google, arrives=step != "push, cut short", answered=step == "push")
    while of.copy_pending:
        of = google.tell(pushed(of, google, answered=True))
    assert {calendar: len(events) for calendar, events in google.there.items() if events} == dict.fromkeys(last, 1)
    assert {each.calendar for each in of.present_copies} == {*last}
    assert (of.status, [each for each in of.copies.values() if each.missing_since]) == ("open", [])
