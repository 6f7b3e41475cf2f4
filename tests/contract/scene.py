"""A business with one of everything, for calls that are made up: the names by which these mean what there is, and the callers.

The calls are made from the document before anything is running, so they say `known-booking` and the like; on the way in each name becomes the id of the thing
that there is now. (So the same calls are made in every run, too.)
"""

import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from zlib import crc32

from schemathesis import Case
from schemathesis.core import NOT_SET
from schemathesis.generation.meta import TestPhase

from functions.adapters.clock import now_millis
from functions.adapters.settings import Settings
from functions.adapters.signing import BrowserClaim, browser_cookie, secret_hash
from functions.adapters.store.documents import NO_ACCOUNT
from functions.booking.callers import new_key
from functions.booking.cookies import SIGNED_IN
from functions.domain.configuration import OperatorKey
from functions.domain.decision import Decision
from functions.domain.membership import joining
from functions.domain.permissions import Permission
from functions.domain.person import Person, person_id, sign_in
from tests.studio import DAY, Studio

Json = dict[str, Any]
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

EVENING, NEXT_EVENING = f"{DAY}T18:00:00Z", f"{DAY + timedelta(days=1)}T18:00:00Z"
_SLOTS = [f"{DAY}T10:00:00Z", f"{DAY}T10:30:00Z", f"{DAY + timedelta(days=1)}T09:00:00Z"]
_DATES = {"end": [f"{DAY + timedelta(days=3)}"], "last": [f"{DAY + timedelta(days=3)}"]}
_CALENDAR_FILE = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20300101\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

# What an address names, in every call; which others it may name is the path's business, and tested by itself.
_NAMED: Mapping[str, str] = {
    "account": "known-account",
    "service": "consult",
    "resource": "anna",
    "booking": "known-booking",
    "session": "known-session",
    "entry": "known-entry",
    "calendar": "known-calendar",
    "connection": "known-connection",
    "preset": "rules",
    "member": "known-member",
    "invitation": "known-invitation",
    "key": "known-key",
    "erasure": "known-erasure",
}
# A body with which each of these calls succeeds in the scene, whoever else made up what.
_KIM = {"name": "Kim", "email": "kim@client.example"}
_TWO_DAYS_ON = f"{DAY + timedelta(days=2)}T18:00:00Z"
_HOURS = [{"days": [1, 2, 3, 4, 5, 6, 7], "start": "09:00", "end": "17:00"}]
_RIGHT: Mapping[str, Any] = {
    "POST /v1/accounts": {"name": "Nord", "time_zone": "Europe/Berlin"},
    "POST /bookings": {"service": "consult", "start": _SLOTS[0], "client": _KIM},
    "POST /bookings/{booking}/move": {"start": _SLOTS[0]},
    "POST /bookings/{booking}/reschedule": {"start": _SLOTS[0]},
    "POST /bookings/{booking}/waitlist": {"paused": False},
    "POST /clients/erase": {"email": "lou@client.example", "confirm": "lou@client.example"},
    "POST /clients/export": {"email": "kim@client.example"},
    "POST /connections/grants": {"email": "anna@known-account.example", "refresh_token": "known-refresh-token"},
    "POST /holds": {"service": "consult", "start": _SLOTS[0]},
    "POST /invitations": {"email": "lou@client.example", "role": "manager"},
    "POST /keys": {"name": "another one", "permissions": ["read"]},
    "POST /preview": {"session": {"id": "known-session", "capacity": 2}},
    "POST /resources/{resource}/holidays": _CALENDAR_FILE,
    "POST /series": {"service": "consult", "start": _SLOTS[0], "client": _KIM, "weeks": 2},
    "POST /sessions": {"service": "yoga", "start": _TWO_DAYS_ON},
    "POST /sessions/{session}/clone": {"start": _TWO_DAYS_ON},
    "POST /waitlist": {
        "service": "yoga",
        "sessions": ["known-session"],
        "client": {**_KIM, "email": "lou@client.example"},
    },
    "PATCH /members/{member}": {"role": "viewer"},
    "PATCH /sessions/{session}": {"closed": True},
    "PATCH /waitlist/{entry}": {"seats": 1},
    "PUT /calendars/{calendar}": {"blocks": ["anna"], "destination_for": ["anna"]},
    "PUT /origins": {"allowed_origins": ["https://www.studio.example"]},
    "PUT /presets/{preset}": {"name": "Rules", "mode": "manual"},
    "PUT /resources/{resource}": {"name": "Anna", "time_zone": "Europe/Berlin", "hours": _HOURS},
    "PUT /retention": {"days": 365},
    "PUT /services/{service}": {
        "name": "Consultation",
        "duration_minutes": 30,
        "step_minutes": 30,
        "resources": ["anna"],
    },
}
COOKIE = "X-Cookie"
# Values that lead somewhere, by the name of a parameter or field.
_LEADING: Mapping[str, list[Any]] = {
    "service": ["consult", "yoga"],
    "resource": ["anna"],
    "resources": ["anna"],
    "blocks": ["anna"],
    "destination_for": ["anna"],
    "booking": ["known-booking", "known-hold"],
    "session": ["known-session", "known-booked-session"],
    "sessions": ["known-session"],
    "entry": ["known-entry"],
    "calendar": ["known-calendar"],
    "id": ["consult", "anna", "known-session"],
    "waitlist": ["rules"],
    "start": [*_SLOTS, EVENING],
    "end": [f"{DAY}T18:45:00Z"],
    "after": _SLOTS,
    "time_zone": ["Europe/Berlin"],
    "name": ["Kim"],
    "email": ["kim@client.example"],
    "phone": ["+49 30 1234567"],
    "answers": [{}],
    "seats": [1],
    "duration": [30],
    "duration_minutes": [30],
    "rule": ["FREQ=WEEKLY;COUNT=2"],
}
# Each by the headers that they send. (A cookie is in a header of its own until it has passed the client, which keeps those that it knows.)
CALLERS: Mapping[str, Mapping[str, str]] = {
    "an operator": {"Authorization": "Bearer known-operator-key"},
    "an owner who is signed in": {COOKIE: "known-cookie", "Origin": "known-origin", "Sec-Fetch-Site": "same-origin"},
    "a viewer": {"Authorization": "Bearer known-viewer-key"},
    "the client": {"Authorization": "Bearer known-manage-token"},
    "nobody": {},
    "a stranger": {"Authorization": "Bearer bok_nothing-that-we-know"},
    "garbage": {"Authorization": "Bearer \xfe\x7f ;,", COOKIE: "\xff.\xfe;;="},
}
# How many calls each of them makes, by whom they are for.
_EVERYBODY = dict.fromkeys(CALLERS, 1)
_SHARES: Mapping[str, Mapping[str, int]] = {
    "Clients": {**_EVERYBODY, "nobody": 10, "an operator": 5},
    "Holders of a manage token": {**_EVERYBODY, "the client": 9, "an operator": 6},
    "Operators": {**_EVERYBODY, "an operator": 12, "an owner who is signed in": 4, "a viewer": 2},
    "People who are signed in": {**_EVERYBODY, "an owner who is signed in": 15},
    "Browsers": {**_EVERYBODY, "an owner who is signed in": 5},
}


def who_makes(case: Case) -> Sequence[str]:
    """One of them, always the same for the same call, so that it can be made again; and each of them, where the call is all the same. What the document gives
    as an example is asked by who may.
    """
    tag = case.operation.definition.raw["tags"][0]
    shares = _SHARES[tag]
    said = (case.query or {}, dict(case.headers or {}), None if case.body is NOT_SET else case.body)
    if said == ({}, {}, None):
        return tuple(shares)
    if case.meta is not None and case.meta.phase.name is TestPhase.EXAMPLES:
        return ("an owner who is signed in" if tag in ("People who are signed in", "Browsers") else "an operator",)
    callers = [who for who, share in shares.items() for _ in range(share)]
    return (callers[crc32(repr(said).encode("utf-8", "surrogatepass")) % len(callers)],)


def leading_somewhere(document: Json) -> Json:
    """The document with addresses of what there is, and with values that lead somewhere among those that fit: nobody makes up an id that exists."""
    document = json.loads(json.dumps(document))
    for schema in document["components"]["schemas"].values():
        for name, field_ in schema.get("properties", {}).items():
            schema["properties"][name] = _with_leading(name, field_)
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            call["parameters"] = [
                {**parameter, "schema": _with_leading(parameter["name"], parameter["schema"])}
                for parameter in call["parameters"]
                if parameter["in"] != "path"
            ]
            for content in call.get("requestBody", {}).get("content", {}).values():
                if content["schema"] == {"type": "string"}:
                    content["schema"] = {"anyOf": [{"enum": [_CALENDAR_FILE]}, {"type": "string"}]}
                right = _RIGHT.get(f"{method.upper()} {path.removeprefix('/v1/accounts/{account}') or path}")
                if right is not None:
                    content["example"] = right
    document["paths"] = {_named(path): calls for path, calls in document["paths"].items()}
    return dict(document)


def _named(path: str) -> str:
    path = path.replace("/bookings/{booking}/confirm", "/bookings/known-hold/confirm")
    for answer in ("accept", "decline"):
        path = path.replace(f"/waitlist/{{entry}}/{answer}", f"/waitlist/known-offer/{answer}")
    return path.format(**_NAMED)


def _with_leading(name: str, schema: Json) -> Json:
    values = _DATES.get(name, [f"{DAY}"]) if schema.get("format") == "date" else _LEADING.get(name)
    if values is None:
        return schema
    if schema.get("type") == "array":
        return {**schema, "items": {"anyOf": [{"enum": values}, schema["items"]]}, "examples": [values]}
    return {"anyOf": [{"enum": values}, schema], "examples": values}


@dataclass(frozen=True)
class Deployed:
    """The booking function as it runs, and what it runs with."""

    function: Wsgi
    settings: Settings


@dataclass
class Scene:
    """The booking function as the calls come to it. `known`: what the names stand for; `tokens`: the manage token of each thing that has one."""

    deployed: Deployed
    known: dict[str, str]
    tokens: dict[str, str]

    def with_known(self, more: Mapping[str, str]) -> "Scene":
        return replace(self, known={**self.known, **more})

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        token = next((token for name, token in self.tokens.items() if name in environ["PATH_INFO"]), "none")
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        for name, value in {**self.known, "known-manage-token": token}.items():
            for key in ("PATH_INFO", "QUERY_STRING", "HTTP_AUTHORIZATION", "HTTP_ORIGIN", "HTTP_X_COOKIE"):
                environ[key] = environ.get(key, "").replace(name, value)
            body = body.replace(name.encode(), value.encode())
        if environ.get("CONTENT_LENGTH"):
            environ["CONTENT_LENGTH"] = str(len(body))
        environ["wsgi.input"] = io.BytesIO(body)
        environ["HTTP_COOKIE"] = f"{SIGNED_IN}={environ.pop('HTTP_X_COOKIE')}"
        return self.deployed.function(environ, start_response)


def set_scene(studio: Studio, deployed: Deployed) -> Scene:
    """A booking, seats that are kept, a class that is full, somebody who waits for it, and somebody who has an offer."""
    studio.open()
    studio.offer(capacity=30)
    studio.rules(mode="manual")
    studio.offer("yoga", kind="event", capacity=1, duration_minutes=60, step_minutes=60, waitlist="rules")
    booking, start = studio.book(studio.starts()[0]), studio.starts()[0]
    hold = studio.post("holds", {"service": "consult", "start": start}).json()
    full, other = (studio.schedule(evening, service="yoga", minutes=60) for evening in (EVENING, NEXT_EVENING))
    for evening in (EVENING, NEXT_EVENING):
        studio.book(evening, service="yoga")
    entry = studio.wait(service="yoga", sessions=[full], client="lee")
    offered = studio.wait(service="yoga", sessions=[other], client="mia")
    assert studio.change_session(other, capacity=2).ok
    assert offered.promote(as_offer=True).ok
    known = {
        "known-account": studio.account,
        "known-operator-key": studio.api_key,
        "known-viewer-key": _viewer(studio),
        "known-refresh-token": studio.person.refresh_token,
        "known-session": full,
        "known-booked-session": booking.session,
        "known-booking": booking.id,
        "known-hold": hold["id"],
        "known-entry": entry.id,
        "known-offer": offered.id,
        **_members(studio, deployed.settings),
        "known-origin": deployed.settings.booking_url,
        "known-key": _made(studio, "keys", {"name": "another", "permissions": ["read"]}),
        "known-invitation": _made(studio, "invitations", {"email": "guest@client.example", "role": "viewer"}),
        "known-erasure": _made(studio, "clients/erase", {"email": "x@client.example", "confirm": "x@client.example"}),
        "known-calendar": "none",
        "known-connection": "none",
    }
    tokens = {
        "known-booking": booking.token,
        "known-hold": hold["manage_token"],
        "known-entry": entry.token,
        "known-offer": offered.token,
    }
    return Scene(deployed, known, tokens)


def _viewer(studio: Studio) -> str:
    """An API key that may look, and do nothing."""
    key, viewer = new_key(), frozenset[Permission](("read",))
    stored = OperatorKey(id=secret_hash(key), name="viewer", created_at=now_millis(), permissions=viewer)
    studio.store.run(studio.account, lambda reader: Decision(answer=None, documents=(stored,)))
    return key


def _made(studio: Studio, what: str, body: Json) -> str:
    """The id of what an operator makes."""
    answer = studio.post(what, body, **studio.operator)
    assert answer.ok, answer.text
    return str(answer.json()["id"])


def _members(studio: Studio, settings: Settings) -> dict[str, str]:
    """An owner who is signed in, by the cookie of their browser; and another one."""
    now = now_millis()
    owner, other = (
        Person(id=person_id(f"{studio.account} {who}"), email=f"{who}@{studio.account}.example", created_at=now)
        for who in ("owner", "other")
    )
    browser = secret_hash(studio.account)[:32]
    studio.store.run(NO_ACCOUNT, lambda reader: sign_in(None, owner, browser, now=now))
    members = tuple(joining(each, "owner", now=now) for each in (owner, other))
    studio.store.run(studio.account, lambda reader: Decision(answer=None, documents=members))
    claim = BrowserClaim(person=owner.id, browser=browser, issued_at=now)
    return {"known-cookie": browser_cookie(settings.signing_keys[0], claim), "known-member": other.id}
