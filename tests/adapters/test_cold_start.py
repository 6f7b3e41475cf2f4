"""What an instance loads before its first answer: what it needs for that and nothing else, without looking for garbage meanwhile."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def printed_after(statements: str, expression: str) -> list[str]:
    """The lines that a process of its own prints."""
    code = f"import gc, sys\n{statements}\nprint(*({expression}), sep='\\n')"
    done = subprocess.run([sys.executable, "-B", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()


def below(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize(
    ("entry_point", "needed", "unneeded"),
    [
        (
            "functions.webhook.main",
            "google.cloud.tasks_v2",
            ("google.cloud.firestore", "googleapiclient", "pydantic", "dateutil"),
        ),
        (
            "functions.booking.main",
            "functions.booking.availability",
            (
                "googleapiclient",
                "httplib2",
                "google.cloud.tasks_v2",
                "functions.booking.clients",
                "functions.booking.operators",
                "functions.booking.schemas",
                "functions.adapters.store.committing",
                "functions.domain.google_event",
                "functions.domain.mirroring",
                "functions.domain.session",
                "functions.domain.waitlist",
            ),
        ),
    ],
)
def test_an_entry_point_loads_what_the_first_request_needs_and_no_more(
    entry_point: str, needed: str, unneeded: tuple[str, ...]
) -> None:
    loaded = printed_after(f"import {entry_point}", "sys.modules")
    assert needed in loaded
    assert {name for name in loaded if any(below(name, package) for package in unneeded)} == set()


def test_no_garbage_is_looked_for_while_an_entry_point_loads_nor_in_what_it_loaded() -> None:
    so_far = "sum(each['collections'] for each in gc.get_stats())"
    loads = f"before = {so_far}\nimport functions.webhook.main"
    searches, kept, searching = printed_after(loads, f"{so_far} - before, gc.get_freeze_count(), gc.isenabled()")
    assert int(searches) <= 2  # more than a hundred otherwise
    assert int(kept) > 50_000
    assert searching == "True"
