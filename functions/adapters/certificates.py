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
_AFTER_FAILURE_MS = 5_000
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
    _failed_at: int | None = None
    _lock: Lock = field(default_factory=Lock)

    def verify(self, token: str, *, audience: str, now: int) -> dict[str, Any]:
        """The claims of a valid token. Raises `InvalidToken` or `CertificatesUnavailable`."""
        try:
            key_id = str(jwt.decode_header(token).get("kid"))
        except (ValueError, TypeError, AttributeError, exceptions.GoogleAuthError):
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

    def _for(self, key_id: str, now: int) -> dict[str, str]:
        """The certificates, fetched where they are old or lack this key. Where that fails, old ones still serve for a key that they have."""
        with self._lock:
            age = None if self._fetched_at is None else now - self._fetched_at
            if age is not None and age <= _KEEP_MS and (key_id in self._certificates or age <= _REFETCH_MS):
                return self._certificates
            try:
                if self._failed_at is not None and now - self._failed_at < _AFTER_FAILURE_MS:
                    raise CertificatesUnavailable("could not be fetched a moment ago")
                self._certificates, self._fetched_at, self._failed_at = self._fetch(now), now, None
            except CertificatesUnavailable:
                if key_id not in self._certificates:
                    raise
            return self._certificates

    def _fetch(self, now: int) -> dict[str, str]:
        try:
            answer = requests.get(self.url, timeout=_TIMEOUT_S)
            answer.raise_for_status()
            return dict(answer.json())
        except (requests.RequestException, ValueError) as error:
            self._failed_at = now
            raise CertificatesUnavailable(type(error).__name__) from error
