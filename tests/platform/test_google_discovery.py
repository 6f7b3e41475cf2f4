"""The check against the discovery document: real traffic fits it, planted differences are found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.auth.transport.requests import Request

from infra.local.google.discovery import calendar_discovery
from infra.local.google.driver import StandIn
from tests.platform.test_google_fixtures import at

Json = dict[str, Any]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """A stand-in of its own, since mismatches are planted here and counted elsewhere."""
    with StandIn(tmp_path_factory.mktemp("google") / "data") as stand_in:
        stand_in.create_user("anna@example.com")
        yield stand_in


@pytest.fixture
def headers(own: StandIn) -> dict[str, str]:
    credentials = own.credentials("anna@example.com")
    credentials.refresh(Request())
    own.control("DELETE", "mismatches")
    return {"Authorization": f"Bearer {credentials.token}"}


def found(own: StandIn) -> list[tuple[str, str, str]]:
    return [tuple(mismatch.values()) for mismatch in own.control("GET", "mismatches")["mismatches"]]


EVENTS = "/calendar/v3/calendars/primary/events"


def test_sound_traffic_has_no_mismatch(own: StandIn, headers: dict[str, str]) -> None:
    body = {"start": at(10), "end": at(11)}
    assert own.http.post(EVENTS, headers=headers, json=body).status_code == 200
    assert own.http.get(EVENTS, headers=headers, params={"maxResults": "5"}).status_code == 200
    assert found(own) == []


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        pytest.param({"maxResult": "5"}, "unknown query parameter maxResult", id="unknown"),
        pytest.param({"maxResults": "many"}, "query parameter maxResults: not an integer", id="not a number"),
        pytest.param({"singleEvents": "yes"}, "query parameter singleEvents: not a boolean", id="not a boolean"),
        pytest.param(
            {"timeMin": "2027-03-01T00:00:00"},
            "query parameter timeMin: not an RFC 3339 timestamp with an offset",
            id="no offset",
        ),
    ],
)
def test_a_wrong_parameter_is_found(
    own: StandIn, headers: dict[str, str], parameters: dict[str, str], problem: str
) -> None:
    own.http.get(EVENTS, headers=headers, params=parameters)
    assert found(own) == [("events.list", "request query", problem)]
    own.control("DELETE", "mismatches")
    assert found(own) == []


def test_an_unknown_field_is_found_and_ignored(own: StandIn, headers: dict[str, str]) -> None:
    body = {"start": at(10), "end": at(11), "sumary": "Cut", "attendees": [{"email": "x@y.example", "nick": "X"}]}
    answer = own.http.post(EVENTS, headers=headers, json=body)
    assert answer.status_code == 200
    assert "sumary" not in answer.json()
    assert [problem for _, _, problem in found(own)] == [
        "$.sumary is not in the schema",
        "$.attendees[0].nick is not in the schema",
    ]


def test_a_wrong_type_is_found_and_refused(own: StandIn, headers: dict[str, str]) -> None:
    body = {"start": at(10), "end": at(11), "summary": 5}
    answer = own.http.post(EVENTS, headers=headers, json=body)
    assert answer.status_code == 400
    assert [problem for _, _, problem in found(own)] == ["$.summary is not a string: '5'"]


def test_an_unknown_path_is_found(own: StandIn, headers: dict[str, str]) -> None:
    assert own.http.get("/calendar/v3/calendars/primary/happenings", headers=headers).status_code == 404
    assert found(own) == [("GET calendars/primary/happenings", "path", "no such method")]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        pytest.param({"title": "Cut"}, "$.title is not in the schema", id="unknown field"),
        pytest.param({"sequence": "1"}, "$.sequence is not a int32: '1'", id="string for a number"),
        pytest.param({"updated": "yesterday"}, "$.updated is not a date-time: 'yesterday'", id="no timestamp"),
        pytest.param({"start": {"dateTime": "2027-03-01T10:00:00"}}, None, id="no offset in an answer"),
        pytest.param({"attendees": {}}, "$.attendees is not an array", id="object for an array"),
        pytest.param({"summary": None}, "$.summary is not a string: 'None'", id="null in an answer"),
    ],
)
def test_a_planted_answer_is_found(body: Json, problem: str | None) -> None:
    problems = calendar_discovery().check("Event", body, request=False)
    assert len(problems) == 1
    assert problem is None or problems == [problem]


def test_every_method_is_routed_by_the_document() -> None:
    discovery = calendar_discovery()
    for method in discovery.methods.values():
        path = "/".join(part if not part.startswith("{") else "x%23y" for part in method.segments)
        match = discovery.match(method.http_method, path)
        assert match is not None
        assert match[0].id == method.id
        assert set(match[1].values()) <= {"x#y"}
