"""What the state of calendars means for clients, as an operator reads it. It must say the same as availability does."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from functions.domain.bookability import Meaning, Seen, meanings, trouble_of_calendar, trouble_of_connection
from functions.domain.calendar import Calendar, Connection
from functions.domain.instants import MINUTE_MS
from functions.domain.loss import Loss, words
from functions.domain.staleness import staleness
from tests.domain.builders import CALENDAR, FAR, calendar, hours, millis, resource, service, weekly

NOW = millis("2027-03-02T10:30:00+01:00")  # a Tuesday in Berlin
READ = millis("2027-03-02T04:02:00+01:00")
HOUR = 60 * MINUTE_MS
ANNA = resource("anna", destination=CALENDAR)
CUT = service(resources=("anna",))


def connection(**changes: Any) -> Connection:
    fields: dict[str, Any] = {"id": "con", "status": "active", "subject": "1", "email": "anna@studio.example"}
    fields |= {"scopes": (), "secret": "", "connected_at": 0}
    return Connection(**fields | changes)


LOST = connection(
    status="needs_reconnect", lost_at=millis("2027-03-01T18:00:00+01:00"), loss=Loss.REVOKED, last_error="invalid_grant"
)


def read(**changes: Any) -> Calendar:
    fields: dict[str, Any] = {"connection": "con", "summary": "Anna's calendar", "projected": {"anna": FAR}}
    return calendar(
        **{"last_success_at": READ, "resources": ("anna",), "destination_for": ("anna",)} | fields | changes
    )


def told(**changes: Any) -> tuple[Meaning, ...]:
    fields: dict[str, Any] = {"connections": (connection(),), "calendars": (read(),), "resources": (ANNA,)}
    return meanings(Seen(**{"services": (CUT,), "stale_after": 6 * HOUR, "now": NOW} | fields | changes))


def only(found: tuple[Meaning, ...], what: str) -> Meaning:
    (one,) = [each for each in found if each.what == what]
    return one


class TestClosed:
    def test_it_says_who_is_closed_for_what_since_when_and_why(self) -> None:
        meaning = only(told(connections=(LOST,)), "closed")
        assert meaning.text == (
            "Anna's Tuesday, and every day after it, is closed to booking (Haircut) since 10:02 (Europe/Berlin), because "
            "anna@studio.example is not connected any more, and Anna's calendar was read last at 04:02. "
            f"{words(Loss.REVOKED).what}"
        )
        assert (meaning.since, meaning.services) == (READ + 6 * HOUR, ("cut",))
        assert (meaning.connection, meaning.calendar) == ("con", CALENDAR)

    def test_the_day_is_the_next_on_which_the_resource_works(self) -> None:
        anna = resource("anna", hours=hours(weekly("09:00", "17:00", days=[4])))
        assert only(told(resources=(anna,)), "closed").text.startswith("Anna's Thursday, and every day after it, is")
        never = resource("anna", hours=hours(weekly("09:00", "17:00", days=[4]), zone="Asia/Tokyo"))
        text = only(told(resources=(never,)), "closed").text
        assert "since 18:02 (Asia/Tokyo)" in text, "times are the resource's"

    def test_a_moment_of_another_day_is_told_with_its_date(self) -> None:
        text = only(told(now=NOW + 24 * HOUR), "closed").text
        assert "since Tuesday 2 March 2027, 10:02" in text
        assert "was read last on Tuesday 2 March 2027, 04:02" in text

    def test_a_calendar_that_was_never_read_closes_even_what_is_kept(self) -> None:
        kept = CUT.model_copy(update={"on_stale": "keep"})
        meaning = only(told(calendars=(read(last_success_at=None),), services=(kept,)), "closed")
        assert meaning.since is None
        assert "because Anna's calendar has not been read yet" in meaning.text

    def test_why_a_calendar_could_not_be_read_is_in_it(self) -> None:
        text = only(told(calendars=(read(last_error="Unavailable: backendError"),)), "closed").text
        assert text.endswith("Anna's calendar was read last at 04:02 (Google did not answer).")

    def test_a_resource_may_have_a_limit_of_its_own(self) -> None:
        strict = ANNA.model_copy(update={"stale_after_minutes": 60})
        assert only(told(resources=(strict,)), "closed").since == READ + HOUR
        lenient = ANNA.model_copy(update={"on_stale": "keep"})
        assert [each.what for each in told(resources=(lenient,))] == ["kept"]

    def test_who_else_serves_it_is_named(self) -> None:
        ben = resource("ben", blocked_by=())
        pool = service(resources=("anna", "ben"))
        text = only(told(resources=(ANNA, ben), services=(pool,)), "closed").text
        assert text.endswith("Haircut is offered with Ben too.")
        both = pool.model_copy(update={"assignment": "all"})
        text = only(told(resources=(ANNA, ben), services=(both,)), "closed").text
        assert text.endswith("so it can't be booked with Ben either.")

    def test_services_that_close_at_different_times_are_told_apart(self) -> None:
        soon = service(id="wash", name="Wash", resources=("anna",), stale_after_minutes=60)
        found = [each for each in told(services=(CUT, soon)) if each.what == "closed"]
        assert {each.services: each.since for each in found} == {
            ("wash",): READ + HOUR,
            ("cut",): READ + 6 * HOUR,
        }

    @given(
        read_at=st.one_of(st.none(), st.integers(0, 20 * HOUR).map(lambda ago: NOW - ago)),
        stale_after=st.one_of(st.none(), st.integers(1, 20 * 60)),
        on_stale=st.sampled_from(["close", "keep"]),
        laid_out=st.booleans(),
        lost=st.booleans(),
    )
    def test_it_is_told_exactly_where_availability_knows_nothing(
        self, read_at: int | None, stale_after: int | None, on_stale: str, laid_out: bool, lost: bool
    ) -> None:
        cut = CUT.model_copy(update={"on_stale": on_stale, "stale_after_minutes": stale_after})
        it = read(last_success_at=read_at, projected={"anna": FAR} if laid_out else {})
        found = told(connections=(LOST if lost else connection(),), calendars=(it,), services=(cut,))
        known = it.known_until("anna", now=NOW, stale_after=staleness(ANNA, cut, usual=6 * HOUR).known_for)
        assert any(each.what == "closed" for each in found) == (known == 0)


class TestOpenStill:
    def test_all_is_well(self) -> None:
        assert told(calendars=(read(last_success_at=NOW),)) == ()

    def test_a_lost_access_says_when_it_will_close(self) -> None:
        meaning = only(told(connections=(LOST,), now=READ + HOUR), "closing")
        assert meaning.at == READ + 6 * HOUR
        assert (
            "Haircut with Anna can be booked until 10:02 and not after it, unless the access is renewed" in meaning.text
        )

    def test_what_is_kept_is_said_to_be_booked_by_what_was_known(self) -> None:
        kept = CUT.model_copy(update={"on_stale": "keep"})
        meaning = only(told(services=(kept,)), "kept")
        assert meaning.since == READ + 6 * HOUR
        assert "Haircut with Anna can still be booked, by what was known then" in meaning.text

    def test_what_is_not_written_is_said_since_when(self) -> None:
        meaning = only(told(connections=(LOST,), now=READ), "not_written")
        assert meaning.since == LOST.lost_at
        assert "with Anna since Monday 1 March 2027, 18:00 is not in Google Calendar" in meaning.text
        refused = told(calendars=(read(last_success_at=NOW, role="reader"),))
        assert only(refused, "not_written").text.endswith("Google lets us only read Anna's calendar.")

    def test_a_calendar_that_is_gone_closes_nothing_and_it_is_said(self) -> None:
        free = resource("anna", blocked_by=())
        gone = read(state="gone", missing_since=READ, last_error="calendarGone")
        meaning = only(told(calendars=(gone,), resources=(free,)), "not_seen")
        assert meaning.text.startswith("Anna's calendar closes no time of Anna since 04:02")

    def test_a_calendar_of_a_service_that_is_not_offered_means_nothing(self) -> None:
        assert told(services=(CUT.model_copy(update={"active": False}),)) == ()


def test_errors_are_told_as_sentences() -> None:
    assert trouble_of_connection(connection()) is None
    told_of = trouble_of_connection(LOST)
    assert told_of is not None
    assert told_of.startswith("anna@studio.example is not connected any more. The permission was withdrawn")
    assert words(Loss.REVOKED).remedy in told_of
    assert trouble_of_calendar(read()) is None
    assert trouble_of_calendar(read(last_error="LeaseLost")) == "It could not be read, and is tried again."
