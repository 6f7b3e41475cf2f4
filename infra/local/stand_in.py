"""What the demo loader and the tests ask of the Google stand-in's control interface."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

_DUPLICATE = 409


class StandIn:
    """The stand-in at `base`. Making what is there already changes nothing, or brings it to what was asked."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._http = httpx.Client(base_url=base, timeout=30, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def make_person(self, *, email: str, name: str, password: str, time_zone: str) -> None:
        """A Google account with this password; its primary calendar has the address as id."""
        body = {"email": email, "name": name, "password": password, "time_zone": time_zone}
        response = self._http.post("/control/users", json=body)
        if response.status_code == _DUPLICATE:
            response = self._http.patch(f"/control/users/{quote(email)}", json={"password": password})
        response.raise_for_status()

    def make_calendar(self, *, owner: str, calendar_id: str, summary: str, time_zone: str) -> None:
        body = {"owner": owner, "id": calendar_id, "summary": summary, "time_zone": time_zone}
        response = self._http.post("/control/calendars", json=body)
        if response.status_code != _DUPLICATE:
            response.raise_for_status()

    def grant(self, *, email: str, scopes: Sequence[str]) -> str:
        """A refresh token, as if this person had consented to these scopes for our OAuth client."""
        body = {"email": email, "scopes": list(scopes)}
        answer: dict[str, Any] = self._http.post("/control/grants", json=body).raise_for_status().json()
        return str(answer["refresh_token"])

    def calendar_page(self, calendar_id: str) -> str:
        """The page where a person can add, move and delete a calendar's events."""
        return f"{self.base}/calendar/{quote(calendar_id)}"
