"""Who may, while it is decided: somebody is removed, or as fast, between the reading and the commit of what they asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient

from functions.adapters.store import queries
from functions.adapters.store.store import Store
from functions.booking.bootstrap import bootstrap
from functions.domain.configuration import OperatorKey
from functions.domain.invitation import MOST_OPEN, Invitation
from infra.local.platform import Platform
from tests.in_process import application_of, booking_client
from tests.studio import Studio

EVERYTHING = ["bookings", "connections", "members", "personal_data", "read", "settings"]


class Interrupted(Store):
    """Something happens once, before a commit that is ready."""

    happens: Callable[[], object] | None = None

    def _commit(self, *parts: Any) -> None:
        happens, self.happens = self.happens, None
        if happens is not None:
            happens()
        super()._commit(*parts)


@dataclass
class Office:
    """A business, and the booking function in this process: what is called by it can be interrupted."""

    studio: Studio
    store: Interrupted
    http: FlaskClient

    def call(self, method: str, path: str, body: Any = None, *, key: str) -> Any:
        address = f"/v1/accounts/{self.studio.account}/{path}"
        return self.http.open(address, method=method, json=body, headers={"Authorization": f"Bearer {key}"})

    def interrupted(self, happens: Callable[[], object], method: str, path: str, body: Any = None, *, key: str) -> Any:
        self.store.happens = happens
        answer = self.call(method, path, body, key=key)
        assert self.store.happens is None
        return answer

    def another_key(self, name: str = "other", *permissions: str) -> tuple[str, str]:
        """Its id and itself."""
        body = {"name": name, "permissions": permissions or EVERYTHING}
        answer = self.studio.post("keys", body, **self.studio.operator)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"], answer.json()["api_key"]

    def revoke(self, key: str) -> None:
        answer = self.studio.http.delete(f"{self.studio.base}/keys/{key}", headers=self.studio.operator)
        assert answer.status_code == 204, answer.text

    @property
    def keys(self) -> list[str]:
        found: list[OperatorKey] = queries.all_of(self.store, self.studio.account, OperatorKey)
        return sorted(each.name for each in found)


@pytest.fixture
def office(empty_studio: Studio, platform: Platform) -> Office:
    application = application_of(platform)
    store = Interrupted(application.store.client, lambda account, records: None)
    application.__dict__["store"] = store
    return Office(empty_studio, store, booking_client(application))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("keys", {"name": "backdoor", "permissions": ["read"]}),
        ("invitations", {"email": "eve@elsewhere.example", "role": "owner"}),
        ("connections", {}),
        ("clients/export", {"email": "kim@client.example"}),
        ("clients/erase", {"email": "kim@client.example", "confirm": "kim@client.example"}),
    ],
)
def test_a_key_that_is_revoked_meanwhile_leaves_nothing_behind(office: Office, path: str, body: Any) -> None:
    id_, key = office.another_key()
    answer = office.interrupted(lambda: office.revoke(id_), "POST", path, body, key=key)
    assert (answer.status_code, answer.get_json()["type"]) == (401, "urn:booking:problem:unauthorized")
    assert [entry["what"] for entry in office.studio.history()][-2:] == ["key.made", "key.revoked"]
    assert office.keys == ["bootstrap"]


def test_two_keys_that_are_made_at_once_have_two_names(office: Office) -> None:
    body, (_, key) = {"name": "website", "permissions": ["read"]}, office.another_key()
    answer = office.interrupted(lambda: office.another_key("website"), "POST", "keys", body, key=key)
    assert answer.status_code == 409
    assert office.keys == ["bootstrap", "other", "website"]


def test_two_keys_of_the_command_line_that_are_made_at_once_have_two_names(office: Office) -> None:
    account = office.studio.account
    one, other = office.store, Store(office.store.client, lambda account, records: None)

    def make(store: Store) -> None:
        bootstrap(store, account=account, name="", time_zone="UTC", may_exist=True)

    one.happens = lambda: make(other)
    make(one)
    assert office.keys == ["bootstrap", "bootstrap 2", "bootstrap 3"]


def test_two_who_are_invited_at_once_are_not_one_too_many(office: Office) -> None:
    def invite(number: int) -> dict[str, str]:
        return {"email": f"kim{number}@elsewhere.example", "role": "viewer"}

    def as_fast() -> None:
        assert office.call("POST", "invitations", invite(0), key=office.studio.api_key).status_code == 201

    _, key = office.another_key()
    for number in range(1, MOST_OPEN):
        assert office.call("POST", "invitations", invite(number), key=office.studio.api_key).status_code == 201
    answer = office.interrupted(as_fast, "POST", "invitations", invite(MOST_OPEN), key=key)
    assert answer.status_code == 409
    assert len(queries.all_of(office.store, office.studio.account, Invitation)) == MOST_OPEN


def test_two_who_connect_the_same_google_account_at_once_have_one_connection(office: Office) -> None:  # case 83
    me = office.studio.person
    grant, (_, key) = {"email": me.email, "refresh_token": me.refresh_token}, office.another_key()

    def as_fast() -> None:
        assert office.studio.post("connections/grants", grant, **office.studio.operator).status_code == 201

    answer = office.interrupted(as_fast, "POST", "connections/grants", grant, key=key)
    (connection,) = office.studio.look("connections")["connections"]
    assert (answer.status_code, answer.get_json()["id"]) == (201, connection["id"])


def test_what_is_ended_while_it_is_regained_stays_ended(office: Office) -> None:
    me = office.studio.person
    grant = {"email": me.email, "refresh_token": me.refresh_token}
    first = office.studio.post("connections/grants", grant, **office.studio.operator).json()["id"]

    def end() -> None:
        address = f"{office.studio.base}/connections/{first}?events=leave"
        assert office.studio.http.delete(address, headers=office.studio.operator).status_code == 202

    answer = office.interrupted(end, "POST", "connections/grants", grant, key=office.studio.api_key)
    known = {each.id: each.status for each in queries.connections(office.store, office.studio.account)}
    assert known.keys() == {first, answer.get_json()["id"]}
    assert known[first] == "disconnected"


def test_a_key_revokes_itself(office: Office) -> None:
    id_, key = office.another_key()
    assert office.call("DELETE", f"keys/{id_}", key=key).status_code == 204
    assert office.keys == ["bootstrap"]
