"""Refresh tokens at rest: they open with the key that sealed them, for the connection they were sealed for, and unchanged."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.adapters.vault import CannotOpen, Vault
from tests.adapters.keys import NEW, OLD, STRANGE

SECRET = "1//refresh-token"
VAULT = Vault((NEW, OLD))


@given(st.text(max_size=300), st.text(min_size=1, max_size=40))
def test_what_is_sealed_opens_again(secret: str, connection: str) -> None:
    sealed = VAULT.seal(secret, connection=connection)
    assert VAULT.open(sealed, connection=connection) == secret


def test_it_can_not_be_read_without_the_key() -> None:
    sealed = VAULT.seal(SECRET, connection="conn")
    assert SECRET not in sealed
    assert SECRET.encode() not in urlsafe_b64decode(sealed.partition(":")[2])


def test_the_same_secret_is_never_sealed_alike() -> None:
    assert VAULT.seal(SECRET, connection="conn") != VAULT.seal(SECRET, connection="conn")


def test_copied_to_another_connection_it_does_not_open() -> None:
    sealed = VAULT.seal(SECRET, connection="conn")
    with pytest.raises(CannotOpen):
        VAULT.open(sealed, connection="another")


class TestRotation:
    def test_new_values_are_sealed_with_the_first_key(self) -> None:
        assert VAULT.seal(SECRET, connection="conn").startswith("2027:")

    def test_values_of_an_older_key_still_open(self) -> None:
        sealed = Vault((OLD,)).seal(SECRET, connection="conn")
        assert VAULT.open(sealed, connection="conn") == SECRET

    def test_which_values_still_need_an_older_key_can_be_told(self) -> None:
        assert VAULT.is_current(VAULT.seal(SECRET, connection="conn"))
        assert not VAULT.is_current(Vault((OLD,)).seal(SECRET, connection="conn"))
        assert not VAULT.is_current("")

    def test_values_of_a_retired_key_do_not(self) -> None:
        sealed = Vault((OLD,)).seal(SECRET, connection="conn")
        with pytest.raises(CannotOpen, match="conn"):
            Vault((NEW,)).open(sealed, connection="conn")

    def test_another_key_under_the_same_name_does_not_open_them(self) -> None:
        sealed = Vault((STRANGE,)).seal(SECRET, connection="conn")
        with pytest.raises(CannotOpen):
            VAULT.open(sealed, connection="conn")


@given(st.data())
def test_a_changed_bit_is_noticed(data: st.DataObject) -> None:
    name, _, encoded = VAULT.seal(SECRET, connection="conn").partition(":")
    raw = bytearray(urlsafe_b64decode(encoded))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(CannotOpen):
        VAULT.open(f"{name}:{urlsafe_b64encode(raw).decode()}", connection="conn")


@pytest.mark.parametrize("sealed", ["", ":", "2025:AAAA", "nothing of ours"])
def test_what_names_no_key_of_ours_does_not_open(sealed: str) -> None:
    with pytest.raises(CannotOpen):
        VAULT.open(sealed, connection="conn")


@pytest.mark.parametrize("kept", [0, 3, 5, 16, 30])
def test_what_was_cut_short_does_not_open(kept: int) -> None:
    name, _, encoded = VAULT.seal(SECRET, connection="conn").partition(":")
    with pytest.raises(CannotOpen):
        VAULT.open(f"{name}:{encoded[:kept]}", connection="conn")


def test_the_complaint_names_the_connection_and_no_secret() -> None:
    sealed = VAULT.seal(SECRET, connection="conn")
    with pytest.raises(CannotOpen) as failed:
        VAULT.open(sealed, connection="another")
    assert "another" in str(failed.value)
    assert sealed.partition(":")[2] not in str(failed.value)
