"""The OIDC tokens of tasks and schedules: RS256, signed by a key of our own that --data keeps.

The claims are those of a Google service account's ID token; the certificate is served the way Google serves its own
(`https://www.googleapis.com/oauth2/v1/certs`: key id to x509 PEM), so google-auth verifies them unchanged.
"""

from __future__ import annotations

import datetime
import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from google.auth import crypt
from google.auth import jwt as google_jwt

ISSUER = "https://accounts.google.com"
LIFETIME_SECONDS = 3600
# A token serves many deliveries to one address: signing takes longer than the rest of a delivery.
_REUSE_SECONDS = 300
_REUSED_TOKENS = 256
_CERTIFICATE_YEARS = 20


@dataclass(frozen=True, slots=True)
class _Audience:
    audience: str
    email: str


@dataclass(frozen=True, slots=True)
class _Minted:
    token: str
    at: float


class TokenSigner:
    """Key and certificate are made at the first start."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        key_file, certificate_file = directory / "oidc-key.pem", directory / "oidc-certificate.pem"
        if not (key_file.exists() and certificate_file.exists()):
            _make_key_pair(key_file=key_file, certificate_file=certificate_file)
        self._certificate = certificate_file.read_text()
        self.key_id = hashlib.sha1(self._certificate.encode(), usedforsecurity=False).hexdigest()
        self._signer = crypt.RSASigner.from_string(key_file.read_text(), self.key_id)
        self._minted: dict[_Audience, _Minted] = {}

    @property
    def certificates(self) -> dict[str, str]:
        return {self.key_id: self._certificate}

    def mint(self, *, audience: str, email: str, lifetime: int = LIFETIME_SECONDS, email_verified: bool = True) -> str:
        """A new token, valid from now for `lifetime` seconds; negative: one that has expired."""
        now = int(time.time())
        subject = str(int(hashlib.sha256(email.encode()).hexdigest(), 16))[:21]
        claims = {
            "iss": ISSUER,
            "aud": audience,
            "azp": subject,
            "sub": subject,
            "email": email,
            "email_verified": email_verified,
            "iat": min(now, now + lifetime),
            "exp": now + lifetime,
        }
        token: bytes = google_jwt.encode(self._signer, claims)
        return token.decode("ascii")

    def token(self, *, audience: str, email: str) -> str:
        """A token with most of its life before it; one of the last minutes is given again."""
        key = _Audience(audience, email)
        minted = self._minted.get(key)
        now = time.time()
        if minted is None or not 0 <= now - minted.at < _REUSE_SECONDS:
            if len(self._minted) >= _REUSED_TOKENS:
                self._minted.clear()
            minted = self._minted[key] = _Minted(self.mint(audience=audience, email=email), now)
        return minted.token


def _make_key_pair(*, key_file: Path, certificate_file: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "local-cloud-tasks")])
    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=365 * _CERTIFICATE_YEARS))
        .sign(key, hashes.SHA256())
    )
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    # Last, under its final name only when whole: both files or a new pair at the next start.
    partial = key_file.with_suffix(".partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(pem)
    partial.replace(key_file)
