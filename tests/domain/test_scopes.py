"""The permissions that Google is asked for: which of them a grant lacks, by name."""

import pytest

from functions.domain.scopes import SCOPES, missing_permissions, permissions_of

PREFIX = "https://www.googleapis.com/auth/"


@pytest.mark.parametrize(
    ("granted", "missing"),
    [
        pytest.param(SCOPES, [], id="all that was asked for"),
        pytest.param([*SCOPES, f"{PREFIX}drive"], [], id="more"),
        pytest.param(["openid", f"{PREFIX}calendar"], [], id="one that holds them all"),
        pytest.param([f"{PREFIX}calendar.readonly"], ["calendar.events"], id="one that holds all but to write"),
        pytest.param(
            [f"{PREFIX}calendar.events", f"{PREFIX}calendar.calendarlist"], ["calendar.freebusy"], id="one left out"
        ),
        pytest.param(
            ["openid", "email"], ["calendar.calendarlist.readonly", "calendar.events", "calendar.freebusy"], id="none"
        ),
        pytest.param(
            ["calendar.events.readonly"],
            ["calendar.calendarlist.readonly", "calendar.events", "calendar.freebusy"],
            id="a name that only begins like one of ours",
        ),
    ],
)
def test_what_a_grant_lacks(granted: list[str], missing: list[str]) -> None:
    assert [each.name for each in missing_permissions(granted)] == missing
    assert {each.name for each in permissions_of(granted)}.isdisjoint(missing)
    assert len(permissions_of(granted)) + len(missing) == 3


def test_each_is_told_by_its_name_on_googles_page_and_by_what_it_is_for() -> None:
    for permission in missing_permissions([]):
        assert permission.scope in SCOPES
        assert permission.in_words == f"{permission.asks} ({permission.name}): {permission.purpose}"
        assert permission.purpose.startswith("to ")
