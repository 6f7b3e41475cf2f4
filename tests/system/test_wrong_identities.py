"""Every route, asked for by everybody who may not: the router itself is walked, so that a new route is walked too.

The booking function runs in this process. That nothing was changed is seen where its commits would leave it.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, get_args

import pytest
import requests
from flask.testing import FlaskClient

from functions.adapters.composition import Application
from functions.adapters.signing import (
    BrowserClaim,
    ChannelClaim,
    browser_cookie,
    channel_token,
    invitation_token,
    secret_hash,
)
from functions.adapters.store.documents import NO_ACCOUNT
from functions.adapters.store.store import Store
from functions.booking.addresses import ADDRESSES, routes_of
from functions.booking.bootstrap import bootstrap
from functions.booking.callers import ACT_AS, Access, new_key
from functions.booking.routing import Route
from functions.domain.configuration import OperatorKey
from functions.domain.decision import Decision, HistoryEntry, Ref
from functions.domain.membership import Member, joining
from functions.domain.permissions import EVERYTHING, OF_ROLE, Permission, Role
from functions.domain.person import IDLE_MS, Person, person_id, sign_in, sign_out
from infra.local.platform import Platform
from tests.domain.builders import BY_OPERATOR, calendar, connection
from tests.in_process import application_of, booking_client
from tests.studio import DAY
from tests.wire import Wire, tap

ROUTES = (*routes_of(ADDRESSES),)
LOOKS = ("GET", "HEAD")
Headers = Mapping[str, str]
# What has to be said in the address of a look, by its last word.
ASKED: Mapping[str, Mapping[str, str]] = {
    "availability": {"start": f"{DAY}", "end": f"{DAY + timedelta(days=1)}"},
    "overview": {"month": f"{DAY:%Y-%m}"},
    "explain": {"start": f"{DAY}T10:00:00Z"},
}
OPEN = {
    "GET /console",
    "GET /docs",
    "GET /invitation",
    "GET /oauth/callback",
    "GET /openapi.json",
    "GET /signin",
    "GET /signin/callback",
    "GET /v1/accounts/<id:account>/services",
    "GET /v1/accounts/<id:account>/services/<id:service>/availability",
    "GET /v1/accounts/<id:account>/services/<id:service>/next",
    "GET /v1/accounts/<id:account>/services/<id:service>/overview",
    "POST /console/accounts",
    "POST /invitation",
    "POST /signout",
    "POST /v1/accounts/<id:account>/bookings",
    "POST /v1/accounts/<id:account>/holds",
    "POST /v1/accounts/<id:account>/series",
    "POST /v1/accounts/<id:account>/waitlist",
}
OWNERS_ALONE = {
    "PATCH /v1/accounts/<id:account>/members/<id:member>",
    "DELETE /v1/accounts/<id:account>/members/<id:member>",
    "GET /v1/accounts/<id:account>/invitations",
    "POST /v1/accounts/<id:account>/invitations",
    "DELETE /v1/accounts/<id:account>/invitations/<id:invitation>",
    "GET /v1/accounts/<id:account>/keys",
    "POST /v1/accounts/<id:account>/keys",
    "DELETE /v1/accounts/<id:account>/keys/<id:key>",
}


@dataclass(frozen=True)
class Identity:
    """Somebody, by the headers that they send. `kind`: what of those that follow it is. `opens`: the access of what their token is good for."""

    kind: str
    headers: Headers
    may: frozenset[Permission] = frozenset()
    opens: Access | None = None


@dataclass(frozen=True)
class World:
    client: FlaskClient
    wire: Wire
    ids: Mapping[str, str]
    identities: Mapping[str, Identity]
    owner: Identity

    def ask(self, route: Route, headers: Headers, **query: str) -> Any:
        address = re.sub(r"<id:(\w+)>", lambda found: self.ids[found[1]], route.path)
        sent = {"Content-Type": "application/json", **headers}
        data = None if route.method in LOOKS else "{}"
        return self.client.open(address, method=route.method, headers=sent, data=data, query_string=query)


@pytest.fixture(scope="module")
def make_world(platform: Platform, store: Store) -> Iterator[Callable[[str], World]]:
    application = application_of(platform)
    of_a_task = {"audience": platform.addresses.booking, "email": platform.configuration.tasks_service_account}
    answer = requests.post(f"{platform.addresses.tasks_http}/control/oidc", json=of_a_task, timeout=10)
    with booking_client(application).application.test_client(use_cookies=False) as client:
        yield lambda account: _world(account, application, client, store, of_a_task=answer.json()["token"])


@pytest.fixture(scope="module")
def world(make_world: Callable[[str], World]) -> World:
    """In which nothing is ever done."""
    return make_world("walked")


def _world(account: str, application: Application, client: FlaskClient, store: Store, *, of_a_task: str) -> World:
    made, other, key = _Made(application, client), f"{account}-by", application.settings.signing_keys[0]
    owner_key = _bearer(bootstrap(store, account=account, name=account, time_zone="UTC", may_exist=False))
    other_key = bootstrap(store, account=other, name="Other", time_zone="UTC", may_exist=False)
    mine, theirs = (made.booking(account, owner_key, name) for name in ("anna", "ben"))
    waiting = made.waiting(account, owner_key, mine)
    invited = made.ok(
        "POST", f"/v1/accounts/{account}/invitations", {"email": f"guest@{account}.example", "role": "owner"}, owner_key
    )
    of_a_channel = ChannelClaim(account=account, calendar="calendar", expires=2**33)
    revoked = made.key(account, EVERYTHING)
    store.run(account, lambda reader: _gone(Ref(OperatorKey, secret_hash(revoked))))
    owner = made.signed_in("owner", account, "owner")
    left = made.signed_in("who left", account, "owner")
    store.run(account, lambda reader: _gone(Ref(Member, _person("who left", account))))
    out = made.signed_in("who signed out", account, "owner")
    store.run(NO_ACCOUNT, lambda reader: _signed_out(reader.get(Ref(Person, _person("who signed out", account)))))
    idle = made.signed_in("who was away", account, "owner", issued_ago=IDLE_MS + 60_000)
    tampered = {"Cookie": owner["Cookie"][:-1] + ("A" if owner["Cookie"][-1] != "A" else "B")}
    here = {"Origin": application.settings.booking_url, "Sec-Fetch-Site": "same-origin"}
    identities = {
        "nobody": Identity("nobody", {}),
        "who brings nonsense": Identity("token", _bearer("nonsense")),
        "who brings another scheme": Identity("nobody", {"Authorization": "Basic eDp5"}),
        "who brings no key of ours": Identity("no key", _bearer("bok_wrong")),
        "another account's key": Identity("no key", _bearer(other_key)),
        "a revoked key": Identity("no key", _bearer(revoked)),
        "the client of another booking": Identity("token", _bearer(theirs["manage_token"])),
        "the client of the booking": Identity("token", _bearer(mine["manage_token"]), opens="booking"),
        "who waits": Identity("token", _bearer(waiting["manage_token"]), opens="entry"),
        "who is invited": Identity("token", _bearer(invitation_token(key, account, invited["id"]))),
        "a channel of Google's": Identity("token", _bearer(channel_token(key, "channel", of_a_channel))),
        "a task": Identity("token", _bearer(of_a_task)),
        **{
            f"a key that lacks {each}": Identity(
                "operator", _bearer(made.key(account, EVERYTHING - {each})), EVERYTHING - {each}
            )
            for each in sorted(EVERYTHING)
        },
        **{
            f"a {role}": Identity("operator", made.signed_in(f"some {role}", account, role) | here, OF_ROLE[role])
            for role in get_args(Role)
        },
        "another account's owner": Identity("stranger", made.signed_in("stranger", other, "owner") | here),
        "who was removed": Identity("stranger", left | here),
        "who signed out": Identity("nobody", out | here),
        "who was away for too long": Identity("nobody", idle | here),
        "who changed a cookie": Identity("nobody", tampered | here),
        "an owner, by another site": Identity("forged", owner | {"Origin": "https://evil.example"}),
        "an owner, by another port": Identity("forged", owner | {"Sec-Fetch-Site": "same-site"}),
        "an owner, from nowhere": Identity("forged", owner),
        "an owner, by a form": Identity("forged", owner | here | {"Content-Type": "text/plain"}),
        "an owner, by a form of another kind": Identity(
            "forged", owner | here | {"Content-Type": "application/x-www-form-urlencoded"}
        ),
    }
    made.signed_in("who leaves", account, "owner")
    made.ok("PUT", f"/v1/accounts/{account}/presets/rules", {"name": "Rules"}, owner_key)
    whose = {"email": f"nobody@{account}.example"}
    ids = {
        "account": account,
        "booking": mine["id"],
        "session": mine["session"],
        "entry": waiting["id"],
        "resource": "anna",
        "service": "consult",
        "member": _person("who leaves", account),
        "preset": "rules",
        "invitation": invited["id"],
        "key": made.ok("POST", f"/v1/accounts/{account}/keys", {"name": "another", "permissions": ["read"]}, owner_key)[
            "id"
        ],
        "erasure": made.ok(
            "POST", f"/v1/accounts/{account}/clients/erase", whose | {"confirm": whose["email"]}, owner_key
        )["id"],
        "connection": "connection",
        "calendar": "calendar",
    }
    for document in (
        connection(id="connection", status="needs_reconnect", subject=account, secret=""),
        calendar(id="calendar", connection="connection", resources=()),
    ):
        store.run(account, lambda reader, document=document: _kept(document))  # type: ignore[misc]
    return World(client, tap(application.store.client), ids, identities, Identity("operator", owner | here, EVERYTHING))


def test_everybody_who_may_call_anything_is_thought_of() -> None:
    assert set(get_args(Access)) == {"public", "operator", "booking", "entry", "person", "page"}
    assert {route.access for route in ROUTES} == set(get_args(Access))


def test_what_asks_nobody_who_they_are_is_no_accident() -> None:
    """Whoever opens a route to everybody says so here too."""
    assert {f"{route.method} {route.path}" for route in ROUTES if route.access in ("public", "page")} == OPEN


def test_who_belongs_to_an_account_is_its_owners_to_say() -> None:
    assert {f"{route.method} {route.path}" for route in ROUTES if route.needs == "members"} == OWNERS_ALONE
    assert not any("members" in OF_ROLE[role] for role in get_args(Role) if role != "owner")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_route_opens_to_nobody_who_may_not(world: World, route: Route) -> None:
    world.wire.clear()
    wrong = {name: _refused(route, each) for name, each in world.identities.items()}
    answers = {
        name: world.ask(route, _acting(route, world.identities[name]))
        for name, status in wrong.items()
        if status is not None
    }
    assert {name: answer.status_code for name, answer in answers.items()} == {name: wrong[name] for name in answers}
    for answer in answers.values():
        assert answer.json["type"].rpartition(":")[2] in ("unauthorized", "forbidden", "cross-site", "not-found")
        assert (answer.headers.get("WWW-Authenticate") == "Bearer") is (answer.status_code == 401)
    assert world.wire.commits == []
    assert answers or route.access in ("public", "page")


def _in_the_end(route: Route) -> tuple[bool, bool]:
    """What ends something comes after everything else, and what ends the owner's own membership last."""
    return route.method == "DELETE", route.access == "person"


def test_every_route_opens_to_who_may(make_world: Callable[[str], World]) -> None:
    """What is looked at is seen, what ends has ended. What else is done to what there is may be refused for what it says, which comes after who says it."""
    world, wrong = make_world("opened"), {}
    for route in sorted((each for each in ROUTES if each.access != "page"), key=_in_the_end):
        answer = world.ask(route, _acting(route, world.owner), **ASKED.get(route.path.rpartition("/")[2], {}))
        for_what_it_says = set[int]() if route.method in ("GET", "DELETE") else {409, 415, 422}
        if answer.status_code not in {route.status} | for_what_it_says:
            wrong[f"{route.method} {route.path}"] = (answer.status_code, answer.text)
    assert wrong == {}


def _refused(route: Route, identity: Identity) -> int | None:
    """The status with which this one is refused; None where they may call it, or nobody looks at who they are."""
    looks_only = route.method in LOOKS
    match route.access, identity.kind:
        case ("public", "token") | ("page", "nobody" | "token" | "no key" | "stranger" | "operator"):
            return None
        case "public", _ if "<id:account>" not in route.path:
            return None
        case _, "forged":
            return None if looks_only else 403
        case "person", "operator" | "stranger":
            return 401 if "Authorization" in identity.headers else None
        case "person", _:
            return 401
        case "booking" | "entry", "token":
            return None if identity.opens == route.access else 404
        case _, "operator":
            return None if route.needs in identity.may else 403
        case _, "stranger":
            return 403
        case _:
            return 401


def _acting(route: Route, identity: Identity) -> Headers:
    """What is public too knows operators only where they say that they are some."""
    return {**identity.headers, ACT_AS: "operator"} if route.access == "public" else identity.headers


@dataclass(frozen=True)
class _Made:
    """What the walk needs of the world, made with as few calls as it takes."""

    application: Application
    client: FlaskClient

    def booking(self, account: str, by: Headers, name: str) -> dict[str, Any]:
        base, hours = f"/v1/accounts/{account}", [{"days": [1, 2, 3, 4, 5, 6, 7], "start": "00:00", "end": "24:00"}]
        self.ok("PUT", f"{base}/resources/{name}", {"name": name, "time_zone": "UTC", "hours": hours}, by)
        service = {"name": name, "duration_minutes": 60, "step_minutes": 60, "resources": [name]}
        self.ok("PUT", f"{base}/services/{_SERVICES[name]}", service, by)
        wish = {"service": _SERVICES[name], "start": f"{DAY}T10:00:00Z", "client": _details(name)}
        return self.ok("POST", f"{base}/bookings", wish, {})

    def waiting(self, account: str, by: Headers, full: Mapping[str, Any]) -> dict[str, Any]:
        wish = {"service": full["service"], "sessions": [full["session"]], "client": _details("kim")}
        return self.ok("POST", f"/v1/accounts/{account}/waitlist", wish, {})

    def key(self, account: str, permissions: frozenset[Permission]) -> str:
        secret = new_key()
        key = OperatorKey(id=secret_hash(secret), name=secret[-8:], created_at=0, permissions=permissions)
        self.application.store.run(account, lambda reader: _kept(key))
        return secret

    def signed_in(self, who: str, account: str, role: Role, *, issued_ago: int = 0) -> dict[str, str]:
        """A member of an account, by the cookie of their browser."""
        now, person = int(time.time() * 1000), _person(who, account)
        browser = secret_hash(person)[:32]
        identity = Person(id=person, email=f"{who.replace(' ', '-')}@{account}.example", created_at=now)
        self.application.store.run(NO_ACCOUNT, lambda reader: sign_in(None, identity, browser, now=now))
        self.application.store.run(account, lambda reader: _kept(joining(identity, role, now=now)))
        claim = BrowserClaim(person=person, browser=browser, issued_at=now - issued_ago)
        return {"Cookie": f"signed_in={browser_cookie(self.application.settings.signing_keys[0], claim)}"}

    def ok(self, method: str, address: str, body: Any, headers: Headers) -> dict[str, Any]:
        answer = self.client.open(address, method=method, json=body, headers=dict(headers))
        assert answer.status_code < 300, answer.text
        return dict(answer.json)


def _person(who: str, account: str) -> str:
    return person_id(f"{who} of {account}")


_SERVICES = {"anna": "consult", "ben": "massage"}
_MADE = HistoryEntry(what="made", author=BY_OPERATOR)


def _details(name: str) -> dict[str, str]:
    return {"name": name, "email": f"{name}@client.example"}


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _kept(document: Any) -> Decision[None]:
    return Decision(answer=None, documents=(document,), history=(_MADE,))


def _gone(ref: Ref[Any]) -> Decision[None]:
    return Decision(answer=None, deletions=(ref,), history=(_MADE,))


def _signed_out(person: Person | None) -> Decision[Person]:
    assert person is not None
    return sign_out(person, next(iter(person.browsers)))
