"""OAuth of the Google stand-in: pages driven over plain HTTP with cookies, tokens by the real google-auth."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request
from google.oauth2 import id_token

from infra.local.google.driver import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, StandIn
from tests.platform.test_google_fixtures import Someone, refusal

pytest_plugins = ["tests.platform.test_google_fixtures"]

CALENDAR = "https://www.googleapis.com/auth/calendar"
EVENTS = "https://www.googleapis.com/auth/calendar.events"
READONLY = "https://www.googleapis.com/auth/calendar.readonly"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


class Forms(HTMLParser):
    """The one form of a page: its address, hidden fields, boxes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.action = ""
        self.hidden: dict[str, str] = {}
        self.boxes: list[str] = []
        self.labels = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "form":
            self.action = given["action"] or ""
        if tag == "label":
            self.labels += 1
        if tag == "input" and given["type"] == "hidden":
            self.hidden[given["name"] or ""] = given["value"] or ""
        if tag == "input" and given["type"] == "checkbox":
            self.boxes.append(given["value"] or "")


class Browser:
    """A person at the stand-in's pages."""

    def __init__(self, google: StandIn) -> None:
        self.http = httpx.Client(base_url=google.url, timeout=60, trust_env=False)

    def open(self, **parameters: str) -> httpx.Response:
        given = {
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
            "response_type": "code",
            "scope": f"openid email profile {CALENDAR}",
            "access_type": "offline",
            "state": "s1",
            **parameters,
        }
        return self.http.get("/o/oauth2/v2/auth", params=given)

    def submit(self, page: httpx.Response, fields: list[tuple[str, str]]) -> httpx.Response:
        form = Forms(page.text)
        content = urlencode([*form.hidden.items(), *fields])
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.http.post(form.action, content=content, headers=headers)

    def sign_in(self, page: httpx.Response, email: str, password: str = "secret") -> httpx.Response:
        answer = self.submit(page, [("email", email), ("password", password)])
        return self.http.get(answer.headers["location"]) if answer.status_code == 303 else answer

    def allow(self, page: httpx.Response, *scopes: str) -> dict[str, str]:
        """Tick these boxes, all without any, and press Allow."""
        ticked = scopes or tuple(Forms(page.text).boxes)
        answer = self.submit(page, [*(("scope", scope) for scope in ticked), ("decision", "allow")])
        return landed(answer)


def landed(answer: httpx.Response) -> dict[str, str]:
    """What the application gets with the redirect."""
    assert answer.status_code in (302, 303), answer.text
    location = answer.headers["location"]
    assert location.startswith(REDIRECT_URI)
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


@pytest.fixture
def browser(google: StandIn) -> Iterator[Browser]:
    browser = Browser(google)
    yield browser
    browser.http.close()


def redeem(google: StandIn, code: str, **fields: str) -> httpx.Response:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        **fields,
    }
    return google.http.post("/token", data=form)


def test_the_whole_way_with_pkce(google: StandIn, anna: Someone, browser: Browser) -> None:
    page = browser.open(code_challenge=CHALLENGE, code_challenge_method="S256", nonce="n1")
    assert page.status_code == 200
    assert Forms(page.text).labels == 2
    back = browser.allow(browser.sign_in(page, anna.email))
    assert back["state"] == "s1"
    tokens = redeem(google, back["code"], code_verifier=VERIFIER).json()
    assert set(tokens["scope"].split()) == {"openid", "email", "profile", CALENDAR}
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 3600)
    assert tokens["refresh_token"]
    claims = id_token.verify_token(
        tokens["id_token"], Request(), audience=CLIENT_ID, certs_url=f"{google.url}/oauth2/v1/certs"
    )
    assert (claims["iss"], claims["email"], claims["email_verified"]) == (
        "https://accounts.google.com",
        anna.email,
        True,
    )
    assert (claims["nonce"], claims["name"]) == ("n1", "Anna Berg")
    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert google.http.get("/oauth2/v3/userinfo", headers=bearer).json()["sub"] == claims["sub"]
    assert google.http.get("/calendar/v3/users/me/calendarList", headers=bearer).status_code == 200


def test_a_code_works_once(google: StandIn, anna: Someone, browser: Browser) -> None:
    code = browser.allow(browser.sign_in(browser.open(), anna.email))["code"]
    assert redeem(google, code).status_code == 200
    again = redeem(google, code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"code_verifier": "w" * 64}, id="wrong verifier"),
        pytest.param({}, id="no verifier"),
        pytest.param({"code_verifier": VERIFIER, "redirect_uri": "http://127.0.0.1/other"}, id="another redirect"),
    ],
)
def test_a_code_with_the_wrong_proof_is_refused(
    google: StandIn, anna: Someone, browser: Browser, fields: dict[str, str]
) -> None:
    page = browser.sign_in(browser.open(code_challenge=CHALLENGE, code_challenge_method="S256"), anna.email)
    answer = redeem(google, browser.allow(page)["code"], **fields)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_a_person_may_grant_a_part(google: StandIn, anna: Someone, browser: Browser) -> None:
    # case 81
    page = browser.sign_in(browser.open(scope=f"openid {EVENTS} {READONLY}"), anna.email)
    assert Forms(page.text).boxes == [EVENTS, READONLY]
    back = browser.allow(page, READONLY)
    assert set(back["scope"].split()) == {"openid", READONLY}
    tokens = redeem(google, back["code"]).json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert google.http.get("/calendar/v3/calendars/primary/events", headers=bearer).status_code == 200
    refused = google.http.post("/calendar/v3/calendars/primary/events", headers=bearer, json={})
    assert refused.status_code == 403
    assert refused.json()["error"]["errors"][0]["reason"] == "insufficientPermissions"


def test_a_person_may_refuse(anna: Someone, browser: Browser) -> None:
    page = browser.sign_in(browser.open(), anna.email)
    assert landed(browser.submit(page, [("decision", "deny")])) == {"error": "access_denied", "state": "s1"}


def test_a_wrong_password_stays_on_the_page(anna: Someone, browser: Browser) -> None:
    page = browser.sign_in(browser.open(), anna.email, "wrong")
    assert page.status_code == 401
    assert 'role="alert"' in page.text
    assert browser.sign_in(page, anna.email).status_code == 200


@pytest.mark.parametrize(
    "parameters",
    [{"client_id": "somebody-else"}, {"redirect_uri": "https://evil.example/"}],
    ids=["unknown client", "unregistered redirect"],
)
def test_a_request_from_nobody_is_shown_not_redirected(browser: Browser, parameters: dict[str, str]) -> None:
    page = browser.open(**parameters)
    assert page.status_code == 400
    assert "location" not in page.headers


def test_errors_of_a_known_client_are_redirected(browser: Browser) -> None:
    assert landed(browser.open(scope="calendar-of-everything")) == {"error": "invalid_scope", "state": "s1"}
    assert landed(browser.open(response_type="token"))["error"] == "unsupported_response_type"
    assert landed(browser.open(prompt="none"))["error"] == "login_required"


def test_the_refresh_token_comes_with_the_first_consent(google: StandIn, anna: Someone, browser: Browser) -> None:
    first = browser.allow(browser.sign_in(browser.open(), anna.email))
    assert "refresh_token" in redeem(google, first["code"]).json()
    # Signed in and granted before: straight back, without a refresh token.
    again = landed(browser.open())
    assert "refresh_token" not in redeem(google, again["code"]).json()
    asked = browser.allow(browser.open(prompt="consent"))
    assert "refresh_token" in redeem(google, asked["code"]).json()
    online = browser.allow(browser.open(prompt="consent", access_type="online"))
    assert "refresh_token" not in redeem(google, online["code"]).json()


def test_granted_scopes_are_included_on_request(google: StandIn, anna: Someone, browser: Browser) -> None:
    browser.allow(browser.sign_in(browser.open(scope=READONLY), anna.email))
    back = browser.allow(browser.open(scope=EVENTS, include_granted_scopes="true"))
    assert set(redeem(google, back["code"]).json()["scope"].split()) == {EVENTS, READONLY}


def test_another_account_can_be_chosen(anna: Someone, ben: Someone, browser: Browser) -> None:
    # case 82
    browser.allow(browser.sign_in(browser.open(), anna.email))
    page = browser.open(login_hint=ben.email)
    assert "password" in page.text
    assert ben.email in browser.sign_in(page, ben.email).text


def test_a_form_of_another_session_is_refused(google: StandIn, anna: Someone, browser: Browser) -> None:
    page = browser.sign_in(browser.open(), anna.email)
    stranger = Browser(google)
    answer = stranger.submit(page, [("scope", CALENDAR), ("decision", "allow")])
    stranger.http.close()
    assert answer.status_code == 400
    crossed = browser.http.post("/o/oauth2/consent", headers={"Origin": "https://evil.example"})
    assert crossed.status_code == 403


def test_clients_prove_themselves(google: StandIn, anna: Someone) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": google.refresh_token(anna.email)}
    basic = google.http.post("/token", data=form, auth=(CLIENT_ID, CLIENT_SECRET))
    assert basic.status_code == 200
    for auth in ((CLIENT_ID, "wrong"), ("somebody", CLIENT_SECRET)):
        answer = google.http.post("/token", data=form, auth=auth)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    odd = google.http.post("/token", data={"grant_type": "password"}, auth=(CLIENT_ID, CLIENT_SECRET))
    assert (odd.status_code, odd.json()["error"]) == (400, "unsupported_grant_type")


def test_google_auth_refreshes_an_expired_token(google: StandIn, anna: Someone) -> None:
    assert anna.list().items == []
    google.control("POST", "grants/expire", {"email": anna.email})
    last = google.control("GET", "calls")["last"]
    assert anna.list().items == []
    counts = google.control("GET", "calls", since=last)["counts"]
    assert counts["events.list"] == 2
    assert counts["oauth.token"] == 1


def test_an_expired_token_is_unauthorized(google: StandIn, anna: Someone) -> None:
    credentials = google.credentials(anna.email)
    credentials.refresh(Request())
    google.control("POST", "grants/expire", {"email": anna.email})
    bearer = {"Authorization": f"Bearer {credentials.token}"}
    answer = google.http.get("/calendar/v3/users/me/calendarList", headers=bearer)
    assert answer.status_code == 401
    assert answer.json()["error"]["errors"][0]["reason"] == "authError"


@pytest.mark.parametrize("by", ["the application", "the person"])
def test_a_revoked_grant_is_invalid(google: StandIn, anna: Someone, by: str) -> None:
    # case 80
    credentials = google.credentials(anna.email)
    credentials.refresh(Request())
    if by == "the application":
        assert google.http.post("/revoke", data={"token": credentials.refresh_token}).status_code == 200
        assert google.http.post("/revoke", data={"token": credentials.refresh_token}).status_code == 400
    else:
        google.control("POST", "grants/revoke", {"email": anna.email})
    with pytest.raises(RefreshError) as caught:
        credentials.refresh(Request())
    assert caught.value.args[1]["error"] == "invalid_grant"
    bearer = {"Authorization": f"Bearer {credentials.token}"}
    assert google.http.get("/calendar/v3/users/me/calendarList", headers=bearer).status_code == 401


def test_a_suspended_person_is_shut_out(google: StandIn, anna: Someone) -> None:
    # case 85
    credentials = google.credentials(anna.email)
    google.control("PATCH", f"users/{anna.email}", {"suspended": True})
    with pytest.raises(RefreshError):
        credentials.refresh(Request())
    google.control("PATCH", f"users/{anna.email}", {"suspended": False, "calendar_service": False})
    assert refusal(anna.events.list(calendarId="primary")) == (403, "notACalendarUser")


def test_what_is_granted_to_an_app_in_testing_ends_after_seven_days(google: StandIn, anna: Someone) -> None:
    google.control("PUT", "testing", {"email": anna.email, "on": True})
    form = {"grant_type": "refresh_token", "refresh_token": google.refresh_token(anna.email)}
    google.control("PUT", "testing", {"email": anna.email, "on": False})
    lasting = {"grant_type": "refresh_token", "refresh_token": google.refresh_token(anna.email)}
    answer = google.http.post("/token", data=form, auth=(CLIENT_ID, CLIENT_SECRET)).json()
    assert 7 * 24 * 3600 - 60 < answer["refresh_token_expires_in"] <= 7 * 24 * 3600
    google.control("POST", "grants/run-out", {"email": anna.email})
    ended = google.http.post("/token", data=form, auth=(CLIENT_ID, CLIENT_SECRET))
    assert (ended.status_code, ended.json()["error"]) == (400, "invalid_grant")
    goes_on = google.http.post("/token", data=lasting, auth=(CLIENT_ID, CLIENT_SECRET))
    assert (goes_on.status_code, "refresh_token_expires_in" in goes_on.json()) == (200, False)


def test_a_permission_can_be_taken_back(google: StandIn, anna: Someone) -> None:
    # case 81
    form = {"grant_type": "refresh_token", "refresh_token": google.refresh_token(anna.email)}
    google.control("POST", "grants/narrow", {"email": anna.email, "scopes": ["openid"]})
    token = google.http.post("/token", data=form, auth=(CLIENT_ID, CLIENT_SECRET)).json()
    assert token["scope"] == "openid"
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    answer = google.http.get("/calendar/v3/users/me/calendarList", headers=bearer)
    assert (answer.status_code, answer.json()["error"]["errors"][0]["reason"]) == (403, "insufficientPermissions")


def test_the_token_endpoint_can_fail(google: StandIn, anna: Someone) -> None:
    credentials = google.credentials(anna.email)
    google.control("POST", "faults", {"method": "oauth.token", "status": 400, "reason": "invalid_grant"})
    with pytest.raises(RefreshError):
        credentials.refresh(Request())
    credentials.refresh(Request())
    assert credentials.valid


def test_a_revocation_can_fail(google: StandIn, anna: Someone) -> None:
    credentials = google.credentials(anna.email)
    google.control("POST", "faults", {"method": "oauth.revoke", "user": anna.email, "status": 503})
    asked = [google.http.post("/revoke", data={"token": credentials.refresh_token}).status_code for _ in range(3)]
    assert asked == [503, 200, 400]


def test_keys_and_configuration_agree(google: StandIn) -> None:
    configuration = google.http.get("/.well-known/openid-configuration").json()
    assert configuration["token_endpoint"] == f"{google.url}/token"
    (key,) = google.http.get(configuration["jwks_uri"]).json()["keys"]
    certificates: dict[str, Any] = google.http.get("/oauth2/v1/certs").json()
    assert list(certificates) == [key["kid"]]
    assert certificates[key["kid"]].startswith("-----BEGIN CERTIFICATE-----")
