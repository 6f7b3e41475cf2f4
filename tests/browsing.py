"""A browser for tests: it keeps cookies, follows redirects, fills in forms and says where its requests come from, as a person's browser does.

It has no scripts, and none of the defences by which a browser protects us from other sites: it sends its cookies with every request, also with those that
other sites make it send. So what is refused here was refused by the server. What a page of ours says of itself, and could break its own forms with, it
keeps to: its `Referrer-Policy`, and the `form-action` of its `Content-Security-Policy`, which counts for redirects too. A page that keeps browsers from
running its own scripts and styles it does not show.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

PASSWORD = "correct horse"  # of everybody whom the tests give a Google account
MOST_REDIRECTS = 10
TIMEOUT_S = 20


@dataclass
class Form:
    """`fields`: what would be sent as it stands, hidden fields and ticked boxes too. `buttons`: name, value and words of each."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    boxes: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Page:
    """What is shown. `leads_to`: the address of a redirect that was not followed."""

    answer: requests.Response
    leads_to: str | None = None

    @property
    def url(self) -> str:
        return self.answer.url

    @property
    def referrer_policy(self) -> str:
        return self.answer.headers.get("Referrer-Policy", "")

    @property
    def form_targets(self) -> tuple[str, ...] | None:
        """The origins to which its forms may lead, also by way of redirects; None for any."""
        sources = self._policy.get("form-action")
        return (
            None if sources is None else tuple(_origin_of(self.url) if each == "'self'" else each for each in sources)
        )

    @property
    def blocked(self) -> list[str]:
        """The scripts, styles and attributes of either kind that stand in it, and that its `Content-Security-Policy` keeps browsers from running; and scripts
        that ask for something where it lets none.
        """
        policy, found = self._policy, _read(self.answer.text)
        others = policy.get("default-src")
        allowed = {kind: policy.get(f"{kind}-src", others) for kind in ("script", "style", "connect")}
        blocked = []
        for kind, text in [*found.inline, *(("connect", text) for _, text in found.inline if "fetch(" in text)]:
            mark = "'self'" if kind == "connect" else f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
            blocked += [text] if (sources := allowed[kind]) is not None and mark not in sources else []
        return blocked + (found.handlers if policy else [])

    @property
    def scripts(self) -> list[str]:
        return [text for kind, text in _read(self.answer.text).inline if kind == "script"]

    @property
    def _policy(self) -> dict[str, list[str]]:
        """What its `Content-Security-Policy` allows, by directive; nothing where it has none."""
        directives = self.answer.headers.get("Content-Security-Policy", "").split(";")
        return {words[0]: words[1:] for directive in directives if (words := directive.split())}

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def text(self) -> str:
        """The words, without the marks."""
        return " ".join(_read(self.answer.text).words)

    @property
    def forms(self) -> list[Form]:
        return _read(self.answer.text).forms

    @property
    def links(self) -> dict[str, str]:
        """Addresses by their words."""
        return {words: urljoin(self.url, address) for words, address in _read(self.answer.text).links}


class Browser:
    """One person's. `visited`: every address that it asked for."""

    def __init__(self) -> None:
        self.http = requests.Session()
        self.visited: list[str] = []

    def open(self, address: str, *, stop_before: str | None = None, came_from: str | None = None) -> Page:
        """An address that somebody typed, or that a page at `came_from` leads to. Redirects are followed until one goes to an address that begins
        with `stop_before`.
        """
        return self._ask("GET", address, stop_before=stop_before, came_from=came_from)

    def press(
        self,
        page: Page,
        button: str,
        *,
        without: str | None = None,
        stop_before: str | None = None,
        came_from: str | None = None,
        **values: str | list[str],
    ) -> Page:
        """The button with these words, on a page's form. `values` go into its fields; boxes whose value holds `without` are not ticked."""
        form, name, value = next(
            (form, name, value) for form in page.forms for name, value, words in form.buttons if words == button
        )
        left = {(name, value) for name, value in form.boxes if without is not None and without in value}
        sent = [pair for pair in form.fields if pair not in left and pair[0] not in values]
        sent += [
            (key, each) for key, given in values.items() for each in ([given] if isinstance(given, str) else given)
        ]
        sent += [(name, value)] if name else []
        address, origin = urljoin(page.url, form.action or page.url), came_from or page.url
        # What another site shows is under rules of its own.
        policy, targets = ("", None) if came_from else (page.referrer_policy, page.form_targets)
        method, fields = ("POST", {"data": sent}) if form.method == "post" else ("GET", {"params": sent})
        return self._ask(
            method, address, stop_before=stop_before, came_from=origin, policy=policy, targets=targets, **fields
        )

    def call(
        self,
        method: str,
        address: str,
        body: Any = None,
        *,
        came_from: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """What a script on a page at `came_from` asks for (a page of the same site, where nothing is said). Redirects are not followed."""
        sent = {**_origin(method, address, came_from or address, mode="cors"), **(headers or {})}
        self.visited.append(address)
        return self.http.request(method, address, json=body, headers=sent, allow_redirects=False, timeout=TIMEOUT_S)

    def through_google(
        self,
        page: Page,
        email: str,
        *,
        password: str = PASSWORD,
        stop_before: str | None = None,
        without: str | None = None,
    ) -> Page:
        """Signs in on Google's page and allows what is asked (boxes that hold `without` are left unticked), back to whoever asked.

        Google asks nobody twice what they have allowed, nor who they are, unless it is told to.
        """
        google = _host(page.url)
        if any(words == "Sign in" for form in page.forms for _, _, words in form.buttons):
            page = self.press(page, "Sign in", email=email, password=password, stop_before=stop_before)
        if page.leads_to is None and _host(page.url) == google:
            page = self.press(page, "Allow", without=without, stop_before=stop_before)
        return page

    def _ask(
        self,
        method: str,
        address: str,
        *,
        stop_before: str | None,
        came_from: str | None,
        policy: str = "",
        targets: tuple[str, ...] | None = None,
        **sent: Any,
    ) -> Page:
        """`policy`: the Referrer-Policy of the page at `came_from`; `targets`: its `form_targets`."""
        for _ in range(MOST_REDIRECTS):
            assert targets is None or _origin_of(address) in targets, f"no form of {came_from} may lead to {address}"
            headers = _origin(method, address, came_from, mode="navigate", policy=policy)
            self.visited.append(address)
            answer = self.http.request(
                method, address, headers=headers, allow_redirects=False, timeout=TIMEOUT_S, **sent
            )
            if not answer.is_redirect:
                page = Page(answer)
                assert page.blocked == [], f"what {address} says of itself keeps it from working"
                return page
            address = urljoin(answer.url, answer.headers["Location"])
            if stop_before is not None and address.startswith(stop_before):
                return Page(answer, address)
            method, sent, came_from = "GET", {}, came_from or answer.url
        raise AssertionError(f"redirected {MOST_REDIRECTS} times, at last to {address}")


def _origin(method: str, address: str, came_from: str | None, *, mode: str, policy: str = "") -> dict[str, str]:
    """What browsers say of where a request comes from (Fetch Metadata, and the Origin of what is not a mere look).

    A script always says its origin; a form says what the `policy` of its page lets it (Fetch standard, "append a request Origin header").
    """
    headers = {"Sec-Fetch-Site": _relation(came_from, address), "Sec-Fetch-Mode": mode}
    if mode == "navigate":
        headers |= {"Sec-Fetch-Dest": "document", "Accept": "text/html,*/*;q=0.8"}
    if came_from is not None and method not in ("GET", "HEAD"):
        hidden = policy == "no-referrer" or (policy == "same-origin" and headers["Sec-Fetch-Site"] != "same-origin")
        headers["Origin"] = "null" if hidden and mode == "navigate" else _origin_of(came_from)
    return headers


def _origin_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _relation(came_from: str | None, address: str) -> str:
    """Ports part origins; they do not part sites."""
    if came_from is None:
        return "none"
    if _origin_of(came_from) == _origin_of(address):
        return "same-origin"
    here, there = urlsplit(came_from), urlsplit(address)
    return "same-site" if (here.scheme, here.hostname) == (there.scheme, there.hostname) else "cross-site"


def _host(address: str) -> str:
    return urlsplit(address).netloc


class _Parsed(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.inline: list[tuple[str, str]] = []  # scripts and styles
        self.handlers: list[str] = []  # and attributes that are either
        self._open: dict[str, list[str]] = {}  # the words of what has not ended yet
        self._silent = 0
        self._select = ""
        self._href = ""
        self._button = ("", "")

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag in ("script", "style"):
            self._silent += 1
            self.inline.append((tag, ""))
        self.handlers += [
            f"{name}={value}" for name, value in given.items() if name == "style" or name.startswith("on")
        ]
        if tag == "a":
            self._href, self._open["a"] = given.get("href", ""), []
        elif tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
        elif self.forms:
            self._control(tag, given, {name for name, _ in attributes})

    def _control(self, tag: str, given: Mapping[str, str], marks: set[str]) -> None:
        form, name, value = self.forms[-1], given.get("name", ""), given.get("value", "")
        if tag == "button":
            self._button, self._open["button"] = (name, value), []
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in marks:
            form.fields.append((self._select, value))
        elif tag == "textarea":
            form.fields.append((name, ""))
        elif tag == "input" and given.get("type") in ("checkbox", "radio"):
            value = given.get("value", "on")
            form.boxes.append((name, value))
            if "checked" in marks:
                form.fields.append((name, value))
        elif tag == "input" and name:
            form.fields.append((name, value))

    def handle_data(self, data: str) -> None:
        if self._silent:
            kind, before = self.inline[-1]
            self.inline[-1] = (kind, before + data)
        text = " ".join(data.split())
        if text and not self._silent:
            self.words.append(text)
            for words in self._open.values():
                words.append(text)

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style")
        words = " ".join(self._open.pop(tag, ()))
        if tag == "a" and words:
            self.links.append((words, self._href))
        elif tag == "button" and words and self.forms:
            self.forms[-1].buttons.append((*self._button, words))


def _read(html: str) -> _Parsed:
    parsed = _Parsed()
    parsed.feed(html)
    return parsed
