"""The key that signs ID tokens, and its public half as certificates and as JSON Web Key."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from infra.local.google.persistence import Rows

ISSUER = "https://accounts.google.com"


class SigningKey:
    """An RSA key with a self-signed certificate; made once and kept with the data."""

    def __init__(self, rows: Rows) -> None:
        row = next(iter(rows.load("key")), None)
        if row is None:
            row = _new_key()
            rows.put("key", "key", row)
        key = serialization.load_pem_private_key(row["private"].encode(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError("the stored signing key is not an RSA key")
        self._key = key
        self.kid: str = row["kid"]
        self.certificate: str = row["certificate"]

    def jwk_set(self) -> dict[str, Any]:
        numbers = self._key.public_key().public_numbers()
        return {
            "keys": [
                {
                    "kty": "RSA",
                    "alg": "RS256",
                    "use": "sig",
                    "kid": self.kid,
                    "n": _encode(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8)),
                    "e": _encode(numbers.e.to_bytes(3)),
                }
            ]
        }

    def sign(self, claims: dict[str, Any]) -> str:
        """A JWT, RS256."""
        header = {"alg": "RS256", "kid": self.kid, "typ": "JWT"}
        message = ".".join(_encode(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
        signature = self._key.sign(message.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{message}.{_encode(signature)}"


def access_token_hash(access_token: str) -> str:
    """`at_hash` of OpenID Connect Core section 3.1.3.6."""
    return _encode(hashlib.sha256(access_token.encode()).digest()[:16])


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _new_key() -> dict[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "local Google stand-in")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return {"kid": hashlib.sha256(pem.encode()).hexdigest()[:40], "private": private.decode(), "certificate": pem}
