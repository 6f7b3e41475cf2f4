"""Proofs that need no database: what we made opens, anything else does not."""

import string
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.adapters.signing import (
    MAX_CHANNEL_TOKEN,
    BrowserClaim,
    ChannelClaim,
    browser_cookie,
    channel_token,
    form_token,
    is_form_token,
    manage_token,
    opened_browser_cookie,
    opened_channel_token,
    same_secret,
    secret_hash,
    stored_manage_token,
)
from tests.adapters.keys import NEW, OLD, STRANGE

CLAIM = ChannelClaim(account="demo", calendar="5f2b8c", expires=1_803_283_200)
TOKEN = channel_token(NEW, "channel-1", CLAIM)
IDS = st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=40)


class TestChannelToken:
    def test_it_opens_on_its_own_channel(self) -> None:
        assert opened_channel_token((NEW,), "channel-1", TOKEN) == CLAIM

    def test_it_proves_nothing_on_another_channel(self) -> None:  # case 6
        assert opened_channel_token((NEW,), "channel-2", TOKEN) is None
        assert opened_channel_token((NEW,), "", TOKEN) is None

    def test_a_token_of_an_older_key_still_opens(self) -> None:
        old = channel_token(OLD, "channel-1", CLAIM)
        assert opened_channel_token((NEW, OLD), "channel-1", old) == CLAIM

    def test_a_token_of_a_retired_key_does_not(self) -> None:
        old = channel_token(OLD, "channel-1", CLAIM)
        assert opened_channel_token((NEW,), "channel-1", old) is None

    def test_the_name_of_a_key_is_no_proof(self) -> None:
        assert opened_channel_token((NEW,), "channel-1", channel_token(STRANGE, "channel-1", CLAIM)) is None

    def test_its_end_is_said_and_left_to_the_caller(self) -> None:  # case 8
        past = replace(CLAIM, expires=1)
        assert opened_channel_token((NEW,), "channel-1", channel_token(NEW, "channel-1", past)) == past

    @pytest.mark.parametrize("place", range(5), ids=["key", "account", "calendar", "end", "proof"])
    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda part: part + "0", id="longer"),
            pytest.param(lambda part: part[:-1], id="shorter"),
            pytest.param(lambda part: part[:-1] + ("1" if part[-1] != "1" else "2"), id="another character"),
            pytest.param(lambda _: "", id="empty"),
            pytest.param(lambda part: part + "é", id="a character that is not ASCII"),
            pytest.param(lambda part: part + "٣", id="a digit that is not ASCII"),
            pytest.param(lambda part: "-" + part, id="a sign before it"),
        ],
    )
    def test_no_part_of_it_can_be_changed(self, place: int, change: Callable[[str], str]) -> None:  # case 6
        parts = TOKEN.split(".")
        parts[place] = change(parts[place])
        assert opened_channel_token((NEW, OLD), "channel-1", ".".join(parts)) is None

    @pytest.mark.parametrize(
        "token",
        [
            "",
            ".",
            "....",
            TOKEN + ".",
            "." + TOKEN,
            TOKEN.replace(".", ""),
            TOKEN + "\n",
            "\0" * 9,
            "x" * 5000,
            f"{NEW.id}.a.c.{'9' * 5000}.x",
        ],
        ids=[
            "nothing",
            "a dot",
            "only dots",
            "a part more",
            "a part before",
            "no dots",
            "a line's end",
            "zeros",
            "long",
            "an end in a number too long to read",
        ],
    )
    def test_what_is_no_token_opens_nothing(self, token: str) -> None:  # case 6
        assert opened_channel_token((NEW, OLD), "channel-1", token) is None

    def test_it_keeps_within_googles_limit(self) -> None:
        claim = replace(CLAIM, account="a" * 63, calendar="c" * 20)
        assert len(channel_token(NEW, "channel-1", claim)) <= MAX_CHANNEL_TOKEN == 256

    def test_what_does_not_fit_is_refused_when_it_is_made(self) -> None:
        with pytest.raises(ValueError, match="too long"):
            channel_token(NEW, "channel-1", replace(CLAIM, account="a" * 250))

    @given(st.uuids().map(str), IDS, IDS, st.integers(0, 2**40))
    def test_every_claim_comes_back(self, channel: str, account: str, calendar: str, expires: int) -> None:
        claim = ChannelClaim(account=account, calendar=calendar, expires=expires)
        assert opened_channel_token((OLD, NEW), channel, channel_token(NEW, channel, claim)) == claim

    @pytest.mark.parametrize(
        ("channel", "claim"),
        [
            pytest.param("ch1", ChannelClaim(account="ab", calendar="c", expires=23), id="as it is"),
            pytest.param("ch1", ChannelClaim(account="a", calendar="bc", expires=23), id="account into calendar"),
            pytest.param("ch1", ChannelClaim(account="ab", calendar="c2", expires=3), id="end into calendar"),
            pytest.param("ch", ChannelClaim(account="1ab", calendar="c", expires=23), id="channel into account"),
        ],
    )
    def test_parts_can_not_be_shifted_into_each_other(self, channel: str, claim: ChannelClaim) -> None:
        mine = channel_token(NEW, "ch1", ChannelClaim(account="ab", calendar="c", expires=23))
        same_proof = channel_token(NEW, channel, claim).split(".")[-1] == mine.split(".")[-1]
        assert same_proof is (channel_token(NEW, channel, claim) == mine)


class TestManageToken:
    def test_the_same_booking_has_the_same_token_so_that_a_repeat_can_be_answered(self) -> None:
        assert manage_token(NEW, "booking1") == manage_token(NEW, "booking1")

    def test_every_booking_and_every_key_has_its_own(self) -> None:
        tokens = {manage_token(key, booking) for key in (NEW, OLD) for booking in ("booking1", "booking2")}
        assert len(tokens) == 4

    def test_it_is_long_enough_not_to_be_guessed_and_fits_an_address(self) -> None:
        token = manage_token(NEW, "booking1")
        assert len(token) == 43  # 256 bits
        assert set(token) <= set(string.ascii_letters + string.digits + "-_")

    def test_only_the_token_proves_itself_against_its_hash(self) -> None:
        token = manage_token(NEW, "booking1")
        stored = secret_hash(token)
        assert token not in stored
        assert same_secret(token, stored)
        assert not same_secret(token + "x", stored)
        assert not same_secret("", stored)
        assert not same_secret(stored, stored)

    def test_it_is_found_again_by_the_key_that_made_it(self) -> None:
        token = manage_token(OLD, "booking1")
        assert stored_manage_token((NEW, OLD), "booking1", secret_hash(token)) == token

    @pytest.mark.parametrize(
        ("booking", "stored"),
        [
            pytest.param("booking1", secret_hash(manage_token(OLD, "booking1")), id="once its key is retired"),
            pytest.param("booking2", secret_hash(manage_token(NEW, "booking1")), id="for another booking"),
            pytest.param("booking1", "", id="for no hash"),
        ],
    )
    def test_it_is_not_found(self, booking: str, stored: str) -> None:
        assert stored_manage_token((NEW,), booking, stored) is None

    def test_a_channel_token_is_no_manage_token(self) -> None:
        proof = TOKEN.split(".")[-1]
        assert proof not in {manage_token(NEW, name) for name in ("channel-1", "demo", "5f2b8c")}


def test_the_hash_of_a_secret_is_sha_256() -> None:
    assert secret_hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


BROWSER = BrowserClaim(person="a" * 32, browser="b" * 32, issued_at=1_803_283_200_000)
COOKIE = browser_cookie(NEW, BROWSER)


class TestBrowserCookie:
    def test_it_opens_and_says_what_it_was_made_of(self) -> None:
        assert opened_browser_cookie((NEW,), COOKIE) == BROWSER

    def test_one_of_an_older_key_still_opens_and_one_of_a_retired_key_does_not(self) -> None:
        old = browser_cookie(OLD, BROWSER)
        assert opened_browser_cookie((NEW, OLD), old) == BROWSER
        assert opened_browser_cookie((NEW,), old) is None
        assert opened_browser_cookie((STRANGE,), COOKIE) is None

    @given(st.integers(0, len(COOKIE) - 1), st.sampled_from(string.ascii_letters + string.digits + "-_."))
    def test_whatever_is_changed_in_it_shuts_it(self, place: int, other: str) -> None:
        changed = COOKIE[:place] + other + COOKIE[place + 1 :]
        assert changed == COOKIE or opened_browser_cookie((NEW,), changed) is None

    @given(st.text())
    def test_anything_else_is_no_cookie(self, text: str) -> None:
        assert opened_browser_cookie((NEW,), text) is None

    def test_a_form_token_is_its_browsers_and_no_cookie_or_manage_token(self) -> None:
        token = form_token(OLD, "browser")
        assert is_form_token((NEW, OLD), "browser", token)
        assert not is_form_token((NEW,), "browser", token)
        assert not is_form_token((NEW, OLD), "another", token)
        assert not is_form_token((NEW, OLD), "browser", "")
        assert token != manage_token(OLD, "browser")
