"""The OIDC tokens of the local Cloud Tasks, verified by google-auth as the sync function does it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest
from google.auth import exceptions, jwt
from google.auth.transport import requests
from google.oauth2 import id_token

from tests.platform.local_tasks import Handler, LocalTasks, Project

pytest_plugins = ["tests.platform.local_tasks_fixtures"]

IDENTITY = "/computeMetadata/v1/instance/service-accounts/default/identity"
FLAVOR = {"Metadata-Flavor": "Google"}
ACCOUNT = "tasks@example.iam.gserviceaccount.com"


def verify(tasks: LocalTasks, token: str, audience: str) -> Mapping[str, Any]:
    return id_token.verify_token(token, requests.Request(), audience=audience, certs_url=tasks.certs_url)


def delivered_token(project: Project, handler: Handler, **oidc_token: str) -> str:
    queue = project.create_queue()
    project.create_task(
        queue,
        f"{handler.url}/tasks/pull",
        http_request={
            "headers": {"authorization": "Basic eDp5"},
            "oidc_token": {"service_account_email": ACCOUNT, **oidc_token},
        },
    )
    project.tasks.wait_until_idle(queue)
    kind, _, token = handler.received[0].headers["authorization"].partition(" ")
    assert kind == "Bearer"
    return token


def test_tasks_token_is_verified_for_its_audience_only(project: Project, handler: Handler) -> None:
    token = delivered_token(project, handler, audience="https://sync.example")
    claims = verify(project.tasks, token, "https://sync.example")
    assert claims["iss"] == "https://accounts.google.com"
    assert claims["aud"] == "https://sync.example"
    assert (claims["email"], claims["email_verified"]) == (ACCOUNT, True)
    assert claims["sub"].isdigit()
    assert claims["exp"] - claims["iat"] == 3600
    with pytest.raises(exceptions.InvalidValue):
        verify(project.tasks, token, "https://elsewhere.example")


def test_audience_is_the_url_where_the_task_names_none(project: Project, handler: Handler) -> None:
    token = delivered_token(project, handler)
    assert verify(project.tasks, token, f"{handler.url}/tasks/pull")["email"] == ACCOUNT


def test_changed_token_is_not_verified(local_tasks: LocalTasks) -> None:
    head, _, signature = local_tasks.mint(audience="a").split(".")
    _, other_claims, _ = local_tasks.mint(audience="a", email="somebody@else.example").split(".")
    with pytest.raises(exceptions.MalformedError):
        verify(local_tasks, f"{head}.{other_claims}.{signature}", "a")


def test_token_is_minted_for_tests(local_tasks: LocalTasks) -> None:
    token = local_tasks.mint(audience="a", email="one@example.com")
    assert verify(local_tasks, token, "a")["email"] == "one@example.com"
    assert verify(local_tasks, local_tasks.mint(audience="a"), "a")["email"].startswith("tasks@booking-local.")
    assert jwt.decode_header(token)["alg"] == "RS256"


def test_expired_token_is_not_verified(local_tasks: LocalTasks) -> None:
    token = local_tasks.mint(audience="a", lifetime=-10)
    assert jwt.decode(token, verify=False)["exp"] < time.time()
    with pytest.raises(exceptions.InvalidValue, match="expired"):
        verify(local_tasks, token, "a")


def test_an_instance_s_identity_is_for_the_audience_it_asks_for(local_tasks: LocalTasks) -> None:
    answer = local_tasks.http.get(
        IDENTITY, params={"audience": "https://sync.example", "format": "full"}, headers=FLAVOR
    )
    assert answer.headers["Metadata-Flavor"] == "Google"
    claims = verify(local_tasks, answer.text, "https://sync.example")
    assert (claims["email"], claims["email_verified"]) == ("booking@booking-local.iam.gserviceaccount.com", True)


def test_an_identity_is_given_to_nobody_who_was_only_led_here(local_tasks: LocalTasks) -> None:
    assert local_tasks.http.get(IDENTITY, params={"audience": "a"}).status_code == 403
    assert local_tasks.http.get(IDENTITY, headers=FLAVOR).status_code == 400


def test_task_without_a_token_brings_none(project: Project, handler: Handler) -> None:
    queue = project.create_queue()
    project.create_task(queue, handler.url)
    project.tasks.wait_until_idle(queue)
    assert "authorization" not in handler.received[0].headers
