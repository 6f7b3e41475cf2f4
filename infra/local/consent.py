"""Giving consent on Google's pages as a person with a browser does: forms, cookies, redirects, a click on Allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

import httpx

# Sign-in, consent and the application's answer are three; a loop of pages is a mistake somewhere.
MOST_PAGES = 8


class ConsentFailed(Exception):
    """The pages did not lead back to the application; the message says where they ended."""


@dataclass
class _Form:
    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    """The forms of a page, with what a browser would send of them: ticked boxes, hidden fields, the buttons."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[_Form] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "form":
            self.found.append(_Form(action=given.get("action", ""), method=given.get("method", "get").lower()))
        elif tag in ("input", "button") and self.found:
            self._control(tag, given, dict(attributes))

    def _control(self, tag: str, given: Mapping[str, str], attributes: Mapping[str, str | None]) -> None:
        form, name, value = self.found[-1], given.get("name", ""), given.get("value", "")
        if tag == "button" or given.get("type") == "submit":
            form.buttons.append((name, value))
        elif name and (given.get("type") not in ("checkbox", "radio") or "checked" in attributes):
            form.fields.append((name, value))


def give_consent(consent_url: str, *, email: str, password: str, back_to: str) -> None:
    """Sign in and allow what is asked, until the browser is back at an address that begins with `back_to`.

    Raises ConsentFailed where it does not come back, or comes back to an error.
    """
    with httpx.Client(follow_redirects=True, timeout=30, trust_env=False) as browser:
        page = browser.get(consent_url)
        for _page in range(MOST_PAGES):
            if str(page.url).startswith(back_to):
                if page.is_success:
                    return
                raise ConsentFailed(f"the application answered the consent with {page.status_code}: {page.text[:300]}")
            page = _submit(browser, page, email=email, password=password)
    raise ConsentFailed(f"still on a page of {page.url.host} after {MOST_PAGES} pages")


def _submit(browser: httpx.Client, page: httpx.Response, *, email: str, password: str) -> httpx.Response:
    forms = _Forms(page.text).found
    if not page.is_success or not forms:
        raise ConsentFailed(f"{page.url.path} answered {page.status_code} and no form to go on with: {page.text[:300]}")
    form = forms[0]
    known = {"email": email, "password": password}
    sent = [(name, known.get(name, value)) for name, value in form.fields] + _allow(form.buttons)
    address = urljoin(str(page.url), form.action)
    if form.method != "post":
        return browser.get(address, params=httpx.QueryParams(tuple(sent)))
    # Encoded here, because httpx takes no list of pairs: each ticked scope is a field of the same name.
    return browser.post(address, content=urlencode(sent), headers={"Content-Type": "application/x-www-form-urlencoded"})


def _allow(buttons: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The button that goes on, as a field: Allow where there is a choice, else the first one with a name, if any has."""
    named = [button for button in buttons if button[0]]
    allowing = [button for button in named if button[1].lower() == "allow"]
    return [*allowing, *named][:1]
