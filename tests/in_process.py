"""The functions in the test's own process, over the running platform, with adapters of the test's choice."""

from collections.abc import Mapping
from typing import Any

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from functions.adapters.clock import now_millis
from functions.adapters.composition import Application
from functions.adapters.settings import read_settings
from functions.booking import main as booking
from functions.sync.discover import discover
from functions.sync.work import Work
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
