"""The search for secrets finds them: whatever kind it is, wherever it was put, glued to something or written otherwise."""

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from functions.adapters.settings import SecretKey
from functions.adapters.signing import ChannelClaim, channel_token, manage_token
from functions.adapters.store.store import Store
from infra.local.platform import Platform
from tests.secrecy import Secrecy
from tests.studio import Studio

KEY = SecretKey("k1", bytes(32))
CLAIM = ChannelClaim(account="studio", calendar="cal", expires=1_900_000_000)


def kinds(secrecy: Secrecy, text: str) -> set[str]:
    return {leak.kind for leak in secrecy.issued.leaks("somewhere", text.encode())}


@pytest.fixture
def known(secrecy: Secrecy, platform: Platform, store: Store) -> Secrecy:
    """With everything that can be known of what was issued by now; and nothing of it has been told."""
    assert secrecy.leaks(platform, store) == []
    return secrecy


def access_token(studio: Studio) -> str:
    person = studio.person
    body = {
        "grant_type": "refresh_token",
        "refresh_token": person.refresh_token,
        "client_id": person.client_id,
        "client_secret": person.client_secret,
    }
    return str(requests.post(f"{studio.addresses.google}/token", data=body, timeout=10).json()["access_token"])


def task_token(studio: Studio) -> str:
    body = {"audience": studio.addresses.sync}
    return str(requests.post(f"{studio.addresses.tasks_http}/control/oidc", json=body, timeout=10).json()["token"])


SECRETS: dict[str, tuple[str, Callable[[Studio], str]]] = {
    "a refresh token": ("refresh token", lambda studio: studio.person.refresh_token),
    "an access token": ("access token", access_token),
    "an authorization code": ("authorization code", lambda _: "4/" + "aB3_" * 11),
    "the client secret": ("client secret", lambda studio: studio.person.client_secret),
    "an API key": ("API key", lambda studio: studio.api_key),
    "a manage token": ("manage token", lambda studio: studio.book(studio.starts()[0]).token),
    "a channel token": ("channel token", lambda _: channel_token(KEY, "channel", CLAIM)),
    "a task's token": ("signed token", task_token),
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_that_was_really_issued_is_known_again(
    empty_studio: Studio, platform: Platform, store: Store, secrecy: Secrecy, name: str
) -> None:
    kind, issue = SECRETS[name]
    secret = issue(empty_studio)
    assert secrecy.leaks(platform, store) == []
    for text in (secret, f"at=x&t={quote(secret, safe='')}&", f'{{"it": "{secret}"}}', f"INFO {secret}."):
        assert kind in kinds(secrecy, text), text
    assert (
        kinds(secrecy, "and nothing of the kind: 0c9d4f0a-5d0e-4c1d-9f8e-3a8e5a0f6f7a, " + "0123456789abcdef" * 4)
        == set()
    )


def test_it_is_found_glued_to_something_and_cut_off(known: Secrecy, empty_studio: Studio) -> None:
    secret = manage_token(KEY, "any")
    known.issued.add("manage token", secret)
    for text in (f"x-{secret}-y", secret[:32], secret[-32:], f"{'.' * 7}{secret[5:38]}"):
        assert kinds(known, text) == {"manage token"}
    assert kinds(known, secret[:10]) == set()


class TestWhereItIsLookedFor:
    """Something is planted in each place, and taken away again."""

    def test_a_log(self, known: Secrecy, tmp_path: Path, empty_studio: Studio) -> None:
        logs = tmp_path / "run" / "logs"
        logs.mkdir(parents=True)
        log = logs / "sync.log"
        log.write_text(f"INFO started\nWARNING pull comes again: {access_token(empty_studio)}\n")
        found = known.leaks_in_logs(tmp_path)
        log.unlink()
        leak = next(each for each in found if each.kind == "access token")
        assert (leak.kind, leak.beginning[:5]) == ("access token", "ya29.")
        assert leak.where.endswith("sync.log")

    def test_a_document(self, known: Secrecy, platform: Platform, store: Store, empty_studio: Studio) -> None:
        token = empty_studio.book(empty_studio.starts()[0]).token
        planted = store.client.document(f"accounts/{empty_studio.account}/history/planted")
        planted.set({"why": f"opened with {token}"})
        try:
            found = known.leaks(platform, store)
        finally:
            planted.delete()
        assert {(leak.where, leak.kind) for leak in found} == {("history", "manage token")}

    def test_a_problem_and_what_a_test_prints(
        self, known: Secrecy, platform: Platform, store: Store, empty_studio: Studio
    ) -> None:
        told = len(known.told)
        # A problem that names what was asked for, which somebody took for something else.
        assert empty_studio.ask("overview", service=empty_studio.api_key, month="2030-01").status_code == 404
        known.print_of("a test", [("Captured stdout call", f"key: {empty_studio.api_key}")])
        try:
            found = known.leaks(platform, store)
        finally:
            del known.told[told:]
        assert {leak.where.partition(" /")[0] for leak in found} == {
            "the answer of GET",
            "Captured stdout call of a test",
        }


def test_what_a_signed_token_says_is_no_secret(secrecy: Secrecy, empty_studio: Studio) -> None:
    """Whose it is, for one: an address is in other tokens as well, in the same letters where it begins at the same place."""
    header, said, seal = task_token(empty_studio).split(".")
    assert kinds(secrecy, f"{header} {said}") == set()
    assert kinds(secrecy, seal) == {"token"}


def test_what_the_wire_issues_is_heard(secrecy: Secrecy) -> None:
    cookie, state, invited = (manage_token(KEY, name) for name in ("cookie", "state", "invited"))
    answer = requests.Response()
    answer.status_code = 302
    answer.headers["Set-Cookie"] = f"session={cookie}; Path=/; HttpOnly"
    answer.headers["Location"] = f"https://accounts.example/auth?state={state}#token={invited}"
    answer._content = b""
    secrecy.hear(answer)
    mail = requests.Response()
    mail.status_code, mail.headers["Content-Type"] = 200, "application/json"
    linked = manage_token(KEY, "linked")
    mail._content = json.dumps({"messages": [{"text": f"Come in: https://x.example/#{linked}"}]}).encode()
    secrecy.hear(mail)
    assert kinds(secrecy, linked) == {"link of a mail"}
    assert kinds(secrecy, f"{cookie} {state} {invited}") == {
        "cookie session",
        "state of a redirect",
        "token of a redirect",
    }
