"""Every setting: what is needed, what is assumed, and that a complaint never shows a value."""

from base64 import urlsafe_b64encode

import pytest

from functions.adapters.settings import Rate, SecretKey, SettingError, read_settings

KEY = urlsafe_b64encode(bytes(range(32))).decode().rstrip("=")
OTHER_KEY = urlsafe_b64encode(bytes(range(100, 132))).decode()
NEEDED = {
    "GOOGLE_CLOUD_PROJECT": "booking-test",
    "TASKS_SERVICE_ACCOUNT": "tasks@booking-test.example.com",
    "GOOGLE_CLIENT_ID": "client-id",
    "GOOGLE_CLIENT_SECRET": "client-secret-value",
    "BOOKING_URL": "https://book.example.com/",
    "WEBHOOK_URL": "https://hook.example.com",
    "SYNC_URL": "http://127.0.0.1:8082",
    "TOKEN_KEYS": f"2027:{KEY}",
    "SIGNING_KEYS": f"2027:{KEY},2026:{OTHER_KEY}",
    "MAIL_URL": "smtp://user:mail-password@mail.example.com",
    "MAIL_FROM": "book@example.com",
}
SECRETS = ("client-secret-value", KEY, OTHER_KEY, "mail-password")


def test_what_is_needed_is_enough_and_the_rest_is_the_real_google() -> None:
    settings = read_settings(NEEDED)
    assert settings.project == "booking-test"
    assert settings.firestore_emulator is None
    assert settings.tasks_emulator is None
    assert settings.tasks_location == "europe-west1"
    assert settings.calendar_endpoint == "https://www.googleapis.com/calendar/v3/"
    assert settings.oauth_authorize_url == "https://accounts.google.com/o/oauth2/v2/auth"
    assert settings.oauth_token_url == "https://oauth2.googleapis.com/token"
    assert settings.oauth_revoke_url == "https://oauth2.googleapis.com/revoke"
    assert settings.oauth_certs_url == settings.tasks_certs_url == "https://www.googleapis.com/oauth2/v1/certs"
    assert settings.booking_service_account == settings.tasks_service_account
    assert settings.metadata_host == "metadata.google.internal"
    assert (settings.poll_watched_seconds, settings.poll_unwatched_seconds) == (3600, 600)
    assert (settings.pull_coalesce_ms, settings.stale_after_seconds) == (1000, 6 * 3600)
    assert (settings.pull_steps, settings.people_kept_days) == (40, 400)
    assert (settings.trusted_proxies, settings.holds_per_address, settings.body_seconds) == (1, 10, 10)
    assert (settings.bookings_per_address, settings.bookings_per_email) == (Rate(60, 600), Rate(12, 3600))
    assert (settings.changes_per_address, settings.refusals_per_address) == (Rate(180, 600), Rate(300, 600))
    assert settings.sign_ins_per_address == Rate(60, 600)


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("FIRESTORE_EMULATOR_HOST", "127.0.0.1:8088", "firestore_emulator", "127.0.0.1:8088"),
        ("CLOUD_TASKS_EMULATOR_HOST", "127.0.0.1:8086", "tasks_emulator", "127.0.0.1:8086"),
        ("CLOUD_TASKS_LOCATION", "us-east1", "tasks_location", "us-east1"),
        ("GOOGLE_CALENDAR_ENDPOINT", "http://x/calendar/", "calendar_endpoint", "http://x/calendar/"),
        ("GOOGLE_OAUTH_AUTHORIZE_URL", "http://x/auth", "oauth_authorize_url", "http://x/auth"),
        ("GOOGLE_OAUTH_TOKEN_URL", "http://x/token", "oauth_token_url", "http://x/token"),
        ("GOOGLE_OAUTH_REVOKE_URL", "http://x/revoke", "oauth_revoke_url", "http://x/revoke"),
        ("GOOGLE_OAUTH_CERTS_URL", "http://x/certs", "oauth_certs_url", "http://x/certs"),
        ("BOOKING_SERVICE_ACCOUNT", "b@x.example", "booking_service_account", "b@x.example"),
        ("GCE_METADATA_HOST", "127.0.0.1:8087", "metadata_host", "127.0.0.1:8087"),
        ("TASKS_CERTS_URL", "http://x/certs", "tasks_certs_url", "http://x/certs"),
        ("POLL_WATCHED_SECONDS", "7", "poll_watched_seconds", 7),
        ("POLL_UNWATCHED_SECONDS", "7", "poll_unwatched_seconds", 7),
        ("PULL_COALESCE_MS", "7", "pull_coalesce_ms", 7),
        ("PULL_STEPS", "7", "pull_steps", 7),
        ("STALE_AFTER_SECONDS", "7", "stale_after_seconds", 7),
        ("TRUSTED_PROXIES", "0", "trusted_proxies", 0),
        ("BOOKINGS_PER_ADDRESS", "7/60", "bookings_per_address", Rate(7, 60)),
        ("BOOKINGS_PER_EMAIL", "7/60", "bookings_per_email", Rate(7, 60)),
        ("CHANGES_PER_ADDRESS", "7/60", "changes_per_address", Rate(7, 60)),
        ("REFUSALS_PER_ADDRESS", "7/60", "refusals_per_address", Rate(7, 60)),
        ("SIGN_INS_PER_ADDRESS", "7/60", "sign_ins_per_address", Rate(7, 60)),
        ("HOLDS_PER_ADDRESS", "7", "holds_per_address", 7),
        ("INVITATIONS_PER_ACCOUNT", "7/60", "invitations_per_account", Rate(7, 60)),
        ("INVITATIONS_PER_EMAIL", "7/60", "invitations_per_email", Rate(7, 60)),
        ("BODY_SECONDS", "7", "body_seconds", 7),
        ("BOOKING_URL", "https://book.example.com///", "booking_url", "https://book.example.com"),
    ],
)
def test_every_address_and_limit_can_be_set(name: str, value: str, field: str, expected: object) -> None:
    assert getattr(read_settings(NEEDED | {name: value}), field) == expected


def test_keys_are_read_in_their_order_with_or_without_padding() -> None:
    settings = read_settings(NEEDED | {"SIGNING_KEYS": f" 2027:{OTHER_KEY} , 2026:{KEY}"})
    assert settings.signing_keys == (SecretKey("2027", bytes(range(100, 132))), SecretKey("2026", bytes(range(32))))


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("value", [None, ""], ids=["missing", "empty"])
def test_a_missing_setting_is_named(name: str, value: str | None) -> None:
    environment = {key: kept for key, kept in NEEDED.items() if key != name}
    with pytest.raises(SettingError) as failed:
        read_settings(environment if value is None else environment | {name: value})
    assert name in str(failed.value)


ILL_FORMED = [
    ("BOOKING_URL", "book.example.com"),
    ("WEBHOOK_URL", "ftp://hook.example.com"),
    ("SYNC_URL", "//sync"),
    ("TOKEN_KEYS", KEY),
    ("TOKEN_KEYS", f":{KEY}"),
    ("TOKEN_KEYS", f"2027.1:{KEY}"),
    ("SIGNING_KEYS", f"k:{KEY},k:{KEY}"),
    ("TOKEN_KEYS", f"2027:{KEY}AAAA"),
    ("TOKEN_KEYS", "2027:AAAA"),
    ("TOKEN_KEYS", "2027:"),
    ("SIGNING_KEYS", f"2027:{KEY},"),
    ("SIGNING_KEYS", f"2027:{KEY},2026:short"),
    ("SIGNING_KEYS", "2027:ééééé"),
    ("POLL_WATCHED_SECONDS", "0"),
    ("POLL_WATCHED_SECONDS", "-1"),
    ("POLL_UNWATCHED_SECONDS", "ten"),
    ("PULL_COALESCE_MS", "1.5"),
    ("STALE_AFTER_SECONDS", "1e3"),
    ("TRUSTED_PROXIES", "-1"),
    ("HOLDS_PER_ADDRESS", "0"),
    ("BOOKINGS_PER_ADDRESS", "7"),
    ("BOOKINGS_PER_EMAIL", "0/5"),
    ("CHANGES_PER_ADDRESS", "7/0"),
    ("REFUSALS_PER_ADDRESS", "7/minute"),
]


@pytest.mark.parametrize(("name", "value"), ILL_FORMED)
def test_an_ill_formed_setting_is_named_and_its_value_is_not_shown(name: str, value: str) -> None:
    with pytest.raises(SettingError) as failed:
        read_settings(NEEDED | {name: value})
    assert name in str(failed.value)
    assert value not in str(failed.value)
    assert failed.value.__cause__ is None
    assert not any(secret in str(failed.value) for secret in SECRETS)


def test_settings_and_keys_show_no_secret() -> None:
    settings = read_settings(NEEDED)
    for text in (repr(settings), str(settings), f"{settings}", repr(settings.signing_keys), repr([settings])):
        assert not any(secret in text for secret in SECRETS)
        assert "bytes" not in text
        assert "\\x" not in text
