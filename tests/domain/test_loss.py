"""Why access is lost, in which words, and who is told of it when."""

import pytest

from functions.domain.calendar import Connection
from functions.domain.connecting import lose
from functions.domain.loss import CLOCKS_DIFFER_MS, DAY_MS, Loss, Reminder, loss_by, reminders, words
from tests.domain.builders import NOW, connection

WEEK = connection(granted_at=NOW - 7 * DAY_MS, grant_expires_at=NOW)
LOST = connection(status="needs_reconnect", lost_at=NOW, loss=Loss.REVOKED)


@pytest.mark.parametrize(
    ("word", "of", "loss"),
    [
        pytest.param("invalid_grant", connection(), Loss.REVOKED, id="revoked"),
        pytest.param("invalid_grant", WEEK, Loss.TESTING_ENDED, id="when its seven days are over"),
        pytest.param(
            "invalid_grant",
            connection(grant_expires_at=NOW + CLOCKS_DIFFER_MS),
            Loss.TESTING_ENDED,
            id="by Google's clock they were over a little earlier",
        ),
        pytest.param(
            "invalid_grant", connection(grant_expires_at=NOW + DAY_MS), Loss.REVOKED, id="revoked within its seven days"
        ),
        pytest.param("account_off", WEEK, Loss.ACCOUNT_OFF, id="suspended, whatever the days"),
        pytest.param("invalid_rapt", connection(), Loss.SIGN_IN_WANTED, id="the organisation's rules"),
        pytest.param("insufficientPermissions", connection(), Loss.PERMISSION_MISSING, id="a box unticked"),  # case 81
        pytest.param("notACalendarUser", connection(), Loss.CALENDAR_OFF, id="Calendar switched off"),  # case 85
        pytest.param("token_key_missing", connection(), Loss.KEY_MISSING, id="our own key"),
        pytest.param("authError", connection(), Loss.REFUSED, id="refused without a word"),
        pytest.param("somethingNew", connection(), Loss.REFUSED, id="a word that is new"),
    ],
)
def test_each_reason_is_told_apart(word: str, of: Connection, loss: Loss) -> None:
    assert loss_by(word, of, now=NOW) == loss


def test_every_reason_has_words_of_its_own_and_says_what_to_do() -> None:
    said = [words(loss) for loss in Loss]
    assert len({each.what for each in said}) == len(Loss)
    assert all("Connect the account again" in each.remedy or "administrator" in each.remedy for each in said)
    assert words(None) == words(Loss.REFUSED)


class TestWhoIsTold:
    def test_on_the_day_and_after_one_three_and_seven(self) -> None:
        effects = lose(connection(), "invalid_grant", now=NOW).effects
        assert [(e.kind, e.subject, e.not_before) for e in effects] == [
            ("notify", "conn", None),
            *(("notify", "conn", NOW + days * DAY_MS) for days in (1, 3, 7)),
        ]

    def test_a_message_is_about_one_loss_and_one_day(self) -> None:
        found = [Reminder.of(effect.about) for effect in reminders("conn", lost_at=NOW)]
        assert found == [Reminder(day=day, lost_at=NOW) for day in (0, 1, 3, 7)]
        assert [each is not None and each.is_last for each in found] == [False, False, False, True]
        assert Reminder.of("calendar_drifted") is None
        assert Reminder.of(None) is None

    @pytest.mark.parametrize(
        ("of", "holds"),
        [
            pytest.param(LOST, True, id="lost still"),
            pytest.param(connection(), False, id="mended"),
            pytest.param(LOST.model_copy(update={"lost_at": NOW + 1}), False, id="mended, and lost once more"),
            pytest.param(LOST.model_copy(update={"status": "disconnected"}), False, id="ended by an operator"),
        ],
    )
    def test_it_is_true_as_long_as_that_loss_lasts(self, of: Connection, *, holds: bool) -> None:
        assert Reminder(day=1, lost_at=NOW).holds(of) is holds
