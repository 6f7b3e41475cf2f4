"""Origins: which web pages of other sites may call for an account (CORS). A page is allowed by its exact origin, or not at all."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

MOST_ORIGINS = 20
_DEFAULT_PORTS = {"https": 443, "http": 80}
_HERE = ("localhost", "127.0.0.1", "[::1]")


def checked_origin(text: str) -> str:
    """The origin as browsers write it. Raises `ValueError` for what is none: a path, a pattern, `null`, plain http of another machine."""
    scheme, _, rest = text.strip().lower().partition("://")
    found = re.fullmatch(r"([a-z0-9.-]+|\[::1\])(?::(\d{1,5}))?", rest)
    if scheme not in _DEFAULT_PORTS or found is None:
        raise ValueError("must be an origin such as https://www.example.com: no path, no pattern")
    host, port = found[1], int(found[2] or _DEFAULT_PORTS[scheme])
    if scheme == "http" and host not in _HERE:
        raise ValueError("must be https (http only for this machine: http://localhost:3000)")
    if not 0 < port < 65536 or not all(re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", p) for p in _labels(host)):
        raise ValueError("must be an origin such as https://www.example.com: no path, no pattern")
    return f"{scheme}://{host}" if port == _DEFAULT_PORTS[scheme] else f"{scheme}://{host}:{port}"


def origin_of(address: str) -> str:
    """The origin that an address of ours belongs to."""
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def _labels(host: str) -> list[str]:
    return [] if host.startswith("[") else host.split(".")


Origin = Annotated[str, Field(max_length=300), AfterValidator(checked_origin)]
