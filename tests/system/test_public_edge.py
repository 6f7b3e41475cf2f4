"""The doors of the public edge, each tried from outside: limits that hold across instances, holds, web pages of other sites, hidden fields, slow callers.

Two instances of the booking function stand beside the platform's own, with limits that are soon reached, behind one front whose word on the caller's address
counts. Every test calls from addresses of its own. Who may call what is tried in `test_callers`, bodies of the wrong form in `test_bad_input`.
"""

import socket
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from itertools import cycle
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask, request

from functions.adapters.clock import now_millis
from functions.booking.routing import Route, Router, map_of
from infra.local.platform import Platform
from infra.local.ports import Ports
from tests.in_process import application_of
from tests.studio import Studio, until
from tests.system.test_bad_input import problem
from tests.system.waiting import TEN, full_event

STRICT = {
    "TRUSTED_PROXIES": "1",
    "BOOKINGS_PER_ADDRESS": "5/3600",
    "BOOKINGS_PER_EMAIL": "2/3600",
    "CHANGES_PER_ADDRESS": "2/3600",
    "REFUSALS_PER_ADDRESS": "4/3600",
    "HOLDS_PER_ADDRESS": "2",
    "BODY_SECONDS": "1",
    "THREADS": "6",
}
FRAMED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@pytest.fixture(scope="module")
def instances(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The addresses of two instances; they share nothing but the database."""
    ours = platform.configuration
    with ExitStack() as running:
        started = []
        for name in ("first", "second"):
            strict = replace(
                ours,
                ports=replace(ours.ports, booking=Ports.free().booking),
                directory=tmp_path_factory.mktemp(name),
                environment={**ours.environment, **STRICT},
            )
            started.append(running.enter_context(Platform(strict, only=("booking",))))
        yield [each.addresses.booking for each in started]


@dataclass
class Front:
    """A client of the studio somewhere in the network, whose calls reach the instances in turns, through the one front that they trust."""

    studio: Studio
    instances: Iterator[str]
    address: str

    def call(self, method: str, path: str, body: Any = None, *, said: str = "", **headers: str) -> requests.Response:
        """`said`: what the client itself wrote into the header to which the front appends."""
        forwarded = f"{said}, {self.address}" if said else self.address
        url = f"{next(self.instances)}/v1/accounts/{self.studio.account}/{path}"
        return requests.request(method, url, json=body, headers={"X-Forwarded-For": forwarded, **headers}, timeout=20)

    def book(
        self, start: str, who: str = "", *, to: str = "bookings", said: str = "", **more: Any
    ) -> requests.Response:
        key = more.pop("key", None)
        email = who if "@" in who else f"{who or uuid.uuid4().hex}@{self.studio.account}.example"
        body = {"service": "consult", "start": start, "client": {"name": "Kim", "email": email}, **more}
        return self.call("POST", to, body, said=said, **({"Idempotency-Key": key} if key else {}))

    def hold(self, start: str) -> requests.Response:
        return self.call("POST", "holds", {"service": "consult", "start": start})

    def change(self, booking: Mapping[str, Any], verb: str, body: Any = None) -> requests.Response:
        return self.call("POST", f"bookings/{booking['id']}/{verb}", body, **bearer(booking["manage_token"]))


@dataclass
class Town:
    """Where the studio's clients live: an address each."""

    studio: Studio
    instances: list[str]
    homes: Iterator[int] = field(default_factory=lambda: iter(range(1, 250)))

    def client(self, address: str = "") -> Front:
        of_the_test = uuid.UUID(int=hash(self.studio.account) % 2**64).int
        home = f"10.{of_the_test % 250}.{of_the_test // 250 % 250}.{next(self.homes)}"
        return Front(self.studio, cycle(self.instances), address or home)


@pytest.fixture
def town(empty_studio: Studio, instances: list[str]) -> Town:
    empty_studio.open(start="00:00", end="24:00")
    return Town(empty_studio, instances)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def limited(answer: requests.Response, slug: str = "rate-limited") -> int:
    """After how many seconds it is worth another try."""
    body = problem(answer, 429, slug)
    assert "Try again in" in str(body["detail"])
    return int(answer.headers["Retry-After"])


def made(answer: requests.Response) -> dict[str, Any]:
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


class TestAddress:
    def test_it_has_its_share_of_all_instances_together_whatever_it_says_of_itself(
        self, town: Town, make_studio: Callable[[], Studio]
    ) -> None:
        starts, school = town.studio.starts(), town.client()
        for number, start in enumerate(starts[:5]):
            made(school.book(start, said=f"192.0.2.{number}"))
        for number in (6, 7):  # by either instance
            assert 1 <= limited(school.book(starts[5], said=f"192.0.2.{number}, 198.51.100.7")) <= 2 * 3600
        limited(school.book(starts[5], to="series", weeks=2))
        limited(school.hold(starts[5]))
        assert len(town.studio.look("bookings")["bookings"]) == 5
        # Nobody else is kept out by it: not who lives elsewhere, not an operator there, nor the clients of another business.
        made(town.client().book(starts[5]))
        body = {"service": "consult", "start": starts[6], "client": {"name": "Kim", "email": "k@client.example"}}
        made(school.call("POST", "bookings", body, **bearer(town.studio.api_key)))
        other = make_studio()
        other.open()
        other.offer()
        made(Front(other, cycle(town.instances), school.address).book(other.starts()[0]))

    def test_of_ipv6_it_is_the_network_that_a_subscriber_has(self, town: Town) -> None:
        starts = town.studio.starts()
        prefix = f"2001:db8:{uuid.uuid4().hex[:4]}:1"
        for number, start in enumerate(starts[:5]):
            made(town.client(f"{prefix}::{number}").book(start))
        limited(town.client(f"{prefix}:ffff::1").book(starts[5]))
        made(town.client(f"{prefix[:-1]}2::1").book(starts[5]))

    def test_what_it_was_granted_once_is_answered_again(self, town: Town) -> None:
        starts, client = town.studio.starts(), town.client()
        first = made(client.book(starts[0], "kim", key="k"))
        for start in starts[1:5]:
            made(client.book(start))
        limited(client.book(starts[5], key="another"))
        assert made(client.book(starts[0], "kim", key="k")) == first

    def test_changes_have_a_share_of_their_own(self, town: Town) -> None:
        starts, client = town.studio.starts(), town.client()
        booking = made(client.book(starts[0]))
        made(client.change(booking, "reschedule", {"start": starts[1]}))
        made(client.change(booking, "reschedule", {"start": starts[2]}))
        limited(client.change(booking, "reschedule", {"start": starts[3]}))
        limited(client.change(booking, "cancel"))
        assert made(town.client().change(booking, "cancel"))["status"] == "cancelled"
        made(client.book(starts[0]))

    def test_places_on_a_waitlist_are_bookings_and_what_is_done_with_one_is_a_change(self, town: Town) -> None:
        session, _ = full_event(town.studio, seats=1)
        client, other = town.client(), town.client()

        def wait(who: str) -> requests.Response:
            body = {"service": "consult", "sessions": [session], "client": town.studio.details(who)}
            return client.call("POST", "waitlist", body)

        def do(place: Mapping[str, Any], verb: str, at: Front = client) -> requests.Response:
            return at.call("POST", f"waitlist/{place['id']}/{verb}", **bearer(place["manage_token"]))

        places = [made(wait(f"w{number}")) for number in range(5)]
        limited(wait("w5"))
        limited(client.book(TEN))
        for place in places[:2]:
            assert made(do(place, "leave"))["status"] == "left"
        for verb in ("accept", "decline", "leave"):
            limited(do(places[2], verb))
        assert made(do(places[2], "leave", other))["status"] == "left"

    def test_of_many_at_the_same_moment_it_has_its_share_and_at_most_one_more_for_each_beside_it(
        self, town: Town
    ) -> None:
        """Nobody behind an address waits until the next one is counted. What gets through beside another is counted all the same."""
        at_once, starts, school = 4, town.studio.starts()[:24], town.client()
        with ThreadPoolExecutor(at_once) as threads:
            answers = list(threads.map(school.book, starts))
        assert {answer.status_code for answer in answers} == {201, 429}
        granted = sum(answer.status_code == 201 for answer in answers)
        assert 5 <= granted <= 5 + at_once - 1
        assert len(town.studio.look("bookings")["bookings"]) == granted
        assert replace(town.client(), address=school.address).book(starts[-1]).status_code == 429

    def test_it_is_kept_as_a_hash_that_tells_nothing(self, town: Town) -> None:
        client = town.client()
        made(client.book(town.studio.starts()[0], "kim"))
        kept = [
            (each.id, each.to_dict())
            for each in town.studio.store.client.collection(f"accounts/{town.studio.account}/usage").stream()
        ]
        assert len(kept) == 2, "an address and a mailbox"
        assert client.address not in str(kept)
        assert "kim" not in str(kept)
        assert all(fields["ttl"] for _, fields in kept)


class TestMailbox:
    def test_it_has_its_share_from_everywhere_however_it_is_written(self, town: Town) -> None:
        starts = town.studio.starts()
        domain = f"{town.studio.account}.example"
        made(town.client().book(starts[0], f"kim@{domain}"))
        made(town.client().book(starts[1], f"KIM+a@{domain}"))
        assert limited(town.client().book(starts[2], f"kim+b@{domain.upper()}")) > 60
        limited(town.client().book(starts[2], f"Kim@{domain}", to="series", weeks=2))
        made(town.client().book(starts[2], f"k.im@{domain}"))  # somebody else, here
        hold = made(town.client().hold(starts[3]))
        who = {"name": "Kim", "email": f"kim@{domain}"}
        limited(town.client().change(hold, "confirm", {"client": who}))
        made(town.client().change(hold, "confirm", {"client": who | {"email": f"lee@{domain}"}}))

    def test_of_many_at_the_same_moment_no_more_than_its_share_get_through(self, town: Town) -> None:
        starts, clients = town.studio.starts()[:8], [town.client() for _ in range(8)]
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda each: each[0].book(each[1], "kim"), zip(clients, starts, strict=True)))
        assert sorted(answer.status_code for answer in answers) == [201, 201, *[429] * 6]
        assert len(town.studio.look("bookings")["bookings"]) == 2


class TestHolds:
    def test_one_address_keeps_seats_in_so_many_places_until_it_finishes_or_gives_up(self, town: Town) -> None:
        starts, client = town.studio.starts(), town.client()
        first, second = made(client.hold(starts[0])), made(client.hold(starts[1]))
        assert 1 <= limited(client.hold(starts[2]), "too-many-holds") <= 600
        made(town.client().hold(starts[3]))
        made(client.change(first, "confirm", {"client": town.studio.details("kim")}))
        third = made(client.hold(starts[2]))
        limited(client.hold(starts[4]), "too-many-holds")
        made(town.client().change(second, "cancel"))  # from elsewhere
        made(client.hold(starts[4]))
        assert third["status"] == "held"
        assert starts[1] in town.studio.starts()

    def test_what_has_lapsed_does_not_count(self, town: Town) -> None:
        starts, client = town.studio.starts(), town.client()
        for start in starts[:2]:
            made(client.hold(start))
        (usage,) = town.studio.store.client.collection(f"accounts/{town.studio.account}/usage").stream()
        usage.reference.update({f"holds.`{hold}`": now_millis() for hold in usage.get("holds")})  # nobody waits for it
        made(client.hold(starts[2]))

    def test_at_the_same_moment_there_are_no_more_either(self, town: Town) -> None:
        starts, client = town.studio.starts()[:5], town.client()
        with ThreadPoolExecutor(5) as threads:
            answers = list(threads.map(client.hold, starts))
        assert sorted(answer.status_code for answer in answers) == [201, 201, 429, 429, 429]


class TestRefusals:
    def test_who_is_refused_again_and_again_is_not_listened_to_for_a_while(self, town: Town) -> None:
        nine = town.studio.starts()[0]
        made(town.client().book(nine))
        # By one instance: each has a memory of its own.
        client = replace(town.client(), instances=cycle(town.instances[:1]))
        problem(client.book(nine), 409, "slot-taken")
        problem(client.book(nine, "nobody"), 409, "slot-taken")
        problem(client.call("POST", "bookings", {}), 422, "invalid-request")
        token = bearer("guessed")
        problem(client.call("GET", "bookings/any", **token), 404, "not-found")
        limited(client.book(town.studio.starts()[0]))
        limited(client.call("GET", "bookings/any", **token))
        # Looking is free, operators there are listened to, and so is everybody else.
        assert client.call("GET", "services").status_code == 200
        body = {"service": "consult", "start": nine, "client": {"name": "Kim", "email": "k@client.example"}}
        problem(client.call("POST", "bookings", body, **bearer(town.studio.api_key)), 409, "slot-taken")
        made(replace(town.client(), instances=client.instances).book(town.studio.starts()[0]))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("bookings", {}),
        ("series", {"weeks": 2}),
        ("waitlist", {}),
        ("bookings/any/confirm", {}),
    ],
    ids=["book", "series", "wait", "confirm"],
)
def test_what_fills_in_the_hidden_field_is_refused(empty_studio: Studio, path: str, body: dict[str, Any]) -> None:
    client = empty_studio.details("kim")
    proof: dict[str, str] = {}
    if path.endswith("confirm"):
        hold = made(empty_studio.post("holds", {"service": "consult", "start": empty_studio.starts()[0]}))
        path, proof = f"bookings/{hold['id']}/confirm", bearer(hold["manage_token"])
    else:
        body = body | {"service": "consult", "start": empty_studio.starts()[0]}
    answer = empty_studio.post(path, body | {"client": client, "website": "https://pills.example"}, **proof)
    assert problem(answer, 422, "invalid-request")["errors"] == [
        {"field": "website", "message": "Value error, must be left empty"}
    ]
    assert "pills" not in answer.text
    if path != "waitlist":  # there is a seat free: nobody has to wait
        made(empty_studio.post(path, body | {"client": client, "website": ""}, **proof))


SITE = "https://www.site.example"


@pytest.fixture
def with_site(empty_studio: Studio) -> Studio:
    asked = {"allowed_origins": [SITE.upper(), "http://localhost:3000", SITE]}
    assert empty_studio.put("origins", asked) == {"allowed_origins": [SITE, "http://localhost:3000"]}
    return empty_studio


def preflight(studio: Studio, path: str, *, origin: str = SITE, method: str = "POST") -> requests.Response:
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    return requests.options(f"{studio.base}/{path}", headers=headers, timeout=10)


def shared_with(answer: requests.Response) -> str | None:
    assert "Access-Control-Allow-Credentials" not in answer.headers
    return answer.headers.get("Access-Control-Allow-Origin")


class TestOtherSites:
    @pytest.mark.parametrize(
        ("method", "path"),
        [("POST", "bookings"), ("GET", "services/consult/availability"), ("POST", "bookings/any/cancel")],
    )
    def test_a_page_that_may_is_told_so(self, with_site: Studio, method: str, path: str) -> None:
        answer = preflight(with_site, path, method=method)
        assert (answer.status_code, answer.content, shared_with(answer)) == (204, b"", SITE)
        assert answer.headers["Access-Control-Allow-Methods"] == method
        assert {"Authorization", "Content-Type", "Idempotency-Key"} <= {
            *answer.headers["Access-Control-Allow-Headers"].split(", ")
        }
        assert int(answer.headers["Access-Control-Max-Age"]) > 0
        assert answer.headers["Vary"] == "Origin"

    def test_and_reads_every_answer_also_a_refusal(self, with_site: Studio) -> None:
        nine = with_site.starts()[0]
        body = {"service": "consult", "start": nine, "client": with_site.details("kim")}
        for status in (201, 409):
            answer = with_site.post("bookings", body, Origin=SITE)
            assert (answer.status_code, shared_with(answer)) == (status, SITE)
            assert answer.headers["Access-Control-Expose-Headers"] == "ETag, Retry-After"
            assert answer.headers["Vary"] == "Origin"

    @pytest.mark.parametrize(
        "origin",
        [
            "https://evil.example",
            "null",
            "http://www.site.example",
            "https://www.site.example.evil.example",
            "https://www.site.example:444",
            "https://sub.www.site.example",
            "http://localhost:3001",
        ],
    )
    def test_another_page_is_not(self, with_site: Studio, origin: str) -> None:
        answer = preflight(with_site, "bookings", origin=origin)
        problem(answer, 403, "origin-not-allowed")
        assert shared_with(answer) is None
        read = requests.get(f"{with_site.base}/services", headers={"Origin": origin}, timeout=10)
        assert (read.status_code, shared_with(read), read.headers["Vary"]) == (200, None, "Origin")

    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", "bookings"), ("PUT", "origins"), ("POST", "sessions"), ("POST", "bookings/any/move")],
    )
    def test_what_operators_call_is_for_no_page_of_another_site(
        self, with_site: Studio, method: str, path: str
    ) -> None:
        answer = preflight(with_site, path, method=method)
        problem(answer, 405, "method-not-allowed")
        assert shared_with(answer) is None
        if method == "GET":
            read = requests.get(f"{with_site.base}/{path}", headers={"Origin": SITE, **with_site.operator}, timeout=10)
            assert (read.status_code, shared_with(read)) == (200, None)

    def test_what_one_account_allows_is_not_allowed_by_another(
        self, with_site: Studio, make_studio: Callable[[], Studio]
    ) -> None:
        assert preflight(with_site, "bookings").status_code == 204
        problem(preflight(make_studio(), "bookings"), 403, "origin-not-allowed")
        problem(preflight(replace(with_site, account="nobody"), "bookings"), 403, "origin-not-allowed")

    def test_only_whole_origins_are_taken_and_the_history_tells(self, with_site: Studio) -> None:
        for wrong in ("*", "null", f"{SITE}/", "http://www.site.example"):
            answer = with_site.http.put(
                f"{with_site.base}/origins", json={"allowed_origins": [wrong]}, headers=with_site.operator
            )
            problem(answer, 422, "invalid-request")
        with_site.put("origins", {"allowed_origins": []})
        problem(preflight(with_site, "bookings"), 403, "origin-not-allowed")
        assert with_site.look("origins") == {"allowed_origins": []}
        changes = [entry for entry in with_site.history() if entry["what"] == "account.changed"]
        assert [change["after"]["allowed_origins"] for change in changes] == [[SITE, "http://localhost:3000"], []]


def check_headers(headers: Mapping[str, str]) -> None:
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Content-Security-Policy"] == FRAMED
    assert not any(sign.isdigit() for sign in headers.get("Server", ""))


class TestHeaders:
    def test_every_kind_of_answer_has_them(self, empty_studio: Studio) -> None:
        base = empty_studio.addresses.booking
        for status, method, address in (
            (200, "GET", f"{empty_studio.base}/services"),
            (200, "GET", f"{base}/healthz"),
            (404, "GET", f"{base}/nowhere"),
            (401, "GET", f"{empty_studio.base}/bookings"),
            (405, "DELETE", f"{empty_studio.base}/services"),
            (422, "POST", f"{empty_studio.base}/bookings"),
            (400, "GET", f"{base}/oauth/callback"),
        ):
            answer = requests.request(method, address, json={}, timeout=10)
            assert answer.status_code == status
            check_headers(answer.headers)
            assert answer.headers["Cache-Control"] == "no-store"
            assert "Strict-Transport-Security" not in answer.headers, "the platform's address is http"

    def test_one_that_nobody_foresaw_too_and_over_https_browsers_stay_with_https(self, platform: Platform) -> None:
        def break_down(call: object) -> Any:
            raise ZeroDivisionError("inside")

        application = application_of(platform, BOOKING_URL="https://book.example.com")
        with Flask("here").test_request_context("/broken"):
            routes = map_of([Route(method="GET", path="/broken", handler=break_down)])
            answer = Router(lambda _: routes).answer(request, application, now_millis())
        assert answer.status_code == 500
        assert "inside" not in answer.get_data(as_text=True)
        check_headers(answer.headers)
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


class Slow:
    """A client that announces a body and then sends a byte of it now and then."""

    def __init__(self, town: Town, path: str, instance: str) -> None:
        host = urlsplit(instance)
        self.connection = socket.create_connection((host.hostname, host.port or 80), timeout=20)
        self.send(f"POST /v1/accounts/{town.studio.account}/{path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n")
        self.send(f"X-Forwarded-For: {town.client().address}\r\n\r\n{{")
        self.connection.settimeout(0.2)

    def send(self, text: str) -> None:
        self.connection.sendall(text.encode())

    def close(self) -> None:
        self.connection.close()

    def answer(self) -> str:
        """The first line of the answer, once there is one."""

        def drip() -> bytes | None:
            try:
                self.send(" ")
                return self.connection.recv(1000)
            except TimeoutError:
                return None

        return str(until(drip), "ascii").partition("\r\n")[0]


class TestSlowCallers:
    """As many as an instance has threads announce a body and send next to nothing of it. Whoever comes after them is served."""

    @pytest.mark.parametrize(
        ("path", "status"), [("bookings", 408), ("connections", 401)], ids=["to be read", "to be refused"]
    )
    def test_do_not_hold_the_function(self, town: Town, path: str, status: int) -> None:
        client = replace(town.client(), instances=cycle(town.instances[:1]))
        with ExitStack() as open_:
            slow = [
                open_.enter_context(closing(Slow(town, path, town.instances[0]))) for _ in range(int(STRICT["THREADS"]))
            ]
            assert client.call("GET", "services").status_code == 200
            assert {each.answer()[:12] for each in slow} == {f"HTTP/1.1 {status}"}

    def test_one_whose_body_comes_in_pieces_is_served(self, town: Town) -> None:
        # An instance that gives a body ten seconds: how it comes is tried here, not how soon.
        slow = Slow(town, "bookings", town.studio.addresses.booking)
        slow.send("}" + " " * 500)
        slow.send(" " * 498)
        assert slow.answer().startswith("HTTP/1.1 422 ")
        slow.close()
