"""People with a Google account and a browser, who use the booking system as operators."""

import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import requests

from infra.local.addresses import Addresses
from tests.browsing import PASSWORD, Browser, Page


@dataclass
class Somebody:
    """Who can be signed in with more than one browser: each has cookies of its own."""

    addresses: Addresses
    email: str
    browser: Browser = field(default_factory=Browser)

    @classmethod
    def new(cls, addresses: Addresses, name: str = "anna") -> "Somebody":
        """With a Google account that nobody else in the test run has."""
        email = f"{name}@{uuid.uuid4().hex[:12]}.example"
        user = {"email": email, "password": PASSWORD, "name": name.title(), "time_zone": "Europe/Berlin"}
        requests.post(f"{addresses.google}/control/users", json=user, timeout=10).raise_for_status()
        return cls(addresses, email)

    def at(self, path: str) -> str:
        return f"{self.addresses.booking}{path}"

    def with_another_browser(self) -> "Somebody":
        return Somebody(self.addresses, self.email)

    def sign_in(self, *, return_to: str | None = None, stop_before: str | None = None) -> Page:
        query = f"?{urlencode({'return_to': return_to})}" if return_to else ""
        return self.browser.through_google(
            self.browser.open(self.at(f"/signin{query}")), self.email, stop_before=stop_before
        )

    def sign_out(self, button: str = "Sign out") -> Page:
        return self.browser.press(self.browser.open(self.at("/console")), button)

    @property
    def cookies(self) -> dict[str, str]:
        return {
            cookie.name: str(cookie.value) for cookie in self.browser.http.cookies if cookie.name != "standin_session"
        }

    @property
    def cookie(self) -> str:
        return self.cookies["signed_in"]

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """As a script on a page of ours does."""
        return self.browser.call(method, self.at(path), body, headers=headers)

    def me(self) -> dict[str, Any]:
        answer = self.call("GET", "/v1/me")
        assert answer.ok, answer.text
        return dict(answer.json())

    @property
    def is_signed_in(self) -> bool:
        return self.call("GET", "/v1/me").ok
