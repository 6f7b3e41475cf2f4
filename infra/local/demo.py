"""The demo account: a small studio with two people, their calendars, and three services. Loaded over HTTP only, and
harmless to load again: what is there is left or replaced by the same."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from infra.local.addresses import Addresses, DemoCalendar, FreeSlot, GoogleUser, Operator
from infra.local.client import ApiError, BookingApi
from infra.local.connections import active_connection, wait_for_calendars
from infra.local.consent import give_consent
from infra.local.credentials import Credentials
from infra.local.guardian import ROOT
from infra.local.stand_in import StandIn
from infra.local.waiting import wait_until

ACCOUNT, NAME, TIME_ZONE = "demo", "Studio Nord", "Europe/Berlin"
OPERATOR_EMAIL, OPERATOR_NAME = "owner@studio-nord.example", "Olga Nord"
GOOGLE_EMAIL, GOOGLE_NAME = "anna@studio-nord.example", "Anna Nord"
SECOND_CALENDAR, SECOND_SUMMARY = "ben.studio-nord@group.calendar.google.com", "Ben"

FREE_WITHIN_SECONDS = 30

_WEEKDAYS = [1, 2, 3, 4, 5]

RESOURCES: dict[str, dict[str, object]] = {
    "anna": {
        "name": "Anna",
        "time_zone": TIME_ZONE,
        "hours": [
            {"days": _WEEKDAYS, "start": "09:00", "end": "12:00"},
            {"days": _WEEKDAYS, "start": "13:00", "end": "17:00"},
        ],
    },
    "ben": {
        "name": "Ben",
        "time_zone": TIME_ZONE,
        "hours": [{"days": _WEEKDAYS, "start": "09:00", "end": "17:00"}],
    },
}

SERVICES: dict[str, dict[str, object]] = {
    "consultation": {
        "name": "Consultation",
        "duration_minutes": 30,
        "step_minutes": 15,
        "buffer_before_minutes": 0,
        "buffer_after_minutes": 0,
        "notice_minutes": 60,
        "window": {"kind": "rolling_days", "days": 60},
        "resources": ["anna"],
    },
    "massage": {
        "name": "Massage",
        "duration_minutes": 60,
        "step_minutes": 30,
        "buffer_before_minutes": 0,
        "buffer_after_minutes": 15,
        "notice_minutes": 120,
        "window": {"kind": "rolling_days", "days": 60},
        "resources": ["anna", "ben"],
    },
    "review": {
        "name": "Review by phone",
        "duration_minutes": 15,
        "step_minutes": 15,
        "buffer_before_minutes": 5,
        "buffer_after_minutes": 5,
        "notice_minutes": 30,
        "window": {"kind": "rolling_days", "days": 30},
        "resources": ["ben"],
    },
}


class DemoError(Exception):
    """A step of loading failed; the message says which."""


def load_demo(addresses: Addresses, *, directory: Path) -> Addresses:
    """Load the demo into the platform at `addresses`; returns them with the demo's part filled in.

    Runs in the functions' environment, which the bootstrap program reads. Where Google is not our stand-in nobody can be
    signed in from here: then the addresses carry a consent URL for a person to open.
    """
    credentials = Credentials.load(directory)
    api_key = _api_key(addresses, credentials, directory)
    with BookingApi(addresses.booking, account=ACCOUNT, api_key=api_key) as api:
        for resource, body in RESOURCES.items():
            api.put(f"/resources/{resource}", body)
        for service, body in SERVICES.items():
            api.put(f"/services/{service}", body)
        _say(f"{len(RESOURCES)} resources and {len(SERVICES)} services")
        loaded = addresses.model_copy(
            update={"account": ACCOUNT, "operator": Operator(email=OPERATOR_EMAIL, api_key=api_key)}
        )
        if addresses.stand_in:
            loaded = _connect_to_stand_in(api, loaded, password=credentials.google_password)
        elif not api.get("/connections")["connections"]:
            loaded = loaded.model_copy(update={"consent_url": api.post("/connections", {})["consent_url"]})
        return loaded.model_copy(update={"free_slot": _first_free_slot(api)})


def _api_key(addresses: Addresses, credentials: Credentials, directory: Path) -> str:
    """The operator's key: the one kept from an earlier run where it still opens the account, else a new one."""
    kept = credentials.api_keys.get(ACCOUNT)
    if kept is not None and _opens(addresses, kept):
        return kept
    # Invited, for who wants to sign in as a person: the mail is among the outgoing ones.
    done = _bootstrap(*(("--owner", OPERATOR_EMAIL) if addresses.stand_in else ()))
    if done.returncode != 0:  # the account exists, and its key was lost with the secrets
        done = _bootstrap("--new-key")
    if done.returncode != 0:
        raise DemoError(f"the bootstrap program failed with exit code {done.returncode}: {done.stderr.strip()}")
    made = str(json.loads(done.stdout)["api_key"])
    credentials.api_keys[ACCOUNT] = made
    credentials.save(directory)
    _say(f"account {ACCOUNT} ({NAME})")
    return made


def _opens(addresses: Addresses, api_key: str) -> bool:
    with BookingApi(addresses.booking, account=ACCOUNT, api_key=api_key) as api:
        try:
            api.get("/connections")
        except ApiError as error:
            if error.status in (401, 403, 404):  # the data were cleaned, or belong to another project
                return False
            raise
    return True


def _bootstrap(*more: str) -> subprocess.CompletedProcess[str]:
    """Run the program that makes the first account in production too."""
    command = [sys.executable, "-m", "functions.booking.bootstrap", "--account", ACCOUNT]
    described = ["--name", NAME, "--time-zone", TIME_ZONE]
    return subprocess.run(  # noqa: S603 - our own module
        [*command, *described, *more], cwd=ROOT, capture_output=True, text=True, check=False
    )


def _connect_to_stand_in(api: BookingApi, addresses: Addresses, *, password: str) -> Addresses:
    """Make the demo's Google account, connect it as a person would, and say whose time its calendars take."""
    with StandIn(addresses.google) as google:
        google.make_person(email=OPERATOR_EMAIL, name=OPERATOR_NAME, password=password, time_zone=TIME_ZONE)
        google.make_person(email=GOOGLE_EMAIL, name=GOOGLE_NAME, password=password, time_zone=TIME_ZONE)
        google.make_calendar(
            owner=GOOGLE_EMAIL, calendar_id=SECOND_CALENDAR, summary=SECOND_SUMMARY, time_zone=TIME_ZONE
        )
        connection = _connection(api, addresses, password=password)
        calendars = wait_for_calendars(api, connection, at_least=2)
        _say(f"{GOOGLE_EMAIL} connected, {len(calendars)} calendars")
        used = [
            _take_into_use(api, calendar, resource=resource, page=google.calendar_page(calendar["google_id"]))
            for calendar in sorted(calendars, key=lambda calendar: not calendar["primary"])
            if (resource := {GOOGLE_EMAIL: "anna", SECOND_CALENDAR: "ben"}.get(calendar["google_id"]))
        ]
    return addresses.model_copy(
        update={"google_user": GoogleUser(email=GOOGLE_EMAIL, password=password), "calendars": used}
    )


def _connection(api: BookingApi, addresses: Addresses, *, password: str) -> str:
    connection = active_connection(api, email=GOOGLE_EMAIL)
    if connection is not None:
        return connection
    consent_url = api.post("/connections", {})["consent_url"]
    give_consent(consent_url, email=GOOGLE_EMAIL, password=password, back_to=addresses.booking)
    connection = active_connection(api, email=GOOGLE_EMAIL)
    if connection is None:
        raise DemoError("the consent was given, yet no connection is active")
    return connection


def _take_into_use(api: BookingApi, calendar: dict[str, Any], *, resource: str, page: str) -> DemoCalendar:
    # Only a calendar that nobody has set up: what was changed by hand since the first run stays.
    if not calendar["blocks"] and not calendar["destination_for"]:
        api.put(f"/calendars/{calendar['id']}", {"blocks": [resource], "destination_for": [resource]})
    return DemoCalendar(
        id=calendar["id"], google_id=calendar["google_id"], summary=calendar["summary"], resource=resource, page=page
    )


def _first_free_slot(api: BookingApi) -> FreeSlot | None:
    """The first free consultation from tomorrow on.

    A calendar that was only just connected counts as busy until it has been read, so this waits for that.
    """
    try:
        start = wait_until(lambda: _free_start(api), within=FREE_WITHIN_SECONDS, what="a slot was free")
    except TimeoutError:  # two weeks can be full, or closed because the calendars can't be read
        return None
    return FreeSlot(service="consultation", start=start)


def _free_start(api: BookingApi) -> str | None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    answer = api.get(
        "/services/consultation/availability",
        start=tomorrow.isoformat(),
        end=(tomorrow + timedelta(days=14)).isoformat(),
        time_zone=TIME_ZONE,
    )
    return next((start["start"] for day in answer["days"] for start in day["starts"]), None)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
