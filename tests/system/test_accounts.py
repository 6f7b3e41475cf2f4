"""Accounts and the people who run them: the first set-up, invitations, roles, API keys."""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from functions.adapters.signing import secret_hash
from functions.adapters.store.documents import path_of
from functions.adapters.store.store import Store
from functions.domain.configuration import OperatorKey
from functions.domain.decision import Ref
from functions.domain.invitation import Invitation
from infra.local.platform import Platform
from tests.in_process import application_of, booking_client
from tests.studio import DAY, Studio, until
from tests.system.people import Somebody

NEW = {"name": "Studio Nord", "time_zone": "Europe/Berlin"}


@pytest.fixture
def somebody(platform: Platform) -> Callable[[str], Somebody]:
    """Signed in, and belonging to nothing yet."""

    def make(name: str) -> Somebody:
        made = Somebody.new(platform.addresses, name)
        made.sign_in()
        return made

    return make


@pytest.fixture
def anna(somebody: Callable[[str], Somebody]) -> Somebody:
    return somebody("anna")


@pytest.fixture
def base(anna: Somebody) -> str:
    """Anna's account."""
    return f"/v1/accounts/{anna.call('POST', '/v1/accounts', NEW).json()['id']}"


def _letters(to: Somebody) -> list[dict[str, Any]]:
    asked = requests.get(f"{to.addresses.mail}/messages", params={"to": to.email}, timeout=10)
    return sorted(asked.json()["messages"], key=lambda mail: str(mail["received"]))


def _invite(by: Somebody, base: str, whom: Somebody, role: str) -> str:
    """The address in the mail that they get."""
    before = len(_letters(whom))
    answer = by.call("POST", f"{base}/invitations", {"email": whom.email.upper(), "role": role})
    assert answer.status_code == 201, answer.text
    mail = until(lambda: len(letters := _letters(whom)) > before and letters[-1])
    return next(word for word in mail["text"].split() if "#" in word)


def _accept(who: Somebody, address: str) -> requests.Response:
    return who.call("POST", "/v1/invitations/accept", {"token": address.partition("#")[2]})


def _join(by: Somebody, base: str, whom: Somebody, role: str) -> None:
    answer = _accept(whom, _invite(by, base, whom, role))
    assert (answer.status_code, answer.json()["role"]) == (201, role)


def _members(who: Somebody, base: str) -> dict[str, dict[str, Any]]:
    return {member["email"]: member for member in who.call("GET", f"{base}/members").json()["members"]}


def _history(who: Somebody, base: str) -> list[tuple[str, str]]:
    return [(told["what"], told["author_name"]) for told in who.call("GET", f"{base}/history").json()["history"]]


class TestSettingUp:
    def test_whoever_signs_in_first_fills_in_a_form_and_can_be_booked(self, anna: Somebody) -> None:
        page = anna.browser.open(anna.at("/console"))
        days = [str(day) for day in range(1, 8)]
        filled = {"name": "Nord & Süd", "time_zone": "Europe/Berlin", "service": "Trial lesson", "days": days}
        wrong = anna.browser.press(page, "Set up", **filled, duration_minutes="0", start="09:00", end="17:00")
        assert (wrong.status, "service duration minutes" in wrong.text) == (422, True)
        assert dict(wrong.forms[0].fields)["name"] == "Nord & Süd"
        page = anna.browser.press(wrong, "Set up", duration_minutes="45")
        assert (urlsplit(page.url).path, "Nord & Süd, as owner" in page.text) == ("/console", True)

        (account,) = anna.me()["accounts"]
        assert (account["name"], account["role"]) == ("Nord & Süd", "owner")
        base = f"/v1/accounts/{account['id']}"
        (service,) = anna.call("GET", f"{base}/services").json()["services"]
        assert (service["name"], service["duration_minutes"], service["resources"]) == ("Trial lesson", 45, ["main"])
        start = f"{DAY}T12:00:00Z"
        booked = anna.call(
            "POST",
            f"{base}/bookings",
            {"service": service["id"], "start": start, "client": {"name": "Kim", "email": "kim@client.example"}},
        )
        assert booked.status_code == 201, booked.text
        assert {told for told in _history(anna, base) if told[1] == anna.email} == {
            ("account.made", anna.email),
            ("resource.created", anna.email),
            ("service.created", anna.email),
            ("member.joined", anna.email),
        }

    def test_whatever_a_form_is_sent_with_it_is_shown_again_with_what_is_wrong(self, anna: Somebody) -> None:
        """Every field with everything that somebody without a browser may send in it, at all three forms."""
        odd = ["", "-1", "0", "8", "7" * 5000, "1e400", "1.5", "\u0663\u0663", "\x00", "\ud800", "<i>"]
        page = anna.browser.open(anna.at("/console"))
        token = {"form_token": dict(page.forms[0].fields)["form_token"]}
        first = {"name": "Nord", "time_zone": "Europe/Berlin", "days": "1", "start": "09:00", "end": "17:00"}
        first |= {"service": "Lesson", "duration_minutes": "0"}
        forms = {"/console/accounts": first, "/invitation": {"token": "x"}, "/signout": {"everywhere": ""}}
        sent = [
            (path, {**right, **token, name: value.encode("utf-8", "surrogatepass")})
            for path, right in forms.items()
            for name in right
            for value in odd
            if (name, value) != ("duration_minutes", "8")  # which is right
        ]
        for path, form in sent:
            answer = anna.browser.http.post(anna.at(path), data=form, headers={"Origin": anna.at("")})
            assert answer.status_code < 500, (path, form)
            if path == "/console/accounts":
                assert (answer.status_code, "<form" in answer.text) == (422, True), form
        anna.sign_in()  # the last form was to sign out
        assert anna.me()["accounts"] == []

    def test_a_calendar_is_connected_next(self, anna: Somebody, base: str) -> None:
        begun = anna.call("POST", f"{base}/connections", {"return_to": anna.at("/console")})
        page = anna.browser.through_google(anna.browser.open(begun.json()["consent_url"]), anna.email)
        assert (page.status, urlsplit(page.url).path) == (200, "/console")
        (connection,) = anna.call("GET", f"{base}/connections").json()["connections"]
        assert (connection["email"], connection["state"]) == (anna.email, "active")
        page = until(lambda: "data-calendar=" in (now := anna.browser.open(anna.at("/console"))).answer.text and now)
        asked = dict(re.findall(r'data-(\w+)="([^"]*)"', page.answer.text.partition("not used")[2]))
        used = {"blocks": [asked["resource"]], "destination_for": [asked["resource"]] if "written" in asked else []}
        assert anna.call("PUT", f"{base}/calendars/{asked['calendar']}", used).status_code == 200
        page = anna.browser.open(anna.at("/console"))
        assert ["data-calendar" in script for script in page.scripts] == [True]
        assert "closes the time of" in page.text
        assert "gets the bookings of" in page.text
        assert anna.call("DELETE", f"{base}/connections/{connection['id']}").ok
        assert "data-calendar=" not in anna.browser.open(anna.at("/console")).answer.text, "what is ended shows nothing"

    def test_the_same_set_up_sent_twice_is_one_account(self, anna: Somebody) -> None:
        once, again = (anna.call("POST", "/v1/accounts", NEW, **{"Idempotency-Key": "k"}) for _ in range(2))
        assert (once.status_code, once.json()) == (again.status_code, again.json())
        other = anna.call("POST", "/v1/accounts", NEW | {"name": "Other"}, **{"Idempotency-Key": "k"})
        assert other.status_code == 422
        assert len(anna.me()["accounts"]) == 1

    def test_the_form_sent_twice_is_one_account_too(self, anna: Somebody) -> None:
        page = anna.browser.open(anna.at("/console"))
        anna.browser.http.headers["Idempotency-Key"] = "k"  # no form sends one, so it says nothing here
        with ThreadPoolExecutor(2) as threads:
            pages = list(threads.map(lambda _: anna.browser.press(page, "Set up", name="Nord"), range(2)))
        assert [(each.status, urlsplit(each.url).path) for each in pages] == [(200, "/console")] * 2
        assert [account["name"] for account in anna.me()["accounts"]] == ["Nord"]
        changed = anna.browser.press(page, "Set up", name="Süd")
        assert (changed.status, "has made an account already" in changed.text) == (422, True)
        assert anna.browser.press(changed, "Set up").status == 200
        assert [account["name"] for account in anna.me()["accounts"]] == ["Nord", "Süd"]

    def test_what_was_said_first_can_be_changed(self, anna: Somebody, base: str) -> None:
        changed = anna.call("PATCH", base, {"name": "Studio Süd", "time_zone": "Europe/Paris"})
        assert changed.json() == anna.call("GET", base).json()
        assert (changed.json()["name"], changed.json()["time_zone"]) == ("Studio Süd", "Europe/Paris")
        assert anna.call("PATCH", base, {"time_zone": "Mars/Olympus"}).status_code == 422
        assert _history(anna, base)[0] == ("account.changed", anna.email)


class TestInvitations:
    def test_who_is_invited_joins_by_the_mail(
        self, anna: Somebody, base: str, platform: Platform, somebody: Callable[[str], Somebody]
    ) -> None:
        ben = Somebody.new(platform.addresses, "ben")
        address = _invite(anna, base, ben, "manager")
        (mail,) = _letters(ben)
        assert "Studio Nord" in mail["subject"]
        assert anna.email in mail["text"]
        page = ben.browser.open(address)  # not signed in yet; a script would keep what is behind the #
        assert ["sessionStorage" in script for script in page.scripts] == [True]
        page = ben.browser.through_google(ben.browser.open(page.links["Sign in with Google"]), ben.email)
        assert urlsplit(page.url).path == "/invitation"
        page = ben.browser.press(page, "Join", token=address.partition("#")[2])
        assert "Studio Nord, as manager" in page.text
        assert {email: member["role"] for email, member in _members(ben, base).items()} == {
            anna.email: "owner",
            ben.email: "manager",
        }
        assert _history(anna, base)[:2] == [("member.joined", ben.email), ("invitation.made", anna.email)]

        assert _accept(ben, address).status_code == 404  # it is used up
        assert _accept(somebody("cem"), address).status_code == 404
        assert anna.call("POST", f"{base}/invitations", {"email": ben.email, "role": "owner"}).status_code == 409

    def test_it_is_no_good_to_anybody_else_nor_when_it_has_run_out(
        self, anna: Somebody, base: str, somebody: Callable[[str], Somebody], store: Store
    ) -> None:
        ben, eve = somebody("ben"), somebody("eve")
        address = _invite(anna, base, ben, "owner")
        assert _accept(eve, address).status_code == 403
        account, invitation, mac = address.partition("#")[2].split(".")
        for token in (f"{account}.{invitation}.{mac[::-1]}", f"other.{invitation}.{mac}", "", "x" * 200):
            assert _accept(ben, f"#{token}").status_code == 404
        assert eve.me()["accounts"] == ben.me()["accounts"] == []

        document = store.client.document(path_of(account, Ref(Invitation, invitation)))
        document.update({"expires_at": int(time.time() * 1000) - 1})
        assert _accept(ben, address).json()["detail"] == "This invitation has run out. Ask for another one."
        assert anna.call("GET", f"{base}/invitations").json()["invitations"] == []
        copied = f"{_invite(anna, base, ben, 'viewer')} \n"
        assert _accept(ben, copied).status_code == 201

    def test_one_that_is_taken_back_or_replaced_opens_nothing(
        self, anna: Somebody, base: str, somebody: Callable[[str], Somebody]
    ) -> None:
        ben = somebody("ben")
        first = _invite(anna, base, ben, "owner")
        second = _invite(anna, base, ben, "viewer")
        assert _accept(ben, first).status_code == 404
        (invitation,) = anna.call("GET", f"{base}/invitations").json()["invitations"]
        assert anna.call("DELETE", f"{base}/invitations/{invitation['id']}").status_code == 204
        assert _accept(ben, second).status_code == 404

    def test_an_account_and_a_mailbox_are_sent_so_many_and_to_take_one_back_makes_no_room(
        self, empty_studio: Studio, platform: Platform
    ) -> None:
        few = {"INVITATIONS_PER_EMAIL": "2/86400", "INVITATIONS_PER_ACCOUNT": "3/86400"}
        http, path = booking_client(application_of(platform, **few)), f"/v1/accounts/{empty_studio.account}/invitations"

        def invite(email: str, key: str) -> tuple[int, str | None]:
            headers = {**empty_studio.operator, "Idempotency-Key": key}
            answer = http.post(path, json={"email": email, "role": "viewer"}, headers=headers)
            if answer.status_code == 201:
                http.delete(f"{path}/{answer.get_json()['id']}", headers=empty_studio.operator)
            return answer.status_code, answer.headers.get("Retry-After")

        # The last of these is the one before it, asked again.
        assert [invite(f"kim{more}@mail.example", more)[0] for more in ("", "+1", "+1")] == [201, 201, 201]
        status, retry_after = invite("Kim+2@mail.example", "2")
        assert (status, int(retry_after or 0) > 3600) == (429, True)
        assert invite("ben@mail.example", "ben")[0] == 201
        assert invite("cem@mail.example", "cem")[0] == 429
        sent = [entry for entry in empty_studio.history() if entry["what"] == "invitation.made"]
        assert len(sent) == 3

    def test_its_token_stands_nowhere(
        self, anna: Somebody, base: str, somebody: Callable[[str], Somebody], store: Store
    ) -> None:  # law 12
        token = _invite(anna, base, somebody("ben"), "viewer").partition("#")[2]
        account = base.rpartition("/")[2]
        stored = [
            str(snapshot.to_dict())
            for name in ("invitations", "outbox", "history", "members")
            for snapshot in store.client.collection(f"accounts/{account}/{name}").stream()
        ]
        assert any(secret_hash(token) in each for each in stored)
        assert not any(token.rpartition(".")[2] in each for each in stored)


class TestRoles:
    def test_what_a_member_may_follows_their_role_at_once(
        self, anna: Somebody, base: str, somebody: Callable[[str], Somebody]
    ) -> None:
        ben = somebody("ben")
        _join(anna, base, ben, "viewer")
        body = {"name": "Room", "time_zone": "Europe/Berlin"}
        assert ben.call("GET", f"{base}/resources").ok
        assert ben.call("PUT", f"{base}/resources/room", body).status_code == 403
        his = f"{base}/members/{_members(anna, base)[ben.email]['id']}"
        assert anna.call("PATCH", his, {"role": "manager"}).ok
        assert ben.call("PUT", f"{base}/resources/room", body).ok
        assert _history(anna, base)[0] == ("resource.created", ben.email)
        assert ben.call("PATCH", his, {"role": "owner"}).status_code == 403
        assert anna.call("DELETE", his).json() == {"keys": []}
        assert ben.call("GET", f"{base}/resources").status_code == 403
        assert ben.me()["accounts"] == []

    def test_an_account_always_has_an_owner(
        self, anna: Somebody, base: str, somebody: Callable[[str], Somebody]
    ) -> None:
        mine, hers = f"/v1/me/accounts/{base.rpartition('/')[2]}", f"{base}/members/{anna.me()['id']}"
        refused = anna.call("DELETE", mine)
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:booking:problem:illegal-state")
        assert anna.call("PATCH", hers, {"role": "viewer"}).status_code == 409
        assert anna.call("DELETE", hers).status_code == 409
        ben = somebody("ben")
        _join(anna, base, ben, "owner")
        assert anna.call("DELETE", mine).status_code == 204
        assert list(_members(ben, base)) == [ben.email]
        assert ben.call("DELETE", mine).status_code == 409

    def test_who_acts_as_an_operator_says_so_where_everybody_may_book(self, anna: Somebody, base: str) -> None:
        """Who looks at their own booking page is a client there, though their browser is signed in."""
        service = {"name": "On request", "duration_minutes": 30, "step_minutes": 30, "confirmation": "operator"}
        anna.call("PUT", f"{base}/services/appointment", service | {"resources": ["main"]})
        hours = [{"days": [1, 2, 3, 4, 5, 6, 7], "start": "09:00", "end": "17:00"}]
        anna.call("PUT", f"{base}/resources/main", {"name": "Anna", "time_zone": "UTC", "hours": hours})

        def book(hour: int, **headers: str) -> str:
            wish = {"service": "appointment", "start": f"{DAY}T{hour}:00:00Z"}
            wish |= {"client": {"name": "Kim", "email": "kim@client.example"}}  # type: ignore[dict-item]
            return str(anna.call("POST", f"{base}/bookings", wish, **headers).json()["status"])

        assert book(12) == "held"
        assert book(13, **{"Act-As": "operator"}) == "confirmed"


class TestKeys:
    def test_a_key_is_shown_once_does_what_it_may_and_ends_when_revoked(
        self, anna: Somebody, base: str, store: Store
    ) -> None:
        made = anna.call("POST", f"{base}/keys", {"name": "website", "permissions": ["read", "bookings"]})
        key = {"Authorization": f"Bearer {made.json()['api_key']}"}
        listed = anna.call("GET", f"{base}/keys")
        assert [(each["name"], each["permissions"]) for each in listed.json()["keys"]] == [
            ("website", ["bookings", "read"])
        ]
        assert made.json()["api_key"] not in listed.text
        account = base.rpartition("/")[2]
        stored = store.client.document(path_of(account, Ref(OperatorKey, made.json()["id"]))).get().to_dict()
        assert made.json()["api_key"] not in str(stored)

        def with_key(method: str, path: str, body: Any = None) -> int:
            return requests.request(method, anna.at(f"{base}/{path}"), json=body, headers=key, timeout=10).status_code

        assert (with_key("GET", "bookings"), with_key("GET", "keys")) == (200, 403)
        assert with_key("PUT", "resources/room", {"name": "Room", "time_zone": "UTC"}) == 403
        assert with_key("GET", "history") == 200
        assert anna.call("DELETE", f"{base}/keys/{made.json()['id']}").status_code == 204
        assert with_key("GET", "bookings") == 401
        assert _history(anna, base)[:2] == [("key.revoked", anna.email), ("key.made", anna.email)]

    def test_who_removes_a_member_is_told_which_keys_are_theirs(
        self, anna: Somebody, base: str, somebody: Callable[[str], Somebody]
    ) -> None:
        ben = somebody("ben")
        _join(anna, base, ben, "owner")
        key = ben.call("POST", f"{base}/keys", {"name": "website", "permissions": ["read"]}).json()
        removed = anna.call("DELETE", f"{base}/members/{ben.me()['id']}")
        assert [each["name"] for each in removed.json()["keys"]] == ["website"]
        bearer = {"Authorization": f"Bearer {key['api_key']}"}
        assert requests.get(anna.at(f"{base}/resources"), headers=bearer, timeout=10).ok

    def test_nobody_gives_what_they_do_not_have(
        self, anna: Somebody, base: str, somebody: Callable[[str], Somebody]
    ) -> None:
        made = anna.call("POST", f"{base}/keys", {"name": "people", "permissions": ["members"]}).json()["api_key"]

        def with_key(path: str, body: Any) -> int:
            headers = {"Authorization": f"Bearer {made}"}
            return requests.post(anna.at(f"{base}/{path}"), json=body, headers=headers, timeout=10).status_code

        assert with_key("keys", {"name": "more", "permissions": ["members", "read"]}) == 403
        assert with_key("invitations", {"email": somebody("eve").email, "role": "owner"}) == 403
        assert with_key("keys", {"name": "same", "permissions": ["members"]}) == 201
        for name in ("same", "anna@studio.example", ""):
            assert with_key("keys", {"name": name, "permissions": ["members"]}) in (409, 422), name
