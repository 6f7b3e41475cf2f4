"""One commit path: what was read must still be so, for a yes and for a no; and who is never fast enough is told to come again."""

from typing import Any

import pytest
from google.api_core.exceptions import FailedPrecondition

from functions.adapters.store.store import MAX_ATTEMPTS, Reader, Store
from functions.domain.decision import Decision, Ref
from functions.domain.errors import Contended, IllegalMove
from functions.domain.waitlist.preset import Preset
from infra.local.platform import Platform
from tests.in_process import application_of, booking_client
from tests.reliability.truth import check_truth
from tests.studio import Studio

ONE, OTHER = Ref(Preset, "one"), Ref(Preset, "other")


@pytest.fixture
def account(empty_studio: Studio) -> str:
    return empty_studio.account


def put(store: Store, account: str, *documents: Preset) -> None:
    """As somebody else does."""

    def attempt(reader: Reader) -> Decision[None]:
        reader.load(*(Ref(Preset, each.id) for each in documents))
        return Decision(answer=None, documents=documents)

    store.run(account, attempt)


def both(version: int) -> tuple[Preset, Preset]:
    """Two documents that are always written together."""
    return Preset(id="one", name=str(version)), Preset(id="other", name=str(version))


def test_a_refusal_is_not_given_on_two_moments(store: Store, account: str) -> None:
    put(store, account, *both(1))
    tries = 0

    def attempt(reader: Reader) -> Decision[str]:
        nonlocal tries
        tries += 1
        one = reader.get(ONE)
        if tries == 1:
            put(store, account, *both(2))  # between the two readings
        other = reader.get(OTHER)
        assert one is not None
        assert other is not None
        if one.name != other.name:
            raise IllegalMove("They were never like this.")
        return Decision(answer=one.name)

    assert store.run(account, attempt) == "2"


def test_a_refusal_on_what_is_so_is_given_at_once(store: Store, account: str) -> None:
    put(store, account, *both(1))
    tries = 0

    def attempt(reader: Reader) -> Decision[None]:
        nonlocal tries
        tries += 1
        reader.get(ONE)
        reader.get(OTHER)
        reader.get(Ref(Preset, "nothing"))
        raise IllegalMove("No.")

    with pytest.raises(IllegalMove):
        store.run(account, attempt)
    assert tries == 1


def test_a_document_that_came_into_being_makes_a_refusal_be_looked_at_again(store: Store, account: str) -> None:
    put(store, account, both(1)[0])

    def attempt(reader: Reader) -> Decision[str]:
        if reader.get(OTHER) is not None:
            return Decision(answer="found")
        put(store, account, both(1)[1])
        reader.get(ONE)
        raise IllegalMove("There is no other.")

    assert store.run(account, attempt) == "found"


def test_who_is_never_fast_enough_is_told_so_after_a_bounded_number_of_tries(store: Store, account: str) -> None:
    put(store, account, both(1)[0])
    tries = 0

    def attempt(reader: Reader) -> Decision[None]:
        nonlocal tries
        tries += 1
        found = reader.get(ONE)
        assert found is not None
        put(store, account, found.model_copy(update={"offer_minutes": found.offer_minutes + 1}))
        return Decision(answer=None, documents=(found.model_copy(update={"name": "mine"}),))

    with pytest.raises(Contended):
        store.run(account, attempt)
    assert tries == MAX_ATTEMPTS
    left = store.get(account, ONE)
    assert left is not None
    assert (left.offer_minutes, left.name) == (both(1)[0].offer_minutes + MAX_ATTEMPTS, "1")


class BusyStore(Store):
    """A store in which somebody else is always faster."""

    def _commit(self, *parts: Any) -> None:
        raise FailedPrecondition("somebody was faster")


def test_a_client_who_was_never_fast_enough_is_told_when_to_come_again(
    empty_studio: Studio, platform: Platform
) -> None:
    application = application_of(platform)
    application.__dict__["store"] = BusyStore(application.store.client, lambda account, records: None)
    whole = empty_studio.starts()
    body = {"service": "consult", "start": whole[0], "client": {"name": "Kim", "email": empty_studio.client_email}}
    answer = booking_client(application).post(f"/v1/accounts/{empty_studio.account}/bookings", json=body)
    assert answer.status_code == 503
    assert answer.json["type"] == "urn:booking:problem:contended"
    assert int(answer.headers["Retry-After"]) > 0
    assert empty_studio.starts() == whole
    assert check_truth(empty_studio.store, empty_studio.account).bookings == {}


class RepeatingStore(Store):
    """Sends each commit twice, as Google's library does where the first answer is lost; the second is refused, because of the first."""

    def _commit(self, *parts: Any) -> None:
        super()._commit(*parts)
        super()._commit(*parts)


def test_a_commit_that_was_sent_twice_is_known_as_ours(empty_studio: Studio, platform: Platform) -> None:
    dispatched: list[str] = []
    application = application_of(platform)
    application.__dict__["store"] = RepeatingStore(
        application.store.client, lambda account, records: dispatched.extend(record.kind for record in records)
    )
    start = empty_studio.starts()[0]
    body = {"service": "consult", "start": start, "client": {"name": "Kim", "email": empty_studio.client_email}}
    answer = booking_client(application).post(f"/v1/accounts/{empty_studio.account}/bookings", json=body)
    assert answer.status_code == 201
    assert list(check_truth(empty_studio.store, empty_studio.account).bookings) == [answer.json["id"]]
    assert dispatched == ["notify"]
