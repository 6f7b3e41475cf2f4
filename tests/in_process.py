"""The functions in the test's own process, over the running platform, with adapters of the test's choice."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import functions_framework
import pytest
import requests
from flask import Flask, request
from flask.testing import FlaskClient

from functions.adapters.clock import now_millis
from functions.adapters.composition import Application, application
from functions.adapters.settings import read_settings
from functions.booking import main as booking
from functions.domain.calendar import Calendar
from functions.domain.decision import Ref
from functions.sync.discover import discover
from functions.sync.work import Work
from infra.local.guardian import ROOT
from infra.local.platform import Platform
from tests.studio import Studio


def application_of(platform: Platform, **settings: str) -> Application:
    """An application with the platform's settings, or others, connected to its Firestore."""
    environment: Mapping[str, str] = {**platform.configuration.functions_environment, **settings}
    made = Application(read_settings(environment))
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("FIRESTORE_EMULATOR_HOST", platform.addresses.firestore)  # its client looks there itself, once
        assert made.store
    return made


def worker(application: Application, studio: Studio, subject: str | None = None, **more: str) -> Work:
    """A task of the sync function about the studio's calendar, or another subject."""
    return Work(application=application, account=studio.account, subject=subject or studio.calendar, **more)


class Backstage:
    """A studio's calendar from behind: its document, and a worker of the sync function in this process."""

    def __init__(self, studio: Studio, application: Application) -> None:
        self.studio = studio
        self.work = worker(application, studio)

    @property
    def calendar(self) -> Calendar:
        found = self.work.store.get(self.work.account, Ref(Calendar, self.work.subject))
        assert found is not None
        return found

    def set(self, **fields: Any) -> None:
        """Fields of the calendar's document, also nested ones (`cursor.page_token`)."""
        path = f"accounts/{self.work.account}/calendars/{self.work.subject}"
        self.work.store.client.document(path).update(fields)

    def wait_for_quiet(self) -> None:
        """No task is left that will run soon."""
        url = f"{self.studio.addresses.tasks_http}/control/idle"
        assert requests.get(url, params={"timeout": 60, "within": 2}, timeout=70).json() == {"idle": True}

    def calls_so_far(self) -> int:
        return int(self.studio.google_control("GET", "calls")["last"])

    def calls(self, *, since: int) -> list[dict[str, Any]]:
        """The person's calls to Google after so many of all."""
        known = self.studio.google_control("GET", f"calls?since={since}")["calls"]
        return [call for call in known if call["user"] == self.studio.person.email]


def rediscover(platform: Platform, studio: Studio) -> None:
    """The daily look at the studio's connection: for every account of the whole test run it would be much."""
    (connection,) = studio.look("connections")["connections"]
    discover(worker(application_of(platform), studio, connection["id"]))


def booking_client(application: Application) -> FlaskClient:
    """Calls of the booking function, routed as its entry point does."""
    app = Flask("in_process")

    def answer(path: str) -> Any:
        return booking._router.answer(request, application, now_millis())

    app.add_url_rule("/<path:path>", view_func=answer, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    return app.test_client()


@contextmanager
def as_deployed(environment: Mapping[str, str]) -> Iterator[Flask]:
    """The booking function as functions-framework runs it, with these settings."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in environment.items():
            patched.setenv(name, value)
        patched.setattr(sys, "path", [*sys.path])
        application.cache_clear()
        yield functions_framework.create_app("booking", str(ROOT / "functions/booking/main.py"), "http")
        application.cache_clear()
