"""What an operator is told to look at, and in which words."""

from typing import Any

import pytest

from functions.domain.calendar import Calendar, Difference, Ending
from functions.domain.health import Observed, attention, waiting_for_google
from functions.domain.loss import DAY_MS, Loss
from functions.domain.session import Session
from tests.domain.builders import NOW, calendar, connection, copy, minute, resource, service, session

HOUR_MS = 3_600_000
SIX_HOURS = 6 * HOUR_MS
NINE = "2027-03-01T09:00Z/2027-03-01T10:00Z"


def told(*calendars: Calendar, **more: Any) -> list[str]:
    usual = {"connections": (connection(),), "services": (service(),), "resources": (resource(), resource("ben"))}
    fields = {**usual, "stale_after": SIX_HOURS, "now": NOW, **more}
    return [reason.text for reason in attention(Observed(calendars=calendars, **fields))]


def read(hours_ago: float = 0, **more: Any) -> Calendar:
    return calendar(last_success_at=NOW - int(hours_ago * HOUR_MS), **more)


def test_where_all_is_well_there_is_nothing_to_look_at() -> None:
    well = read(audited_at=NOW, drift_minutes=0)
    assert told(well, malformed={well.id: 0}, pending=(session().with_copy(copy()),), overdue_since=NOW - 60_000) == []


AT_NINE = Difference(busy="only_in_google", start=minute("2027-03-01T09:00Z"), end=minute("2027-03-01T09:30Z"))


@pytest.mark.parametrize(
    ("of", "part"),
    [
        pytest.param(calendar(), "Anna has not been read yet: nothing can be booked at anna", id="never read"),
        pytest.param(read(state="gone"), "does not exist any more in Google", id="gone"),
        pytest.param(
            read(last_error="Unavailable: 503"),
            "the last time (Google did not answer); it is tried",
            id="not read last time",
        ),
        pytest.param(
            read(drift_minutes=30, drift=(AT_NINE,)),
            "differ by 30 minutes: 2027-03-01T09:00:00Z to 2027-03-01T09:30:00Z is busy in Google only",
            id="drift",
        ),
        pytest.param(
            read(audit_error="Google can't be asked."), "compared with Google. Google can't", id="not audited"
        ),
        pytest.param(
            read(audited_at=NOW - 40 * HOUR_MS), "compared with Google last at 2027-02-20", id="no more audits"
        ),
    ],
)
def test_what_is_said_of_a_calendar(of: Calendar, part: str) -> None:
    (said,) = told(of)
    assert part in said


class TestStale:  # case 156
    @pytest.mark.parametrize(
        ("hours", "services", "means"),
        [
            pytest.param(6, [service()], None, id="not yet"),
            pytest.param(7, [service()], "Haircut can't be booked at anna until it is.", id="closed"),
            pytest.param(
                7, [service(on_stale="keep")], "Haircut can still be booked at anna, by what was known then.", id="kept"
            ),
            pytest.param(1, [service(stale_after_minutes=30)], "Haircut can't be booked", id="closed by its own limit"),
            pytest.param(7, [service(stale_after_minutes=600)], ".000Z.", id="its own limit is longer"),
            pytest.param(7, [service(resources=("ben",))], ".000Z.", id="a service of others"),
            pytest.param(7, [service(active=False)], ".000Z.", id="a service that is not sold"),
        ],
    )
    def test_what_it_means_is_up_to_each_service(self, hours: float, services: list[Any], means: str | None) -> None:
        said = told(read(hours), services=tuple(services))
        assert [text.startswith("Anna has not been read since") for text in said] == [True] * (means is not None)
        assert all(text.endswith(means) or means in text for text in said if means)

    def test_a_resource_may_have_rules_of_its_own(self) -> None:
        both = calendar(last_success_at=NOW - HOUR_MS, resources=("anna", "ben"))
        soon = resource("ben", stale_after_minutes=30)
        (said,) = told(both, resources=(resource(), soon), services=(service(resources=("anna", "ben")),))
        assert said.endswith(" Haircut can't be booked at ben until it is.")
        late = both.model_copy(update={"last_success_at": NOW - 7 * HOUR_MS})
        kept = resource("ben", on_stale="keep")
        (said,) = told(late, resources=(resource(), kept), services=(service(resources=("anna", "ben")),))
        assert said.endswith(
            "Haircut can't be booked at anna until it is. Haircut can still be booked at ben, by what was known then."
        )

    def test_one_that_blocks_nobody_closes_nothing(self) -> None:
        assert told(calendar(resources=(), destination_for=("anna",))) == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        pytest.param("backendError", "(Google did not answer)", id="Google's word"),
        pytest.param("503", "(Google did not answer)", id="a status"),
        pytest.param("invalid_grant", "(Google gives us no access any more)", id="no grant any more"),
        pytest.param("quotaExceeded", "(the usage limit of the calendar is reached at Google)", id="a limit"),
        pytest.param("ConnectTimeout", "(it did not come through to Google, or", id="never heard of"),
    ],
)
def test_an_ending_that_google_holds_up_is_said_in_words(error: str, words: str) -> None:
    ending = Ending(events="leave", since=NOW - HOUR_MS, error=error)
    (said,) = told(read(), connections=(connection(status="disconnected", ending=ending),))
    assert f"Google has not done its part yet {words}" in said
    assert error not in said


def test_the_rest() -> None:
    lost = connection(status="needs_reconnect", lost_at=NOW, loss=Loss.PERMISSION_MISSING)
    refused = session().with_copy(copy(error="forbidden"))
    said = told(read(), connections=(lost,), malformed={"cal": 2}, pending=(refused,), overdue_since=NOW - 10 * 60_000)
    parts = [
        "bookings need. Nothing is read or written there",
        "2 events that can't be read",
        "(Google does not let us change that)",
        "due at 2027-02-22T07:50",
    ]
    assert [part in text for part, text in zip(parts, said, strict=True)] == [True] * 4


@pytest.mark.parametrize(("days", "said"), [(3, 0), (1.5, 1), (0.01, 1)])
def test_a_grant_that_soon_runs_out_is_said_in_time(days: float, said: int) -> None:
    ending = connection(granted_at=NOW - DAY_MS, grant_expires_at=NOW + int(days * DAY_MS))
    texts = told(read(), connections=(ending,))
    assert ["still in testing mode" in text and "Connect the account again before" in text for text in texts] == [
        True
    ] * said


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        pytest.param(session(), False, id="written nowhere"),
        pytest.param(session().with_copy(copy()), True, id="booked, and not written yet"),
        pytest.param(session().with_copy(copy(NINE, written=1)), False, id="written"),
        pytest.param(session(seats={}).with_copy(copy()), False, id="seats only kept"),
        pytest.param(session(seats={}, scheduled=True).with_copy(copy()), True, id="scheduled, nobody in it yet"),
        pytest.param(
            session(seats={}, status="cancelled", version=2).with_copy(copy(NINE, written=1)), True, id="to be deleted"
        ),
    ],
)
def test_which_sessions_google_is_behind_with(of: Session, expected: bool) -> None:
    assert waiting_for_google(of) is expected


def test_what_can_not_be_deleted_in_its_old_calendar_is_said() -> None:
    refused = copy(NINE, written=1, leaving="due", error="requiredAccessLevel")
    said = told(read(), pending=(session().with_copy(refused),), names={refused.calendar: "Anna"})
    assert [text.startswith("1 events are still in Anna, which is not their calendar any more") for text in said] == [
        True
    ]
    assert "(Google does not let us change that). Delete them by hand" in said[0]
    gone = refused.model_copy(update={"gone": True})
    assert told(read(), pending=(session().with_copy(gone),)) == []
