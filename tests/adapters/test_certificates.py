"""Tokens that Google signs: what is accepted, what is not, and how often the certificates are asked for."""

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from google.auth import crypt, jwt

from functions.adapters.certificates import Certificates, CertificatesUnavailable, InvalidToken

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
NOW_MS = NOW_S * 1000
AUDIENCE = "https://sync.example.com/tasks/pull"
MINUTE_MS = 60_000


@dataclass(frozen=True)
class Signer:
    """A key as Google has them: its name, its certificate, and what signs with it."""

    id: str
    certificate: str
    signer: Any

    def token(self, **changes: Any) -> str:
        claims = {
            "iss": "https://accounts.google.com",
            "aud": AUDIENCE,
            "sub": "10987",
            "email": "tasks@booking.example.com",
            "email_verified": True,
            "iat": NOW_S,
            "exp": NOW_S + 3600,
        } | changes
        kept = {name: value for name, value in claims.items() if value is not None}
        encoded: bytes = jwt.encode(self.signer, kept)
        return encoded.decode()


def new_signer(id_: str, *, at: datetime = NOW) -> Signer:
    # Short, because making a key is slow; nothing is protected by it.
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return Signer(
        id_,
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
        crypt.RSASigner.from_string(private.decode(), key_id=id_),
    )


@pytest.fixture(scope="module")
def google() -> Signer:
    return new_signer("g1")


@pytest.fixture(scope="module")
def stranger() -> Signer:
    return new_signer("g1")


@pytest.fixture(scope="module")
def newer() -> Signer:
    return new_signer("g2")


@dataclass
class Served:
    """What stands at the certificates' address, and how often it was asked for."""

    certificates: object = field(default_factory=dict)
    asked: int = 0
    fails: bool = False

    def get(self, url: str, *, timeout: float) -> "Served":
        assert url == "https://certs.example.com"
        assert timeout
        self.asked += 1
        if self.fails:
            raise requests.ConnectionError("no network")
        return self

    def raise_for_status(self) -> None:
        return None

    def json(self) -> object:
        return self.certificates


@pytest.fixture
def served(google: Signer, monkeypatch: pytest.MonkeyPatch) -> Served:
    made = Served({google.id: google.certificate})
    monkeypatch.setattr("functions.adapters.certificates.requests.get", made.get)
    # google-auth reads the clock itself; it gets ours.
    monkeypatch.setattr("google.auth.jwt._helpers.utcnow", lambda: NOW.replace(tzinfo=None))
    return made


@pytest.fixture
def certificates(served: Served) -> Certificates:
    return Certificates("https://certs.example.com")


def verified(certificates: Certificates, token: str, *, at: int = NOW_MS) -> dict[str, Any]:
    return certificates.verify(token, audience=AUDIENCE, now=at)


def test_a_token_that_google_signed_for_us_gives_its_claims(certificates: Certificates, google: Signer) -> None:
    claims = verified(certificates, google.token())
    assert (claims["email"], claims["sub"], claims["aud"]) == ("tasks@booking.example.com", "10987", AUDIENCE)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"iss": "accounts.google.com"}, id="the issuer's other name"),
        pytest.param({"exp": NOW_S - 9}, id="over for less than ten seconds"),
        pytest.param({"iat": NOW_S + 9}, id="begun by a clock that is a little ahead"),
    ],
)
def test_it_is_accepted(certificates: Certificates, google: Signer, changes: dict[str, Any]) -> None:
    assert verified(certificates, google.token(**changes))["sub"] == "10987"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"aud": "https://booking.example.com"}, id="for somebody else"),
        pytest.param({"aud": None}, id="for nobody"),
        pytest.param({"iss": "https://accounts.example.com"}, id="by another issuer"),
        pytest.param({"iss": "https://accounts.google.com.example.com"}, id="by one that sounds alike"),
        pytest.param({"iss": None}, id="by nobody"),
        pytest.param({"exp": NOW_S - 11, "iat": NOW_S - 3600}, id="over"),
        pytest.param({"exp": None}, id="without an end"),
        pytest.param({"iat": NOW_S + 60}, id="not begun yet"),
    ],
)
def test_it_is_refused(certificates: Certificates, google: Signer, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidToken):
        verified(certificates, google.token(**changes))


def test_a_token_of_another_key_under_googles_name_is_refused(certificates: Certificates, stranger: Signer) -> None:
    with pytest.raises(InvalidToken):
        verified(certificates, stranger.token())


def test_a_changed_claim_is_noticed(certificates: Certificates, google: Signer) -> None:
    head, _, proof = google.token().split(".")
    _, body, _ = google.token(email="somebody@example.com").split(".")
    with pytest.raises(InvalidToken):
        verified(certificates, f"{head}.{body}.{proof}")


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="nothing"),
        pytest.param("a.b.c", id="three parts of nothing"),
        pytest.param("not a token", id="words"),
        pytest.param("eyJhbGciOiJub25lIn0.e30.", id="an algorithm of none"),
        pytest.param("eyJhbGciOiJIUzI1NiIsImtpZCI6ImcxIn0.e30.AAAA", id="an algorithm with a shared secret"),
        pytest.param("bnVsbA.e30.AAAA", id="a head that is no object"),
    ],
)
def test_what_is_no_token_of_googles_is_refused(certificates: Certificates, token: str) -> None:
    with pytest.raises(InvalidToken):
        verified(certificates, token)


def test_a_refusal_shows_neither_token_nor_claims(certificates: Certificates, google: Signer) -> None:
    token = google.token(aud="https://booking.example.com")
    with pytest.raises(InvalidToken) as refused:
        verified(certificates, token)
    assert token not in str(refused.value)
    assert "booking.example.com" not in str(refused.value)


class TestHowOftenTheCertificatesAreAsked:
    def test_not_before_they_are_needed(self, certificates: Certificates, served: Served) -> None:
        assert served.asked == 0

    def test_once_for_many_tokens(self, certificates: Certificates, served: Served, google: Signer) -> None:
        for minutes in range(0, 60, 10):
            verified(certificates, google.token(), at=NOW_MS + minutes * MINUTE_MS)
        assert served.asked == 1

    def test_again_after_an_hour(self, certificates: Certificates, served: Served, google: Signer) -> None:
        verified(certificates, google.token())
        verified(certificates, google.token(), at=NOW_MS + 60 * MINUTE_MS + 1)
        assert served.asked == 2

    def test_a_new_key_of_googles_is_found(
        self, certificates: Certificates, served: Served, google: Signer, newer: Signer
    ) -> None:
        verified(certificates, google.token())
        served.certificates = {google.id: google.certificate, newer.id: newer.certificate}
        assert verified(certificates, newer.token(), at=NOW_MS + MINUTE_MS + 1)["sub"] == "10987"
        assert served.asked == 2

    def test_tokens_of_unknown_keys_ask_at_most_once_a_minute(
        self, certificates: Certificates, served: Served, google: Signer, newer: Signer
    ) -> None:
        verified(certificates, google.token())
        for seconds in range(0, 121, 5):
            with pytest.raises(InvalidToken):
                verified(certificates, newer.token(), at=NOW_MS + seconds * 1000)
        assert served.asked == 2

    def test_an_old_key_that_google_withdrew_is_good_no_more(
        self, certificates: Certificates, served: Served, google: Signer, newer: Signer
    ) -> None:
        verified(certificates, google.token())
        served.certificates = {newer.id: newer.certificate}
        with pytest.raises(InvalidToken):
            verified(certificates, google.token(), at=NOW_MS + 61 * MINUTE_MS)


class TestWithoutCertificates:
    def test_nothing_can_be_verified(self, certificates: Certificates, served: Served, google: Signer) -> None:
        served.fails = True
        with pytest.raises(CertificatesUnavailable):
            verified(certificates, google.token())

    def test_it_can_again_once_they_are_there(self, certificates: Certificates, served: Served, google: Signer) -> None:
        served.fails = True
        with pytest.raises(CertificatesUnavailable):
            verified(certificates, google.token())
        served.fails = False
        with pytest.raises(CertificatesUnavailable):  # not with every request while they can't be had
            verified(certificates, google.token(), at=NOW_MS + 4_999)
        assert verified(certificates, google.token(), at=NOW_MS + 5_000)["sub"] == "10987"

    def test_old_ones_still_serve_for_the_keys_they_have(
        self, certificates: Certificates, served: Served, google: Signer
    ) -> None:
        verified(certificates, google.token())
        served.fails = True
        assert verified(certificates, google.token(), at=NOW_MS + 3_600_001)["sub"] == "10987"

    @pytest.mark.parametrize("key_id", [[], {}, 7, None])
    def test_a_key_name_that_is_no_text_is_no_token(
        self, certificates: Certificates, google: Signer, key_id: object
    ) -> None:
        _, payload, signature = google.token().split(".")
        header = urlsafe_b64encode(json.dumps({"alg": "RS256", "kid": key_id}).encode()).decode().rstrip("=")
        with pytest.raises(InvalidToken):
            verified(certificates, f"{header}.{payload}.{signature}")

    def test_an_answer_that_is_no_list_of_certificates_is_none(
        self, certificates: Certificates, served: Served, google: Signer
    ) -> None:
        served.certificates = {"other": "nonsense"}
        with pytest.raises(InvalidToken):
            verified(certificates, google.token())
