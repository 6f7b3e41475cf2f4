"""People, the accounts that they belong to, and what they may give to others."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.api_keys import MOST_KEYS, free_name, keys_by, make_key, revoke_key
from functions.domain.configuration import Account, OperatorKey, Resource, Service
from functions.domain.decision import Author, Effect, Ref
from functions.domain.errors import Forbidden, IllegalMove, Invalid
from functions.domain.invitation import (
    LIFE_MS,
    MOST_OPEN,
    Invitation,
    NewInvitation,
    accept,
    invite,
    take_back,
)
from functions.domain.membership import MOST_MEMBERS, Member, change_role, joining, remove
from functions.domain.permissions import EVERYTHING, OF_ROLE, Permission, Role
from functions.domain.person import (
    LONGEST_MS,
    MOST_BROWSERS,
    Person,
    forget,
    person_id,
    sign_in,
    sign_out,
    sign_out_everywhere,
)
from functions.domain.setting_up import MOST_FOUNDED, FirstDetails, set_up
from tests.domain.builders import BY_OPERATOR, NOW

ANNA = Person(id=person_id("1"), email="anna@nord.example", name="Anna", created_at=NOW)
BEN = Person(id=person_id("2"), email="Ben@Nord.example", created_at=NOW)
ROLES: tuple[Role, ...] = get_args(Role)
MINE, YEAR = frozenset[Permission](("members", "read")), 365 * 24 * 3_600_000


def member(name: str, role: Role) -> Member:
    return Member(id=name, email=f"{name}@nord.example", role=role, joined_at=NOW)


class TestPerson:
    def test_google_s_subject_is_who_they_are_whatever_their_address(self) -> None:
        moved = ANNA.model_copy(update={"email": "anna@new.example"})
        decision = sign_in(ANNA.model_copy(update={"founded": ("demo",)}), moved, "b", now=NOW)
        assert (decision.answer.email, decision.answer.founded) == ("anna@new.example", ("demo",))
        assert person_id("1") != person_id("2")

    def test_a_browser_is_signed_in_for_two_weeks_at_most(self) -> None:
        person = sign_in(None, ANNA, "b", now=NOW).answer
        assert person.signed_in("b", NOW + LONGEST_MS - 1)
        assert not person.signed_in("b", NOW + LONGEST_MS)
        assert not person.signed_in("another", NOW)

    def test_what_is_over_is_forgotten_with_the_next(self) -> None:
        old = sign_in(None, ANNA, "old", now=NOW).answer
        assert set(sign_in(old, ANNA, "new", now=NOW + LONGEST_MS).answer.browsers) == {"new"}

    def test_the_oldest_of_too_many_is_signed_out(self) -> None:
        person = ANNA
        for number in range(MOST_BROWSERS + 1):
            person = sign_in(person, ANNA, f"b{number}", now=NOW + number).answer
        assert len(person.browsers) == MOST_BROWSERS
        assert not person.signed_in("b0", NOW)

    def test_signing_out_is_of_one_browser_or_of_all(self) -> None:
        person = sign_in(sign_in(None, ANNA, "a", now=NOW).answer, ANNA, "b", now=NOW).answer
        assert set(sign_out(person, "a").answer.browsers) == {"b"}
        assert set(sign_out(person, "unknown").answer.browsers) == {"a", "b"}
        assert sign_out_everywhere(person).answer.browsers == {}

    @pytest.mark.parametrize(
        ("person", "belongs", "forgotten"),
        [
            pytest.param(ANNA, False, True, id="who never came back"),
            pytest.param(ANNA, True, False, id="who belongs to an account"),
            pytest.param(sign_in(ANNA, ANNA, "b", now=NOW + YEAR).answer, False, False, id="who came back"),
            pytest.param(
                sign_out_everywhere(sign_in(ANNA, ANNA, "b", now=NOW + YEAR).answer).answer, False, False, id="and left"
            ),
            pytest.param(
                ANNA.model_copy(update={"browsers": {"b": NOW + YEAR}}), False, False, id="before it was noted"
            ),
        ],
    )
    def test_who_has_not_signed_in_for_long_is_forgotten(
        self, person: Person, *, belongs: bool, forgotten: bool
    ) -> None:
        decision = forget(person, belongs=belongs, before=NOW + YEAR)
        assert decision.answer is forgotten
        assert decision.deletions == ((Ref(Person, ANNA.id),) if forgotten else ())


class TestOwners:
    @given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from([*ROLES, None])), max_size=30))
    def test_whatever_is_done_one_stays(self, moves: list[tuple[int, Role | None]]) -> None:
        members = {f"m{n}": member(f"m{n}", "owner" if n == 0 else "viewer") for n in range(5)}
        for number, role in moves:
            one = members.get(f"m{number}")
            if one is None:
                continue
            try:
                if role is None:
                    remove(one, members.values(), may=EVERYTHING, author=BY_OPERATOR)
                    del members[one.id]
                else:
                    decision = change_role(one, role, members.values(), may=EVERYTHING, author=BY_OPERATOR)
                    members[one.id] = decision.answer
            except IllegalMove:
                assert one.role == "owner"
            assert any(each.role == "owner" for each in members.values())

    def test_an_owner_goes_only_as_long_as_another_is_one(self) -> None:
        """Two who leave at the same moment: each decision rests on the other's being there, so one of the commits fails."""
        one, other = member("one", "owner"), member("other", "owner")
        gone = remove(one, (one, other), may=EVERYTHING, author=BY_OPERATOR)
        assert (gone.deletions, gone.guards) == ((Ref(Member, "one"),), (Ref(Member, "other"),))
        less = change_role(other, "viewer", (one, other), may=EVERYTHING, author=BY_OPERATOR)
        assert less.guards == (Ref(Member, "one"),)

    def test_what_changes_nothing_writes_nothing(self) -> None:
        one = member("one", "owner")
        assert change_role(one, "owner", (one,), may=EVERYTHING, author=BY_OPERATOR).writes_nothing


class TestNobodyGivesOrTakesWhatTheyDoNotHave:
    @pytest.mark.parametrize("role", ROLES)
    def test_a_role(self, role: Role) -> None:
        if OF_ROLE[role] <= MINE:
            invite(_new(role), (), (), may=MINE, now=NOW, author=BY_OPERATOR)
            return
        owner, one = member("owner", "owner"), member("one", role)
        for attempt in (
            lambda: invite(_new(role), (), (), may=MINE, now=NOW, author=BY_OPERATOR),
            lambda: change_role(member("v", "viewer"), role, (owner,), may=MINE, author=BY_OPERATOR),
            lambda: change_role(one, "viewer", (owner, one), may=MINE, author=BY_OPERATOR),
            lambda: remove(one, (owner, one), may=MINE, author=BY_OPERATOR),
            lambda: take_back(invitation(role), may=MINE, author=BY_OPERATOR),
            lambda: invite(_new(), (), (invitation(role),), may=MINE, now=NOW, author=BY_OPERATOR),
        ):
            with pytest.raises(Forbidden):
                attempt()

    @given(st.frozensets(st.sampled_from(sorted(EVERYTHING))), st.frozensets(st.sampled_from(sorted(EVERYTHING))))
    def test_a_key(self, mine: frozenset[Permission], its: frozenset[Permission]) -> None:
        key = OperatorKey(id="h", name="website", created_at=NOW, permissions=its)
        if its <= mine:
            assert make_key(key, (), may=mine, author=BY_OPERATOR).documents == (key,)
            assert revoke_key(key, may=mine, author=BY_OPERATOR).deletions == (Ref(OperatorKey, "h"),)
        else:
            with pytest.raises(Forbidden):
                make_key(key, (), may=mine, author=BY_OPERATOR)
            with pytest.raises(Forbidden):
                revoke_key(key, may=mine, author=BY_OPERATOR)


def _new(role: Role = "viewer", email: str = "ben@nord.example") -> NewInvitation:
    return NewInvitation(id="i1", email=email, role=role, token_hash="h")


def invitation(role: Role = "viewer", **fields: object) -> Invitation:
    known = {"id": "i0", "email": "ben@nord.example", "role": role, "invited_by": "anna", "token_hash": "h"}
    return Invitation.model_validate({**known, "created_at": NOW, "expires_at": NOW + LIFE_MS, **fields})


class TestInvitation:
    def test_a_mail_goes_out_with_it(self) -> None:
        decision = invite(_new(), (), (), may=EVERYTHING, now=NOW, author=BY_OPERATOR)
        assert decision.answer.expires_at == NOW + LIFE_MS
        assert decision.effects == (Effect(kind="notify", subject="i1", about="invited"),)
        assert [entry.what for entry in decision.history] == ["invitation.made"]

    def test_another_one_to_the_same_address_replaces_it(self) -> None:
        before = (invitation(), invitation(id="i9", email="else@nord.example"))
        decision = invite(_new(email="BEN@nord.example"), (), before, may=EVERYTHING, now=NOW, author=BY_OPERATOR)
        assert decision.deletions == (Ref(Invitation, "i0"),)

    def test_who_belongs_to_the_account_is_not_invited(self) -> None:
        with pytest.raises(IllegalMove):
            invite(_new(), (joining(BEN, "viewer", now=NOW),), (), may=EVERYTHING, now=NOW, author=BY_OPERATOR)

    @pytest.mark.parametrize(("members", "open_ones"), [(0, MOST_OPEN), (MOST_MEMBERS, 0), (MOST_MEMBERS - 5, 5)])
    def test_there_are_not_too_many(self, members: int, open_ones: int) -> None:
        known = [member(f"m{n}", "viewer") for n in range(members)]
        waiting = [invitation(id=f"i{n}", email=f"w{n}@nord.example") for n in range(open_ones)]
        with pytest.raises(IllegalMove):
            invite(_new(), known, waiting, may=EVERYTHING, now=NOW, author=BY_OPERATOR)
        invite(_new(), known[:-1], waiting[:-1], may=EVERYTHING, now=NOW, author=BY_OPERATOR)
        run_out = [each.model_copy(update={"expires_at": NOW}) for each in waiting]
        if members < MOST_MEMBERS:
            invite(_new(), known, run_out, may=EVERYTHING, now=NOW, author=BY_OPERATOR)

    def test_it_is_accepted_by_its_address_however_that_is_written(self) -> None:
        decision = accept(invitation("manager"), BEN, None, now=NOW)
        assert decision.documents == (joining(BEN, "manager", now=NOW),)
        assert decision.deletions == (Ref(Invitation, "i0"),)
        (entry,) = decision.history
        assert (entry.what, entry.author.name, entry.why) == ("member.joined", BEN.email, "invited by anna")

    def test_nobody_else_accepts_it(self) -> None:
        with pytest.raises(Forbidden):
            accept(invitation(), ANNA, None, now=NOW)

    def test_it_runs_out_and_a_member_needs_none(self) -> None:
        with pytest.raises(IllegalMove):
            accept(invitation(), BEN, None, now=NOW + LIFE_MS)
        with pytest.raises(IllegalMove):
            accept(invitation("owner"), BEN, joining(BEN, "viewer", now=NOW), now=NOW)

    def test_it_can_be_taken_back(self) -> None:
        assert take_back(invitation(), may=EVERYTHING, author=BY_OPERATOR).deletions == (Ref(Invitation, "i0"),)


class TestKeys:
    def test_names_tell_them_apart_and_none_is_a_persons(self) -> None:
        key = OperatorKey(id="h", name="website", created_at=NOW)
        with pytest.raises(IllegalMove):
            make_key(key, (key.model_copy(update={"id": "other"}),), may=EVERYTHING, author=BY_OPERATOR)
        with pytest.raises(Invalid):
            make_key(key.model_copy(update={"name": ANNA.email}), (), may=EVERYTHING, author=BY_OPERATOR)
        many = [key.model_copy(update={"name": str(number)}) for number in range(MOST_KEYS)]
        with pytest.raises(IllegalMove):
            make_key(key, many, may=EVERYTHING, author=BY_OPERATOR)

    def test_whose_they_are_goes_on_through_those_that_made_others(self) -> None:
        key = OperatorKey(id="1", name="website", created_at=NOW)
        made = {"1": "anna", "2": "1", "3": "ben", "4": "2", "5": None, "6": "anna"}
        keys = [key.model_copy(update={"id": id_, "made_by": by}) for id_, by in made.items()]
        assert [each.id for each in keys_by("anna", keys)] == ["1", "6", "2", "4"]
        assert [each.id for each in keys_by("ben", keys)] == ["3"]
        assert keys_by("eve", keys) == []

    def test_one_from_the_command_line_has_a_name_of_its_own(self) -> None:
        key = OperatorKey(id="h", name="bootstrap", created_at=NOW)
        keys: list[OperatorKey] = []
        for _ in range(3):
            keys.append(key.model_copy(update={"name": free_name("bootstrap", keys)}))
        assert [each.name for each in keys] == ["bootstrap", "bootstrap 2", "bootstrap 3"]

    def test_the_history_tells_of_it_and_holds_no_hash(self) -> None:
        key = OperatorKey(id="the hash", name="website", created_at=NOW, permissions=MINE)
        for decision in (
            make_key(key, (), may=EVERYTHING, author=BY_OPERATOR),
            revoke_key(key, may=EVERYTHING, author=BY_OPERATOR),
        ):
            (entry,) = decision.history
            assert entry.after == {"key": "website", "permissions": ["members", "read"]}


class TestSettingUp:
    DETAILS = FirstDetails(
        name="Nord", time_zone="Europe/Berlin", resource="Anna", service="Lesson", duration_minutes=20
    )

    def test_an_account_begins_with_all_that_can_be_booked_and_its_owner(self) -> None:
        decision = set_up("nord", self.DETAILS, ANNA, now=NOW)
        account, resource, service, owner, founder = decision.documents
        assert isinstance(account, Account)
        assert isinstance(resource, Resource)
        assert isinstance(service, Service)
        assert (account.id, account.name, resource.hours.time_zone) == ("nord", "Nord", "Europe/Berlin")
        assert (service.resources, service.duration_minutes, service.step_minutes) == ((resource.id,), 20, 20)
        assert owner == joining(ANNA, "owner", now=NOW)
        assert isinstance(founder, Person)
        assert founder.founded == ("nord",)
        assert {entry.author for entry in decision.history} == {Author(kind="operator", name=ANNA.email)}

    def test_one_person_makes_so_many_and_no_more(self) -> None:
        founder = ANNA.model_copy(update={"founded": tuple(str(n) for n in range(MOST_FOUNDED - 1))})
        grown = set_up("last", self.DETAILS, founder, now=NOW).documents[-1]
        assert isinstance(grown, Person)
        with pytest.raises(IllegalMove):
            set_up("beyond", self.DETAILS, grown, now=NOW + YEAR)
