"""Files of holidays: which dates they name, and what refuses them. Every file is written out here, as a calendar program would."""

import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.adapters.holidays import MAX_EVENTS, MAX_HOLIDAYS, MAX_NAME, MAX_RULES, HolidayFile, read_holidays
from functions.domain.errors import Invalid

ROOT = Path(__file__).parents[2]
TODAY = date(2027, 3, 1)

# What Google, Outlook and the states' own offices make: folded lines, zones, alarms, yearly rules, transparent days.
REALISTIC = """\
BEGIN:VCALENDAR
PRODID:-//Google Inc//Google Calendar 70.9054//EN
VERSION:2.0
CALSCALE:GREGORIAN
METHOD:PUBLISH
X-WR-CALNAME:Feiertage und Betriebsferien
X-WR-TIMEZONE:Europe/Berlin
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
DTSTART;VALUE=DATE:20270326
DTEND;VALUE=DATE:20270327
DTSTAMP:20261122T090000Z
UID:karfreitag-2027@example.com
CLASS:PUBLIC
SUMMARY;LANGUAGE=de:Karfreitag
TRANSP:TRANSPARENT
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20201003
DTEND;VALUE=DATE:20201004
RRULE:FREQ=YEARLY
UID:einheit@example.com
SUMMARY:Tag der Deutschen Ein
 heit\\, bundesweit
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20270809
DTEND;VALUE=DATE:20270812
UID:ferien@example.com
SUMMARY:Betriebsferien
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-P1D
DESCRIPTION:Schild an die Tür
END:VALARM
END:VEVENT
BEGIN:VEVENT
DTSTART;TZID=Europe/Berlin:20270503T093000
DTEND;TZID=Europe/Berlin:20270503T100000
UID:team@example.com
SUMMARY:Teamrunde
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20261225
UID:weihnachten-2026@example.com
SUMMARY:Weihnachten
END:VEVENT
END:VCALENDAR
"""


def file_of(*events: str) -> bytes:
    """A file of these events, each given as its lines."""
    parts = (f"BEGIN:VEVENT\r\n{event.strip()}\r\nEND:VEVENT\r\n" for event in events)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n{''.join(parts)}END:VCALENDAR\r\n".encode()


def on(start: str, *more: str) -> str:
    return "\r\n".join((f"DTSTART;VALUE=DATE:{start}", "SUMMARY:Closed", *more))


def dates(*events: str, since: date = TODAY) -> list[str]:
    return [f"{holiday.date:%Y%m%d}" for holiday in read_holidays(file_of(*events), since=since).holidays]


def test_a_realistic_file() -> None:
    found = read_holidays(REALISTIC.encode(), since=TODAY)
    assert [(holiday.date.isoformat(), holiday.name) for holiday in found.holidays] == [
        ("2027-03-26", "Karfreitag"),
        ("2027-08-09", "Betriebsferien"),
        ("2027-08-10", "Betriebsferien"),
        ("2027-08-11", "Betriebsferien"),
        ("2027-10-03", "Tag der Deutschen Einheit, bundesweit"),
        ("2028-10-03", "Tag der Deutschen Einheit, bundesweit"),
        ("2029-10-03", "Tag der Deutschen Einheit, bundesweit"),
    ]
    assert found.skipped == 1


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param(on("20270501"), "20270501", id="no end is one day"),
        pytest.param(on("20270501", "DTEND;VALUE=DATE:20270502"), "20270501", id="the end is the day after"),
        pytest.param(on("20270501", "DTEND;VALUE=DATE:20270501"), "20270501", id="an end on its own day"),
        pytest.param(on("20270501", "DTEND;VALUE=DATE:20270430"), "20270501", id="an end before its start"),
        pytest.param(on("20270430", "DTEND;VALUE=DATE:20270502"), "20270430 20270501", id="over the end of a month"),
        pytest.param(on("20270501", "DURATION:P2D"), "20270501 20270502", id="so many days"),
        pytest.param(on("20270501", "DURATION:P1W"), " ".join(f"2027050{n}" for n in range(1, 8)), id="a week"),
        pytest.param(on("20270501", "DURATION:PT12H"), "20270501", id="a part of a day is the day"),
        pytest.param(on("20270228"), "", id="yesterday"),
        pytest.param(on("20270301"), "20270301", id="today"),
        pytest.param(
            on("20270227", "DTEND;VALUE=DATE:20270303"), "20270301 20270302", id="what goes on until tomorrow"
        ),
        pytest.param(on("20350501"), "20350501", id="a single day in many years"),
        pytest.param(on("99991231"), "99991231", id="the last day of all"),
        pytest.param(
            on("20200501", "RRULE:FREQ=YEARLY"), "20270501 20280501 20290501", id="yearly, for the coming three years"
        ),
        pytest.param(on("20200301", "RRULE:FREQ=YEARLY"), "20270301 20280301 20290301 20300301", id="from today on"),
        pytest.param(
            on("20200501", "DTEND;VALUE=DATE:20200503", "RRULE:FREQ=YEARLY;UNTIL=20280501"),
            "20270501 20270502 20280501 20280502",
            id="several days a year, to a last one",
        ),
        pytest.param(on("20200501", "RRULE:FREQ=YEARLY;COUNT=8"), "20270501", id="eight times, seven of them past"),
        pytest.param(on("20200501", "RRULE:FREQ=YEARLY;COUNT=5"), "", id="five times, all of them past"),
        pytest.param(on("20200501", "RRULE:FREQ=YEARLY;UNTIL=20200601"), "", id="ended long ago"),
        pytest.param(
            on("16010501", "RRULE:FREQ=YEARLY"), "20270501 20280501 20290501", id="since before the calendar's reform"
        ),
        pytest.param(
            on("20261126", "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH"),
            "20271125 20281123 20291122",
            id="the fourth Thursday of November",
        ),
        pytest.param(
            on("20200525", "RRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO"),
            "20270531 20280529 20290528",
            id="the last Monday of May",
        ),
        pytest.param(on("20240229", "RRULE:FREQ=YEARLY"), "20280229", id="the day that most years don't have"),
        pytest.param(
            on("20231230", "DTEND;VALUE=DATE:20240103", "RRULE:FREQ=YEARLY;UNTIL=20281230"),
            "20271230 20271231 20280101 20280102 20281230 20281231 20290101 20290102",
            id="over New Year, each year",
        ),
        pytest.param(
            on("20210227", "DTEND;VALUE=DATE:20210303", "RRULE:FREQ=YEARLY;UNTIL=20270227"),
            "20270301 20270302",
            id="yearly, and just going on",
        ),
        pytest.param(
            on("20270501", "RRULE:FREQ=DAILY;COUNT=3"),
            "20270501 20270502 20270503",
            id="daily, as some programs write it",
        ),
        pytest.param(
            on("20270501", "RRULE:FREQ=YEARLY", "EXDATE;VALUE=DATE:20280501"),
            "20270501 20290501",
            id="but for one year",
        ),
        pytest.param(
            on("20270501", "RRULE:FREQ=YEARLY", "EXDATE;VALUE=DATE:20270501"),
            "20280501 20290501",
            id="but for the first",
        ),
        pytest.param(
            on("20270501", "RRULE:FREQ=YEARLY", "EXDATE:20280501T000000Z"),
            "20270501 20290501",
            id="left out by an instant",
        ),
        pytest.param(
            on("20270501", "RDATE;VALUE=DATE:20270503,20270504"), "20270501 20270503 20270504", id="on further dates"
        ),
        pytest.param(
            on("20270501", "RDATE;VALUE=PERIOD:20270503T000000Z/P1D"), "20270501 20270503", id="on the date of a period"
        ),
        pytest.param(on("20270501", "STATUS:CANCELLED"), "", id="cancelled"),
        pytest.param("SUMMARY:Some day", "", id="without a date"),
    ],
)
def test_the_dates_of_an_event(event: str, expected: str) -> None:
    assert dates(event) == expected.split()


class TestSeveralEvents:
    def test_dates_are_sorted_and_come_once_with_the_first_name(self) -> None:
        second = "DTSTART;VALUE=DATE:20270501\r\nSUMMARY:May Day"
        found = read_holidays(file_of(on("20270601"), on("20270501"), second), since=TODAY)
        assert [(holiday.date.month, holiday.name) for holiday in found.holidays] == [(5, "Closed"), (6, "Closed")]

    def test_a_date_of_a_series_that_was_moved_is_where_it_was_moved_to(self) -> None:  # case 135
        series = on("20270501", "UID:a", "RRULE:FREQ=YEARLY;COUNT=3")
        moved = on("20280502", "UID:a", "RECURRENCE-ID;VALUE=DATE:20280501")
        assert dates(series, moved) == ["20270501", "20280502", "20290501"]

    def test_a_date_of_a_series_that_was_cancelled_is_none(self) -> None:  # case 136
        series = on("20270501", "UID:a", "RRULE:FREQ=YEARLY;COUNT=3")
        cancelled = on("20280501", "UID:a", "RECURRENCE-ID;VALUE=DATE:20280501", "STATUS:CANCELLED")
        assert dates(cancelled, series) == ["20270501", "20290501"]

    def test_a_date_of_a_series_that_got_a_time_of_day_is_no_holiday(self) -> None:
        series = on("20270501", "UID:a", "RRULE:FREQ=YEARLY;COUNT=2")
        timed = "UID:a\r\nRECURRENCE-ID;VALUE=DATE:20280501\r\nDTSTART:20280501T090000Z"
        found = read_holidays(file_of(series, timed), since=TODAY)
        assert ([holiday.date.year for holiday in found.holidays], found.skipped) == ([2027], 1)

    def test_another_series_keeps_that_date(self) -> None:
        series = on("20270501", "UID:a", "RRULE:FREQ=YEARLY;COUNT=2")
        other = on("20280601", "UID:b", "RECURRENCE-ID;VALUE=DATE:20280501")
        assert dates(series, other) == ["20270501", "20280501", "20280601"]

    def test_what_has_a_time_of_day_is_counted_once_however_often_it_comes_again(self) -> None:
        timed = ("DTSTART:20270501T090000Z\r\nRRULE:FREQ=DAILY", "DTSTART;TZID=Europe/Berlin:20270501T090000")
        assert read_holidays(file_of(*timed), since=TODAY) == HolidayFile(holidays=(), skipped=2)

    def test_two_calendars_in_one_file(self) -> None:
        both = file_of(on("20270501")) + file_of(on("20270601"))
        assert len(read_holidays(both, since=TODAY).holidays) == 2


@pytest.mark.parametrize(
    ("summary", "name"),
    [
        pytest.param("SUMMARY:  May  Day ", "May Day", id="trimmed"),
        pytest.param("SUMMARY:May\\n\\nDay", "May Day", id="on one line"),
        pytest.param("SUMMARY:May\\, Day\\; all of it", "May, Day; all of it", id="without the escapes"),
        pytest.param("SUMMARY:May\x00\x7fDay", "May Day", id="without what can't be shown"),
        pytest.param(
            "SUMMARY;LANGUAGE=de:Maifeiertag\r\nSUMMARY;LANGUAGE=en:May Day", "Maifeiertag", id="the first of two"
        ),
        pytest.param("SUMMARY:" + "x" * 300, "x" * MAX_NAME, id="not longer than a name may be"),
        pytest.param("SUMMARY:", "", id="empty"),
        pytest.param("CLASS:PUBLIC", "", id="none"),
    ],
)
def test_the_name_of_a_holiday(summary: str, name: str) -> None:
    (found,) = read_holidays(file_of(f"DTSTART;VALUE=DATE:20270501\r\n{summary}"), since=TODAY).holidays
    assert found.name == name


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(REALISTIC.encode("utf-8-sig"), id="with a byte order mark"),
        pytest.param(REALISTIC.replace("\n", "\r\n").encode(), id="with CRLF"),
        pytest.param(
            REALISTIC.replace("CLASS:PUBLIC", "DESCRIPTION:Alle\nzu").encode(), id="with a line break where none may be"
        ),
    ],
)
def test_a_file_may_come(content: bytes) -> None:
    assert len(read_holidays(content, since=TODAY).holidays) == 7


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "no events", id="empty"),
        pytest.param(b"\r\n\r\n", "no events", id="empty lines"),
        pytest.param(b"hello", "not iCalendar", id="a word"),
        pytest.param(b"/etc/hostname", "not iCalendar", id="the path of a file"),
        pytest.param(b'{"holidays": []}', "not iCalendar", id="JSON"),
        pytest.param(b"\x89PNG\r\n\x1a\n", "UTF-8", id="a picture"),
        pytest.param(REALISTIC.replace("Einheit", "Fünfheit").encode("latin-1"), "UTF-8", id="Latin-1"),
        pytest.param(REALISTIC.encode("utf-16"), "UTF-8", id="UTF-16"),
        pytest.param(REALISTIC.encode()[:1200], "cut off", id="half of it"),
        pytest.param(file_of(), "no events", id="no events"),
        pytest.param(b"BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20270501\r\nEND:VEVENT\r\n", "no events", id="no calendar"),
        pytest.param(file_of(on("20270501", "DTEND")), "can't be read: DTEND", id="a line that is cut off"),
        pytest.param(b"BEGIN:VCALENDAR\r\n?\r\nEND:VCALENDAR", "not iCalendar", id="a line that says nothing"),
        pytest.param(b"BEGIN:VEVENT\r\n" * 3000 + b"END:VEVENT\r\n" * 3000, "no events", id="a well of events"),
        pytest.param(file_of(on("20271301")), "“Closed” can't be read: DTSTART", id="a month that is not"),
        pytest.param(file_of(on("20270501", "DTSTART:20270502")), "more than one DTSTART", id="two starts"),
        pytest.param(file_of(on("20270501", "DTEND:20270501T090000Z")), "ends with a time", id="half a day"),
        pytest.param(
            file_of(on("20270501", "DTEND;VALUE=BINARY:eA==")), "can't be read: DTEND", id="a picture as its end"
        ),
        pytest.param(file_of(on("20270501", "DURATION;VALUE=DATE:20270502")), "DURATION", id="a date as its length"),
        pytest.param(file_of(on("20270501", "RDATE;VALUE=BINARY:eA==")), "RDATE", id="a picture for dates"),
        pytest.param(file_of(on("20270501", "EXDATE:soon")), "EXDATE", id="words for a date"),
        pytest.param(file_of(on("20270501", "RRULE:FREQ=SOMETIMES")), "RRULE", id="a rule that is none"),
        pytest.param(file_of(on("20270501", "RRULE:FREQ=YEARLY;INTERVAL=0")), "RRULE", id="a rule that never moves on"),
        pytest.param(
            file_of(on("20270501", "RRULE:FREQ=YEARLY;UNTIL=20300230")), "RRULE", id="until a day that is not"
        ),
        pytest.param(file_of(on("20200501", "DTEND;VALUE=DATE:99991231")), "longer than a year", id="for ever"),
        pytest.param(file_of(on("99991231", "DURATION:P5D")), "end of the calendar", id="beyond the last day of all"),
    ],
)
def test_a_file_that_can_not_be_read(content: bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        read_holidays(content, since=TODAY)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(file_of(on("20270501", "RRULE:FREQ=DAILY")), f"{MAX_HOLIDAYS} dates", id="each day"),
        pytest.param(file_of(on("20270501", "RRULE:FREQ=SECONDLY")), "too often", id="each second"),
        pytest.param(
            file_of(on("20201225", "RRULE:FREQ=DAILY;BYMONTH=12;BYMONTHDAY=25;COUNT=6000")),
            "too often",
            id="so many times that nobody counts them",
        ),
        pytest.param(
            file_of(on("20200101", "RRULE:FREQ=YEARLY;BYHOUR=0,1,2,3;BYMINUTE=" + ",".join(map(str, range(60))))),
            "too often",
            id="each minute of a night",
        ),
        pytest.param(file_of(*[on("20200501", "RRULE:FREQ=YEARLY")] * (MAX_RULES + 1)), "by a rule", id="many rules"),
        pytest.param(file_of(*[on("20200501")] * (MAX_EVENTS + 1)), f"{MAX_EVENTS} events", id="many events"),
    ],
)
def test_what_would_take_for_ever_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        read_holidays(content, since=TODAY)


def test_rules_that_never_occur_add_their_own_date_and_are_not_searched_to_the_end_of_time() -> None:
    never = [on("20270501", f"UID:{n}", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30") for n in range(100)]
    assert dates(*never) == ["20270501"]


def test_exactly_as_many_as_may_be() -> None:
    last = TODAY + timedelta(days=MAX_HOLIDAYS - 1)
    whole = on("20270301", f"RRULE:FREQ=DAILY;COUNT={MAX_HOLIDAYS}")
    assert dates(whole)[-1] == f"{last:%Y%m%d}"
    with pytest.raises(Invalid):
        dates(whole, on(f"{last + timedelta(days=1):%Y%m%d}"))


def test_the_library_is_not_loaded_before_a_file_is_read() -> None:
    """It would make it longer until a new instance answers an operator."""
    look = "import sys, functions.booking.operators; print('icalendar' in sys.modules, 'functions.adapters.holidays' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout.split() == ["False", "True"]


LINES = REALISTIC.splitlines()
PIECES = st.sampled_from(
    (
        *(
            "T120000",
            "20270501",
            "9999",
            ";",
            ":",
            ",",
            "=",
            "DATE",
            "PERIOD",
            "DURATION",
            "\x00",
            "é",
            "VALUE=BINARY;ENCODING=BASE64",
        ),
        *("FREQ=SECONDLY", "COUNT=0", "INTERVAL=99999999", "BYDAY=9XX", "-P1D", "P99999999999D", "TZID=Nowhere"),
        *("RDATE:", "EXDATE:", "DURATION:", "RECURRENCE-ID:", "RRULE:", "END:VEVENT", "BEGIN:VCALENDAR"),
    )
)


@given(st.lists(st.tuples(st.integers(0, len(LINES) - 1), st.integers(0, 40), PIECES), min_size=1, max_size=4))
def test_whatever_is_broken_it_is_read_or_refused(breaks: list[tuple[int, int, str]]) -> None:
    lines = list(LINES)
    for number, place, piece in breaks:
        lines[number] = lines[number][:place] + piece + lines[number][place:]
    try:
        found = read_holidays("\r\n".join(lines).encode(), since=TODAY)
    except Invalid:
        return  # anything else fails the test
    listed = [holiday.date for holiday in found.holidays]
    assert listed == sorted(set(listed))
    assert all(day >= TODAY for day in listed)
