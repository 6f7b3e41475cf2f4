"""What people have granted to the OAuth client: consents, codes, refresh tokens, access tokens.

Tokens are kept as hashes, so neither the data directory nor a log can give one away.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace

from infra.local.google.persistence import Rows

CODE_LIFETIME_SECONDS = 600
# What people grant to an app whose consent screen is in testing ends after this time.
TESTING_SECONDS = 7 * 24 * 3600
# Google keeps this many refresh tokens for one person and client; the oldest stops working without a word.
REFRESH_TOKEN_LIMIT = 100


class InvalidGrant(Exception):
    """The code or refresh token can't be used (RFC 6749 section 5.2, `invalid_grant`)."""


@dataclass(frozen=True)
class Client:
    """The one registered OAuth client."""

    id: str
    secret: str
    redirect_uris: tuple[str, ...]


@dataclass
class RefreshToken:
    hash: str
    email: str
    client_id: str
    scopes: list[str]
    created: float
    expires: float | None = None


@dataclass
class AccessToken:
    hash: str
    email: str
    client_id: str
    scopes: list[str]
    expires: float


@dataclass
class Code:
    """An authorization code, good once and for ten minutes."""

    email: str
    client_id: str
    redirect_uri: str
    scopes: list[str]
    nonce: str | None
    challenge: str | None
    challenge_method: str
    offline: bool
    new_refresh_token: bool
    expires: float


@dataclass(frozen=True)
class Issued:
    """What the token endpoint hands out."""

    access_token: str
    expires_in: int
    scopes: list[str]
    email: str
    refresh_token: str | None = None
    refresh_expires_in: int | None = None
    nonce: str | None = None


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class Grants:
    """Consents and tokens of every person; `now` gives seconds since the epoch."""

    def __init__(self, rows: Rows, now: Callable[[], float]) -> None:
        self._rows = rows
        self._now = now
        self.access_lifetime_seconds = 3600
        # The people to whom the app is one in testing.
        self.testers: set[str] = set()
        self._consents: dict[str, list[str]] = {row["key"]: row["scopes"] for row in rows.load("consent")}
        self._refresh = {row["hash"]: RefreshToken(**row) for row in rows.load("refresh_token")}
        self._access = {row["hash"]: AccessToken(**row) for row in rows.load("access_token")}
        self._codes: dict[str, Code] = {}

    def consented(self, email: str, client_id: str) -> list[str]:
        return list(self._consents.get(f"{client_id} {email}", []))

    def consent(self, email: str, client_id: str, scopes: Iterable[str]) -> None:
        """Add scopes to what the person lets the client do."""
        key = f"{client_id} {email}"
        merged = list(dict.fromkeys([*self._consents.get(key, []), *scopes]))
        self._consents[key] = merged
        self._rows.put("consent", key, {"key": key, "scopes": merged})

    def issue_code(self, code: Code) -> str:
        text = "4/" + secrets.token_urlsafe(32)
        self._codes[token_hash(text)] = code
        return text

    def redeem_code(self, text: str, *, client_id: str, redirect_uri: str, verifier: str | None) -> Issued:
        """Turn a code into tokens. A code works once, also when the attempt fails."""
        code = self._codes.pop(token_hash(text), None)
        if code is None or code.expires < self._now() or code.client_id != client_id:
            raise InvalidGrant("Malformed auth code.")
        if code.redirect_uri != redirect_uri:
            raise InvalidGrant("The redirect_uri differs from the one of the authorization request.")
        _check_verifier(code, verifier)
        issued = self._issue_access(code.email, client_id, code.scopes)
        refresh, ends_in = None, None
        if code.offline and code.new_refresh_token:
            refresh = self.issue_refresh(code.email, client_id, code.scopes)
            ends_in = self._seconds_left(self._refresh[token_hash(refresh)])
        more = {"refresh_token": refresh, "refresh_expires_in": ends_in, "nonce": code.nonce}
        return Issued(**{**asdict(issued), **more})

    def issue_refresh(self, email: str, client_id: str, scopes: Iterable[str]) -> str:
        text = "1//" + secrets.token_urlsafe(48)
        expires = self._now() + TESTING_SECONDS if email in self.testers else None
        token = RefreshToken(token_hash(text), email, client_id, list(scopes), self._now(), expires)
        self._refresh[token.hash] = token
        self._rows.put("refresh_token", token.hash, asdict(token))
        held = [t for t in self._refresh.values() if (t.email, t.client_id) == (email, client_id)]
        for oldest in sorted(held, key=lambda t: t.created)[:-REFRESH_TOKEN_LIMIT]:
            self._drop(oldest)
        return text

    def refresh(self, text: str, *, client_id: str, scopes: list[str] | None = None) -> Issued:
        token = self._refresh.get(token_hash(text))
        over = token is not None and token.expires is not None and token.expires <= self._now()
        if token is None or over or token.client_id != client_id:
            raise InvalidGrant("Token has been expired or revoked.")
        if scopes and not set(scopes) <= set(token.scopes):
            raise InvalidGrant("A refresh can't widen the granted scopes.")
        issued = self._issue_access(token.email, client_id, scopes or token.scopes)
        return replace(issued, refresh_expires_in=self._seconds_left(token))

    def owner(self, text: str) -> str:
        """Whose refresh token it is; nobody's, where it is none."""
        token = self._refresh.get(token_hash(text))
        return "" if token is None else token.email

    def _seconds_left(self, token: RefreshToken) -> int | None:
        return None if token.expires is None else int(token.expires - self._now())

    def has_refresh(self, email: str, client_id: str) -> bool:
        return any((t.email, t.client_id) == (email, client_id) for t in self._refresh.values())

    def find_access(self, text: str) -> AccessToken | None:
        token = self._access.get(token_hash(text))
        return token if token is not None and token.expires > self._now() else None

    def revoke(self, text: str) -> bool:
        """Withdraw the whole grant that a refresh or access token belongs to. False: no such token."""
        digest = token_hash(text)
        token = self._refresh.get(digest) or self._access.get(digest)
        if token is None:
            return False
        self.revoke_grant(token.email, token.client_id)
        return True

    def revoke_grant(self, email: str, client_id: str | None = None) -> None:
        """Withdraw everything a person granted, to one client or to all."""
        tokens: list[RefreshToken | AccessToken] = [*self._refresh.values(), *self._access.values()]
        for token in tokens:
            if token.email == email and client_id in (None, token.client_id):
                self._drop(token)
        for key in [key for key in self._consents if key.split(" ", 1)[1] == email]:
            if client_id in (None, key.split(" ", 1)[0]):
                del self._consents[key]
                self._rows.delete("consent", key)

    def narrow(self, email: str, scopes: Iterable[str]) -> None:
        """Leave no more than these scopes of all that a person granted."""
        left = set(scopes)
        tokens: list[RefreshToken | AccessToken] = [*self._refresh.values(), *self._access.values()]
        for token in tokens:
            if token.email == email:
                token.scopes = [scope for scope in token.scopes if scope in left]
                kind = "refresh_token" if isinstance(token, RefreshToken) else "access_token"
                self._rows.put(kind, token.hash, asdict(token))

    def run_out(self, email: str) -> None:
        """The days of what a person granted for a time are over."""
        for token in self._refresh.values():
            if token.email == email and token.expires is not None:
                token.expires = self._now()
                self._rows.put("refresh_token", token.hash, asdict(token))
        self.expire_access(email)

    def expire_access(self, email: str | None = None) -> int:
        """Make the access tokens of one person, or of all, worthless now. Refresh tokens stay."""
        expired = [token for token in self._access.values() if email in (None, token.email)]
        for token in expired:
            self._drop(token)
        return len(expired)

    def _issue_access(self, email: str, client_id: str, scopes: list[str]) -> Issued:
        now = self._now()
        for stale in [token for token in self._access.values() if token.expires < now]:
            self._drop(stale)
        text = "ya29." + secrets.token_urlsafe(48)
        token = AccessToken(token_hash(text), email, client_id, scopes, now + self.access_lifetime_seconds)
        self._access[token.hash] = token
        self._rows.put("access_token", token.hash, asdict(token))
        return Issued(text, self.access_lifetime_seconds, scopes, email)

    def _drop(self, token: RefreshToken | AccessToken) -> None:
        if isinstance(token, RefreshToken):
            del self._refresh[token.hash]
            self._rows.delete("refresh_token", token.hash)
        else:
            del self._access[token.hash]
            self._rows.delete("access_token", token.hash)


def _check_verifier(code: Code, verifier: str | None) -> None:
    """RFC 7636 section 4.6: required when the authorization request carried a challenge."""
    if code.challenge is None:
        return
    if not verifier:
        raise InvalidGrant("Missing code verifier.")
    given = verifier
    if code.challenge_method == "S256":
        given = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if not hmac.compare_digest(given, code.challenge):
        raise InvalidGrant("Invalid code verifier.")
