"""Every route is found at its address, although only the modules that can have it are loaded."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.exceptions import MethodNotAllowed, NotFound

from functions.booking.addresses import ADDRESSES, head, map_at, routes_of
from functions.booking.routing import Route

FOLDER = Path(__file__).parents[2] / "functions/booking"


def with_routes() -> Iterator[str]:
    for path in sorted(FOLDER.glob("*.py")):
        assigned = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Assign)]
        if any(isinstance(target, ast.Name) and target.id == "ROUTES" for node in assigned for target in node.targets):
            yield path.stem


def example(route: Route) -> str:
    """An address of the route."""
    return "/".join("a-1" if part.startswith("<") else part for part in route.path.split("/"))


def test_every_module_stands_with_the_heads_of_its_addresses() -> None:
    heads = {module: set(map(head, (route.path for route in routes_of([module])))) for module in with_routes()}
    assert {module: set(listed) for module, listed in ADDRESSES.items()} == heads


@pytest.mark.parametrize("route", [*routes_of(ADDRESSES)], ids=lambda route: f"{route.method} {route.path}")
def test_a_request_finds_its_route(route: Route) -> None:
    found, _ = map_at(example(route)).bind("localhost").match(example(route), method=route.method)
    assert found is route


def test_what_is_done_otherwise_at_an_address_is_known_of_all_modules() -> None:
    with pytest.raises(MethodNotAllowed) as refused:
        map_at("/v1/accounts/a/bookings").bind("localhost").match("/v1/accounts/a/bookings", method="DELETE")
    assert set(refused.value.valid_methods or ()) == {"GET", "HEAD", "POST"}


@pytest.mark.parametrize("path", ["/", "", "//", "/v1", "/v1/other", "/v1/accounts/a/b", "/v1/accounts/a/b/c/d/e/f"])
def test_there_is_nothing_elsewhere(path: str) -> None:
    with pytest.raises(NotFound):
        map_at(path).bind("localhost").match(path or "/", method="GET")
