"""The document of the API, and its page: true of the routes there are, and whole."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import Any

import pytest
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from functions.adapters.composition import Application
from functions.adapters.settings import read_settings
from functions.booking.openapi import api, document, refusals_of
from functions.booking.routing import Route
from tests.adapters.test_settings import NEEDED
from tests.domain.test_purity import ROOT
from tests.in_process import booking_client

DOCUMENT = document(api())
CALLS = [(path, method, call) for path, calls in DOCUMENT["paths"].items() for method, call in calls.items()]


@pytest.fixture
def client() -> FlaskClient:
    """No call here needs anything that is outside of the process."""
    return booking_client(Application(read_settings(NEEDED)))


def test_it_is_openapi() -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


@pytest.mark.parametrize("route", api(), ids=str)
def test_every_route_says_what_it_answers(route: Route) -> None:
    """Bodies and queries can't be forgotten: `Call` reads none that the route does not name."""
    if route.access == "page":
        assert route.answer is None, "a page answers with HTML; leave out answer"
    else:
        assert route.answer is not None or route.status == 204, (
            f"{route}: name the model of its answer (answer=…), say status=204, or that it is for browsers (access='page')"
        )
    assert (route.handler.__doc__ or "").strip(), f"{route}: say in {route.handler.__name__}'s docstring what it does"
    assert not route.body_optional or route.body is not None, f"{route}: which body may be left out?"
    assert route.consumes == "application/json" or route.body is None, f"{route}: a model is made of JSON only"


def test_calls_have_names_of_their_own() -> None:
    names = [call["operationId"] for _, _, call in CALLS]
    assert sorted(names) == sorted(set(names)), "two handlers have the same name"


def test_a_type_of_problem_means_one_thing() -> None:
    refusals = {refusal for route in api() for refusal in refusals_of(route)}
    assert len({refusal.slug for refusal in refusals}) == len(refusals)


def test_what_is_asked_of_operators_only_is_marked_so() -> None:
    for path, method, call in CALLS:
        public = {} in call["security"]
        assert public is (call["tags"][0] in ("Clients", "Browsers")), (method, path)
        of_person = call["tags"][0] == "People who are signed in"
        assert (public or of_person) is ("x-permission" not in call), (method, path)


def test_it_is_made_when_it_is_asked_for() -> None:
    """A cold start does not pay for it."""
    code = (
        "import sys, functions.booking.main;"
        "assert not {'functions.booking.openapi', 'functions.booking.documentation_page'} & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
def test_who_holds_it_is_told_that_nothing_changed(client: FlaskClient, path: str) -> None:
    first = client.get(path)
    assert (first.status_code, first.headers["Cache-Control"]) == (200, "public, max-age=300")
    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_programs_get_the_document(client: FlaskClient) -> None:
    answer = client.get("/openapi.json")
    assert (answer.content_type, answer.json) == ("application/json", DOCUMENT)


class _Page(HTMLParser):
    """What the page links to, what it names, and whether every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: set[str] = set()
        self.first_link: str | None = None
        self.fetched: list[Any] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += [str(found["id"])] if "id" in found else []
        self.first_link = self.first_link or found.get("href")
        self.links |= {str(found["href"])} if "href" in found else set()
        self.fetched += [(tag, attrs)] if tag in ("script", "img", "link", "iframe") or "style" in found else []
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_people_find_every_call_and_model_on_the_page(client: FlaskClient) -> None:
    answer = client.get("/docs")
    page = _Page()
    page.feed(answer.get_data(as_text=True))
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} - {*page.ids} == {"/openapi.json"}
    assert page.first_link == "#top", "who has no mouse need not go through the list of all calls first"
    assert {call["operationId"] for _, _, call in CALLS} <= {*page.ids}
    assert {f"model-{name}" for name in DOCUMENT["components"]["schemas"]} <= {*page.ids}
    for path, _, call in CALLS:
        assert path in page.text
        assert call["summary"].replace("`", "") in page.text.replace("`", "")


def test_the_page_asks_for_nothing_and_runs_nothing(client: FlaskClient) -> None:
    answer = client.get("/docs")
    page = _Page()
    page.feed(answer.get_data(as_text=True))
    assert page.fetched == []
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert not re.search(r"unsafe|https?:", policy)
