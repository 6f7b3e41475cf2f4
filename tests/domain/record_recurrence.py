"""Writes down what libical, the calendar library in C of GNOME and KDE, says to the rules in `recurrence_recorded.json`.

No test runs this, and none needs libical. To hold the record against a libical that is installed: `python -m tests.domain.record_recurrence`, and
look at the difference. The rules themselves were drawn at random, once.
"""

import ctypes
import json
from ctypes.util import find_library
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

RECORD = Path(__file__).with_name("recurrence_recorded.json")
AT = time(9, 30)
MOST = 100

icalrecur_expand_recurrence = ctypes.CDLL(find_library("ical") or "").icalrecur_expand_recurrence
icalrecur_expand_recurrence.argtypes = [ctypes.c_char_p, ctypes.c_long, ctypes.c_int, ctypes.POINTER(ctypes.c_long)]


def days(start: date, rule: str, last: date) -> list[int]:
    """On which days after its start a series occurs, up to `last`."""
    first = datetime.combine(start, AT, UTC)
    found = (ctypes.c_long * MOST)()
    icalrecur_expand_recurrence(rule.encode(), int(first.timestamp()), MOST, found)
    until = datetime.combine(last, AT, UTC).timestamp()
    return [timedelta(seconds=second - first.timestamp()).days for second in found if 0 < second <= until]


if __name__ == "__main__":
    series = json.loads(RECORD.read_text())
    for one in series:
        one["days"] = days(date.fromisoformat(one["start"]), one["rule"], date.fromisoformat(one["last"]))
    RECORD.write_text("[\n" + ",\n".join(json.dumps(one) for one in series) + "\n]\n")
