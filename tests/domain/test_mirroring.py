"""From a calendar's pages to blocks in the ledger: what comes, goes, moves, and that nothing is ever left behind."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from functions.domain.calendar import Bounds, Cursor
from functions.domain.event_ids import event_id
from functions.domain.google_event import MirrorEvent
from functions.domain.horizon import HORIZON_DAYS, ROLL_WHEN_BELOW_DAYS, horizon_is_short, new_horizon, projected_time
from functions.domain.instants import DAY_MINUTES
from functions.domain.intervals import Interval
from functions.domain.ledger import LedgerChange, LedgerMonth, merge_changes
from functions.domain.mirroring import (
    Family,
    Projection,
    blocks_of,
    project,
    resources_changed,
    row_changes,
    was_asked_for,
)
from tests.domain.builders import (
    BERLIN,
    CALENDAR,
    NOW,
    SESSION,
    apply,
    calendar,
    exception,
    google_event,
    minute,
    occupation,
    row,
    series,
    spans,
    tombstone,
)
from tests.domain.mirror import RESOURCES, WITHIN, projected


def family(*events: Mapping[str, Any], months: Iterable[str] = (), of: str = CALENDAR) -> Family:
    rows = tuple(row(event, of=of) for event in events)
    return Family(key=rows[0].block_key, rows=rows, months=frozenset(months))


def by_month(projection: Projection) -> dict[str, list[Interval]]:
    """Month → the blocks that it is given; nothing where they are taken away."""
    return {change.month: list(blocks or ()) for change in projection.changes for blocks in change.blocks.values()}


class TestHorizon:
    def test_it_goes_four_hundred_days_on_from_the_beginning_of_today(self) -> None:
        assert new_horizon(NOW) == minute("2027-02-22T00:00Z") + 400 * DAY_MINUTES

    def test_it_is_rolled_on_before_the_longest_window_would_reach_beyond_it(self) -> None:  # cases 64 and 144
        horizon = new_horizon(NOW)
        days_later = [NOW + days * DAY_MINUTES * 60_000 for days in range(30)]
        first_short = next(n for n, now in enumerate(days_later) if horizon_is_short(horizon, now))
        assert first_short == HORIZON_DAYS - ROLL_WHEN_BELOW_DAYS
        assert horizon - days_later[first_short] // 60_000 > 365 * DAY_MINUTES

    def test_the_ledger_holds_events_from_the_beginning_of_the_month(self) -> None:
        assert projected_time(NOW, WITHIN.end) == WITHIN


class TestProjection:
    def test_a_block_stands_in_every_month_that_it_touches(self) -> None:  # case 132
        projection = projected(family(google_event("ev1", "2027-03-31T12:00:00Z", "2027-05-01T12:00:00Z")))
        whole = spans("2027-03-31T12:00Z/2027-05-01T12:00Z")
        assert by_month(projection) == {"2027-03": whole, "2027-04": whole, "2027-05": whole}
        assert projection.rows[0].months == ("2027-03", "2027-04", "2027-05")

    def test_ending_as_the_month_ends_it_does_not_stand_in_the_next(self) -> None:
        projection = projected(family(google_event("ev1", "2027-03-31T12:00:00Z", "2027-04-01T00:00:00Z")))
        assert list(by_month(projection)) == ["2027-03"]

    def test_every_resource_has_the_same_blocks(self) -> None:
        projection = projected(family(google_event()), resources=iter(RESOURCES))
        assert [change.resource for change in projection.changes] == ["anna", "ben"]
        assert projection.changes[0].blocks == projection.changes[1].blocks

    @pytest.mark.parametrize(
        ("event", "expected"),
        [
            pytest.param(
                google_event("ev1", "2027-04-01T09:00:00Z", "2027-04-01T10:00:00Z"),
                {"2027-03": [], "2027-04": spans("2027-04-01T09:00Z/2027-04-01T10:00Z")},
                id="moved to another month",
            ),
            pytest.param(
                google_event("ev1", "2027-03-05T09:00:00Z", "2027-03-05T10:00:00Z"),
                {"2027-03": spans("2027-03-05T09:00Z/2027-03-05T10:00Z")},
                id="moved within its month",
            ),
            pytest.param(
                google_event("ev1", "2030-03-01T09:00:00Z", "2030-03-01T10:00:00Z"),
                {"2027-03": []},
                id="moved beyond the horizon",
            ),  # case 62
            pytest.param(
                google_event("ev1", "2025-03-01T09:00:00Z", "2025-03-01T10:00:00Z"),
                {"2027-03": []},
                id="moved into the past",
            ),  # case 62
            pytest.param(google_event(transparency="transparent"), {"2027-03": []}, id="now shown as available"),
            pytest.param(
                google_event("ev1", "2027-03-01", "2027-03-02"),
                {"2027-02": spans("2027-02-28T23:00Z/2027-03-01T23:00Z")}
                | {"2027-03": spans("2027-02-28T23:00Z/2027-03-01T23:00Z")},
                id="made all-day",
            ),
        ],
    )
    def test_an_event_of_march_leaves_where_it_was(
        self, event: dict[str, Any], expected: dict[str, list[Interval]]
    ) -> None:  # case 150
        assert by_month(projected(family(event, months=["2027-03"]))) == expected

    def test_a_family_without_rows_leaves_nothing(self) -> None:
        gone = projected(Family(key="ev1", rows=(), months=frozenset({"2027-03", "2027-04"})))
        assert by_month(gone) == {"2027-03": [], "2027-04": []}
        assert all(blocks is None for change in gone.changes for blocks in change.blocks.values())

    def test_an_event_that_comes_into_the_window_is_added(self) -> None:  # case 63
        assert by_month(projected(family(google_event()))) == {"2027-03": spans("2027-03-01T09:00Z/2027-03-01T10:00Z")}

    def test_an_event_outside_the_window_changes_nothing(self) -> None:
        projection = projected(family(google_event("ev1", "2030-03-01T09:00:00Z", "2030-03-01T10:00:00Z")))
        assert projection.changes == ()
        assert projection.rows[0].months == ()

    def test_an_event_that_goes_on_since_before_the_window_blocks_from_its_first_month(self) -> None:  # case 65
        sabbatical = google_event("ev1", "2026-01-01T00:00:00Z", "2027-03-01T09:00:00Z")
        assert list(by_month(projected(family(sabbatical)))) == ["2027-02", "2027-03"]

    def test_an_endless_series_goes_as_far_as_the_horizon(self) -> None:  # case 144
        months = by_month(projected(family(series("RRULE:FREQ=WEEKLY"))))
        assert list(months) == ["2027-03", "2027-04", "2027-05", "2027-06"]
        assert [len(blocks) for blocks in months.values()] == [5, 4, 5, 4]

    def test_a_series_and_its_exceptions_are_one_entry(self) -> None:
        moved = exception("2027-03-08T09:00:00+01:00", "2027-04-02T09:00:00Z", "2027-04-02T10:00:00Z")
        projection = projected(family(series("RRULE:FREQ=WEEKLY;COUNT=2"), moved))
        assert [change.blocks.keys() for change in projection.changes] == [{(CALENDAR, "ser1")}] * 2
        assert by_month(projection) == {
            "2027-03": spans("2027-03-01T08:00Z/2027-03-01T09:00Z"),
            "2027-04": spans("2027-04-02T09:00Z/2027-04-02T10:00Z"),
        }
        assert {one.months for one in projection.rows} == {("2027-03", "2027-04")}


class TestWhoseBlocks:
    OURS = event_id(SESSION, CALENDAR, 0)

    def blocks(self, *rows: MirrorEvent) -> list[Interval]:
        return blocks_of(
            Family(key=rows[0].block_key, rows=rows, months=frozenset()), calendar_zone=BERLIN, within=WITHIN
        )

    def test_an_event_of_ours_blocks_nothing_its_session_does(self) -> None:  # case 159
        assert self.blocks(row(google_event(self.OURS), session=SESSION)) == []

    def test_unless_the_two_are_at_odds(self) -> None:
        disputed = row(google_event(self.OURS), session=SESSION).model_copy(update={"disputed": True})
        assert self.blocks(disputed) == spans("2027-03-01T09:00Z/2027-03-01T10:00Z")

    def test_an_invitation_to_it_blocks_only_who_is_not_in_the_session(self) -> None:  # case 123
        invitation = row(google_event(self.OURS)).model_copy(update={"spared": ("anna",)})
        projection = projected(Family(key=self.OURS, rows=(invitation,), months=frozenset()), resources=("anna", "ben"))
        blocks = {change.resource: list(b or ()) for change in projection.changes for b in change.blocks.values()}
        assert blocks == {"anna": [], "ben": spans("2027-03-01T09:00Z/2027-03-01T10:00Z")}

    def test_a_copy_of_it_blocks(self) -> None:  # case 114
        copied = google_event("copied", extendedProperties={"private": {"bookingSession": SESSION}})
        assert self.blocks(row(copied)) == spans("2027-03-01T09:00Z/2027-03-01T10:00Z")

    def test_made_recurring_all_its_occurrences_block(self) -> None:  # case 107
        recurring = row(series("RRULE:FREQ=WEEKLY;COUNT=2", id_=self.OURS), session=SESSION)
        assert self.blocks(recurring) == spans(
            "2027-03-01T08:00Z/2027-03-01T09:00Z", "2027-03-08T08:00Z/2027-03-08T09:00Z"
        )

    def test_the_same_ids_in_another_calendar_are_other_events(self) -> None:  # case 138
        here = project(
            family(series("RRULE:FREQ=WEEKLY;COUNT=2")),
            calendar=CALENDAR,
            resources=["anna"],
            calendar_zone=BERLIN,
            within=WITHIN,
        )
        there = project(
            family(exception("2027-03-08T09:00:00+01:00"), of="other"),
            calendar="other",
            resources=["anna"],
            calendar_zone=BERLIN,
            within=WITHIN,
        )
        months = apply(apply({}, here.changes), there.changes)
        assert len(months["anna", "2027-03"].blocks[CALENDAR]["ser1"]) == 2


class TestWhoseTimeChanges:
    """Whose sessions have to be looked at: where blocks are others than before, from this month on."""

    NOON, EVENING = spans("2027-03-01T12:00Z/2027-03-01T13:00Z", "2027-03-01T19:00Z/2027-03-01T20:00Z")

    @pytest.mark.parametrize(
        ("known", "month", "intervals", "changed"),
        [
            pytest.param((), "2027-03", (NOON,), True, id="an event is new"),
            pytest.param((NOON,), "2027-03", None, True, id="it is gone"),
            pytest.param((NOON,), "2027-03", (EVENING,), True, id="it moved"),
            pytest.param((NOON,), "2027-03", (NOON, EVENING), True, id="it comes again"),
            pytest.param((NOON, EVENING), "2027-03", (EVENING, NOON), False, id="it is as it was, in another order"),
            pytest.param((), "2027-03", None, False, id="it never was there"),
            pytest.param((), "2027-02", (NOON,), True, id="in the month that it is now"),
            pytest.param((), "2027-01", (NOON,), False, id="in a month that is over"),
        ],
    )
    def test_of_an_event(
        self, known: tuple[Interval, ...], month: str, intervals: tuple[Interval, ...] | None, *, changed: bool
    ) -> None:
        blocks = {CALENDAR: {"ev1": known}} if known else {}
        months = {("anna", month): LedgerMonth(resource="anna", month=month, blocks=blocks)}
        change = LedgerChange(resource="anna", month=month, blocks={(CALENDAR, "ev1"): intervals})
        assert resources_changed([change], months, NOW) == ({"anna"} if changed else set())

    def test_a_month_that_does_not_exist_yet_changes(self) -> None:
        change = LedgerChange(resource="anna", month="2027-03", blocks={(CALENDAR, "ev1"): (self.NOON,)})
        assert resources_changed([change], {}, NOW) == {"anna"}


class TestRowChanges:
    KNOWN = row(google_event())

    def changes(self, *events: dict[str, Any], known: Iterable[MirrorEvent] = ()) -> tuple[list[str], set[str]]:
        found = row_changes([row(event) for event in events], {one.id: one for one in known})
        assert found.present_or_removed == {one.id for one in found.present} | found.removed
        return [one.id for one in found.present], set(found.removed)

    def test_an_event_is_kept(self) -> None:
        assert self.changes(google_event()) == (["ev1"], set())

    def test_a_tombstone_of_a_known_event_removes_it(self) -> None:  # case 58
        assert self.changes(tombstone(), known=[self.KNOWN]) == ([], {"ev1"})

    def test_a_tombstone_means_the_event_of_its_id_and_no_other(self) -> None:  # case 59
        twin = row(google_event("ev2", iCalUID="same@google.com"))
        misleading = tombstone("ev1", iCalUID="same@google.com", start=twin.start and twin.start.model_dump())
        assert self.changes(misleading, known=[self.KNOWN, twin]) == ([], {"ev1"})

    def test_a_tombstone_of_an_unknown_one_is_nothing(self) -> None:  # case 60
        assert self.changes(tombstone()) == ([], set())

    def test_a_cancelled_series_that_was_never_known_is_nothing(self) -> None:  # case 148
        assert self.changes(series("RRULE:FREQ=WEEKLY", status="cancelled")) == ([], set())

    def test_a_cancelled_exception_is_kept_known_or_not(self) -> None:  # case 136
        cancelled = exception("2027-03-08T09:00:00+01:00")
        assert self.changes(cancelled) == ([cancelled["id"]], set())
        assert self.changes(cancelled, known=[row(cancelled)]) == ([cancelled["id"]], set())

    @pytest.mark.parametrize(
        ("events", "expected"),
        [
            pytest.param(
                [google_event(etag='"1"'), google_event(etag='"2"')], (["ev1"], set()), id="the later of two versions"
            ),
            pytest.param([google_event(), tombstone()], ([], {"ev1"}), id="changed, then deleted"),
            pytest.param([tombstone(), google_event()], (["ev1"], set()), id="deleted, then restored"),
        ],
    )
    def test_of_two_entries_for_one_event_the_last_counts(
        self, events: list[dict[str, Any]], expected: tuple[list[str], set[str]]
    ) -> None:  # case 53
        assert self.changes(*events, known=[self.KNOWN]) == expected
        assert self.changes(*events, events[-1], known=[self.KNOWN]) == expected

    def test_the_last_version_is_the_one_kept(self) -> None:  # case 53
        found = row_changes([row(google_event(etag='"1"')), row(google_event(etag='"2"'))], {})
        assert [one.etag for one in found.present] == ['"2"']


class TestWasAskedFor:
    """Which events a full list would have brought (cases 50 and 74)."""

    MARCH = Bounds(start=minute("2027-03-01T00:00Z"), end=minute("2027-04-01T00:00Z"))

    @pytest.mark.parametrize(
        ("event", "asked"),
        [
            pytest.param(google_event(), True, id="within"),
            pytest.param(google_event("e", "2027-02-28T23:00:00Z", "2027-03-01T01:00:00Z"), True, id="from before"),
            pytest.param(google_event("e", "2027-02-28T23:00:00Z", "2027-03-01T00:00:00Z"), False, id="over before"),
            pytest.param(google_event("e", "2027-04-01T00:00:00Z", "2027-04-01T01:00:00Z"), False, id="after"),
            pytest.param(google_event() | {"start": {"dateTime": "soon"}}, True, id="nobody knows when"),
        ],
    )
    def test_with_bounds(self, event: dict[str, Any], *, asked: bool) -> None:
        assert was_asked_for(row(event), calendar(cursor=Cursor(bounds=self.MARCH))) is asked

    def test_without_bounds_everything_was(self) -> None:
        long_ago = row(google_event("e", "1999-01-01T00:00:00Z", "1999-01-01T01:00:00Z"))
        assert was_asked_for(long_ago, calendar())


class TestMergeChanges:
    def test_each_month_is_written_once_with_everything_in_it(self) -> None:
        hour = tuple(spans("2027-03-01T09:00Z/2027-03-01T10:00Z"))
        entry = occupation("2027-03-01T12:00Z", "2027-03-01T13:00Z")
        changes = [
            LedgerChange(resource="anna", month="2027-03", blocks={(CALENDAR, "ev1"): hour}),
            LedgerChange(resource="anna", month="2027-03", blocks={(CALENDAR, "ev2"): None}),
            LedgerChange(resource="ben", month="2027-03", blocks={(CALENDAR, "ev1"): hour}),
            LedgerChange(resource="anna", month="2027-04", blocks={(CALENDAR, "ev1"): hour}),
            LedgerChange(resource="anna", month="2027-03", sessions={SESSION: entry}),
        ]
        merged = merge_changes(changes)
        assert [(change.resource, change.month) for change in merged] == [
            ("anna", "2027-03"),
            ("ben", "2027-03"),
            ("anna", "2027-04"),
        ]
        assert merged[0].blocks == {(CALENDAR, "ev1"): hour, (CALENDAR, "ev2"): None}
        assert merged[0].sessions == {SESSION: entry}
        assert apply({}, merged) == apply({}, changes)
