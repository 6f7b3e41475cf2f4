"""Whatever stands where an id should, and whatever headers come with it: a problem that says so, never a 500. All within the process."""

import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from functions.booking.openapi import api
from functions.booking.routing import Route
from tests.adapters.test_settings import NEEDED
from tests.in_process import as_deployed

IN_ACCOUNT = [route for route in api() if "<id:" in route.path]
NO_IDS = {
    "nothing": "%00",
    "the folder above": "..",
    "the same, escaped": "%2e%2e",
    "one that Firestore keeps for itself": "__x__",
    "one that is too long": "a" * 101,
    "bytes that are no text": "%ff%fe",
    "half a character": "%ed%a0%80",
    "a face": "%F0%9F%98%80",
    "words": "a b",
    "two of them": "a%2Fb",
    "a variable": "{account}",
    "markup": "%3Cscript%3E",
}


@pytest.fixture(scope="module")
def client() -> Iterator[FlaskClient]:
    # Nobody is there, and nobody is asked.
    with as_deployed({**NEEDED, "FIRESTORE_EMULATOR_HOST": "127.0.0.1:1"}) as app:
        yield app.test_client()


def _must_be_a_problem(answer: TestResponse, *statuses: int) -> None:
    assert answer.status_code in statuses, (answer.request.path, answer.status, answer.text)
    assert answer.content_type == "application/problem+json", answer.request.path
    assert answer.json is not None
    assert answer.json["status"] == answer.status_code


@pytest.mark.parametrize("no_id", NO_IDS.values(), ids=NO_IDS)
def test_what_is_no_id_is_nowhere(client: FlaskClient, no_id: str) -> None:
    for route in IN_ACCOUNT:
        for place in range(route.path.count("<id:")):
            address = _with(route, place, no_id)
            answer = client.open(address, method=route.method, headers={"Authorization": "Bearer bok_x"}, json={})
            _must_be_a_problem(answer, 404, 405)  # `a/b` may be another address, which is called otherwise


def _with(route: Route, place: int, no_id: str) -> str:
    """The route's address with that in place of one of its ids."""
    ids = iter(range(100))
    return re.sub(r"<id:\w+>", lambda _: no_id if next(ids) == place else "x", route.path)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Host": "a b"}, id="a host that is none"),
        pytest.param({"Host": "[::1"}, id="half a host"),
        pytest.param({"Host": ""}, id="no host"),
        pytest.param({"Content-Length": "many"}, id="a length in words"),
        pytest.param({"Content-Length": "-1"}, id="less than nothing"),
        pytest.param({"Content-Type": "\xff;\x80=="}, id="a media type that is none"),
        pytest.param({"Authorization": "Bearer"}, id="a proof without a token"),
        pytest.param({"Authorization": "Bearer \xff\xfe"}, id="a token that is no text"),
        pytest.param({"Authorization": "\x80"}, id="a proof that is none"),
        pytest.param({"Authorization": "Basic \xff"}, id="another proof"),
        pytest.param({"Cookie": "session=\xff; =; ;;"}, id="cookies that are none"),
        pytest.param({"If-None-Match": 'W/"'}, id="half an etag"),
        pytest.param({"Accept": "\xff"}, id="an answer that nobody can give"),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "resources"), ("PUT", "resources/x")])
def test_odd_headers_are_no_proof(client: FlaskClient, method: str, path: str, headers: dict[str, str]) -> None:
    answer = client.open(f"/v1/accounts/x/{path}", method=method, headers=Headers(headers))
    _must_be_a_problem(answer, 401)


def test_every_address_says_what_it_is_called_with(client: FlaskClient) -> None:
    for route in api():
        address = re.sub(r"<id:\w+>", "x", route.path)
        answer = client.open(address, method="TRACE")
        _must_be_a_problem(answer, 405)
        assert route.method in answer.headers["Allow"].split(", "), route
