"""What runs here and what is somebody else's, decided once from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from infra.local.credentials import Credentials
from infra.local.guardian import ROOT
from infra.local.ports import HOST, Ports

DEFAULT_DIRECTORY = ROOT / ".local"
TASKS_LOCATION = "europe-west1"

# Settings of the functions that a developer may set in the environment; the launcher decides the others.
_MAY_BE_SET = (
    "BOOKING_URL",
    "WEBHOOK_URL",
    "MAIL_URL",
    "MAIL_FROM",
    "THREADS",
    "POLL_WATCHED_SECONDS",
    "POLL_UNWATCHED_SECONDS",
    "PULL_COALESCE_MS",
    "PULL_STEPS",
    "SIGNING_KEYS",
    "TOKEN_KEYS",
    "TRUSTED_PROXIES",
    "BOOKINGS_PER_ADDRESS",
    "BOOKINGS_PER_EMAIL",
    "CHANGES_PER_ADDRESS",
    "REFUSALS_PER_ADDRESS",
    "SIGN_INS_PER_ADDRESS",
    "HOLDS_PER_ADDRESS",
    "INVITATIONS_PER_ACCOUNT",
    "INVITATIONS_PER_EMAIL",
    "BODY_SECONDS",
)

# They would change how the functions-framework starts (a stray DEBUG=1 brings its reloader).
_NOT_INHERITED = (
    "DEBUG",
    "FUNCTION_SIGNATURE_TYPE",
    "FUNCTION_SOURCE",
    "FUNCTION_TARGET",
    "FUNCTION_USE_ASGI",
    "HOST",
    "PORT",
    "WORKERS",
)


class ConfigurationError(Exception):
    """The environment asks for something that can't be had; the message says what to set."""


@dataclass(frozen=True, kw_only=True)
class GoogleAddresses:
    """Where Google is: our stand-in (`ours`), Google itself, or whatever the environment names."""

    ours: bool
    endpoint: str
    authorize: str
    token: str
    revoke: str
    certs: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """One run of the platform. `environment` is what every part inherits."""

    directory: Path
    ports: Ports
    project: str
    google: GoogleAddresses
    firestore: str
    firestore_is_ours: bool
    credentials: Credentials
    environment: Mapping[str, str] = field(repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, directory: Path, ports: Ports) -> Self:
        """Raises ConfigurationError."""
        credentials = Credentials.load(directory)
        outside_firestore = environment.get("FIRESTORE_EMULATOR_HOST")
        return cls(
            directory=directory,
            ports=ports,
            project=environment.get("GOOGLE_CLOUD_PROJECT") or "booking-local",
            google=_google(environment, ports=ports, credentials=credentials),
            firestore=outside_firestore or f"{HOST}:{ports.firestore}",
            firestore_is_ours=not outside_firestore,
            credentials=credentials,
            environment=_inherited(environment),
        )

    @property
    def tasks_service_account(self) -> str:
        return f"tasks@{self.project}.iam.gserviceaccount.com"

    @property
    def booking_service_account(self) -> str:
        return f"booking@{self.project}.iam.gserviceaccount.com"

    @property
    def functions_environment(self) -> dict[str, str]:
        """The complete environment of the three functions and of their bootstrap program."""
        ports = self.ports
        settings = {
            "GOOGLE_CLOUD_PROJECT": self.project,
            "FIRESTORE_EMULATOR_HOST": self.firestore,
            "CLOUD_TASKS_EMULATOR_HOST": f"{HOST}:{ports.tasks}",
            "CLOUD_TASKS_LOCATION": TASKS_LOCATION,
            "GOOGLE_CALENDAR_ENDPOINT": self.google.endpoint,
            "GOOGLE_OAUTH_AUTHORIZE_URL": self.google.authorize,
            "GOOGLE_OAUTH_TOKEN_URL": self.google.token,
            "GOOGLE_OAUTH_REVOKE_URL": self.google.revoke,
            "GOOGLE_OAUTH_CERTS_URL": self.google.certs,
            "GOOGLE_CLIENT_ID": self.google.client_id,
            "GOOGLE_CLIENT_SECRET": self.google.client_secret,
            "BOOKING_URL": http(ports.booking),
            "WEBHOOK_URL": http(ports.webhook),
            "SYNC_URL": http(ports.sync),
            "TASKS_SERVICE_ACCOUNT": self.tasks_service_account,
            "BOOKING_SERVICE_ACCOUNT": self.booking_service_account,
            "GCE_METADATA_HOST": f"{HOST}:{ports.tasks_http}",
            "TASKS_CERTS_URL": f"{http(ports.tasks_http)}/oauth2/v1/certs",
            "TOKEN_KEYS": self.credentials.token_keys,
            "SIGNING_KEYS": self.credentials.signing_keys,
            "MAIL_URL": f"smtp://{HOST}:{ports.smtp}",
            "MAIL_FROM": "bookings@studio-nord.example",
            "THREADS": "16",
            "POLL_WATCHED_SECONDS": "3600",
            "POLL_UNWATCHED_SECONDS": "600",
            "PULL_COALESCE_MS": "1000",
            "TRUSTED_PROXIES": "0",  # nothing of ours stands before the functions here
        }
        chosen = {name: self.environment[name] for name in _MAY_BE_SET if self.environment.get(name)}
        return {**self.environment, **settings, **chosen}


def http(port: int) -> str:
    return f"http://{HOST}:{port}"


def _google(environment: Mapping[str, str], *, ports: Ports, credentials: Credentials) -> GoogleAddresses:
    if not environment.get("GOOGLE_CALENDAR_ENDPOINT") and not environment.get("GOOGLE_CLIENT_ID"):
        base = http(ports.google)
        return GoogleAddresses(
            ours=True,
            endpoint=f"{base}/calendar/v3/",
            authorize=f"{base}/o/oauth2/v2/auth",
            token=f"{base}/token",
            revoke=f"{base}/revoke",
            certs=f"{base}/oauth2/v1/certs",
            client_id=credentials.client_id,
            client_secret=credentials.client_secret,
        )
    if bool(environment.get("GOOGLE_CLIENT_ID")) != bool(environment.get("GOOGLE_CLIENT_SECRET")):
        raise ConfigurationError("set both GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET: one of an OAuth client is no use")
    return GoogleAddresses(
        ours=False,
        endpoint=environment.get("GOOGLE_CALENDAR_ENDPOINT") or "https://www.googleapis.com/calendar/v3/",
        authorize=environment.get("GOOGLE_OAUTH_AUTHORIZE_URL") or "https://accounts.google.com/o/oauth2/v2/auth",
        token=environment.get("GOOGLE_OAUTH_TOKEN_URL") or "https://oauth2.googleapis.com/token",
        revoke=environment.get("GOOGLE_OAUTH_REVOKE_URL") or "https://oauth2.googleapis.com/revoke",
        certs=environment.get("GOOGLE_OAUTH_CERTS_URL") or "https://www.googleapis.com/oauth2/v1/certs",
        # An outside stand-in may take any client.
        client_id=environment.get("GOOGLE_CLIENT_ID") or credentials.client_id,
        client_secret=environment.get("GOOGLE_CLIENT_SECRET") or credentials.client_secret,
    )


def _inherited(environment: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in environment.items() if name not in _NOT_INHERITED}
    # The parts talk to each other past any proxy of this machine.
    for name in ("NO_PROXY", "no_proxy"):
        inherited[name] = ",".join(filter(None, (inherited.get(name), "127.0.0.1,localhost")))
    return {**inherited, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
