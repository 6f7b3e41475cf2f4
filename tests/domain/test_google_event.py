"""A Google event as the mirror keeps it: what it is, whether it takes time, and when exactly."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.google_event import (
    Malformed,
    MirrorEvent,
    interval_of,
    is_older,
    newest_change,
    start_minute,
    takes_time,
)
from functions.domain.mirror_row import by_itself, mirror_row
from functions.domain.recurrence import single_blocks
from tests.domain.builders import (
    BERLIN,
    CALENDAR,
    SESSION,
    all_day,
    event_time,
    exception,
    google_event,
    millis,
    minute,
    row,
    series,
    span,
    spans,
    timed,
    tombstone,
)

ME = {"email": "anna@example.com", "self": True}
KIM = {"email": "kim@example.com"}
YEAR = span("2027-01-01T00:00Z", "2028-01-01T00:00Z")


class TestRow:
    def test_it_keeps_when_and_whether_and_nothing_of_what_and_who(self) -> None:  # case 158
        event = google_event(description="secret", location="secret", attendees=[KIM], creator=KIM)
        kept = mirror_row(event, calendar=CALENDAR, generation=3, session=None)
        assert kept == MirrorEvent(
            id="ev1",
            calendar=CALENDAR,
            kind="single",
            start=event_time(dateTime="2027-03-01T09:00:00Z"),
            end=event_time(dateTime="2027-03-01T10:00:00Z"),
            etag='"1"',
            generation=3,
        )
        text = kept.model_dump_json()
        assert "secret" not in text
        assert "Dentist" not in text
        assert "kim" not in text

    @pytest.mark.parametrize(
        ("event", "kind", "key"),
        [
            pytest.param(google_event(), "single", "ev1", id="an event"),
            pytest.param(series(), "master", "ser1", id="a series"),
            pytest.param(google_event(recurrence=[]), "single", "ev1", id="an event with an empty recurrence"),
            pytest.param(
                exception("2027-03-08T09:00:00+01:00", "2027-03-09T09:00:00Z", "2027-03-09T10:00:00Z"),
                "exception",
                "ser1",
                id="a moved instance",
            ),
            pytest.param(exception("2027-03-08T09:00:00+01:00"), "exception", "ser1", id="a cancelled instance"),
            pytest.param(tombstone(), "single", "ev1", id="a tombstone"),
        ],
    )
    def test_its_kind_and_the_key_that_its_blocks_stand_under(
        self, event: dict[str, Any], kind: str, key: str
    ) -> None:  # case 136
        assert (row(event).kind, row(event).block_key) == (kind, key)

    def test_a_tombstone_of_nothing_but_an_id_is_read(self) -> None:  # case 58
        assert row(tombstone()) == MirrorEvent(
            id="ev1", calendar=CALENDAR, kind="single", cancelled=True, busy=False, generation=1
        )

    def test_lines_of_a_recurrence_that_are_no_text_are_left_out(self) -> None:
        assert row(google_event(recurrence=["RRULE:FREQ=DAILY", None, 7])).recurrence == ("RRULE:FREQ=DAILY",)

    @pytest.mark.parametrize("field", ["start", "end", "originalStartTime"])
    @pytest.mark.parametrize("value", ["tomorrow", 7, ["2027-03-01"], {"dateTime": 7}, {"date": {"year": 2027}}])
    def test_times_of_another_form_are_noted_and_the_others_kept(self, field: str, value: object) -> None:  # case 57
        kept = row(google_event() | {field: value})
        assert kept.malformed
        if field != "start":
            assert kept.start == event_time(dateTime="2027-03-01T09:00:00Z")
        if field != "end":
            assert kept.end == event_time(dateTime="2027-03-01T10:00:00Z")

    @pytest.mark.parametrize(
        "more",
        [
            {"start": {"dateTime": "0000-00-00T00:00:00Z"}},
            {"start": {"date": "2027-13-45"}, "end": {"date": "2027-13-46"}},
            {"start": {}},
            {"start": None},
            {"end": {"dateTime": "2027-03-01T25:00:00Z"}},
            {"recurrence": ["RRULE:FREQ=SOMETIMES"]},
            {"recurrence": ["RRULE:FREQ=DAILY", "RRULE:FREQ=DAILY;BYDAY=XX"]},
            {"recurrence": ["RRULE:FREQ=DAILY", "EXRULE:FREQ=WEEKLY;COUNT=many"]},
            {"recurrence": ["RRULE:FREQ=DAILY", "RDATE:20270301T090000Z,someday"]},
            {"recurrence": ["RRULE:FREQ=DAILY", "EXDATE;VALUE=DATE:20271345"]},
            {"recurrence": ["every other day"]},
        ],
        ids=str,
    )
    def test_what_has_the_right_form_and_says_nothing_is_noted(self, more: dict[str, Any]) -> None:  # case 57
        assert row(google_event() | more).malformed
        assert row(google_event() | more | {"status": "cancelled"}).malformed is None

    def test_which_occurrence_an_exception_stands_for_has_to_be_read_too(self) -> None:  # case 57
        assert row(exception("2027-03-08T09:00:00+01:00") | {"originalStartTime": {"date": "2027-13-45"}}).malformed

    @pytest.mark.parametrize(
        "event",
        [
            google_event(),
            google_event("ev1", "2027-03-01", "2027-03-01"),
            google_event() | {"end": None},
            google_event("ev1", "2027-03-01T09:00:00Z", "9999-12-31T23:59:59Z"),
            series("RRULE:FREQ=SECONDLY"),
            series("RRULE:FREQ=YEARLY;COUNT=99999", "EXDATE:20270301T090000Z,20270302T090000Z", ""),
            exception("2027-03-08T09:00:00+01:00"),
            tombstone(),
        ],
        ids=str,
    )
    def test_of_what_can_be_read_nothing_is_said(self, event: dict[str, Any]) -> None:
        assert row(event).malformed is None

    def test_an_event_of_ours_names_its_session(self) -> None:
        assert row(google_event(), session=SESSION).session == SESSION


# Section 1.3 of the contract notes, line by line.
TAKES_TIME = [
    pytest.param({}, True, id="an event with nothing said takes time"),
    pytest.param({"transparency": "opaque"}, True, id="an opaque one"),
    pytest.param({"transparency": "transparent"}, False, id="a transparent one does not"),
    pytest.param({"status": "cancelled"}, False, id="a cancelled one does not"),
    pytest.param({"status": "tentative"}, True, id="a tentative one does"),
    pytest.param({"attendees": [ME | {"responseStatus": "declined"}]}, False, id="declined by the owner"),  # case 110
    pytest.param({"attendees": [ME | {"responseStatus": "needsAction"}]}, True, id="not answered by the owner"),
    pytest.param({"attendees": [ME | {"responseStatus": "tentative"}]}, True, id="perhaps attended by the owner"),
    pytest.param({"attendees": [ME | {"responseStatus": "accepted"}]}, True, id="accepted by the owner"),
    pytest.param(
        {"attendees": [ME | {"responseStatus": "accepted"}, KIM | {"responseStatus": "declined"}]},
        True,
        id="declined by a guest",
    ),  # case 111
    pytest.param({"attendees": [KIM | {"responseStatus": "declined"}]}, True, id="guests without the owner"),
    pytest.param({"attendees": [], "attendeesOmitted": True}, True, id="guests left out"),
    pytest.param({"eventType": "workingLocation"}, False, id="a working location"),
    pytest.param({"eventType": "birthday"}, False, id="a birthday"),  # case 149
    pytest.param({"eventType": "outOfOffice"}, True, id="out of office"),
    pytest.param({"eventType": "focusTime"}, True, id="focus time"),
    pytest.param({"eventType": "fromGmail"}, True, id="a flight that Gmail found"),
    pytest.param({"eventType": "fromGmail", "transparency": "transparent"}, False, id="a hotel that Gmail found"),
    pytest.param({"eventType": "somethingNew"}, True, id="a type that does not exist yet"),
    pytest.param({"visibility": "private", "summary": None}, True, id="a private one without details"),  # case 158
]


@pytest.mark.parametrize(("changes", "busy"), TAKES_TIME)
def test_what_takes_time(changes: dict[str, Any], *, busy: bool) -> None:
    event = google_event(**changes)
    assert takes_time(event) is busy
    blocks = single_blocks(row(event), calendar_zone=BERLIN, horizon=YEAR)
    assert blocks == (spans("2027-03-01T09:00Z/2027-03-01T10:00Z") if busy else [])


TIMES = [
    pytest.param(
        timed("2027-03-01T09:00:00+01:00"),
        timed("2027-03-01T10:00:00+01:00"),
        "2027-03-01T08:00Z/2027-03-01T09:00Z",
        id="an hour with an offset",
    ),
    pytest.param(
        timed("2027-03-01T09:00:59Z"),
        timed("2027-03-01T10:00:01Z"),
        "2027-03-01T09:00Z/2027-03-01T10:01Z",
        id="seconds are rounded outward",
    ),
    pytest.param(
        timed("2027-03-01T09:00:00.999Z"),
        timed("2027-03-01T10:00:00.001Z"),
        "2027-03-01T09:00Z/2027-03-01T10:01Z",
        id="so are fractions of them",
    ),
    pytest.param(
        all_day("2027-03-01"), all_day("2027-03-02"), "2027-02-28T23:00Z/2027-03-01T23:00Z", id="one day"
    ),  # case 124
    pytest.param(
        all_day("2027-03-01"), all_day("2027-03-04"), "2027-02-28T23:00Z/2027-03-03T23:00Z", id="three days"
    ),  # case 124
    pytest.param(
        all_day("2027-03-28"), all_day("2027-03-29"), "2027-03-27T23:00Z/2027-03-28T22:00Z", id="a day of 23 hours"
    ),  # case 125
    pytest.param(
        all_day("2027-10-31"), all_day("2027-11-01"), "2027-10-30T22:00Z/2027-10-31T23:00Z", id="a day of 25 hours"
    ),  # case 125
    pytest.param(
        all_day("2027-03-01"),
        all_day("2027-03-01"),
        "2027-02-28T23:00Z/2027-03-01T23:00Z",
        id="a day that ends as it starts is a day",
    ),  # case 126
    pytest.param(
        all_day("2027-03-01"),
        all_day("2027-02-20"),
        "2027-02-28T23:00Z/2027-03-01T23:00Z",
        id="a day that ends before it starts is a day",
    ),  # case 126
    pytest.param(
        all_day("2027-03-01"), None, "2027-02-28T23:00Z/2027-03-01T23:00Z", id="a day without an end is a day"
    ),  # case 128
    pytest.param(
        all_day("2027-03-01") | {"timeZone": "Asia/Tokyo"},
        all_day("2027-03-02") | {"timeZone": "Asia/Tokyo"},
        "2027-02-28T23:00Z/2027-03-01T23:00Z",
        id="the zone of a day has no meaning",
    ),  # case 124
    pytest.param(
        timed("2027-03-01T09:00:00Z"), timed("2027-03-01T09:00:00Z"), None, id="no length, no time"
    ),  # case 127
    pytest.param(timed("2027-03-01T09:00:30Z"), timed("2027-03-01T09:00:30Z"), None, id="not even within a minute"),
    pytest.param(timed("2027-03-01T09:00:00Z"), timed("2027-03-01T08:00:00Z"), None, id="an end before the start"),
    pytest.param(timed("2027-03-01T09:00:00Z"), None, None, id="a time without an end"),  # case 128
    pytest.param(
        timed("2027-03-01T10:00:00+01:00", BERLIN),
        timed("2027-03-01T12:00:00-05:00", "America/New_York"),
        "2027-03-01T09:00Z/2027-03-01T17:00Z",
        id="a flight between zones",
    ),  # case 129
    pytest.param(
        timed("2027-03-01T09:00:00", "America/New_York"),
        timed("2027-03-01T10:00:00", "America/New_York"),
        "2027-03-01T14:00Z/2027-03-01T15:00Z",
        id="no offset: the zone of the event decides",
    ),  # case 130
    pytest.param(
        timed("2027-03-01T09:00:00"),
        timed("2027-03-01T10:00:00"),
        "2027-03-01T08:00Z/2027-03-01T09:00Z",
        id="neither: the zone of the calendar decides",
    ),  # case 130
    pytest.param(
        timed("2027-03-01T09:00:00", "Mars/Olympus"),
        timed("2027-03-01T10:00:00", "Mars/Olympus"),
        "2027-03-01T08:00Z/2027-03-01T09:00Z",
        id="a zone that nobody knows counts as none",
    ),  # case 130
    pytest.param(
        timed("2027-03-01T09:00:00+01:00", "America/New_York"),
        timed("2027-03-01T10:00:00+01:00", "America/New_York"),
        "2027-03-01T08:00Z/2027-03-01T09:00Z",
        id="offset and zone disagree: the offset decides",
    ),  # case 131
    pytest.param(
        timed("2027-02-27T22:00:00Z"),
        timed("2027-03-03T06:00:00Z"),
        "2027-02-27T22:00Z/2027-03-03T06:00Z",
        id="several days over the end of a month",
    ),  # case 132
    pytest.param(
        timed("2027-03-01T00:00:00+01:00"),
        timed("2027-03-02T00:00:00+01:00"),
        "2027-02-28T23:00Z/2027-03-01T23:00Z",
        id="a day as a room's calendar writes it",
    ),  # case 133
    pytest.param(
        timed("2027-03-28T02:30:00", BERLIN),
        timed("2027-03-28T03:30:00", BERLIN),
        None,
        id="from a skipped time to the same instant",
    ),
]


@pytest.mark.parametrize(("start", "end", "expected"), TIMES)
def test_when_an_event_is(start: dict[str, str], end: dict[str, str] | None, expected: str | None) -> None:
    found = interval_of(event_time(**start), event_time(**end) if end else None, BERLIN)
    if expected is None:
        assert found.start == found.end
    else:
        assert [found] == spans(expected)


# What can't be read, and what is taken of it all the same.
UNREADABLE = [
    pytest.param({"start": None}, None, id="no start"),  # case 57
    pytest.param({"start": {}}, None, id="an empty start"),
    pytest.param({"start": {"dateTime": "soon"}}, None, id="words for a start"),
    pytest.param({"start": {"date": "0000-00-00"}, "end": {"date": "0000-00-00"}}, None, id="the year 0000"),
    pytest.param({"start": {"date": "0001-01-01"}, "end": {"date": "0001-01-02"}}, None, id="the year 1"),
    pytest.param(
        {"start": {"dateTime": "0001-01-01T00:00:00Z"}, "end": {"dateTime": "0001-01-01T01:00:00Z"}}, None, id="year 1"
    ),
    pytest.param({"start": {"date": "9999-12-31"}, "end": {"date": "9999-12-31"}}, None, id="the last day there is"),
    pytest.param({"end": {"dateTime": "later"}}, "2027-03-01T09:00Z/2027-03-02T09:00Z", id="words for an end"),
    pytest.param({"end": {}}, "2027-03-01T09:00Z/2027-03-02T09:00Z", id="an empty end"),
    pytest.param({"end": 7}, "2027-03-01T09:00Z/2027-03-02T09:00Z", id="a number for an end"),
    pytest.param({"end": {"date": "2027-03-02"}}, "2027-03-01T09:00Z/2027-03-02T09:00Z", id="a date for an end"),
    pytest.param(
        {"start": {"date": "2027-03-01"}, "end": {"date": "2027-02-30"}},
        "2027-02-28T23:00Z/2027-03-01T23:00Z",
        id="a day that does not exist for an end",
    ),
    pytest.param(
        {"start": {"dateTime": "soon"}, "originalStartTime": {"dateTime": "2027-03-01T09:00:00Z"}},
        "2027-03-01T09:00Z/2027-03-02T09:00Z",
        id="an instance of which only the original start can be read",
    ),
]


@pytest.mark.parametrize(("changes", "expected"), UNREADABLE)
def test_what_can_not_be_read_takes_a_day_where_it_has_a_start_and_hurts_nobody(
    changes: dict[str, Any], expected: str | None
) -> None:  # case 57
    blocks = single_blocks(row(google_event() | changes), calendar_zone=BERLIN, horizon=YEAR)
    assert blocks == (spans(expected) if expected else [])


class TestByItself:
    """Occurrences where there are no series: a calendar that gives only free and busy (case 74)."""

    def test_an_occurrence_is_an_event_of_its_own(self) -> None:
        alone = by_itself(
            row(exception("2027-03-08T09:00:00+01:00", "2027-03-08T08:00:00Z", "2027-03-08T09:00:00Z"), session=SESSION)
        )
        assert (alone.kind, alone.series, alone.session, alone.block_key) == ("single", None, None, alone.id)
        assert single_blocks(alone, calendar_zone=BERLIN, horizon=YEAR) == spans("2027-03-08T08:00Z/2027-03-08T09:00Z")

    def test_a_single_event_is_what_it_was(self) -> None:
        ours = row(google_event(), session=SESSION)
        assert by_itself(ours) == ours


@pytest.mark.parametrize(
    ("updated", "expected"),
    [
        pytest.param([], None, id="no changes"),
        pytest.param(["2027-03-01T09:00:00.120Z"], "2027-03-01T09:00:00.120+00:00", id="one, to the millisecond"),
        pytest.param(
            ["2027-03-01T09:00:00Z", "2027-03-01T10:30:00+01:00"], "2027-03-01T09:30:00+00:00", id="the later of two"
        ),
        pytest.param([None, "", "soon", 7, "2027-03-01T09:00:00"], None, id="nothing that can be read"),
    ],
)
def test_when_the_newest_change_was_made_by_google_s_clock(updated: list[Any], expected: str | None) -> None:
    events = [google_event(updated=each) for each in updated]
    assert newest_change(events) == (None if expected is None else millis(expected))


@pytest.mark.parametrize(
    ("start", "end"),
    [
        pytest.param("2027-03-01T09:00:00Z", "9999-12-31T23:59:59Z", id="until the end of time"),
        pytest.param("2027-02-28", "9999-12-31", id="all days there are"),
        pytest.param("1965-05-01T09:00:00Z", "2030-01-01T00:00:00Z", id="since before the epoch"),
    ],
)
def test_an_event_without_bounds_takes_all_that_lies_within(start: str, end: str) -> None:
    (block,) = single_blocks(row(google_event("ev1", start, end)), calendar_zone=BERLIN, horizon=YEAR)
    assert block.start <= minute("2027-03-01T09:00Z")
    assert block.end >= YEAR.end


def test_times_without_a_start_are_malformed() -> None:
    with pytest.raises(Malformed, match="no start"):
        interval_of(None, event_time(dateTime="2027-03-01T09:00:00Z"), BERLIN)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(timed("2027-03-01T09:00:45+01:00"), "2027-03-01T08:00Z", id="timed, the minute it falls on"),
        pytest.param(all_day("2027-03-01"), "2027-02-28T23:00Z", id="all-day, the calendar's midnight"),
    ],
)
def test_the_minute_an_exception_is_matched_by(value: dict[str, str], expected: str) -> None:
    assert start_minute(event_time(**value), BERLIN) == minute(expected)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
DATES = st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9]", fullmatch=True)
CLOCKS = st.from_regex(r"T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](Z|[+-][01][0-9]:[0-5][0-9])?", fullmatch=True)
ZONES = st.sampled_from([BERLIN, "America/New_York", "Mars/Olympus", "", "../x"])
PLAUSIBLE = (
    st.builds(timed, st.builds("{}{}".format, DATES, CLOCKS), st.none() | ZONES)
    | st.builds(all_day, DATES)
    | st.dictionaries(st.sampled_from(["date", "dateTime", "timeZone"]), JUNK, max_size=3)
    | JUNK
)


@given(PLAUSIBLE, PLAUSIBLE, PLAUSIBLE)
def test_no_times_whatever_stop_a_page(start: object, end: object, original: object) -> None:  # case 57
    event = {"id": "ev1", "start": start, "end": end, "originalStartTime": original}
    for block in single_blocks(row(event), calendar_zone=BERLIN, horizon=YEAR):
        assert block.start < block.end
        assert block.overlaps(YEAR)


@pytest.mark.parametrize(
    ("updated", "than", "expected"),
    [
        pytest.param("2027-03-01T09:00:00.000Z", "2027-03-01T09:00:00.001Z", True, id="before"),
        pytest.param("2027-03-01T09:00:00.001Z", "2027-03-01T09:00:00.001Z", False, id="the same moment"),
        pytest.param("2027-03-01T09:00:00.002Z", "2027-03-01T09:00:00.001Z", False, id="after"),
        pytest.param("2027-03-01T11:00:00+02:00", "2027-03-01T09:30:00Z", True, id="another way to write it"),
        pytest.param(None, "2027-03-01T09:00:00.001Z", False, id="a tombstone that says nothing"),
        pytest.param("2027-03-01T09:00:00.000Z", None, False, id="nothing known of before"),
        pytest.param("yesterday", "2027-03-01T09:00:00.001Z", False, id="unreadable"),
        pytest.param("2027-03-01T09:00:00", "2027-03-01T09:00:00.001Z", False, id="no offset"),
    ],
)
def test_what_a_list_tells_from_before_is_old_news(updated: str | None, than: str | None, *, expected: bool) -> None:
    assert is_older(row(google_event(updated=updated)), than) is expected
