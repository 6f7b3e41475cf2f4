"""From which network a request comes: to count by, and for nothing else. Never stored or logged in clear.

Who calls can write into X-Forwarded-For whatever they like; only what the fronts that we trust have appended at its end is true. With `TRUSTED_PROXIES=1`
(Cloud Run) the last entry is the caller, with 2 (a load balancer of ours before it) the one before, with 0 whoever is connected. Where the function can be
reached past the load balancer, 2 is wrong: an entry that the caller wrote would count.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from flask import Request

_UNKNOWN = "unknown"


def network_of(request: Request, *, trusted_proxies: int) -> str:
    """The caller's IPv4 address, or the /64 of their IPv6 address, of which a single subscriber has all."""
    entries = [entry.strip() for entry in request.headers.get("X-Forwarded-For", "").split(",")]
    # Fewer entries than fronts: it came past them, and nothing that it says is worth anything.
    appended = trusted_proxies > 0 and len(entries) >= trusted_proxies
    address = _parsed(entries[-trusted_proxies]) if appended else None
    if address is None:
        address = _parsed(request.remote_addr or "")
    if address is None:
        return _UNKNOWN
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(IPv6Network((int(address) >> 64 << 64, 64)))
    return str(address)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
