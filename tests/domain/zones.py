"""Zones whose clocks change in ways that code forgets, and every change of clocks there is.

The changes are read from the files of the zone database (RFC 9636), not asked of `zoneinfo`: what is tested gets its offsets from there.
"""

import re
import struct
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

NEW_YORK = "America/New_York"
LORD_HOWE = "Australia/Lord_Howe"  # by half an hour
SAO_PAULO = "America/Sao_Paulo"  # until 2019, at midnight: some days had no 00:00
BEIRUT = "Asia/Beirut"  # at midnight still
HAVANA = "America/Havana"  # the first hour of a day comes twice
APIA = "Pacific/Apia"  # 2011-12-30 did not exist
KWAJALEIN = "Pacific/Kwajalein"  # nor 1993-08-21 here
CASABLANCA = "Africa/Casablanca"  # four times a year, around Ramadan
TROLL = "Antarctica/Troll"  # by two hours
ST_JOHNS = "America/St_Johns"  # until 2011, at 00:01: midnight came twice

LAST_YEAR = 2040  # changes that a rule of the database foretells are listed up to here


class Transition(NamedTuple):
    """From the minute `at` (UTC) on the wall clock of `zone` is `after` minutes ahead of UTC, until then `before` minutes."""

    zone: str
    at: int
    before: int
    after: int


class Span(NamedTuple):
    """Seconds since the epoch from `start` until `end`, in which the wall clock is `offset` seconds ahead of UTC."""

    start: int
    end: int
    offset: int


@cache
def transitions(first_year: int, last_year: int) -> list[Transition]:
    """Every change of an offset in these years of UTC, of every zone that `zoneinfo` knows."""
    first, after = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (first_year, last_year + 1))
    found = []
    for name in sorted(zoneinfo.available_timezones()):
        for old, new in changes(name):
            if not first <= new.start < after:
                continue
            minutes = [number // 60 for number in (new.start, old.offset, new.offset)]
            assert [number * 60 for number in minutes] == [new.start, old.offset, new.offset], name
            found.append(Transition(name, *minutes))
    return found


def changes(zone: str) -> Iterator[tuple[Span, Span]]:
    """Every change of an offset there ever was: what held before, and what after."""
    return pairwise(spans(zone))


@cache
def spans(zone: str) -> tuple[Span, ...]:
    """All offsets a zone ever had, and will have until `LAST_YEAR`, in order. The first has no start, and the last no end."""
    return _spans_of(_file_of(zone))


def _file_of(zone: str) -> bytes:
    """Found as `zoneinfo` finds it: the system's database, else the one that is a package."""
    for folder in zoneinfo.TZPATH:
        path = Path(folder, zone)
        if path.is_file():
            return path.read_bytes()
    return resources.files("tzdata").joinpath("zoneinfo", *zone.split("/")).read_bytes()


@cache
def _spans_of(file: bytes) -> tuple[Span, ...]:
    listed, footer = _parsed(file)
    if "," in footer:
        last = listed[-1][0]
        first_year = datetime.fromtimestamp(last, UTC).year if len(listed) > 1 else 1970
        listed += [change for change in _foretold(footer, first_year) if change[0] > last]
    joined = listed[:1] + [new for old, new in pairwise(listed) if new[1] != old[1]]
    ends = [start for start, _ in joined[1:]]
    return tuple(Span(start, end, offset) for (start, offset), end in zip(joined, [*ends, 2**60], strict=True))


def _parsed(file: bytes) -> tuple[list[tuple[int, int]], str]:
    """The instants and new offsets of the listed changes, and the footer: the rule for all that come later (RFC 9636, section 3)."""
    place = 0
    for width in (4, 8):  # the same data twice: 32 bits for old readers, then 64
        assert file[place : place + 4] == b"TZif"
        is_ut, is_std, leap, times, types, characters = struct.unpack_from(">6l", file, place + 20)
        body = place + 44
        place = body + times * (width + 1) + types * 6 + characters + leap * (width + 4) + is_std + is_ut
    instants = struct.unpack_from(f">{times}q", file, body)
    which = file[body + times * 8 : body + times * 9]
    offsets = [struct.unpack_from(">l", file, body + times * 9 + 6 * number)[0] for number in range(types)]
    listed = [(instant, offsets[number]) for instant, number in zip(instants, which, strict=True)]
    return [(-(2**60), offsets[0]), *listed], file[place:].strip().decode()


_NAME = r"(?:<[^>]+>|[A-Za-z]+)"
_FOOTER = re.compile(rf"{_NAME}([-+\d:]+){_NAME}([-+\d:]*),M(\d+)\.(\d)\.(\d)(?:/(.+))?,M(\d+)\.(\d)\.(\d)(?:/(.+))?")


def _foretold(footer: str, first_year: int) -> list[tuple[int, int]]:
    """The changes of a rule such as `EST5EDT,M3.2.0,M11.1.0`, whose offsets count westwards (POSIX.1, TZ)."""
    match = _FOOTER.fullmatch(footer)
    assert match, footer
    standard = -_seconds(match[1])
    summer = -_seconds(match[2]) if match[2] else standard + 3600
    found = []
    for year in range(first_year, LAST_YEAR + 1):
        for (month, week, weekday, time), old, new in (
            (match.group(3, 4, 5, 6), standard, summer),
            (match.group(7, 8, 9, 10), summer, standard),
        ):
            midnight = datetime.combine(_nth(year, int(month), int(week), int(weekday)), datetime.min.time(), UTC)
            found.append((int(midnight.timestamp()) + _seconds(time or "2") - old, new))
    return sorted(found)


def _seconds(text: str) -> int:
    hours, minutes, seconds = (*(int(part) for part in text.lstrip("+-").split(":")), 0, 0)[:3]
    return (-1 if text.startswith("-") else 1) * (hours * 3600 + minutes * 60 + seconds)


def _nth(year: int, month: int, week: int, weekday: int) -> date:
    """The `week`-th such weekday (0 is Sunday) of a month; the fifth is the last."""
    first = date(year, month, 1)
    day = first + timedelta(days=(weekday - first.isoweekday()) % 7 + 7 * (week - 1))
    return day if day.month == month else day - timedelta(days=7)
