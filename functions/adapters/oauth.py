"""Google's OAuth endpoints: the consent address, code and refresh token exchange, revocation (RFC 6749, RFC 7636, OpenID Connect)."""

import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import requests

from functions.adapters.settings import Settings
from functions.domain.scopes import SCOPES

# Who the person is, and nothing else: that is all that signing in needs.
SIGN_IN_SCOPES = ("openid", "email", "profile")
_TIMEOUT_S = 10.0


class GrantRefused(Exception):
    """Google's word that a code or refresh token is no good (`invalid_grant`): only this means revoked. `word`: why, as far as Google tells."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


# What Google says besides `invalid_grant` is for people and documented nowhere, but nothing else tells these reasons apart.
_ACCOUNT_OFF = re.compile(r"account (?:has been|is|was) (?:disabled|deleted|suspended)", re.IGNORECASE)
_SIGN_IN_WANTED = frozenset({"invalid_rapt", "rapt_required"})


def refusal_of(body: Mapping[str, Any]) -> str | None:
    """Why a token request was refused: a word of `domain.loss`; None where the answer says nothing about the grant."""
    if body.get("error") != "invalid_grant":
        return None
    if body.get("error_subtype") in _SIGN_IN_WANTED:
        return "invalid_rapt"
    return "account_off" if _ACCOUNT_OFF.search(str(body.get("error_description"))) else "invalid_grant"


class OAuthUnavailable(Exception):
    """No usable answer: network, 5xx, or a configuration error such as a wrong client secret. Says nothing about the grant."""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a token exchange gave. `refresh_token` is None where Google gave none; `id_token` is not verified yet. `ends_in_s`: in how many seconds all of it
    ends, where it was granted for a time only (so does an app in testing mode); None of what has no end.
    """

    access_token: str
    refresh_token: str | None
    scopes: tuple[str, ...]
    id_token: str | None
    ends_in_s: int | None = None

    def __repr__(self) -> str:
        return f"Grant(scopes={self.scopes!r})"


def new_verifier() -> str:
    return secrets.token_urlsafe(48)


def consent_url(settings: Settings, *, state: str, verifier: str, login_hint: str | None = None) -> str:
    """Where the browser goes. `prompt=consent` makes Google give a refresh token every time, so that a reconnect has one too."""
    query = {
        "redirect_uri": redirect_uri(settings),
        "scope": " ".join(SCOPES),
        "access_type": "offline",
        "prompt": "consent",
        "include_granted_scopes": "false",
        "state": state,
    }
    if login_hint:
        query["login_hint"] = login_hint
    return _authorize_url(settings, query, verifier)


def sign_in_url(settings: Settings, *, state: str, nonce: str, verifier: str) -> str:
    """Where the browser goes to say who the person is. They always choose the account: on a browser that others use too, the last one is not theirs."""
    query = {
        "redirect_uri": sign_in_redirect_uri(settings),
        "scope": " ".join(SIGN_IN_SCOPES),
        "access_type": "online",
        "prompt": "select_account",
        "state": state,
        "nonce": nonce,
    }
    return _authorize_url(settings, query, verifier)


def _authorize_url(settings: Settings, query: dict[str, str], verifier: str) -> str:
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
    query = {
        "client_id": settings.client_id,
        "response_type": "code",
        **query,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return f"{settings.oauth_authorize_url}?{urlencode(query)}"


def redirect_uri(settings: Settings) -> str:
    return f"{settings.booking_url}/oauth/callback"


def sign_in_redirect_uri(settings: Settings) -> str:
    return f"{settings.booking_url}/signin/callback"


def exchange_code(settings: Settings, *, code: str, verifier: str, back_to: str | None = None) -> Grant:
    """`back_to`: the redirect URI that the code was asked for with, where it is not that of a connection. Raises `GrantRefused` or `OAuthUnavailable`."""
    return _token_request(
        settings,
        {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": back_to or redirect_uri(settings),
        },
    )


def refresh(settings: Settings, *, refresh_token: str) -> Grant:
    """A new access token. Raises `GrantRefused` or `OAuthUnavailable`."""
    return _token_request(settings, {"grant_type": "refresh_token", "refresh_token": refresh_token})


def revoke(settings: Settings, *, token: str) -> None:
    """Gives back all that the person of this token granted to this client, whichever of their tokens it was. One that is no good any more counts as
    revoked. Raises `OAuthUnavailable`.
    """
    try:
        answer = requests.post(settings.oauth_revoke_url, data={"token": token}, timeout=_TIMEOUT_S)
        refused = answer.status_code == 400 and dict(answer.json()).get("error") in ("invalid_token", "invalid_grant")
    except (requests.RequestException, ValueError, TypeError) as error:
        raise OAuthUnavailable(type(error).__name__) from None  # the request holds a secret
    if answer.status_code != 200 and not refused:
        raise OAuthUnavailable(str(answer.status_code))


def _token_request(settings: Settings, form: dict[str, str]) -> Grant:
    form = form | {"client_id": settings.client_id, "client_secret": settings.client_secret}
    try:
        answer = requests.post(settings.oauth_token_url, data=form, timeout=_TIMEOUT_S)
        body: dict[str, Any] = dict(answer.json())
    except (requests.RequestException, ValueError, TypeError) as error:
        raise OAuthUnavailable(type(error).__name__) from None  # the request holds secrets; its text goes nowhere
    if answer.status_code == 400 and (word := refusal_of(body)) is not None:
        raise GrantRefused(word)
    if answer.status_code != 200 or not body.get("access_token"):
        raise OAuthUnavailable(f"{answer.status_code} {body.get('error')}")
    return Grant(
        access_token=body["access_token"],
        refresh_token=body.get("refresh_token"),
        scopes=tuple(body.get("scope", "").split()),
        id_token=body.get("id_token"),
        ends_in_s=_seconds(body.get("refresh_token_expires_in")),
    )


def _seconds(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
