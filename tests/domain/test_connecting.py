"""A connection that is made, lost and regained."""

import pytest

from functions.domain.calendar import Connection
from functions.domain.connecting import Granted, connect, lose, regain
from functions.domain.decision import Author, Effect
from functions.domain.errors import IllegalMove
from functions.domain.loss import DAY_MS, Loss
from functions.domain.scopes import SCOPES
from tests.domain.builders import BY_OPERATOR, NOW, calendar, connection

GRANTED = Granted(
    subject="10987", email="anna@new.example", scopes=("openid",), secret="k1:newer", granted_at=NOW + DAY_MS
)
LOST = connection(status="needs_reconnect", lost_at=NOW, loss=Loss.REVOKED, last_error="invalid_grant")


def test_a_connection_that_is_made_lists_its_calendars() -> None:
    decision = connect("conn", GRANTED, now=NOW, author=BY_OPERATOR)
    assert (decision.answer.status, decision.answer.subject, decision.answer.connected_at) == ("active", "10987", NOW)
    assert decision.documents == (decision.answer,)
    assert [entry.what for entry in decision.history] == ["connection.made"]
    assert decision.effects == (Effect(kind="discover", subject="conn"),)


class TestLost:  # cases 80, 81 and 85
    def test_it_says_since_when_and_why(self) -> None:
        decision = lose(connection(), "invalid_grant", now=NOW)
        (lost,) = decision.documents
        assert isinstance(lost, Connection)
        assert (lost.status, lost.lost_at, lost.loss) == ("needs_reconnect", NOW, Loss.REVOKED)
        assert lost.last_error == "invalid_grant"
        assert [(entry.what, entry.why) for entry in decision.history] == [("connection.lost", "revoked")]

    @pytest.mark.parametrize("known", [LOST, connection(status="disconnected")])
    def test_it_is_lost_once(self, known: Connection) -> None:
        assert lose(known, "invalid_grant", now=NOW + DAY_MS).writes_nothing

    def test_for_another_reason_it_is_still_the_same_loss(self) -> None:
        off = connection(status="needs_reconnect", lost_at=NOW, loss=Loss.CALENDAR_OFF)
        decision = lose(off, "invalid_grant", now=NOW + DAY_MS)
        (lost,) = decision.documents
        assert isinstance(lost, Connection)
        assert (lost.lost_at, lost.loss, decision.effects) == (NOW, Loss.REVOKED, ())

    def test_it_keeps_what_is_still_granted_where_google_says_so(self) -> None:
        (lost,) = lose(connection(), "insufficientPermissions", left=("openid",), now=NOW).documents
        assert isinstance(lost, Connection)
        assert (lost.loss, lost.scopes) == (Loss.PERMISSION_MISSING, ("openid",))
        assert lose(lost, "insufficientPermissions", left=("openid",), now=NOW + DAY_MS).writes_nothing
        assert lose(lost, "insufficientPermissions", now=NOW + DAY_MS).writes_nothing, "nothing new is known"
        decision = lose(lost, "insufficientPermissions", left=("openid", "email"), now=NOW + DAY_MS)
        (later,) = decision.documents
        assert isinstance(later, Connection)
        assert (later.scopes, later.lost_at, decision.effects) == (("openid", "email"), NOW, ())
        assert regain(later, (), granted=None, scopes=SCOPES, author=BY_OPERATOR).answer.scopes == SCOPES
        assert regain(later, (), granted=None, author=BY_OPERATOR).answer.scopes == ("openid", "email")


class TestRegained:  # case 83
    def test_it_is_the_same_connection_with_the_new_grant(self) -> None:
        after = regain(LOST, (), granted=GRANTED, author=BY_OPERATOR).answer
        assert (after.id, after.status, after.lost_at, after.loss, after.last_error) == (
            "conn",
            "active",
            None,
            None,
            None,
        )
        assert (after.granted_at, after.grant_expires_at) == (NOW + DAY_MS, None)
        assert (after.secret, after.email, after.scopes) == ("k1:newer", "anna@new.example", ("openid",))
        assert after.connected_at == LOST.connected_at

    def test_its_calendars_keep_cursors_and_channels_and_catch_up_at_once(self) -> None:
        calendars = [
            calendar(id="blocks"),
            calendar(id="receives", resources=(), destination_for=("anna",)),
            calendar(id="unused", resources=()),
            calendar(id="gone", state="gone", destination_for=("anna",)),
        ]
        decision = regain(LOST, calendars, granted=GRANTED, author=BY_OPERATOR)
        assert decision.documents == (decision.answer,)
        assert [(effect.kind, effect.subject) for effect in decision.effects] == [
            ("discover", "conn"),
            ("pull", "blocks"),
            ("pull", "receives"),
            ("watch", "blocks"),
            ("watch", "receives"),
            ("copies", "blocks"),
            ("copies", "receives"),
        ]

    def test_an_old_grant_that_is_good_again_needs_no_new_list(self) -> None:  # case 85
        decision = regain(LOST, [calendar(id="blocks")], granted=None, author=Author(kind="google"))
        assert decision.answer.secret == LOST.secret
        assert [effect.kind for effect in decision.effects] == ["pull", "watch", "copies"]

    def test_a_grant_for_one_that_works_replaces_the_old_grant(self) -> None:
        after = regain(connection(), (), granted=GRANTED, author=BY_OPERATOR).answer
        assert (after.status, after.secret) == ("active", "k1:newer")

    def test_one_that_was_ended_is_not_regained(self) -> None:
        with pytest.raises(IllegalMove):
            regain(connection(status="disconnected"), (), granted=GRANTED, author=BY_OPERATOR)
