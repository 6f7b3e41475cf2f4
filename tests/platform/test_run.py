"""`make run` as a newcomer meets it: all parts, the demo, a first booking, a restart."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from functions.domain.scopes import SCOPES
from infra.local.addresses import Addresses
from infra.local.client import BookingApi
from infra.local.ports import HOST, in_use
from infra.local.stand_in import StandIn
from infra.local.waiting import wait_until
from tests.browsing import Browser
from tests.platform.launched import Launched, Sandbox

pytest_plugins = ["tests.platform.launched_fixtures"]

# Two starts of everything, on a machine that may be busy.
pytestmark = pytest.mark.timeout(400)


def printed_booking(launched: Launched) -> httpx.Request:
    """The curl command that the launcher printed, as a request."""
    command = launched.text.partition("A first booking:\n")[2].partition("then see it at")[0]
    program, _silent, url, *options = shlex.split(command.replace("\\\n", " "))
    assert program == "curl"
    given = list(zip(options[::2], options[1::2], strict=True))
    headers = dict(value.split(": ", 1) for name, value in given if name == "-H")
    [body] = [value for name, value in given if name == "-d"]
    return httpx.Request("POST", url, headers=headers, content=body)


def send(request: httpx.Request) -> httpx.Response:
    with httpx.Client(trust_env=False, timeout=30) as client:
        return client.send(request)


def operator(addresses: Addresses) -> BookingApi:
    assert addresses.account is not None
    assert addresses.operator is not None
    return BookingApi(addresses.booking, account=addresses.account, api_key=addresses.operator.api_key)


def test_a_newcomer_books_sees_the_event_and_finds_it_again_after_a_restart(sandbox: Sandbox) -> None:
    launched = sandbox.launch("run")
    launched.wait_until_ready()
    first = launched.addresses()
    assert [calendar.resource for calendar in first.calendars] == ["anna", "ben"]

    answer = send(printed_booking(launched))

    assert answer.status_code == 201, answer.text
    booking = answer.json()
    assert send(printed_booking(launched)).json() == booking
    page = launched.text.partition("then see it at ")[2].split()[0]
    wait_until(
        lambda: "Ada Example" in send(httpx.Request("GET", page)).text,
        within=30,
        what="the event appeared on the calendar's page",
    )
    assert first.operator is not None
    assert first.google_user is not None
    join_as_the_owner(first, first.operator.email, first.google_user.password)
    assert launched.stop() == 0
    hidden = [first.operator.api_key, first.google_user.password, booking["manage_token"]]
    assert [secret for secret in hidden if secret in launched.text + launched.logs()] == []
    assert not sandbox.processes()

    launched = sandbox.launch("run")
    launched.wait_until_ready()
    second = launched.addresses()

    assert second.operator == first.operator
    assert second.calendars == first.calendars
    with operator(second) as api:
        assert [item["id"] for item in api.get("/bookings")["bookings"]] == [booking["id"]]
        assert len(api.get("/connections")["connections"]) == 1
    assert "Ada Example" in send(httpx.Request("GET", page)).text
    connect_a_grant_given_elsewhere(sandbox, launched)

    launched.process.kill()
    sandbox.wait_until_nobody_is_left()


def join_as_the_owner(addresses: Addresses, email: str, password: str) -> None:
    """By the invitation among the outgoing mails, as the README says."""
    mails = send(httpx.Request("GET", f"{addresses.mail}/messages?to={email}")).json()["messages"]
    [invitation] = [word for mail in mails for word in mail["text"].split() if "/invitation#" in word]
    browser = Browser()
    signed_in = browser.through_google(browser.open(f"{addresses.booking}/console"), email, password=password)
    assert "Set up your business" in signed_in.text
    joined = browser.press(browser.open(invitation), "Join", token=invitation.partition("#")[2])
    assert "Studio Nord, as owner" in joined.text


def connect_a_grant_given_elsewhere(sandbox: Sandbox, launched: Launched) -> None:
    email = "cleo@elsewhere.example"
    with StandIn(launched.addresses().google) as google:
        google.make_person(email=email, name="Cleo", password="correct horse", time_zone="Europe/Lisbon")
        token = google.grant(email=email, scopes=SCOPES)

    named = ["connect", "--email", email, "--refresh-token-env", "CLEOS_TOKEN"]
    connect = sandbox.launch(*named, environment={"CLEOS_TOKEN": token})
    refused = sandbox.launch("connect", "--email", email, "--refresh-token", "not-a-token")

    assert connect.exit_code() == 0, connect.text
    assert f"{email} (owner, primary, Europe/Lisbon)" in connect.text
    assert refused.exit_code() == 1
    assert "Traceback" not in refused.text
    assert token not in connect.text + launched.text + launched.logs()


def test_with_another_google_the_demo_prints_the_consent_address(sandbox: Sandbox) -> None:
    outside = "http://127.0.0.1:9"
    launched = sandbox.launch(
        "run",
        environment={
            "GOOGLE_CALENDAR_ENDPOINT": f"{outside}/calendar/v3/",
            "GOOGLE_OAUTH_AUTHORIZE_URL": f"{outside}/auth",
            "GOOGLE_OAUTH_TOKEN_URL": f"{outside}/token",
            "GOOGLE_OAUTH_REVOKE_URL": f"{outside}/revoke",
            "GOOGLE_OAUTH_CERTS_URL": f"{outside}/certs",
            "GOOGLE_CLIENT_ID": "a-client-of-mine",
            "GOOGLE_CLIENT_SECRET": "a-secret-of-mine",
        },
    )
    launched.wait_until_ready()

    assert not in_use(sandbox.ports.google)
    assert f"{outside}/auth?client_id=a-client-of-mine" in launched.text
    addresses = launched.addresses()
    assert addresses.google == f"{outside}/calendar/v3/"
    assert addresses.google_user is None
    assert not addresses.stand_in
    soon = datetime.now(UTC).date() + timedelta(days=1)
    with operator(addresses) as api:
        answer = api.get(
            "/services/massage/availability", start=soon.isoformat(), end=(soon + timedelta(days=7)).isoformat()
        )
        # Nothing blocks the demo's people while no calendar is connected.
        assert any(day["starts"] for day in answer["days"])
    assert launched.stop() == 0
    assert "a-secret-of-mine" not in launched.text


def test_connect_and_status_say_when_nothing_runs(sandbox: Sandbox) -> None:
    connect = sandbox.launch("connect", "--email", "a@b.example", "--refresh-token", "x")
    assert connect.exit_code() == 1
    assert "no platform runs" in connect.text

    status = sandbox.launch("status")
    assert status.exit_code() == 1
    assert "no platform runs" in status.text
    assert not in_use(sandbox.ports.booking), HOST
