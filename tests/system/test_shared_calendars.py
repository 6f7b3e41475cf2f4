"""Calendars of others: seen as busy only, given and taken, hidden, deleted, shared again."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.adapters.store.documents import mirror_ref
from functions.domain.decision import Ref
from functions.domain.session import Session
from infra.local.platform import Platform
from tests.in_process import rediscover
from tests.studio import DAY, Studio, until
from tests.system.sharing import Shared

NEXT_DAY = DAY + timedelta(days=1)


def _connected(studio: Studio, shared: Shared, **links: list[str]) -> Shared:
    shared.use(studio.connect(), **links or {"blocks": ["anna"]})
    until(lambda: shared.seen().get("last_success_at"))
    until(lambda: studio.starts())
    return shared


def test_a_calendar_that_tells_only_busy_times_blocks_by_its_occurrences(empty_studio: Studio) -> None:
    # cases 64, 74 and 75
    studio = empty_studio
    shared = Shared.of(studio, role="freeBusyReader")
    daily = shared.put_event(f"{DAY}T08:00:00Z", f"{DAY}T09:00:00Z", recurrence=["RRULE:FREQ=DAILY;COUNT=2"])
    _connected(studio, shared)
    until(lambda: f"{DAY}T08:00:00Z" not in studio.starts() and f"{NEXT_DAY}T08:00:00Z" not in studio.starts(NEXT_DAY))
    assert (shared.seen()["role"], shared.seen()["can_write"]) == ("freeBusyReader", False)
    assert {("timeMin", "timeMax", "singleEvents")} == {
        tuple(name for name in ("timeMin", "timeMax", "singleEvents", "syncToken") if name in query)
        for query in shared.asked("events.list")
        if query["singleEvents"] == ["true"]
    }

    # A notification is answered with the whole of it again: what has moved is taken out of its old place too.
    single = shared.put_event(f"{DAY}T10:00:00Z", f"{DAY}T11:00:00Z")
    until(lambda: f"{DAY}T10:00:00Z" not in studio.starts())
    shared.put_event(f"{DAY}T12:00:00Z", f"{DAY}T13:00:00Z", id=single)
    until(lambda: f"{DAY}T12:00:00Z" not in studio.starts() and f"{DAY}T10:00:00Z" in studio.starts())
    assert f"{DAY}T08:00:00Z" not in studio.starts()

    # With more to see it is mirrored as series again, and nothing is counted that only its occurrences stood for.
    shared.give("reader")
    shared.pull()
    until(lambda: shared.seen()["role"] == "reader")
    assert f"{DAY}T08:00:00Z" not in studio.starts()
    shared.put_event(f"{DAY}T08:00:00Z", f"{DAY}T09:00:00Z", id=daily, status="cancelled")
    until(lambda: f"{DAY}T08:00:00Z" in studio.starts() and f"{NEXT_DAY}T08:00:00Z" in studio.starts(NEXT_DAY))
    assert shared.history() == ["calendar.linked", "calendar.role_changed"]


def test_a_destination_that_may_only_be_looked_at_keeps_blocking_and_waits(empty_studio: Studio) -> None:
    # cases 49, 74 and 75
    studio = empty_studio
    shared = Shared.of(studio, role="writer")
    shared.put_event(f"{DAY}T08:00:00Z", f"{DAY}T09:00:00Z", recurrence=["RRULE:FREQ=DAILY;COUNT=2"])
    _connected(studio, shared, blocks=["anna"], destination_for=["anna"])
    kept = studio.book(f"{DAY}T10:00:00Z")
    until(lambda: kept.look()["calendar_copy"] == "written")

    shared.give("freeBusyReader")  # its token is worth nothing any more, and its list has another form
    booked = studio.book(f"{DAY}T12:00:00Z")
    shared.pull()
    until(lambda: shared.seen()["role"] == "freeBusyReader" and not shared.seen().get("last_error"))
    assert shared.seen()["can_write"] is False
    until(
        lambda: {b.get("calendar_error") for b in studio.look("bookings")["bookings"]} == {None, "requiredAccessLevel"}
    )
    taken = [f"{DAY}T{hour:02}:00:00Z" for hour in (8, 10, 12)]
    assert not set(taken) & set(studio.starts())
    assert f"{NEXT_DAY}T08:00:00Z" not in studio.starts(NEXT_DAY)
    assert (kept.look()["status"], booked.look()["calendar_copy"]) == ("confirmed", "pending")

    shared.give("writer")
    shared.pull()
    until(lambda: booked.look()["calendar_copy"] == "written")
    assert studio.conflicts() == {}
    assert [b.get("calendar_error") for b in studio.look("bookings")["bookings"]] == [None, None]
    assert not set(taken) & set(studio.starts())


def test_an_event_of_ours_that_nobody_may_see_any_more_is_not_taken_for_deleted(empty_studio: Studio) -> None:
    # cases 50 and 74
    studio = empty_studio
    shared = Shared.of(studio, role="writer")
    _connected(studio, shared, blocks=["anna"], destination_for=["anna"])
    booked = studio.book(f"{DAY}T10:00:00Z")
    until(lambda: booked.look()["calendar_copy"] == "written")
    session = studio.store.get(studio.account, Ref(Session, booked.session))
    assert session is not None
    (copy,) = session.copies.values()
    until(lambda: studio.store.get(studio.account, mirror_ref(shared.id, copy.event)))

    # Its list brings the event no more, and Google does not say why.
    fault = {"user": studio.person.email, "method": "events.get", "status": 404, "reason": "notFound", "times": 100}
    studio.google_control("POST", "faults", fault)
    shared.give("freeBusyReader")
    long_ago = DAY - timedelta(days=300)
    shared.put_event(f"{long_ago}T08:00:00Z", f"{long_ago}T09:00:00Z", id=copy.event)
    until(lambda: shared.asked("events.get"))
    until(lambda: not shared.seen().get("last_error"))
    before = shared.seen()["last_success_at"]
    shared.pull()
    until(lambda: shared.seen()["last_success_at"] > before)
    assert booked.look()["status"] == "confirmed"
    assert f"{DAY}T10:00:00Z" not in studio.starts()
    studio.google_control("DELETE", "faults")


def _missed_long_ago(studio: Studio, shared: Shared) -> None:
    """As if the first of the answers that it is not there had come an hour ago."""
    document = studio.store.client.document(f"accounts/{studio.account}/calendars/{shared.id}")
    document.update({"missing_since": int(time.time() * 1000) - 3_600_000})


def test_a_calendar_that_is_gone_is_believed_late_flagged_and_forgiven(
    empty_studio: Studio, platform: Platform
) -> None:
    # case 72
    studio = empty_studio
    shared = Shared.of(studio, role="writer")
    shared.put_event(f"{DAY}T08:00:00Z", f"{DAY}T09:00:00Z")
    _connected(studio, shared, blocks=["anna"], destination_for=["anna"])
    booked = studio.book(f"{DAY}T10:00:00Z")
    until(lambda: booked.look()["calendar_copy"] == "written")

    shared.give("none")
    shared.pull()
    until(lambda: shared.seen().get("missing_since"))
    document = studio.store.client.document(f"accounts/{studio.account}/calendars/{shared.id}")
    until(lambda: document.get().get("missed") > 3, nudge=shared.pull)
    assert (shared.seen()["state"], studio.look("health")["well"]) == ("active", False)
    assert f"{DAY}T08:00:00Z" not in studio.starts()  # nothing is removed because of an error

    _missed_long_ago(studio, shared)
    until(lambda: shared.seen()["state"] == "gone", nudge=shared.pull)
    until(lambda: f"{DAY}T08:00:00Z" in studio.starts())
    assert f"{DAY}T10:00:00Z" not in studio.starts()
    until(lambda: [b.get("calendar_error") for b in studio.look("bookings")["bookings"]] == ["calendarGone"])
    assert booked.look()["status"] == "confirmed"
    (anna,) = studio.look("resources")["resources"]
    assert (anna["blocked_by"], anna.get("destination")) == ([studio.calendar], None)
    assert studio.look("health")["well"] is False
    refused = studio.http.put(
        f"{studio.base}/calendars/{shared.id}", json={"blocks": ["anna"]}, headers=studio.operator
    )
    assert refused.status_code == 422
    assert "share it" in refused.json()["detail"]

    # Shared once more it is seen by the next look at the connection, and takes its place again.
    shared.give("writer")
    rediscover(platform, studio)
    assert shared.seen()["state"] == "active"
    until(lambda: f"{DAY}T08:00:00Z" not in studio.starts() and studio.starts())
    until(lambda: [b.get("calendar_error") for b in studio.look("bookings")["bookings"]] == [None])
    assert booked.look()["calendar_copy"] == "written"
    assert studio.look("resources")["resources"][0]["destination"] == shared.id
    assert shared.history() == ["calendar.linked", "calendar.gone", "calendar.back"]


def test_a_calendar_that_is_not_there_for_a_moment_is_as_if_nothing_had_been(empty_studio: Studio) -> None:
    # cases 38 and 72
    studio = empty_studio
    shared = Shared.of(studio, role="reader")
    shared.put_event(f"{DAY}T08:00:00Z", f"{DAY}T09:00:00Z")
    _connected(studio, shared)
    shared.give("none")
    shared.pull()
    until(lambda: shared.seen().get("missing_since"))
    shared.give("reader")
    shared.pull()
    until(lambda: shared.seen().get("missing_since") is None and shared.seen().get("last_error") is None)
    assert f"{DAY}T08:00:00Z" not in studio.starts()
    assert shared.history() == ["calendar.linked"]


def test_a_calendar_that_google_pushes_nothing_of_is_polled(empty_studio: Studio) -> None:  # case 24
    studio = empty_studio
    shared = Shared.of(
        studio, role="reader", kind="generated", id=f"en.usa#{studio.account}@group.v.calendar.google.com"
    )
    _connected(studio, shared)
    until(lambda: not shared.seen()["watchable"])
    document = studio.store.client.document(f"accounts/{studio.account}/calendars/{shared.id}")
    until(lambda: document.get().get("renew_at") is None)  # nobody asks again and again
    shared.put_event(f"{DAY}T08:00:00Z", f"{DAY}T09:00:00Z")
    document.update({"next_poll_at": 1})
    studio.fire("minute")
    until(lambda: f"{DAY}T08:00:00Z" not in studio.starts())
    assert (document.get().get("next_poll_at") or 0) < time.time() * 1000 + 600_000 * 1.25
    assert shared.seen().get("last_error") is None


@pytest.mark.parametrize(
    "out_of_sight",
    [
        pytest.param("hide", id="hidden"),  # case 88
        pytest.param("leave", id="taken off the list"),  # case 73
    ],
)
def test_what_google_shows_its_user_is_not_what_blocks(
    empty_studio: Studio, platform: Platform, out_of_sight: str
) -> None:
    studio = empty_studio
    shared = _connected(studio, Shared.of(studio, role="reader"))
    own_program = studio.google_control("POST", "grants", {"email": studio.person.email})
    shown = replace(studio.person, refresh_token=own_program["refresh_token"]).calendar.calendarList()
    if out_of_sight == "hide":
        shown.patch(calendarId=shared.google_id, body={"hidden": True, "selected": False}).execute()
    else:
        shown.delete(calendarId=shared.google_id).execute()
    rediscover(platform, studio)
    shared.put_event(f"{DAY}T08:00:00Z", f"{DAY}T09:00:00Z")
    until(lambda: f"{DAY}T08:00:00Z" not in studio.starts())
    assert (shared.seen()["state"], shared.seen().get("last_error")) == ("active", None)


def test_how_late_a_change_was_is_shown_with_the_calendar(studio: Studio) -> None:  # case 70
    event = studio.person.add(f"{DAY}T08:00:00Z", f"{DAY}T09:00:00Z")
    until(lambda: f"{DAY}T08:00:00Z" not in studio.starts())
    seen = until(lambda: (found := studio.look("health")["calendars"][0]).get("last_change_at") and found)
    assert seen["last_change_at"] == event["updated"]
    assert 0 <= seen["lag_ms"] < 30_000
