"""A consent that a signed-in operator begins is finished by their own browser, and is theirs in the history: to connect an account, to renew its access, to
connect it again, and whatever is offered where Google was told too little.
"""

from dataclasses import dataclass
from typing import Any

import pytest

from functions.adapters.store.store import Store
from functions.domain.calendar import Connection
from functions.domain.decision import Decision, Ref
from functions.domain.membership import Member
from tests.browsing import Page
from tests.studio import Studio, until
from tests.system.people import Somebody


@dataclass
class Operator:
    """A member of the studio, at their browser."""

    studio: Studio
    who: Somebody

    @classmethod
    def of(cls, studio: Studio, who: Somebody) -> "Operator":
        who.sign_in()
        member = Member(id=who.me()["id"], email=who.email, role="owner", joined_at=0)
        studio.store.run(studio.account, lambda reader: Decision(answer=None, documents=(member,)))
        return cls(studio, who)

    @property
    def base(self) -> str:
        return f"/v1/accounts/{self.studio.account}/connections"

    def begins(self, *, renewing: str | None = None) -> str:
        """The address at Google."""
        answer = self.who.call("POST", f"{self.base}/{renewing}/refresh" if renewing else self.base, {})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["consent_url"])

    def allows(self, consent: str, *, as_: str | None = None, without: str | None = None) -> str:
        """What Google is told in this browser, by its own person or by another; the address that it leads back to."""
        asked = self.who.browser.open(consent)
        back = self.who.browser.through_google(
            asked, as_ or self.who.email, without=without, stop_before=self.who.at("/oauth")
        )
        assert back.leads_to is not None
        return back.leads_to

    def denies(self, consent: str) -> Page:
        return self.who.browser.press(self.who.browser.open(consent), "Cancel")

    def comes_back(self, address: str) -> Page:
        return self.who.browser.open(address)

    def comes_back_elsewhere(self, address: str) -> Page:
        """In another browser, in which the same person is signed in."""
        other = self.who.with_another_browser()
        other.sign_in()
        return other.browser.open(address)

    def connects(self) -> dict[str, Any]:
        page = self.comes_back(self.allows(self.begins()))
        assert page.status == 200, page.text
        return self.connection

    def ends(self, connection: str) -> None:
        answer = self.who.call("DELETE", f"{self.base}/{connection}")
        assert answer.status_code == 202, answer.text
        until(lambda: "ending" not in self.studio.look(f"connections/{connection}"))

    @property
    def connections(self) -> list[dict[str, Any]]:
        return list(self.studio.look("connections")["connections"])

    @property
    def connection(self) -> dict[str, Any]:
        (connection,) = self.connections
        return connection

    @property
    def secret(self) -> str:
        """What is kept of the grant, sealed."""
        stored = self.studio.store.get(self.studio.account, Ref(Connection, self.connection["id"]))
        assert stored is not None
        return stored.secret

    @property
    def has_done(self) -> list[str]:
        """Of what became of connections, what this operator did: oldest first."""
        entries = [entry for entry in self.studio.history() if entry["what"].startswith("connection.")]
        return [entry["what"] for entry in entries if entry.get("author_name") == self.who.email]


@pytest.fixture
def owner(empty_studio: Studio) -> Operator:
    """Whose own Google account it is."""
    return Operator.of(empty_studio, Somebody(empty_studio.addresses, empty_studio.person.email))


def test_a_consent_ends_with_the_membership_of_who_began_it(owner: Operator, store: Store) -> None:
    address = owner.allows(owner.begins())
    gone = Ref(Member, owner.who.me()["id"])
    store.run(owner.studio.account, lambda reader: Decision(answer=None, deletions=(gone,)))
    assert owner.comes_back(address).status == 403
    assert owner.connections == []


def test_a_consent_begun_in_a_browser_is_finished_by_that_browser_alone(owner: Operator) -> None:
    address = owner.allows(owner.begins())
    assert owner.who.with_another_browser().browser.open(address).status == 400
    assert owner.comes_back_elsewhere(address).status == 400, "not even the same person's, elsewhere"
    assert owner.connections == []
    assert owner.comes_back(address).status == 200
    assert owner.connection["email"] == owner.who.email
    assert owner.has_done == ["connection.made"]


def test_who_says_no_has_connected_nothing_and_may_begin_again(owner: Operator) -> None:
    no = owner.denies(owner.begins())
    assert (no.status, "Nothing was connected." in no.text) == (400, True)
    assert owner.connections == []
    assert owner.comes_back(no.url).status == 400, "a consent ends with that"
    assert owner.connects()["state"] == "active"


def test_what_is_tried_again_is_for_the_same_browser_too(owner: Operator) -> None:
    page = owner.comes_back(owner.allows(owner.begins(), without="calendar.events"))
    assert page.status == 422
    address = owner.allows(page.links["Try again"])
    assert owner.comes_back_elsewhere(address).status == 400
    assert owner.connections == []
    assert owner.comes_back(address).status == 200
    assert owner.has_done == ["connection.made"]


def test_another_account_that_granted_access_is_connected_by_the_same_browser_too(
    empty_studio: Studio,
) -> None:  # case 82
    manager = Operator.of(empty_studio, Somebody.new(empty_studio.addresses, "boss"))
    empty_studio.connect()
    annas = manager.connection
    page = manager.comes_back(manager.allows(manager.begins(renewing=annas["id"])))
    assert page.status == 409
    address = manager.allows(page.links[f"Connect {manager.who.email}"])
    assert manager.comes_back_elsewhere(address).status == 400
    assert [each["id"] for each in manager.connections] == [annas["id"]]
    assert manager.comes_back(address).status == 200
    assert {each["email"]: each["state"] for each in manager.connections} == {
        annas["email"]: "active",
        manager.who.email: "active",
    }
    assert manager.has_done == ["connection.made"]


def test_access_that_works_is_renewed_in_place(owner: Operator) -> None:  # case 83
    before, sealed = owner.connects(), owner.secret
    assert owner.comes_back(owner.allows(owner.begins(renewing=before["id"]))).status == 200
    known = ("id", "email", "state", "since", "scopes", "missing_permissions")
    assert {name: owner.connection[name] for name in known} == {name: before[name] for name in known}
    assert owner.secret != sealed
    assert owner.has_done == ["connection.made", "connection.regained"]


def test_who_renews_with_too_little_or_not_at_all_leaves_it_as_it_was(owner: Operator) -> None:
    connection, sealed = owner.connects()["id"], owner.secret
    assert owner.denies(owner.begins(renewing=connection)).status == 400
    page = owner.comes_back(owner.allows(owner.begins(renewing=connection), without="calendar.events"))
    assert page.status == 422
    assert (owner.connection["id"], owner.connection["state"], owner.secret) == (connection, "active", sealed)
    assert owner.connection["missing_permissions"] == []
    # What it lives by was not given back: its calendars are still read.
    owner.studio.use_calendar(connection)
    until(lambda: owner.studio.fresh_since(0))
    assert owner.comes_back(owner.allows(page.links["Try again"])).status == 200
    assert (owner.connection["id"], owner.connection["state"]) == (connection, "active")
    assert owner.has_done == ["connection.made", "connection.regained"]


def test_what_was_disconnected_is_not_renewed_but_connected_anew(owner: Operator) -> None:  # case 83
    connection = owner.connects()["id"]
    begun = owner.begins(renewing=connection)
    owner.ends(connection)
    refused = owner.who.call("POST", f"{owner.base}/{connection}/refresh", {})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:booking:problem:illegal-state")
    page = owner.comes_back(owner.allows(begun))
    assert (page.status, "was disconnected meanwhile. Connect the account anew." in page.text) == (409, True)
    assert owner.connections == []

    again = owner.connects()
    assert (again["id"] != connection, again["email"], again["state"]) == (True, owner.who.email, "active")
    owner.studio.use_calendar(again["id"])
    until(lambda: owner.studio.fresh_since(0))
    assert owner.has_done == ["connection.made", "connection.ended", "connection.made"]
