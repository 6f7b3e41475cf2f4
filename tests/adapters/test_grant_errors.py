"""What it means that no access token can be had: google-auth itself says so, over a token endpoint's literal answers."""

import json
from typing import Any

import pytest
from google.auth.exceptions import RefreshError
from google.oauth2.credentials import Credentials

from functions.adapters.google_calendar import refresh_error
from functions.adapters.google_errors import AccessLost, GoogleError, Unavailable


class Answer:
    def __init__(self, status: int, body: Any) -> None:
        self.status, self.headers, self.data = status, {}, json.dumps(body).encode()

    def __call__(self, **request: Any) -> "Answer":
        return self


def meaning(status: int, body: Any) -> GoogleError:
    credentials = Credentials(None, refresh_token="r", token_uri="https://x.example", client_id="c", client_secret="s")
    with pytest.raises(RefreshError) as failed:
        credentials.refresh(Answer(status, body))
    return refresh_error(failed.value)


def grant_error(**more: str) -> dict[str, str]:
    return {"error": "invalid_grant"} | more


@pytest.mark.parametrize(
    ("body", "word"),
    [
        pytest.param(grant_error(error_description="Token has been expired or revoked."), "invalid_grant", id="80"),
        pytest.param(grant_error(error_description="Bad Request"), "invalid_grant", id="without a reason"),
        pytest.param(grant_error(), "invalid_grant", id="without a word"),
        pytest.param(grant_error(error_description="Account has been deleted"), "account_off", id="deleted"),
        pytest.param(grant_error(error_description="Account has been disabled."), "account_off", id="suspended"),
        pytest.param(
            grant_error(error_subtype="invalid_rapt", error_description="reauth related error (invalid_rapt)"),
            "invalid_rapt",
            id="the organisation wants a new sign-in",
        ),
    ],
)
def test_an_invalid_grant_is_a_loss(body: dict[str, str], word: str) -> None:
    error = meaning(400, body)
    assert (type(error), error.reason) == (AccessLost, word)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(401, {"error": "invalid_client", "error_description": "invalid_grant"}, id="our secret is wrong"),
        pytest.param(401, {"error": "deleted_client"}, id="our client was deleted"),
        pytest.param(400, {"error": "invalid_request"}, id="our mistake"),
        pytest.param(403, {"error": "rate_limit_exceeded"}, id="too many"),
        pytest.param(403, "a page of a proxy that says invalid_grant", id="no answer of Google's"),
    ],
)
def test_anything_else_is_none(status: int, body: Any) -> None:
    assert type(meaning(status, body)) is Unavailable
