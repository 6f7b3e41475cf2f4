"""The stand-in as a child process, driven by a program: for tests and demos of anything that talks to Google.

The calendar services it hands out are the real google-api-python-client with real google-auth credentials.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import google_auth_httplib2
import httplib2
import httpx
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build

Json = dict[str, Any]

CLIENT_ID = "booking-local.apps.example"
CLIENT_SECRET = "local-client-secret"  # noqa: S105 - of a stand-in on this machine
REDIRECT_URI = "http://127.0.0.1:8080/oauth/callback"
_START_SECONDS = 60


def free_port() -> int:
    """A port that the system says is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class StandIn:
    """One running stand-in. Use as a context manager; the data directory may be used again."""

    def __init__(
        self, data: Path, *, port: int | None = None, redirect_uris: tuple[str, ...] = (REDIRECT_URI,)
    ) -> None:
        self.data = data
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._redirect_uris = redirect_uris
        self._process: subprocess.Popen[bytes] | None = None
        self.http = httpx.Client(base_url=self.url, timeout=60, trust_env=False)

    def __enter__(self) -> "StandIn":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.http.close()

    def command(self) -> list[str]:
        redirects = [part for uri in self._redirect_uris for part in ("--redirect-uri", uri)]
        return [
            *(sys.executable, "-m", "infra.local.google", "--port", str(self.port), "--data", str(self.data)),
            *("--client-id", CLIENT_ID, "--client-secret-env", "GOOGLE_CLIENT_SECRET", *redirects),
        ]

    def start(self) -> None:
        """Start and wait until it answers; TimeoutError if it does not."""
        with (self.data.parent / f"{self.data.name}.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                self.command(),
                env={**os.environ, "GOOGLE_CLIENT_SECRET": CLIENT_SECRET},
                cwd=Path(__file__).parents[3],
                stderr=log,
            )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            try:
                if self.http.get("/healthz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            if self._process.poll() is not None:
                raise RuntimeError(f"the stand-in ended with {self._process.returncode}")
            time.sleep(0.02)
        raise TimeoutError("the stand-in does not answer")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End the process and give its exit code."""
        if self._process is None:
            return 0
        self._process.send_signal(number)
        code = self._process.wait(timeout=15)
        self._process = None
        return code

    # Control

    def control(self, method: str, path: str, body: Json | None = None, **query: Any) -> Json:
        """One call of the control interface; an error answer raises httpx.HTTPStatusError."""
        answer = self.http.request(method, f"/control/{path}", json=body, params=query or None)
        answer.raise_for_status()
        return dict(answer.json()) if answer.content else {}

    def create_user(self, email: str, *, time_zone: str = "Europe/Berlin", name: str = "Anna Berg") -> None:
        self.control("POST", "users", {"email": email, "password": "secret", "name": name, "time_zone": time_zone})

    def refresh_token(self, email: str, scopes: list[str] | None = None) -> str:
        body: Json = {"email": email} if scopes is None else {"email": email, "scopes": scopes}
        return str(self.control("POST", "grants", body)["refresh_token"])

    def credentials(self, email: str, scopes: list[str] | None = None) -> Credentials:
        return Credentials(
            None,
            refresh_token=self.refresh_token(email, scopes),
            token_uri=f"{self.url}/token",
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
        )

    def calendar(self, email: str, scopes: list[str] | None = None) -> Any:
        """The real Calendar client, signed in as this person."""
        http = google_auth_httplib2.AuthorizedHttp(self.credentials(email, scopes), http=httplib2.Http(timeout=60))
        endpoint = {"api_endpoint": f"{self.url}/calendar/v3/"}
        return build("calendar", "v3", http=http, static_discovery=True, cache_discovery=False, client_options=endpoint)
