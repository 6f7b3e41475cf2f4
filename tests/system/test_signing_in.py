"""Signing in with Google and out, as a browser does it, and what others may try."""

import time
import uuid
from collections.abc import Callable
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
import requests
from werkzeug.test import TestResponse

from functions.adapters.settings import Settings, read_settings
from functions.adapters.signing import BrowserClaim, browser_cookie, opened_browser_cookie
from functions.adapters.store.documents import path_of
from functions.adapters.store.store import Store
from functions.domain.decision import Ref
from functions.domain.person import IDLE_MS, LONGEST_MS, Person
from infra.local.platform import Platform
from tests.in_process import application_of, booking_client
from tests.system.people import Somebody

HOUR_MS = 3_600_000


@pytest.fixture
def settings(platform: Platform) -> Settings:
    return read_settings(platform.configuration.functions_environment)


@pytest.fixture
def somebody(platform: Platform) -> Callable[[str], Somebody]:
    return lambda name: Somebody.new(platform.addresses, name)


@pytest.fixture
def anna(somebody: Callable[[str], Somebody]) -> Somebody:
    return somebody("anna")


def _claim(anna: Somebody, settings: Settings) -> BrowserClaim:
    claim = opened_browser_cookie(settings.signing_keys, anna.cookie)
    assert claim is not None
    return claim


def test_who_signs_in_is_known_and_asked_for_nothing_but_who_they_are(anna: Somebody) -> None:
    assert not anna.is_signed_in
    page = anna.sign_in()
    assert (page.status, urlsplit(page.url).path) == (200, "/console")
    assert anna.email in page.text
    me = anna.me()
    assert (me["email"], me["name"], me["accounts"]) == (anna.email, "Anna", [])
    asked = parse_qs(urlsplit(next(each for each in anna.browser.visited if "/o/oauth2/v2/auth" in each)).query)
    assert asked["scope"] == ["openid email profile"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["nonce"]
    assert list(anna.cookies) == ["signed_in"]


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(anna: Somebody) -> None:
    back = anna.sign_in(stop_before=anna.at("/signin/callback")).leads_to
    assert back is not None
    answer = anna.browser.call("GET", back)
    given = {part.split("=", 1)[0]: part for part in answer.raw.headers.getlist("Set-Cookie")}
    for flag in ("HttpOnly", "SameSite=Lax", "Path=/"):
        assert flag in given["signed_in"]
    assert "Max-Age=0" in given["signing_in"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_the_browser_comes_back_to_where_it_wanted_and_to_no_other_site(anna: Somebody) -> None:
    page = anna.sign_in(return_to="/console?tab=1")
    assert page.url == anna.at("/console?tab=1")
    for path in (
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "console",
        "",
        "/a b",
    ):
        answer = anna.call("GET", f"/signin?{urlencode({'return_to': path})}")
        assert (answer.status_code, answer.headers.get("Location")) == (422, None), path


def test_a_callback_counts_only_in_the_browser_that_began(
    anna: Somebody, somebody: Callable[[str], Somebody]
) -> None:  # login CSRF
    back = anna.sign_in(stop_before=anna.at("/signin/callback")).leads_to
    assert back is not None
    ben = somebody("ben")
    page = ben.browser.open(back, came_from="https://evil.example/")
    assert page.status == 400
    assert "not begun here" in page.text
    assert not ben.is_signed_in
    ben.browser.open(ben.at("/signin"), stop_before=ben.addresses.google)  # one of their own has begun
    assert ben.browser.open(back).status == 400
    assert not ben.is_signed_in
    assert anna.browser.open(back).status == 200
    assert anna.is_signed_in


def test_a_sign_in_is_used_once(anna: Somebody) -> None:
    back = anna.sign_in(stop_before=anna.at("/signin/callback")).leads_to
    assert back is not None
    kept = anna.cookies["signing_in"]
    assert anna.browser.open(back).status == 200
    anna.sign_out()
    assert anna.browser.open(back).status == 400
    anna.browser.http.cookies.set("signing_in", kept, path="/")  # somebody had a copy of it
    page = anna.browser.open(back)
    assert "Google did not accept" in page.text
    assert not anna.is_signed_in


def test_who_comes_back_from_google_again_and_again_has_to_wait(platform: Platform) -> None:
    client = booking_client(application_of(platform, SIGN_INS_PER_ADDRESS="2/3600", TRUSTED_PROXIES="1"))
    home, elsewhere = (f"2001:db8:{uuid.uuid4().hex[:4]}:{number}::1" for number in (1, 2))

    def come_back(address: str) -> TestResponse:
        asked = client.get("/signin").location or ""
        state = parse_qs(urlsplit(asked).query)["state"][0]
        return client.get(f"/signin/callback?code=guessed&state={state}", headers={"X-Forwarded-For": address})

    assert [come_back(home).status_code for _ in range(3)] == [400, 400, 429]
    refused = come_back(home)
    assert "Try again in" in refused.text
    assert int(refused.headers["Retry-After"]) > 0
    assert come_back(elsewhere).status_code == 400


def test_an_identity_that_was_given_for_another_sign_in_is_refused(anna: Somebody) -> None:
    asked = anna.browser.open(anna.at("/signin"), stop_before=anna.addresses.google).leads_to
    assert asked is not None
    query = dict(parse_qsl(urlsplit(asked).query)) | {"nonce": "of another one"}
    changed = asked.partition("?")[0] + "?" + urlencode(query)
    page = anna.browser.through_google(anna.browser.open(changed), anna.email)
    assert (page.status, "given to another one" in page.text) == (400, True)
    assert not anna.is_signed_in


def test_without_permission_nobody_is_signed_in(anna: Somebody) -> None:
    page = anna.browser.open(anna.at("/signin"))
    page = anna.browser.press(page, "Sign in", email=anna.email, password="correct horse")
    page = anna.browser.press(page, "Cancel")
    assert (page.status, "You are not signed in" in page.text) == (400, True)
    assert page.links == {"Sign in with Google": anna.at("/signin")}
    assert not anna.is_signed_in


def test_signing_out_ends_every_copy_of_the_cookie(anna: Somebody) -> None:
    anna.sign_in()
    stolen = requests.Session()
    stolen.cookies.set("signed_in", anna.cookie)
    elsewhere = anna.with_another_browser()
    elsewhere.sign_in()
    assert stolen.get(anna.at("/v1/me"), timeout=10).ok

    assert "You are signed out" in anna.sign_out().text
    assert "signed_in" not in anna.cookies
    assert stolen.get(anna.at("/v1/me"), timeout=10).status_code == 401
    assert elsewhere.is_signed_in

    anna.sign_in()
    elsewhere.sign_out("Sign out everywhere")
    assert not anna.is_signed_in


@pytest.mark.parametrize(("path", "button"), [("/console", "Set up"), ("/invitation", "Join")])
def test_a_form_that_was_open_for_too_long_leads_to_google_and_back(anna: Somebody, path: str, button: str) -> None:
    page = anna.sign_in(return_to=path)
    elsewhere = anna.with_another_browser()
    elsewhere.sign_in()
    elsewhere.sign_out("Sign out everywhere")
    filled = {"token": "x"} if button == "Join" else {"name": "Studio"}
    page = anna.browser.through_google(anna.browser.press(page, button, **filled), anna.email)
    assert (page.status, urlsplit(page.url).path) == (200, path)
    assert anna.is_signed_in


def test_who_signs_in_again_in_a_browser_has_signed_out_before(
    anna: Somebody, somebody: Callable[[str], Somebody]
) -> None:
    anna.sign_in()
    before = anna.cookie
    ben = somebody("ben")
    ben.browser = anna.browser
    ben.sign_in()
    assert ben.me()["email"] == ben.email
    answer = requests.get(anna.at("/v1/me"), cookies={"signed_in": before}, timeout=10)
    assert answer.status_code == 401


def test_a_cookie_is_replaced_after_an_hour_and_dies_after_twelve(anna: Somebody, settings: Settings) -> None:
    anna.sign_in()
    claim, now = _claim(anna, settings), int(time.time() * 1000)

    def aged(by_ms: int) -> requests.Response:
        old = BrowserClaim(person=claim.person, browser=claim.browser, issued_at=now - by_ms)
        cookie = browser_cookie(settings.signing_keys[0], old)
        return requests.get(anna.at("/v1/me"), cookies={"signed_in": cookie}, timeout=10)

    assert "signed_in" not in aged(HOUR_MS - 60_000).cookies
    renewed = opened_browser_cookie(settings.signing_keys, aged(HOUR_MS + 1).cookies["signed_in"])
    assert renewed is not None
    assert renewed.browser == claim.browser
    assert renewed.issued_at >= now
    assert aged(IDLE_MS - 60_000).ok
    assert aged(IDLE_MS + 1).status_code == 401


def test_nobody_stays_signed_in_for_longer_than_two_weeks(anna: Somebody, settings: Settings, store: Store) -> None:
    anna.sign_in()
    claim = _claim(anna, settings)
    person = store.client.document(path_of("", Ref(Person, claim.person)))
    person.update({f"browsers.`{claim.browser}`": int(time.time() * 1000) - LONGEST_MS})
    assert not anna.is_signed_in


def test_a_cookie_that_anybody_touched_opens_nothing(anna: Somebody, settings: Settings) -> None:
    anna.sign_in()
    claim = _claim(anna, settings)
    key, person, browser, issued, mac = anna.cookie.split(".")
    for cookie in (
        ".".join((key, "0" * 32, browser, issued, mac)),
        ".".join((key, person, "0" * 32, issued, mac)),
        ".".join((key, person, browser, str(int(issued) + 1), mac)),
        ".".join((key, person, browser, issued, mac[:-1] + ("A" if mac[-1] != "A" else "B"))),
        ".".join((person, browser, issued)),
        "",
        "%00é",
        # A sign-in that there never was, properly signed: as after the loss of a key, before it is retired.
        browser_cookie(
            settings.signing_keys[0], BrowserClaim(person=person, browser="f" * 32, issued_at=claim.issued_at)
        ),
    ):
        answer = requests.get(anna.at("/v1/me"), headers={"Cookie": f"signed_in={cookie}".encode()}, timeout=10)
        assert answer.status_code == 401, cookie
    assert anna.is_signed_in


def test_another_site_can_sign_nobody_out(anna: Somebody) -> None:  # cross-site request forgery
    anna.sign_in()
    console = anna.browser.open(anna.at("/console"))
    for elsewhere in ("https://evil.example/", anna.addresses.google):  # the latter is the same site, on another port
        page = anna.browser.press(console, "Sign out", came_from=elsewhere)
        assert (page.status, page.answer.json()["type"]) == (403, "urn:booking:problem:cross-site")
    signed = {"Cookie": f"signed_in={anna.cookie}"}
    token = dict(console.forms[0].fields)
    for headers, form in (
        ({}, token),  # says not where it comes from
        ({"Origin": anna.addresses.booking}, {"form_token": "guessed"}),
        ({"Origin": anna.addresses.booking}, {"other": "field"}),
        ({"Origin": anna.addresses.booking, "Sec-Fetch-Site": "cross-site"}, token),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, token),
    ):
        answer = requests.post(anna.at("/signout"), data=form, headers={**signed, **headers}, timeout=10)
        assert answer.status_code == 403, headers
    assert anna.is_signed_in
    assert requests.post(
        anna.at("/signout"), data=token, headers={**signed, "Origin": anna.addresses.booking}, timeout=10
    ).ok
    assert not anna.is_signed_in
