"""Every call of the document, made up by schemathesis: what fits and what does not, by whoever may call and may not. None ends in a 5xx, and every answer is
what the document says.

`make fuzz` makes up many more.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from functions.adapters.settings import read_settings
from functions.adapters.store.store import Store
from functions.booking.openapi import api, document
from infra.local.platform import Platform
from tests.contract.scene import CALLERS, Deployed, Scene, leading_somewhere, set_scene, who_makes
from tests.in_process import as_deployed
from tests.studio import Studio, new_studio

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]


# What nobody can be made to succeed with by what they say, and why.
NEVER_DONE = {
    "GET /oauth/callback": "Google leads here, with a code of its own",
    "GET /signin/callback": "as there",
    "POST /v1/invitations/accept": "whom the mail was to is somebody else",
    "POST /v1/accounts/known-account/conflicts/known-session/resolve": "nothing is in its way",
    "POST /v1/accounts/known-account/bookings/known-booking/complete": "it lies ahead",
    "POST /v1/accounts/known-account/bookings/known-booking/no-show": "it lies ahead",
    "POST /v1/accounts/known-account/waitlist/known-entry/promote": "the class is full",
    "POST /v1/accounts/known-account/waitlist/known-entry/put-back": "they have not left",
}


class _Stage:
    """The WSGI application that the calls go to: the scene's, once it is set. `statuses`: of what it has answered since."""

    def __init__(self) -> None:
        self.scene: Scene
        self.statuses: list[int] = []

    def set(self, scene: Scene) -> None:
        self.scene = scene
        self.statuses.clear()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def answering(status: str, *more: Any) -> Any:
            self.statuses.append(int(status[:3]))
            return start_response(status, *more)

        return self.scene(environ, answering)


STAGE = _Stage()
# What has most fields: all their limits one by one are many calls, and pydantic's own tests. `make fuzz` makes them.
_LARGEST = (
    "/v1/accounts/known-account/preview",
    "/v1/accounts/known-account/services/consult",
    "/v1/accounts/known-account/resources/anna",
)
_IN_SHORT = [{"include-path": path, "phases": {"coverage": {"enabled": False}}} for path in _LARGEST]
THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
CONFIG = SchemathesisConfig.from_dict(
    {
        "generation": {"mode": "all", "with-security-parameters": False},
        "checks": {
            "negative_data_rejection": {"expected-statuses": ["4XX"]}
        },  # what does not fit may be too large besides
        "operations": [] if THOROUGH else _IN_SHORT,
    }
)
schema = schemathesis.openapi.from_dict(leading_somewhere(document(api())), config=CONFIG)
schema.app = STAGE


@schemathesis.serializer("text/calendar")
def _as_it_is(context: schemathesis.SerializationContext, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@pytest.fixture(scope="module")
def deployed(platform: Platform) -> Iterator[Deployed]:
    environment = platform.configuration.functions_environment
    with as_deployed(environment) as app:
        yield Deployed(app.wsgi_app, read_settings(environment))


@pytest.fixture(scope="module")
def make_connected(platform: Platform, store: Store, deployed: Deployed) -> Callable[[], Scene]:
    """With a calendar in use, which takes a moment to be had."""
    google = platform.configuration.google

    def make() -> Scene:
        studio = new_studio(platform.addresses, store, google.client_id, google.client_secret)
        scene = set_scene(studio, deployed)
        connection = studio.connect()
        return scene.with_known({"known-connection": connection, "known-calendar": studio.calendar})

    return make


@pytest.fixture(scope="module")
def connected(make_connected: Callable[[], Scene]) -> Scene:
    """Shared by the calls about calendars that leave it connected."""
    return make_connected()


@pytest.fixture(scope="module")
def looked_at(platform: Platform, store: Store, deployed: Deployed) -> Scene:
    """Shared by the calls that change nothing."""
    google = platform.configuration.google
    return set_scene(new_studio(platform.addresses, store, google.client_id, google.client_secret), deployed)


@pytest.fixture
def scene(request: pytest.FixtureRequest, deployed: Deployed, make_studio: Callable[[], Studio]) -> Iterator[Scene]:
    """A business of its own for each call of the document that can change something, whatever the others do to theirs. In the end some have succeeded."""
    called = request.node.name
    if "known-calendar" not in called and "known-connection" not in called:
        looks = "[GET " in called
        STAGE.set(request.getfixturevalue("looked_at") if looks else set_scene(make_studio(), deployed))
    elif "DELETE" in called:
        STAGE.set(request.getfixturevalue("make_connected")())
    else:
        STAGE.set(request.getfixturevalue("connected"))
    yield STAGE.scene
    done = [status for status in STAGE.statuses if 200 <= status < 400]
    never = called.partition("[")[2].removesuffix("]") in NEVER_DONE
    if not (never and THOROUGH):  # of thousands of calls one may find a way
        assert bool(done) is not never, f"{len(done)} have succeeded: {Counter(STAGE.statuses)}"


@schema.parametrize()
@settings(
    max_examples=500 if THOROUGH else 12,
    derandomize=not THOROUGH,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_every_call_is_answered_as_documented(case: schemathesis.Case, scene: Scene) -> None:
    # What `grants` is to a POST is an id to a GET.
    checks = [each for each in CHECKS if each is not unsupported_method] if case.path.endswith("/grants") else CHECKS
    for who in who_makes(case):
        case.call_and_validate(headers=dict(CALLERS[who]), checks=checks)
