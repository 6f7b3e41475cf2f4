"""Proofs that need no database: manage tokens, invitations, channel tokens, cookies, hashes of secrets. All comparisons are constant-time.

Law of rotation: new values are made with the first signing key, every key of the list still opens its own.
"""

import hmac
import os
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from functions.adapters.settings import SecretKey
from functions.domain.event_ids import session_id

MAX_CHANNEL_TOKEN = 256  # Google's limit for a channel's token


def _mac(key: SecretKey, purpose: str, *parts: str) -> str:
    message = "\0".join((purpose, *parts)).encode()
    return urlsafe_b64encode(hmac.digest(key.bytes, message, sha256)).decode().rstrip("=")


def secret_hash(secret: str) -> str:
    """What is stored of a secret of full strength (a manage token, an API key): SHA-256 in hex."""
    return sha256(secret.encode()).hexdigest()


def client_mark(key: SecretKey, client_key: str) -> str:
    """What is noted of a client when their data were exported or erased: only who has the signing key can tell from an address whether it was theirs."""
    return _mac(key, "client", client_key)


def manage_token(key: SecretKey, booking: str) -> str:
    """The token that proves a booking is the caller's. Derived, so that a repeated request can be answered with it without storing it."""
    return _mac(key, "manage", booking)


def usage_id(key: SecretKey, account: str, kind: str, caller: str) -> str:
    """What a caller's usage is kept under: tells neither their address nor their mailbox, nor that they are known to another account too."""
    return hmac.digest(key.bytes, "\0".join(("usage", account, kind, caller)).encode(), sha256).hex()[:32]


@dataclass(frozen=True)
class ManagedId:
    """The id of a record that is about to be made, and the hash of the manage token that will open it."""

    id: str
    manage_hash: str


def new_managed_id(keys: tuple[SecretKey, ...]) -> ManagedId:
    new = session_id(os.urandom(16))
    return ManagedId(new, secret_hash(manage_token(keys[0], new)))


def stored_manage_token(keys: tuple[SecretKey, ...], booking: str, stored_hash: str) -> str | None:
    """The token whose hash a booking holds, by whichever key made it; None once that key is retired."""
    return _with_hash((manage_token(key, booking) for key in keys), stored_hash)


def invitation_token(key: SecretKey, account: str, invitation: str) -> str:
    """What is in the mail to who is invited: where the invitation is, and the proof that the mail reached them."""
    return f"{account}.{invitation}.{_mac(key, 'invitation', account, invitation)}"


def stored_invitation_token(keys: tuple[SecretKey, ...], account: str, invitation: str, stored_hash: str) -> str | None:
    """As of a manage token."""
    return _with_hash((invitation_token(key, account, invitation) for key in keys), stored_hash)


def _with_hash(tokens: Iterable[str], stored_hash: str) -> str | None:
    return next((token for token in tokens if same_secret(token, stored_hash)), None)


def same_secret(presented: str, stored_hash: str) -> bool:
    return hmac.compare_digest(secret_hash(presented), stored_hash)


@dataclass(frozen=True, kw_only=True)
class ChannelClaim:
    """What a channel token says: whose notifications these are, and until when (seconds since the epoch)."""

    account: str
    calendar: str
    expires: int


def channel_token(key: SecretKey, channel: str, claim: ChannelClaim) -> str:
    """The token given to Google with a watch: bound to the channel's id, so that it proves nothing on another one. At most 256 characters."""
    mac = _mac(key, "channel", channel, claim.account, claim.calendar, str(claim.expires))
    token = f"{key.id}.{claim.account}.{claim.calendar}.{claim.expires}.{mac}"
    if len(token) > MAX_CHANNEL_TOKEN:
        raise ValueError("the account's or calendar's id is too long for a channel token")
    return token


def opened_channel_token(keys: tuple[SecretKey, ...], channel: str, token: str) -> ChannelClaim | None:
    """The claim of a token that one of our keys made for this channel; None for any other. Expiry is the caller's to judge."""
    parts = token.split(".")
    if len(parts) != 5:
        return None
    key_id, account, calendar, expires, presented = parts
    for key in keys:
        expected = _mac(key, "channel", channel, account, calendar, expires)
        if key.id == key_id and hmac.compare_digest(expected.encode(), presented.encode()):
            return ChannelClaim(account=account, calendar=calendar, expires=int(expires))
    return None


@dataclass(frozen=True, kw_only=True)
class BrowserClaim:
    """What a cookie says: which person's browser this is, by the id of its sign-in, and when the cookie was issued (milliseconds since the epoch)."""

    person: str
    browser: str
    issued_at: int


def browser_cookie(key: SecretKey, claim: BrowserClaim) -> str:
    return f"{key.id}.{claim.person}.{claim.browser}.{claim.issued_at}.{_browser_mac(key, claim)}"


def opened_browser_cookie(keys: tuple[SecretKey, ...], cookie: str) -> BrowserClaim | None:
    """The claim of a cookie that one of our keys made; None for any other. Whether it still holds is the caller's to judge."""
    found = _COOKIE.fullmatch(cookie)
    if found is None:
        return None
    claim = BrowserClaim(person=found["person"], browser=found["browser"], issued_at=int(found["issued_at"]))
    for key in keys:
        if key.id == found["key"] and hmac.compare_digest(_browser_mac(key, claim), found["mac"]):
            return claim
    return None


_COOKIE = re.compile(
    r"(?P<key>[A-Za-z0-9_-]{1,40})\.(?P<person>[0-9a-f]{32})\.(?P<browser>[0-9a-f]{32})"
    r"\.(?P<issued_at>[0-9]{1,15})\.(?P<mac>[A-Za-z0-9_-]{43})"
)


def _browser_mac(key: SecretKey, claim: BrowserClaim) -> str:
    return _mac(key, "browser", claim.person, claim.browser, str(claim.issued_at))


def form_token(key: SecretKey, browser: str) -> str:
    """What a form of ours carries, to be told from a form of somebody else's that this browser was made to send."""
    return _mac(key, "form", browser)


def is_form_token(keys: tuple[SecretKey, ...], browser: str, presented: str) -> bool:
    made = [hmac.compare_digest(form_token(key, browser).encode(), presented.encode()) for key in keys]
    return any(made)
