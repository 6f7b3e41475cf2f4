"""Whether a part answers, asked over plain HTTP and past any proxy."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit


def answers(url: str, *, timeout: float = 2) -> bool:
    """Whether `GET url` answers 200 within `timeout` seconds."""
    address = urlsplit(url)
    connection = HTTPConnection(address.hostname or "", address.port or 80, timeout=timeout)
    try:
        connection.request("GET", address.path or "/")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
