"""Audits of a system at work: what is on its way is no drift; what stays is, and is listed in full once and not in circles."""

from collections.abc import Callable, Iterable

import pytest

from functions.adapters.google_calendar import GoogleCalendar
from functions.adapters.google_errors import GoogleError, Missing
from functions.domain.calendar import Calendar
from functions.domain.decision import Ref
from functions.domain.instants import DAY_MINUTES, datetime_of, minute_floor, rfc3339
from functions.domain.intervals import Interval
from functions.sync.audit import AFTER_RELIST, audit
from functions.sync.leases import acquire, release
from functions.sync.pull import pull
from functions.sync.work import TryLater, Work
from infra.local.platform import Platform
from tests.in_process import application_of
from tests.studio import DAY, Studio, until
from tests.system.waiting import all_done

NINE = minute_floor(datetime_of(0).replace(year=DAY.year, month=DAY.month, day=DAY.day, hour=9))
Answers = Callable[[Iterable[list[Interval]]], None]


@pytest.fixture
def work(studio: Studio, platform: Platform) -> Work:
    """A worker in this process, of a calendar whose pushes are lost, so that nobody else is told to work on it."""
    studio.google_control("PUT", "push", {"calendar": studio.person.email, "drop": 1.0})
    all_done(studio)
    return Work(application=application_of(platform), account=studio.account, subject=studio.calendar)


@pytest.fixture
def google_says(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Google's free/busy answers, one for each comparison; each is asked for in several parts."""

    def be_told(answers: Iterable[list[Interval]]) -> None:
        left, now = iter(answers), list[Interval]()

        def busy(google: GoogleCalendar, calendar: str, within: Interval) -> list[Interval]:
            if not now or within.start < now[-1].start:
                given.clear()
                given.extend(next(left))
            now.append(within)
            return [each for each in given if each.overlaps(within)]

        given: list[Interval] = []
        monkeypatch.setattr(GoogleCalendar, "busy", busy)

    return be_told


def hour(number: int, minutes: int = 60) -> Interval:
    return Interval(NINE + 60 * number, NINE + 60 * number + minutes)


def calendar(work: Work) -> Calendar:
    found = work.store.get(work.account, Ref(Calendar, work.subject))
    assert found is not None
    return found


def test_what_differs_each_time_elsewhere_is_on_its_way(work: Work, google_says: Answers) -> None:
    google_says([[hour(0)], [hour(1)]])
    audit(work)
    assert calendar(work).drift_minutes == 0


def test_what_differs_twice_is_drift(work: Work, google_says: Answers) -> None:
    google_says([[hour(0), hour(3)], [hour(0, minutes=30)]])
    audit(work)
    assert calendar(work).drift_minutes == 30
    assert [(each.busy, each.start) for each in calendar(work).drift] == [("only_in_google", NINE)]


def test_what_stays_is_listed_in_full_once_and_not_in_circles(studio: Studio, work: Work, google_says: Answers) -> None:
    google_says([[hour(0)]] * 4)
    generation = calendar(work).cursor.generation
    audit(work)
    until(lambda: (now := calendar(work)).cursor.generation == generation + 1 and now.lease.holder is None)
    audit(Work(application=work.application, account=work.account, subject=work.subject, about=AFTER_RELIST))
    assert not calendar(work).relist
    told = [
        entry.get("why") for entry in studio.history(calendar=studio.calendar) if entry["what"] == "calendar.drifted"
    ]
    assert told == [None, "it still differs after it was listed in full"]
    assert studio.look("health")["status"] == "attention"


def test_an_audit_waits_for_whoever_reads_the_calendar(work: Work, google_says: Answers) -> None:
    held = until(lambda: acquire(work))
    google_says([[hour(0)], [hour(0)], [hour(0)]])
    with pytest.raises(TryLater):
        audit(work)
    assert calendar(work).drift_minutes is None
    release(work, held)  # it was asked to read once more meanwhile
    release(work, held)
    audit(work)
    assert calendar(work).drift_minutes == 60


@pytest.mark.parametrize("recurrence", ["RRULE:FREQ=MINUTELY;INTERVAL=7;COUNT=6000", "RRULE:FREQ=DAILY;COUNT=9"])
def test_a_series_is_no_drift_however_dense(studio: Studio, work: Work, recurrence: str) -> None:  # case 145
    start, end = ({"dateTime": rfc3339(minute), "timeZone": "Europe/Berlin"} for minute in (NINE, NINE + 5))
    studio.person.add_event(start=start, end=end, recurrence=[recurrence])
    pull(work)
    audit(work)
    assert (calendar(work).drift_minutes, calendar(work).audit_error) == (0, None)


@pytest.mark.parametrize(("reason", "error"), [("notFound", Missing), ("internalError", GoogleError)])
def test_a_calendar_s_own_error_is_never_free_time(
    studio: Studio, work: Work, reason: str, error: type[GoogleError]
) -> None:  # case 157
    studio.google_control("PUT", "freebusy", {"calendar": studio.person.email, "reason": reason})
    google = work.google(calendar(work).connection)
    with pytest.raises(error):
        google.busy(studio.person.email, Interval(NINE, NINE + DAY_MINUTES))
