"""Bad input gets problem+json with a stable type, changes nothing, and is never a 500."""

import pytest
import requests

from tests.studio import DAY, Studio

SLOT = f"{DAY.isoformat()}T10:00:00Z"
CLIENT = {"name": "Kim", "email": "kim@client.example"}
GOOD = {"service": "consult", "start": SLOT, "client": CLIENT}


def problem(answer: requests.Response, status: int, slug: str) -> dict[str, object]:
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json"), answer.text
    body = dict(answer.json())
    assert body["type"] == f"urn:booking:problem:{slug}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body


@pytest.mark.parametrize(
    ("change", "status", "slug"),
    [
        pytest.param({"service": "nothing"}, 404, "not-found", id="a service that is not there"),
        pytest.param({"service": "__x__"}, 422, "invalid-request", id="a service id that Firestore would refuse"),
        pytest.param({"start": "2020-01-01T10:00:00Z"}, 422, "start-closed", id="a time that is past"),
        pytest.param(
            {"start": SLOT.replace(":00Z", ":00+00:00").replace("10:00", "10:07")},
            422,
            "start-closed",
            id="off the grid",
        ),
        pytest.param({"start": SLOT.replace("T10", "T03")}, 422, "start-closed", id="outside the hours"),
        pytest.param({"start": "2199-01-01T10:00:00Z"}, 422, "start-closed", id="beyond the window"),
        pytest.param({"start": SLOT.removesuffix("Z")}, 422, "invalid-request", id="no offset"),
        pytest.param({"start": SLOT.replace(":00Z", ":30Z")}, 422, "invalid-request", id="seconds"),
        pytest.param({"start": 1_900_000_000}, 422, "invalid-request", id="a number for an instant"),
        pytest.param({"start": "tomorrow"}, 422, "invalid-request", id="words for an instant"),
        pytest.param({"client": None}, 422, "invalid-request", id="no client"),
        pytest.param({"client": {"name": "Kim", "email": "kim"}}, 422, "invalid-request", id="no e-mail address"),
        pytest.param(
            {"client": {"name": "K\nim", "email": "k@x.example"}}, 422, "invalid-request", id="a line break in a name"
        ),
        pytest.param({"client": {"name": " ", "email": "k@x.example"}}, 422, "invalid-request", id="an empty name"),
        pytest.param({"notes": "x" * 2001}, 422, "invalid-request", id="endless notes"),
        pytest.param({"seats": "2"}, 422, "invalid-request", id="text for a number"),
        pytest.param({"seats": "many"}, 422, "invalid-request", id="an unknown field"),
        pytest.param({"resource": "ben"}, 422, "invalid-request", id="a resource that does not serve it"),
    ],
)
def test_a_booking_that_can_not_be(empty_studio: Studio, change: dict[str, object], status: int, slug: str) -> None:
    problem(empty_studio.post("bookings", GOOD | change), status, slug)
    assert empty_studio.look("bookings")["bookings"] == []


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        pytest.param(b"", 400, "invalid-json", id="nothing"),
        pytest.param(b"{", 400, "invalid-json", id="half of it"),
        pytest.param(b"\xff\xfe\x00", 400, "invalid-json", id="bytes that are no text"),
        pytest.param(b"[" * 50_000, 400, "invalid-json", id="a well of brackets"),
        pytest.param(b'{"service": "\\ud800"}', 400, "invalid-json", id="half a character"),
        pytest.param(b"[]", 422, "invalid-request", id="a list"),
        pytest.param(b"null", 422, "invalid-request", id="null"),
        pytest.param(b'"' + b"x" * 70_000 + b'"', 413, "too-large", id="too much of it"),
    ],
)
def test_a_body_that_is_no_request(empty_studio: Studio, body: bytes, status: int, slug: str) -> None:
    answer = requests.post(f"{empty_studio.base}/bookings", data=body, timeout=10)
    problem(answer, status, slug)


def test_a_body_without_a_length_is_not_read(empty_studio: Studio) -> None:
    answer = requests.post(f"{empty_studio.base}/bookings", data=iter([b"{}"]), timeout=10)
    problem(answer, 411, "length-required")


@pytest.mark.parametrize(
    ("query", "status", "slug"),
    [
        pytest.param({}, 422, "invalid-request", id="no dates"),
        pytest.param(
            {"start": "2027-02-30", "end": "2027-03-01"},
            422,
            "invalid-request",
            id="a date that is not in the calendar",
        ),
        pytest.param({"start": "2027-03-02", "end": "2027-03-01"}, 422, "invalid-request", id="end before start"),
        pytest.param({"start": "2027-03-01", "end": "2028-03-01"}, 422, "invalid-request", id="too long a range"),
        pytest.param({"start": "0001-01-01", "end": "0001-01-02"}, 422, "invalid-request", id="the first day of all"),
        pytest.param({"start": "9999-12-30", "end": "9999-12-31"}, 422, "invalid-request", id="the last day of all"),
        pytest.param(
            {"start": "2027-03-01", "end": "2027-03-02", "time_zone": "Mars/Base"},
            422,
            "invalid-request",
            id="wrong zone",
        ),
        pytest.param(
            {"start": "2027-03-01", "end": "2027-03-02", "time_zone": "../../etc"},
            422,
            "invalid-request",
            id="a path for a zone",
        ),
        pytest.param(
            {"start": "2027-03-01", "end": "2027-03-02", "colour": "red"}, 422, "invalid-request", id="an unknown field"
        ),
        pytest.param(
            {"start": ["2027-03-01", "2027-03-02"], "end": "2027-03-03"}, 422, "invalid-request", id="a date twice"
        ),
        pytest.param(
            {"start": "2027-03-01", "end": "2027-03-02", "resource": "ben"},
            404,
            "not-found",
            id="a resource that does not serve it",
        ),
    ],
)
def test_an_availability_that_can_not_be_asked(
    empty_studio: Studio, query: dict[str, str], status: int, slug: str
) -> None:
    answer = requests.get(f"{empty_studio.base}/services/consult/availability", params=query, timeout=10)
    problem(answer, status, slug)


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        pytest.param("GET", "/nowhere", 404, "not-found", id="no such address"),
        pytest.param("GET", "/v1/accounts/%2e%2e/services", 404, "not-found", id="a path for an account"),
        pytest.param(
            "GET", "/v1/accounts/__a__/services", 404, "not-found", id="an account id that Firestore would refuse"
        ),
        pytest.param("GET", "/v1/accounts/nobody/services", 404, "not-found", id="no such account"),
        pytest.param("DELETE", "/v1/accounts/nobody/services", 405, "method-not-allowed", id="no such method"),
        pytest.param(
            "GET",
            "/v1/accounts/nobody/services/x/availability?start=2027-01-01&end=2027-01-02",
            404,
            "not-found",
            id="no such service",
        ),
    ],
)
def test_an_address_that_is_not_there(studio_base: str, method: str, path: str, status: int, slug: str) -> None:
    problem(requests.request(method, studio_base + path, timeout=10), status, slug)


@pytest.fixture
def studio_base(empty_studio: Studio) -> str:
    return empty_studio.addresses.booking


def test_a_key_that_comes_back_with_another_body_is_refused(empty_studio: Studio) -> None:
    nine, half_past = empty_studio.starts()[:2]
    first = empty_studio.try_to_book(nine, key="k")
    assert first.status_code == 201
    problem(empty_studio.try_to_book(half_past, key="k"), 422, "idempotency-key-reused")
    assert empty_studio.try_to_book(nine, key="k").json() == first.json()
    problem(empty_studio.try_to_book(nine, key="x" * 256), 422, "invalid-request")
