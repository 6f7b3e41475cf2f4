"""A small client of the booking API, for the demo loader and `connect`."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx


class ApiError(Exception):
    """The booking API refused. `status` is HTTP's; the message is what the problem document says (RFC 9457)."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        super().__init__(
            f"{response.request.method} {response.request.url.path}: {response.status_code} {_reason(response)}"
        )


class BookingApi:
    """One account of the booking API, as its operator or, without a key, as a client."""

    def __init__(self, base: str, *, account: str, api_key: str | None = None) -> None:
        headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
        # trust_env off: loopback is reached past any proxy, and no .netrc replaces the key.
        self._http = httpx.Client(
            base_url=f"{base}/v1/accounts/{account}", headers=headers, timeout=30, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """Raises ApiError where the answer is not a success, httpx.TransportError where there is none; so do the others."""
        return _body(self._http.get(path, params=query))

    def put(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        return _body(self._http.put(path, json=body))

    def post(self, path: str, body: Mapping[str, object], *, idempotency_key: str | None = None) -> dict[str, Any]:
        headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        return _body(self._http.post(path, json=body, headers=headers))


def _body(response: httpx.Response) -> dict[str, Any]:
    if not response.is_success:
        raise ApiError(response)
    body = response.json() if response.content else {}
    assert isinstance(body, dict), f"{response.request.url.path} answered no JSON object"
    return body


def _reason(response: httpx.Response) -> str:
    try:
        problem = response.json()
        return " ".join(str(problem[key]) for key in ("title", "detail") if problem.get(key))
    except (ValueError, AttributeError, TypeError):
        return response.text[:200]
