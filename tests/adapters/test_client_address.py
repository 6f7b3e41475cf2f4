"""From where a request comes, whatever it says: only what the trusted fronts appended counts."""

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from functions.booking.client_address import network_of

PEER = "169.254.1.1"


def network(forwarded: str | None, *, trusted: int, peer: str | None = PEER) -> str:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    environ = EnvironBuilder(headers=headers, environ_overrides={"REMOTE_ADDR": peer} if peer else {}).get_environ()
    return network_of(Request(environ), trusted_proxies=trusted)


@pytest.mark.parametrize(
    ("forwarded", "trusted", "expected"),
    [
        pytest.param("203.0.113.7", 1, "203.0.113.7", id="what the front appended"),
        pytest.param("192.0.2.1, 203.0.113.7", 1, "203.0.113.7", id="after what the caller said"),
        pytest.param("192.0.2.1,192.0.2.2 ,203.0.113.7", 1, "203.0.113.7", id="however it is spaced"),
        pytest.param("192.0.2.1, 203.0.113.7, 198.51.100.2", 2, "203.0.113.7", id="before the second front"),
        pytest.param("203.0.113.7", 2, PEER, id="past the fronts"),
        pytest.param(None, 1, PEER, id="nothing"),
        pytest.param("", 1, PEER, id="an empty header"),
        pytest.param("192.0.2.1, unknown", 1, PEER, id="no address"),
        pytest.param("192.0.2.1", 0, PEER, id="where nobody is trusted"),
        pytest.param("2001:db8:1:2:3:4:5:6", 1, "2001:db8:1:2::/64", id="IPv6 by its network"),
        pytest.param("::ffff:203.0.113.7", 1, "203.0.113.7", id="IPv4 in IPv6"),
    ],
)
def test_the_network_of_a_caller(forwarded: str | None, trusted: int, expected: str) -> None:
    assert network(forwarded, trusted=trusted) == expected


def test_who_has_no_address_at_all_shares_one() -> None:
    assert network(None, trusted=0, peer=None) == "unknown"
