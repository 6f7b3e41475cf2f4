"""Connecting a Google account through the consent pages, as a browser does."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests

from tests.studio import Studio, until


class _Forms(HTMLParser):
    """The fields of the page's form, as a browser would send it, and the buttons it has."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: list[tuple[str, str]] = []
        self.boxes: list[tuple[str, str]] = []
        self.buttons: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "form":
            self.action = given.get("action", "")
        elif tag == "input" and given.get("type") == "checkbox":
            self.boxes.append((given.get("name", ""), given.get("value", "on")))
        elif tag == "input" and given.get("type") == "hidden":
            self.fields.append((given["name"], given.get("value", "")))
        elif tag == "button":
            self.buttons.append((given.get("name", ""), given.get("value", "")))


class Browser:
    """Signs in and answers the consent page; stops before any redirect that leaves Google."""

    def __init__(self, studio: Studio) -> None:
        self.http = requests.Session()
        self.studio = studio

    def consent(self, url: str, *, allow: bool = True, without: str = "no such scope") -> str:
        """The address that Google sends the browser back to."""
        page = self._follow(self.http.get(url, allow_redirects=False, timeout=10))
        page = self._submit(page, [("email", self.studio.person.email), ("password", "correct horse")], button="")
        forms = self._read(page)
        ticked = [box for box in forms.boxes if without not in box[1]]
        answer = self._submit(page, ticked, button="allow" if allow else "deny")
        return answer.headers["Location"]

    def _read(self, page: requests.Response) -> _Forms:
        forms = _Forms()
        forms.feed(page.text)
        return forms

    def _submit(self, page: requests.Response, values: list[tuple[str, str]], *, button: str) -> requests.Response:
        forms = self._read(page)
        pressed = [b for b in forms.buttons if button and b[1] == button]
        url = urljoin(page.url, forms.action)
        answer = self.http.post(url, data=forms.fields + values + pressed, allow_redirects=False, timeout=10)
        return self._follow(answer)

    def _follow(self, answer: requests.Response) -> requests.Response:
        google = urlsplit(self.studio.addresses.google).netloc
        while answer.is_redirect and urlsplit(urljoin(answer.url, answer.headers["Location"])).netloc == google:
            answer = self.http.get(urljoin(answer.url, answer.headers["Location"]), allow_redirects=False, timeout=10)
        return answer


@pytest.fixture
def browser(empty_studio: Studio) -> Browser:
    return Browser(empty_studio)


def _begin(studio: Studio, **body: str) -> dict[str, str]:
    answer = studio.http.post(f"{studio.base}/connections", json=body, headers=studio.operator)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_consent_makes_a_connection_and_lists_its_calendars(empty_studio: Studio, browser: Browser) -> None:
    begun = _begin(empty_studio)
    asked = parse_qs(urlsplit(begun["consent_url"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["access_type"] == ["offline"]

    back = requests.get(browser.consent(begun["consent_url"]), timeout=10)
    assert back.status_code == 200
    assert empty_studio.person.email in back.text
    assert back.headers["Referrer-Policy"] == "no-referrer"

    (connection,) = empty_studio.look("connections")["connections"]
    assert (connection["id"], connection["email"], connection["state"]) == (
        begun["id"],
        empty_studio.person.email,
        "active",
    )
    empty_studio.use_calendar(begun["id"])
    until(lambda: empty_studio.fresh_since(0))
    assert empty_studio.starts()


def test_the_browser_goes_back_where_the_operator_wanted_and_nowhere_else(
    empty_studio: Studio, browser: Browser
) -> None:
    home = f"{empty_studio.addresses.booking}/console"
    back = requests.get(
        browser.consent(_begin(empty_studio, return_to=home)["consent_url"]), allow_redirects=False, timeout=10
    )
    assert (back.status_code, back.headers["Location"]) == (303, home)
    for elsewhere in ("https://evil.example/", "//evil.example", "javascript:alert(1)", f"{home}@evil.example\\"):
        answer = empty_studio.http.post(
            f"{empty_studio.base}/connections", json={"return_to": elsewhere}, headers=empty_studio.operator
        )
        assert answer.status_code == 422, elsewhere


def test_a_state_is_good_once(empty_studio: Studio, browser: Browser) -> None:
    address = browser.consent(_begin(empty_studio)["consent_url"])
    assert requests.get(address, timeout=10).status_code == 200
    again = requests.get(address, timeout=10)
    assert again.status_code == 400
    assert "used before" in again.text
    assert len(empty_studio.look("connections")["connections"]) == 1


def test_a_second_consent_of_the_same_person_regains_the_first_connection(empty_studio: Studio) -> None:  # case 83
    first = _begin(empty_studio)
    for begun in (first, _begin(empty_studio)):
        address = Browser(empty_studio).consent(begun["consent_url"])
        assert requests.get(address, timeout=10).status_code == 200
    connections = empty_studio.look("connections")["connections"]
    assert [(each["id"], each["state"]) for each in connections] == [(first["id"], "active")]


def test_a_stolen_code_is_worth_nothing_in_another_consent(empty_studio: Studio, browser: Browser) -> None:
    code = parse_qs(urlsplit(browser.consent(_begin(empty_studio)["consent_url"])).query)["code"][0]
    other = parse_qs(urlsplit(_begin(empty_studio)["consent_url"]).query)["state"][0]
    answer = requests.get(
        f"{empty_studio.addresses.booking}/oauth/callback", params={"code": code, "state": other}, timeout=10
    )
    assert answer.status_code == 400  # the verifier of the other consent does not fit (PKCE)
    assert empty_studio.look("connections")["connections"] == []


def test_a_person_who_says_no_connects_nothing(empty_studio: Studio, browser: Browser) -> None:
    back = requests.get(browser.consent(_begin(empty_studio)["consent_url"], allow=False), timeout=10)
    assert back.status_code == 400
    assert "Nothing was connected" in back.text
    assert empty_studio.look("connections")["connections"] == []


def test_a_consent_that_leaves_out_a_permission_is_explained(empty_studio: Studio, browser: Browser) -> None:
    back = requests.get(browser.consent(_begin(empty_studio)["consent_url"], without="calendar.events"), timeout=10)
    assert back.status_code == 422
    assert "calendar.events" in re.sub(r"<[^>]+>", " ", back.text)
    assert empty_studio.look("connections")["connections"] == []


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
