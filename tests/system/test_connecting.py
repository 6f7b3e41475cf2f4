"""Connecting a Google account through the consent pages, as a browser does."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from functions.adapters.clock import now_millis
from functions.adapters.signing import secret_hash
from functions.adapters.store.documents import path_of
from functions.adapters.store.records import PendingConsent
from functions.adapters.store.store import Store
from functions.booking.consents import LONGEST_MS
from functions.domain.decision import Ref
from tests.browsing import Browser, Page
from tests.studio import Studio, new_person, until


def _consent(studio: Studio, url: str, *, email: str = "", without: str | None = None) -> str:
    """The address that Google sends the browser back to, when its person has signed in there and said yes."""
    browser = Browser()
    page = browser.through_google(
        browser.open(url), email or studio.person.email, without=without, stop_before=studio.addresses.booking
    )
    assert page.leads_to is not None
    return page.leads_to


def _come_back(address: str) -> Page:
    return Browser().open(address)


def _begin(studio: Studio, **body: str) -> dict[str, str]:
    answer = studio.http.post(f"{studio.base}/connections", json=body, headers=studio.operator)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_consent_makes_a_connection_and_lists_its_calendars(empty_studio: Studio) -> None:
    begun = _begin(empty_studio)
    asked = parse_qs(urlsplit(begun["consent_url"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["access_type"] == ["offline"]

    back = requests.get(_consent(empty_studio, begun["consent_url"]), timeout=10)
    assert back.status_code == 200
    assert f"{empty_studio.person.email} is connected." in back.text
    assert f"{empty_studio.account} uses its calendars from now on. This was begun by bootstrap." in back.text
    assert back.headers["Referrer-Policy"] == "no-referrer"
    assert "<main><h1>" in back.text, "what the page is about is marked as such"

    (connection,) = empty_studio.look("connections")["connections"]
    assert (connection["id"], connection["email"], connection["state"]) == (
        begun["id"],
        empty_studio.person.email,
        "active",
    )
    empty_studio.use_calendar(begun["id"])
    until(lambda: empty_studio.fresh_since(0))
    assert empty_studio.starts()


def test_the_browser_goes_back_where_the_operator_wanted_and_nowhere_else(empty_studio: Studio) -> None:
    home = f"{empty_studio.addresses.booking}/console"
    back = requests.get(
        _consent(empty_studio, _begin(empty_studio, return_to=home)["consent_url"]), allow_redirects=False, timeout=10
    )
    assert (back.status_code, back.headers["Location"]) == (303, home)
    for elsewhere in ("https://evil.example/", "//evil.example", "javascript:alert(1)", f"{home}@evil.example\\"):
        answer = empty_studio.http.post(
            f"{empty_studio.base}/connections", json={"return_to": elsewhere}, headers=empty_studio.operator
        )
        assert answer.status_code == 422, elsewhere


def test_a_state_is_good_once(empty_studio: Studio) -> None:
    address = _consent(empty_studio, _begin(empty_studio)["consent_url"])
    assert requests.get(address, timeout=10).status_code == 200
    again = requests.get(address, timeout=10)
    assert again.status_code == 400
    assert "used before" in again.text
    assert len(empty_studio.look("connections")["connections"]) == 1


def test_a_second_consent_of_the_same_person_regains_the_first_connection(empty_studio: Studio) -> None:  # case 83
    first = _begin(empty_studio)
    for begun in (first, _begin(empty_studio)):
        address = _consent(empty_studio, begun["consent_url"])
        assert requests.get(address, timeout=10).status_code == 200
    connections = empty_studio.look("connections")["connections"]
    assert [(each["id"], each["state"]) for each in connections] == [(first["id"], "active")]


def test_a_stolen_code_is_worth_nothing_in_another_consent(empty_studio: Studio) -> None:
    code = parse_qs(urlsplit(_consent(empty_studio, _begin(empty_studio)["consent_url"])).query)["code"][0]
    other = parse_qs(urlsplit(_begin(empty_studio)["consent_url"]).query)["state"][0]
    answer = requests.get(
        f"{empty_studio.addresses.booking}/oauth/callback", params={"code": code, "state": other}, timeout=10
    )
    assert answer.status_code == 400  # the verifier of the other consent does not fit (PKCE)
    assert empty_studio.look("connections")["connections"] == []


def test_a_person_who_says_no_connects_nothing(empty_studio: Studio) -> None:
    browser = Browser()
    page = browser.open(_begin(empty_studio)["consent_url"])
    page = browser.press(page, "Sign in", email=empty_studio.person.email, password="correct horse")
    back = browser.press(page, "Cancel")
    assert back.status == 400
    assert "Nothing was connected" in back.text
    assert empty_studio.look("connections")["connections"] == []


@pytest.mark.parametrize("error", ["server_error", "temporarily_unavailable", "invalid_scope", "<b>made up</b>"])
def test_what_google_sends_back_instead_of_a_code_is_told_and_ends_the_consent(
    empty_studio: Studio, error: str
) -> None:
    state = parse_qs(urlsplit(_begin(empty_studio)["consent_url"]).query)["state"][0]
    address = f"{empty_studio.addresses.booking}/oauth/callback"
    answers = [requests.get(address, params={"error": error, "state": state}, timeout=10) for _ in range(2)]
    assert [each.status_code for each in answers] == [400, 400]
    assert "Nothing was connected. Begin the connection again." in answers[0].text
    assert "used before" in answers[1].text
    assert "made up" not in answers[0].text


def test_a_consent_that_leaves_out_a_permission_is_explained_given_back_and_tried_again(empty_studio: Studio) -> None:
    person = empty_studio.person
    begun = _begin(empty_studio)
    back = _come_back(_consent(empty_studio, begun["consent_url"], without="calendar.events"))
    assert back.status == 422
    assert "View and edit events on all your calendars (calendar.events): to keep time free of bookings" in back.text
    assert "calendar.freebusy" not in back.text
    assert empty_studio.look("connections")["connections"] == []
    assert not _holds(empty_studio, person.refresh_token), "nothing of the grant is left at Google"

    again = _come_back(_consent(empty_studio, back.links["Try again"]))
    assert again.status == 200
    (connection,) = empty_studio.look("connections")["connections"]
    assert connection["id"] == begun["id"]
    assert connection["missing_permissions"] == []
    assert {each["scope"].rpartition("/")[2] for each in connection["permissions"]} == {
        "calendar.calendarlist.readonly",
        "calendar.events",
        "calendar.freebusy",
    }
    (made,) = [entry for entry in empty_studio.history() if entry["what"] == "connection.made"]
    assert (made["author_kind"], made["author_name"]) == ("operator", "bootstrap")


def test_nobody_tries_again_for_longer_than_an_hour(empty_studio: Studio, store: Store) -> None:
    url = _begin(empty_studio)["consent_url"]
    token = parse_qs(urlsplit(url).query)["state"][0].partition(".")[2]
    consent = store.client.document(path_of(empty_studio.account, Ref(PendingConsent, secret_hash(token))))
    consent.update({"begun_at": now_millis() - LONGEST_MS})
    back = _come_back(_consent(empty_studio, url, without="calendar.events"))
    assert back.status == 422
    assert "Begin the connection again." in back.text
    assert "Try again" not in back.links


def test_a_consent_ends_with_the_key_that_began_it(empty_studio: Studio) -> None:
    made = empty_studio.post("keys", {"name": "gone", "permissions": ["connections"]}, **empty_studio.operator).json()
    begun = empty_studio.post("connections", {}, Authorization=f"Bearer {made['api_key']}").json()
    address = _consent(empty_studio, begun["consent_url"])
    empty_studio.http.delete(f"{empty_studio.base}/keys/{made['id']}", headers=empty_studio.operator).raise_for_status()
    page = _come_back(address)
    assert page.status == 403
    assert "Who began this may not connect accounts any more." in page.text
    assert empty_studio.look("connections")["connections"] == []


def _holds(studio: Studio, refresh_token: str) -> bool:
    """Whether that token is still good at Google."""
    person = studio.person
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    form |= {"client_id": person.client_id, "client_secret": person.client_secret}
    return requests.post(f"{studio.addresses.google}/token", data=form, timeout=10).ok


def _renew(studio: Studio, connection: str, **body: str) -> str:
    answer = studio.post(f"connections/{connection}/refresh", body, **studio.operator)
    assert answer.status_code == 201, answer.text
    assert answer.json()["id"] == connection
    return str(answer.json()["consent_url"])


def test_access_is_renewed_in_place_by_its_own_person(studio: Studio) -> None:  # case 83
    (before,) = studio.look("connections")["connections"]
    studio.google_control("POST", "grants/revoke", {"email": studio.person.email})
    waiting = studio.book(studio.starts()[0])
    until(lambda: studio.look("connections")["connections"][0]["state"] == "needs_reconnect")

    url = _renew(studio, before["id"])
    assert parse_qs(urlsplit(url).query)["login_hint"] == [studio.person.email]
    assert _come_back(_consent(studio, url)).status == 200
    (after,) = studio.look("connections")["connections"]
    assert (after["id"], after["state"], after["since"]) == (before["id"], "active", before["since"])
    assert "trouble" not in after
    until(lambda: waiting.look()["calendar_copy"] == "written")
    regained = next(entry for entry in studio.history() if entry["what"] == "connection.regained")
    assert (regained["author_kind"], regained["author_name"]) == ("operator", "bootstrap")


def test_who_renews_with_another_google_account_is_told_whose_it_is_and_may_connect_it_as_a_new_one(
    studio: Studio,
) -> None:  # case 82
    me = studio.person
    other = new_person(studio.addresses, f"eve@{studio.account}.example", me.client_id, me.client_secret)
    (before,) = studio.look("connections")["connections"]

    page = _come_back(_consent(studio, _renew(studio, before["id"]), email=other.email))
    assert page.status == 409
    assert f"Access was to be renewed for {me.email}, and {other.email} has granted it." in page.text
    assert studio.look("connections")["connections"] == [before]
    assert not _holds(studio, other.refresh_token)
    assert _holds(studio, me.refresh_token)

    url = page.links[f"Connect {other.email}"]
    assert _come_back(_consent(studio, url, email=other.email)).status == 200
    emails = {each["email"]: each["id"] for each in studio.look("connections")["connections"]}
    assert emails.keys() == {me.email, other.email}
    assert emails[me.email] == before["id"]


def test_a_grant_that_is_refused_is_not_taken_from_another_business_that_lives_by_it(
    studio: Studio, make_studio: Callable[[], Studio]
) -> None:
    """Google knows one grant of a person for all of us."""
    elsewhere = make_studio()
    elsewhere.open()
    elsewhere.connect()
    (mine,) = studio.look("connections")["connections"]
    page = _come_back(_consent(studio, _renew(studio, mine["id"]), email=elsewhere.person.email))
    assert page.status == 409
    assert _holds(studio, elsewhere.person.refresh_token)


@pytest.mark.parametrize("query", ["", "?state=x", "?state=..%2F.y&code=1", "?state=demo.unknown&code=1", "?code=1"])
def test_a_callback_that_nobody_began_says_so(empty_studio: Studio, query: str) -> None:
    answer = requests.get(f"{empty_studio.addresses.booking}/oauth/callback{query}", timeout=10)
    assert answer.status_code == 400
    assert "Begin the connection again" in answer.text


def test_a_grant_from_elsewhere_must_be_good_and_whose_it_is_said_to_be(empty_studio: Studio) -> None:
    def grant(email: str, token: str) -> requests.Response:
        body = {"email": email, "refresh_token": token}
        return empty_studio.http.post(
            f"{empty_studio.base}/connections/grants", json=body, headers=empty_studio.operator
        )

    person = empty_studio.person
    assert grant(person.email, "1//no-such-token").json()["type"] == "urn:booking:problem:google-grant-refused"
    assert grant("someone@else.example", person.refresh_token).status_code == 422
    assert grant(person.email, person.refresh_token).status_code == 201
    assert len(empty_studio.look("connections")["connections"]) == 1


def test_another_google_account_is_another_connection_and_takes_nothing_over(
    studio: Studio, make_studio: Callable[[], Studio]
) -> None:  # case 82
    other = make_studio().person
    before = studio.look("connections")["connections"][0]
    grant = {"email": studio.person.email, "refresh_token": other.refresh_token}
    refused = studio.post("connections/grants", grant, **studio.operator)
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:booking:problem:google-grant-refused")
    made = studio.post("connections/grants", grant | {"email": other.email}, **studio.operator).json()
    theirs = until(lambda: studio.look(f"connections/{made['id']}/calendars")["calendars"])
    assert made["id"] != before["id"]
    assert studio.calendar not in {calendar["id"] for calendar in theirs}
    event = studio.book(studio.starts()[0]).written()
    assert event["organizer"]["email"] == studio.person.email
