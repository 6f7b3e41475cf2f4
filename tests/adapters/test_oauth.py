"""Google's OAuth endpoints: what is asked for, what an answer means, and that no secret shows in what goes wrong."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from functions.adapters.oauth import (
    SIGN_IN_SCOPES,
    Grant,
    GrantRefused,
    OAuthUnavailable,
    consent_url,
    exchange_code,
    new_verifier,
    redirect_uri,
    refresh,
)
from functions.adapters.settings import Settings, read_settings
from functions.domain.scopes import SCOPES
from tests.adapters.test_settings import NEEDED

SETTINGS: Settings = read_settings(
    NEEDED
    | {"GOOGLE_OAUTH_TOKEN_URL": "https://oauth.example.com/token", "GOOGLE_OAUTH_AUTHORIZE_URL": "https://x.example/a"}
)
GRANTED = {
    "access_token": "ya29.access",
    "refresh_token": "1//refresh",
    "scope": "openid https://www.googleapis.com/auth/calendar.events",
    "id_token": "a.b.c",
    "expires_in": 3599,
}
SECRETS = ("client-secret-value", "ya29.access", "1//refresh", "the-code", "the-verifier")


class TestConsentAddress:
    def query(self, **more: str) -> dict[str, list[str]]:
        return parse_qs(urlsplit(consent_url(SETTINGS, state="st", verifier="the-verifier", **more)).query)

    def test_it_asks_for_a_code_that_leads_to_a_refresh_token(self) -> None:
        query = self.query()
        assert consent_url(SETTINGS, state="st", verifier="v").startswith("https://x.example/a?")
        assert query["response_type"] == ["code"]
        assert query["access_type"] == ["offline"]
        assert query["prompt"] == ["consent"]
        assert query["client_id"] == ["client-id"]
        assert query["state"] == ["st"]
        assert query["redirect_uri"] == ["https://book.example.com/oauth/callback"] == [redirect_uri(SETTINGS)]

    def test_it_asks_for_the_scopes_that_are_needed_and_no_others(self) -> None:
        query = self.query()
        assert query["scope"][0].split() == list(SCOPES)
        assert query["include_granted_scopes"] == ["false"]

    def test_the_verifier_itself_stays_here(self) -> None:  # RFC 7636, section 4.2
        query = self.query()
        digest = urlsafe_b64encode(sha256(b"the-verifier").digest()).decode().rstrip("=")
        assert query["code_challenge"] == [digest]
        assert query["code_challenge_method"] == ["S256"]
        assert "the-verifier" not in consent_url(SETTINGS, state="st", verifier="the-verifier")

    def test_it_may_name_the_person(self) -> None:
        assert "login_hint" not in self.query()
        assert self.query(login_hint="anna@example.com")["login_hint"] == ["anna@example.com"]

    def test_no_secret_is_in_it(self) -> None:
        assert "client-secret-value" not in consent_url(SETTINGS, state="st", verifier="v")


def test_a_verifier_has_the_length_that_the_standard_asks_for() -> None:  # RFC 7636, section 4.1
    assert 43 <= len(new_verifier()) <= 128
    assert new_verifier() != new_verifier()


@dataclass
class Endpoint:
    """Google's token endpoint, giving one answer."""

    status_code: int = 200
    body: Any = field(default_factory=lambda: dict(GRANTED))
    fails: Exception | None = None
    asked: dict[str, str] = field(default_factory=dict)

    def post(self, url: str, *, data: dict[str, str], timeout: float) -> "Endpoint":
        assert url == "https://oauth.example.com/token"
        assert timeout
        self.asked = data
        if self.fails is not None:
            raise self.fails
        return self

    def json(self) -> Any:
        if isinstance(self.body, str):
            raise requests.exceptions.JSONDecodeError("no JSON", self.body, 0)
        return self.body


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    made = Endpoint()
    monkeypatch.setattr("functions.adapters.oauth.requests.post", made.post)
    return made


def by_code() -> Grant:
    return exchange_code(SETTINGS, code="the-code", verifier="the-verifier")


def by_refresh() -> Grant:
    return refresh(SETTINGS, refresh_token="1//refresh")


def test_a_code_is_exchanged_with_its_verifier(endpoint: Endpoint) -> None:
    grant = by_code()
    assert grant == Grant(
        access_token="ya29.access",
        refresh_token="1//refresh",
        scopes=("openid", "https://www.googleapis.com/auth/calendar.events"),
        id_token="a.b.c",
    )
    assert endpoint.asked == {
        "grant_type": "authorization_code",
        "code": "the-code",
        "code_verifier": "the-verifier",
        "redirect_uri": "https://book.example.com/oauth/callback",
        "client_id": "client-id",
        "client_secret": "client-secret-value",
    }


def test_a_refresh_token_gives_an_access_token_and_no_other_refresh_token(endpoint: Endpoint) -> None:
    endpoint.body = {"access_token": "ya29.access", "expires_in": 3599}
    assert by_refresh() == Grant(access_token="ya29.access", refresh_token=None, scopes=(), id_token=None)
    assert endpoint.asked["grant_type"] == "refresh_token"
    assert endpoint.asked["refresh_token"] == "1//refresh"


@pytest.mark.parametrize("exchange", [by_code, by_refresh])
class TestRefused:
    def test_invalid_grant_means_that_the_grant_is_gone(
        self, exchange: Callable[[], Grant], endpoint: Endpoint
    ) -> None:  # case 80
        endpoint.status_code, endpoint.body = 400, {"error": "invalid_grant", "error_description": "revoked"}
        with pytest.raises(GrantRefused):
            exchange()

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            pytest.param(401, {"error": "invalid_client"}, id="a wrong client secret"),
            pytest.param(400, {"error": "invalid_request"}, id="a request of another form"),
            pytest.param(400, {"error": "redirect_uri_mismatch"}, id="another redirect address"),
            pytest.param(403, {"error": "invalid_grant"}, id="the word with another status"),
            pytest.param(429, {"error": "rate_limit"}, id="too fast"),
            pytest.param(500, {"error": "internal_failure"}, id="a failure of Google's"),
            pytest.param(503, {}, id="no service"),
            pytest.param(502, "<html>bad gateway</html>", id="no JSON"),
            pytest.param(200, "", id="an empty answer"),
        ],
    )
    def test_anything_else_says_nothing_about_the_grant(
        self, exchange: Callable[[], Grant], endpoint: Endpoint, status: int, body: Any
    ) -> None:  # case 80
        endpoint.status_code, endpoint.body = status, body
        with pytest.raises(OAuthUnavailable):
            exchange()

    @pytest.mark.parametrize(
        "failure",
        [requests.ConnectionError("client_secret=client-secret-value"), requests.Timeout("code=the-code")],
        ids=["no connection", "no answer in time"],
    )
    def test_no_answer_is_no_refusal_and_shows_no_secret(
        self, exchange: Callable[[], Grant], endpoint: Endpoint, failure: Exception
    ) -> None:
        endpoint.fails = failure
        with pytest.raises(OAuthUnavailable) as failed:
            exchange()
        assert not any(secret in str(failed.value) for secret in SECRETS)
        assert failed.value.__suppress_context__


def test_a_grant_shows_no_token(endpoint: Endpoint) -> None:
    assert not any(secret in repr(by_code()) for secret in SECRETS)


def test_the_readme_names_every_scope_that_is_asked_for_and_no_other() -> None:
    """In its table, and where a consent screen is set up."""
    text = (Path(__file__).parents[2] / "README.md").read_text()
    asked = {scope.rpartition("/")[2] for scope in (*SCOPES, *SIGN_IN_SCOPES)}
    table = text.partition("| scope | what for |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`([^`]+)`", row)} == asked
    (at_sign_in_only,) = [row for row in rows if "profile" in row]
    assert at_sign_in_only == "`profile`"
    assert {*SIGN_IN_SCOPES} - {*SCOPES} == {"profile"}
    set_up = text.partition("with the scopes ")[2].partition(".\n")[0]
    assert {*re.findall(r"`([^`]+)`", set_up)} == asked
