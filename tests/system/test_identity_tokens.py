"""Who somebody is, is what Google has signed for us and nothing else; and the cookies of a deployment that is reached over https.

The booking function runs in this process as it would behind an https address; what the exchange of a code gives is of the test's choice.
"""

import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from functions.adapters import oauth
from functions.adapters.certificates import Certificates
from functions.adapters.clock import now_millis
from functions.adapters.composition import Application
from functions.adapters.oauth import Grant
from functions.domain.scopes import SCOPES
from infra.local.platform import Platform
from tests import in_process
from tests.adapters.test_certificates import Signer, new_signer
from tests.in_process import application_of, booking_client
from tests.studio import Studio

ADDRESS = "https://book.example.com"
TEN_MINUTES = 600_000


@dataclass
class Door:
    """`grant`: what Google gives for any code."""

    application: Application
    client: FlaskClient
    signer: Signer
    now: int = field(default_factory=now_millis)
    grant: Grant | None = None

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, base_url=ADDRESS)

    def begins(self) -> dict[str, str]:
        """What the browser takes along to Google's page."""
        return _query(self.get("/signin").headers["Location"])

    def begins_to_connect(self, studio: Studio) -> dict[str, str]:
        headers = dict(studio.operator)
        answer = self.client.post(
            f"/v1/accounts/{studio.account}/connections", json={}, headers=headers, base_url=ADDRESS
        )
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return _query(answer.get_json()["consent_url"])

    def google_says(self, **claims: Any) -> None:
        now = int(datetime.now(UTC).timestamp())
        audience = self.application.settings.client_id
        usual = {"aud": audience, "sub": "1234", "email": "anna@example.com", "iat": now, "exp": now + 3600}
        self.google_gives(self.signer.token(**usual | claims))

    def google_gives(self, id_token: str | None) -> None:
        self.grant = Grant(access_token="ya29.x", refresh_token="1//x", scopes=SCOPES, id_token=id_token)

    def comes_back(self, state: str, path: str = "/signin/callback") -> TestResponse:
        return self.get(f"{path}?state={state}&code=any")

    @property
    def is_signed_in(self) -> bool:
        return self.get("/v1/me").status_code == 200


def _query(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


@pytest.fixture(scope="module")
def signer() -> Signer:
    return new_signer("g1", at=datetime.now(UTC))


@pytest.fixture(scope="module")
def stranger() -> Signer:
    return new_signer("g1", at=datetime.now(UTC))


@pytest.fixture
def door(platform: Platform, signer: Signer, monkeypatch: pytest.MonkeyPatch) -> Door:
    application = application_of(platform, BOOKING_URL=ADDRESS)
    vars(application)["people_certificates"] = Certificates("", {signer.id: signer.certificate}, sys.maxsize)
    made = Door(application, booking_client(application), signer)
    monkeypatch.setattr(oauth, "exchange_code", lambda *_, **__: made.grant)
    monkeypatch.setattr(in_process, "now_millis", lambda: made.now)
    return made


def test_over_https_the_cookies_are_sent_over_https_only_and_belong_to_this_host(door: Door) -> None:
    answer = door.get("/signin")
    begun = _query(answer.headers["Location"])
    door.google_says(nonce=begun["nonce"])
    back = door.comes_back(begun["state"])
    for name, given in (("signing_in", answer), ("signed_in", back)):
        (cookie,) = [one for one in given.headers.getlist("Set-Cookie") if one.startswith(f"__Host-{name}=")]
        marks = {mark.strip() for mark in cookie.split(";")[1:]}
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= marks
        assert not [mark for mark in marks if mark.startswith("Domain")]
    assert door.is_signed_in
    out = door.client.post("/signout", base_url=ADDRESS, headers={"Sec-Fetch-Site": "same-origin", "Origin": ADDRESS})
    assert (out.status_code, door.is_signed_in) == (200, False)


WRONG: dict[str, Callable[[Door, Signer, str], object]] = {
    "none at all": lambda door, _, __: door.google_gives(None),
    "no token": lambda door, _, __: door.google_gives("a.b.c"),
    "for another program": lambda door, _, nonce: door.google_says(
        nonce=nonce, aud="another.apps.googleusercontent.com"
    ),
    "of another issuer": lambda door, _, nonce: door.google_says(nonce=nonce, iss="https://accounts.example.com"),
    "out of date": lambda door, _, nonce: door.google_says(nonce=nonce, exp=1_700_000_000),
}


def signed_by_somebody_else(door: Door, stranger: Signer, nonce: str) -> None:
    ours, door.signer = door.signer, stranger
    door.google_says(nonce=nonce)
    door.signer = ours


WRONG["signed by somebody else"] = signed_by_somebody_else


class TestSigningIn:
    @pytest.mark.parametrize("token", WRONG)
    def test_takes_no_token_that_is_not_googles_to_us(self, door: Door, stranger: Signer, token: str) -> None:
        begun = door.begins()
        WRONG[token](door, stranger, begun["nonce"])
        assert door.comes_back(begun["state"]).status_code == 400
        assert not door.is_signed_in

    @pytest.mark.parametrize(
        ("claims", "status"),
        [
            pytest.param({"nonce": "of another sign-in"}, 400, id="given to another sign-in"),
            pytest.param({"email_verified": False}, 403, id="an address that is not verified"),
            pytest.param({"email_verified": "true"}, 403, id="a word for it"),
            pytest.param({"email_verified": None}, 403, id="nothing about it"),
            pytest.param({"email": None}, 403, id="no address"),
        ],
    )
    def test_takes_nobody_whose_address_google_does_not_vouch_for(
        self, door: Door, claims: dict[str, Any], status: int
    ) -> None:
        begun = door.begins()
        door.google_says(**{"nonce": begun["nonce"]} | claims)
        assert door.comes_back(begun["state"]).status_code == status
        assert not door.is_signed_in

    @pytest.mark.parametrize(("after_ms", "status"), [(TEN_MINUTES - 1, 303), (TEN_MINUTES, 400)])
    def test_takes_less_than_ten_minutes(self, door: Door, after_ms: int, status: int) -> None:
        begun = door.begins()
        door.google_says(nonce=begun["nonce"])
        door.now += after_ms
        assert door.comes_back(begun["state"]).status_code == status
        assert door.is_signed_in is (status == 303)


class TestConnecting:
    """Begun with an API key, so that any browser may come back with it."""

    @pytest.mark.parametrize("token", WRONG)
    def test_takes_no_token_that_is_not_googles_to_us(
        self, door: Door, empty_studio: Studio, stranger: Signer, token: str
    ) -> None:
        state = door.begins_to_connect(empty_studio)["state"]
        WRONG[token](door, stranger, "")
        assert door.comes_back(state, "/oauth/callback").status_code in (400, 422, 502)
        assert empty_studio.look("connections")["connections"] == []

    @pytest.mark.parametrize(("after_ms", "connected"), [(TEN_MINUTES - 1, 1), (TEN_MINUTES, 0)])
    def test_takes_less_than_ten_minutes(self, door: Door, empty_studio: Studio, after_ms: int, connected: int) -> None:
        state = door.begins_to_connect(empty_studio)["state"]
        door.google_says()
        door.now += after_ms
        assert door.comes_back(state, "/oauth/callback").status_code == (200 if connected else 400)
        assert len(empty_studio.look("connections")["connections"]) == connected

    def test_a_state_is_good_once_also_at_the_same_moment(self, door: Door, empty_studio: Studio) -> None:
        state = door.begins_to_connect(empty_studio)["state"]
        door.google_says()
        browsers = [booking_client(door.application) for _ in range(4)]

        def come_back(client: FlaskClient) -> int:
            return client.get(f"/oauth/callback?state={state}&code=any", base_url=ADDRESS).status_code

        with ThreadPoolExecutor(len(browsers)) as threads:
            assert sorted(threads.map(come_back, browsers)) == [200, 400, 400, 400]
        assert len(empty_studio.look("connections")["connections"]) == 1

    def test_the_verifier_is_kept_sealed(self, door: Door, empty_studio: Studio) -> None:
        """Who reads the database, and steals a code, can't use it."""
        challenge = door.begins_to_connect(empty_studio)["code_challenge"]
        consents = empty_studio.store.client.collection(f"accounts/{empty_studio.account}/consents")
        (kept,) = [snapshot.to_dict() or {} for snapshot in consents.stream()]
        words = [value for value in kept.values() if isinstance(value, str)]
        assert challenge not in [_challenge(word) for word in words]
        opened = door.application.vault.open(kept["verifier"], connection=kept["id"])
        assert _challenge(opened) == challenge


def _challenge(verifier: str) -> str:
    """RFC 7636, section 4.2."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
