"""A consent that a signed-in operator begins is finished by their own browser, and is theirs in the history."""

from functions.adapters.store.store import Store
from functions.domain.decision import Decision, Ref
from functions.domain.membership import Member
from tests.studio import Studio
from tests.system.people import Somebody


def _belongs(store: Store, studio: Studio, owner: Somebody) -> None:
    person = owner.me()
    member = Member(id=person["id"], email=owner.email, role="owner", joined_at=0)
    store.run(studio.account, lambda reader: Decision(answer=None, documents=(member,)))


def test_a_consent_ends_with_the_membership_of_who_began_it(empty_studio: Studio, store: Store) -> None:
    owner = Somebody(empty_studio.addresses, empty_studio.person.email)
    owner.sign_in()
    _belongs(store, empty_studio, owner)
    begun = owner.call("POST", f"/v1/accounts/{empty_studio.account}/connections", {}).json()
    page = owner.browser.press(owner.browser.open(begun["consent_url"]), "Allow", stop_before=owner.at("/oauth"))
    gone = Ref(Member, owner.me()["id"])
    store.run(empty_studio.account, lambda reader: Decision(answer=None, deletions=(gone,)))
    assert page.leads_to is not None
    assert owner.browser.open(page.leads_to).status == 403
    assert empty_studio.look("connections")["connections"] == []


def test_a_consent_begun_in_a_browser_is_finished_by_that_browser_alone(empty_studio: Studio, store: Store) -> None:
    owner = Somebody(empty_studio.addresses, empty_studio.person.email)
    owner.sign_in()
    _belongs(store, empty_studio, owner)
    begun = owner.call("POST", f"/v1/accounts/{empty_studio.account}/connections", {})
    assert begun.status_code == 201, begun.text
    asked = owner.browser.open(begun.json()["consent_url"])
    page = owner.browser.press(asked, "Allow", stop_before=owner.at("/oauth/callback"))
    assert page.leads_to is not None

    other = owner.with_another_browser()
    assert other.browser.open(page.leads_to).status == 400
    other.sign_in()
    assert other.browser.open(page.leads_to).status == 400, "not even the same person's, elsewhere"
    assert empty_studio.look("connections")["connections"] == []

    assert owner.browser.open(page.leads_to).status == 200
    (connection,) = empty_studio.look("connections")["connections"]
    assert connection["email"] == owner.email
    made = next(entry for entry in empty_studio.history() if entry["what"] == "connection.made")
    assert (made["author_kind"], made["author_name"]) == ("operator", owner.email)
