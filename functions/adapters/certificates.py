"""Verification of tokens that Google signs: ID tokens of people, OIDC tokens of Cloud Tasks and Cloud Scheduler.

The certificates are fetched once and kept for an hour; an unknown key id fetches them again, at most once a minute.
"""

from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import requests
from google.auth import exceptions, jwt

ISSUERS = frozenset({"https://accounts.google.com", "accounts.google.com"})
_KEEP_MS = 3_600_000
_REFETCH_MS = 60_000
_TIMEOUT_S = 10.0


class InvalidToken(Exception):
    """Not signed by who it should be, for someone else, or out of date."""


class CertificatesUnavailable(Exception):
    """The certificates can't be fetched, so nothing can be verified for now."""


@dataclass
class Certificates:
    """The certificates at `url`: a JSON object of key id → X.509 certificate in PEM, the form in which Google serves them."""

    url: str
    _certificates: dict[str, str] = field(default_factory=dict)
    _fetched_at: int | None = None
    _lock: Lock = field(default_factory=Lock)

    def verify(self, token: str, *, audience: str, now: int) -> dict[str, Any]:
        """The claims of a valid token. Raises `InvalidToken` or `CertificatesUnavailable`."""
        try:
            key_id = jwt.decode_header(token).get("kid")
        except (ValueError, exceptions.GoogleAuthError):
            raise InvalidToken("this is no JSON web token") from None
        try:
            claims: dict[str, Any] = jwt.decode(
                token, certs=self._for(key_id, now), audience=audience, clock_skew_in_seconds=10
            )
        except (ValueError, exceptions.GoogleAuthError) as error:
            raise InvalidToken(type(error).__name__) from None
        if claims.get("iss") not in ISSUERS:
            raise InvalidToken("the issuer is not Google")
        return claims

    def _for(self, key_id: str | None, now: int) -> dict[str, str]:
        with self._lock:
            age = None if self._fetched_at is None else now - self._fetched_at
            if age is None or age > _KEEP_MS or (key_id not in self._certificates and age > _REFETCH_MS):
                self._certificates, self._fetched_at = self._fetch(), now
            return self._certificates

    def _fetch(self) -> dict[str, str]:
        try:
            answer = requests.get(self.url, timeout=_TIMEOUT_S)
            answer.raise_for_status()
            return dict(answer.json())
        except (requests.RequestException, ValueError) as error:
            raise CertificatesUnavailable(type(error).__name__) from error
