"""Every setting, read once. Nothing else in `functions` looks at the environment.

Each outside address can be pointed elsewhere, so that the whole system runs against stand-ins without a test branch in the code. A dataclass and not
a pydantic model, because the webhook's cold start does not pay for pydantic.
"""

from collections.abc import Mapping
from dataclasses import dataclass

GOOGLE_CERTS = "https://www.googleapis.com/oauth2/v1/certs"


class SettingError(Exception):
    """A setting is missing or has no sense. The message names it and what it should look like; never its value, which may be a secret."""


@dataclass(frozen=True)
class SecretKey:
    """A named key. The first of a list makes new values, all of them open old ones."""

    id: str
    bytes: bytes

    def __repr__(self) -> str:
        return f"SecretKey({self.id!r})"


@dataclass(frozen=True)
class Rate:
    """At most so many in so many seconds."""

    most: int
    seconds: int

    @property
    def millis(self) -> int:
        return self.seconds * 1000


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)  # one a process; making those takes time
class Settings:
    project: str
    firestore_emulator: str | None
    tasks_emulator: str | None
    tasks_location: str
    tasks_service_account: str
    booking_service_account: str
    metadata_host: str
    tasks_certs_url: str
    calendar_endpoint: str
    oauth_authorize_url: str
    oauth_token_url: str
    oauth_revoke_url: str
    oauth_certs_url: str
    client_id: str
    client_secret: str
    booking_url: str
    webhook_url: str
    sync_url: str
    token_keys: tuple[SecretKey, ...]
    signing_keys: tuple[SecretKey, ...]
    mail_url: str
    mail_from: str
    poll_watched_seconds: int
    poll_unwatched_seconds: int
    pull_coalesce_ms: int
    pull_steps: int
    stale_after_seconds: int
    people_kept_days: int
    trusted_proxies: int
    bookings_per_address: Rate
    bookings_per_email: Rate
    changes_per_address: Rate
    refusals_per_address: Rate
    invitations_per_account: Rate
    invitations_per_email: Rate
    sign_ins_per_address: Rate
    holds_per_address: int
    body_seconds: int

    def __repr__(self) -> str:
        return f"Settings(project={self.project!r})"


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings of this process. Raises `SettingError`."""
    read = _Reader(environment)
    return Settings(
        project=read.text("GOOGLE_CLOUD_PROJECT"),
        firestore_emulator=read.optional("FIRESTORE_EMULATOR_HOST"),
        tasks_emulator=read.optional("CLOUD_TASKS_EMULATOR_HOST"),
        tasks_location=read.text("CLOUD_TASKS_LOCATION", "europe-west1"),
        tasks_service_account=read.text("TASKS_SERVICE_ACCOUNT"),
        # Where all functions run as one account, it is the tasks' too.
        booking_service_account=read.text("BOOKING_SERVICE_ACCOUNT", read.text("TASKS_SERVICE_ACCOUNT")),
        metadata_host=read.text("GCE_METADATA_HOST", "metadata.google.internal"),
        tasks_certs_url=read.text("TASKS_CERTS_URL", GOOGLE_CERTS),
        calendar_endpoint=read.text("GOOGLE_CALENDAR_ENDPOINT", "https://www.googleapis.com/calendar/v3/"),
        oauth_authorize_url=read.text("GOOGLE_OAUTH_AUTHORIZE_URL", "https://accounts.google.com/o/oauth2/v2/auth"),
        oauth_token_url=read.text("GOOGLE_OAUTH_TOKEN_URL", "https://oauth2.googleapis.com/token"),
        oauth_revoke_url=read.text("GOOGLE_OAUTH_REVOKE_URL", "https://oauth2.googleapis.com/revoke"),
        oauth_certs_url=read.text("GOOGLE_OAUTH_CERTS_URL", GOOGLE_CERTS),
        client_id=read.text("GOOGLE_CLIENT_ID"),
        client_secret=read.text("GOOGLE_CLIENT_SECRET"),
        booking_url=read.address("BOOKING_URL"),
        webhook_url=read.address("WEBHOOK_URL"),
        sync_url=read.address("SYNC_URL"),
        token_keys=read.keys("TOKEN_KEYS"),
        signing_keys=read.keys("SIGNING_KEYS"),
        mail_url=read.text("MAIL_URL"),
        mail_from=read.text("MAIL_FROM"),
        poll_watched_seconds=read.whole("POLL_WATCHED_SECONDS", 3600),
        poll_unwatched_seconds=read.whole("POLL_UNWATCHED_SECONDS", 600),
        pull_coalesce_ms=read.whole("PULL_COALESCE_MS", 1000),
        pull_steps=read.whole("PULL_STEPS", 40),
        stale_after_seconds=read.whole("STALE_AFTER_SECONDS", 6 * 3600),
        # Longer than anybody stays signed in, so that nobody is forgotten who is.
        people_kept_days=read.whole("PEOPLE_KEPT_DAYS", 400, least=15),
        # How many entries of X-Forwarded-For are our own front's: on Cloud Run one, behind a load balancer two. Two only where nobody can
        # reach the function past the load balancer (ingress): there the entry that we take for the caller's would be the caller's own invention.
        trusted_proxies=read.whole("TRUSTED_PROXIES", 1, least=0),
        # One address may be a school or an office: many people. A mailbox is one.
        bookings_per_address=read.rate("BOOKINGS_PER_ADDRESS", Rate(60, 600)),
        bookings_per_email=read.rate("BOOKINGS_PER_EMAIL", Rate(12, 3600)),
        changes_per_address=read.rate("CHANGES_PER_ADDRESS", Rate(180, 600)),
        refusals_per_address=read.rate("REFUSALS_PER_ADDRESS", Rate(300, 600)),
        # Each is a mail to somebody who has not asked for it.
        invitations_per_account=read.rate("INVITATIONS_PER_ACCOUNT", Rate(50, 86400)),
        invitations_per_email=read.rate("INVITATIONS_PER_EMAIL", Rate(3, 86400)),
        sign_ins_per_address=read.rate("SIGN_INS_PER_ADDRESS", Rate(60, 600)),
        holds_per_address=read.whole("HOLDS_PER_ADDRESS", 10),
        body_seconds=read.whole("BODY_SECONDS", 10),
    )


@dataclass(frozen=True)
class _Reader:
    environment: Mapping[str, str]

    def optional(self, name: str) -> str | None:
        return self.environment.get(name) or None

    def text(self, name: str, default: str | None = None) -> str:
        value = self.optional(name) or default
        if value is None:
            raise SettingError(f"{name} is not set")
        return value

    def address(self, name: str) -> str:
        value = self.text(name).rstrip("/")
        if not value.startswith(("http://", "https://")):
            raise SettingError(f"{name} must be an http or https address")
        return value

    def whole(self, name: str, default: int, *, least: int = 1) -> int:
        value = self.text(name, str(default))
        if not value.isdecimal() or int(value) < least:
            raise SettingError(f"{name} must be a whole number from {least}")
        return int(value)

    def rate(self, name: str, default: Rate) -> Rate:
        most, _, seconds = self.text(name, f"{default.most}/{default.seconds}").partition("/")
        if not (most.isdecimal() and seconds.isdecimal()) or not (int(most) and int(seconds)):
            raise SettingError(f"{name} must say how many in how many seconds, such as 60/600")
        return Rate(int(most), int(seconds))

    def keys(self, name: str) -> tuple[SecretKey, ...]:
        from base64 import urlsafe_b64decode

        keys: list[SecretKey] = []
        for part in self.text(name).split(","):
            key_id, _, encoded = part.strip().partition(":")
            try:
                decoded = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
            except ValueError:
                decoded = b""
            plain = key_id.replace("-", "").replace("_", "")  # a dot parts the fields of a channel token
            if not (plain.isascii() and plain.isalnum()) or len(decoded) != 32 or key_id in {key.id for key in keys}:
                raise SettingError(
                    f"{name} must be a list of id:key parted by commas: each id of letters and digits and named once, "
                    "each key 32 bytes in base64url"
                )
            keys.append(SecretKey(key_id, decoded))
        return tuple(keys)
