"""The drift audit over HTTP: Google's own free/busy answer against what we sell; and each night, spread over some hours."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from functions.adapters.clock import now_millis
from functions.adapters.tasks import Task
from functions.sync import schedules
from infra.local.platform import Platform
from tests.in_process import application_of
from tests.studio import DAY, Studio, until


def audited(studio: Studio) -> dict[str, Any]:
    """The calendar, once an audit that was asked for now is through."""
    before = seen(studio).get("audited_at")
    answer = studio.post(f"calendars/{studio.calendar}/audit", **studio.operator)
    assert answer.status_code == 202
    return until(lambda: (calendar := seen(studio)).get("audited_at") != before and calendar)


def seen(studio: Studio) -> dict[str, Any]:
    return studio.look(f"calendars/{studio.calendar}")


def test_a_healthy_calendar_has_no_drift(studio: Studio) -> None:
    """Whatever is in it: ours and theirs, series and single events, busy and free, in whatever order."""
    at = studio.starts()
    studio.offer(buffer_before_minutes=15, buffer_after_minutes=10)
    tomorrow = studio.starts(DAY + timedelta(days=1))
    person, others = studio.person, [{"email": "ben@elsewhere.example"}]
    moved, free = studio.book(at[0]), studio.book(tomorrow[4])
    person.change(free.written()["id"], transparency="transparent")  # case 109
    person.move(moved.written()["id"], tomorrow[0], tomorrow[1])
    person.add(at[2], at[4], attendees=[*others, {"email": person.email, "responseStatus": "declined"}])
    person.add(at[4], at[5], attendees=[*others, {"email": person.email, "responseStatus": "needsAction"}])
    person.add(at[6], at[7], status="tentative")
    person.add(f"{DAY}T13:00:20Z", f"{DAY}T13:10:40Z")
    person.add_event(start={"date": str(DAY + timedelta(days=2))}, end={"date": str(DAY + timedelta(days=4))})
    weekly = person.add_event(
        start={"dateTime": at[8], "timeZone": "Europe/Berlin"},
        end={"dateTime": at[9], "timeZone": "Europe/Berlin"},
        recurrence=["RRULE:FREQ=WEEKLY;COUNT=60"],  # over clock changes, and beyond the horizon
    )
    _, second, third = (
        person.calendar.events().instances(calendarId=person.email, eventId=weekly["id"]).execute()["items"][:3]
    )
    person.move(second["id"], *(studio.starts(DAY + timedelta(days=8))[:2]))
    person.delete(third["id"])
    calendar = audited(studio)
    assert (calendar["drift_minutes"], calendar["drift"], calendar.get("audit_error")) == (0, [], None)
    assert not [entry for entry in studio.history(calendar=studio.calendar) if entry["what"] == "calendar.drifted"]


def test_an_event_that_was_never_heard_of_is_no_drift_but_found(studio: Studio) -> None:
    nine, half_past = studio.starts()[:2]
    with studio.pushes(drop=1.0):
        studio.person.add(nine, half_past)
        assert nine in studio.starts()
        assert audited(studio)["drift_minutes"] == 0
        assert nine not in studio.starts()


def test_blocks_that_were_lost_are_found_told_and_mended(studio: Studio) -> None:  # case 160
    nine, half_past = studio.starts()[:2]
    studio.person.add(nine, half_past)
    until(lambda: nine not in studio.starts())
    lose_blocks(studio)
    assert nine in studio.starts()

    assert audited(studio)["drift"] == [{"busy": "only_in_google", "start": nine, "end": half_past}]
    until(lambda: nine not in studio.starts())  # it was listed in full
    told = next(entry for entry in studio.history(calendar=studio.calendar) if entry["what"] == "calendar.drifted")
    assert (told["author_kind"], told["author_name"], told["after"]["drift_minutes"]) == ("rule", "audit", 30)
    assert until(lambda: studio.messages(studio.person.email))[0]["subject"].startswith("Your calendar and")
    assert audited(studio)["drift_minutes"] == 0
    assert "calendar.in_step" in [entry["what"] for entry in studio.history(calendar=studio.calendar)]


def test_blocks_that_were_lost_under_a_session_are_found_too(empty_studio: Studio) -> None:  # case 160
    """Its own event is in another calendar, and explains nothing that is busy in this one."""
    other, google_id = empty_studio.connect_two()
    nine, half_past = empty_studio.starts()[:2]
    event = {"start": {"dateTime": nine}, "end": {"dateTime": half_past}}
    empty_studio.person.calendar.events().insert(calendarId=google_id, body=event).execute()
    until(lambda: nine not in empty_studio.starts())
    lose_blocks(empty_studio)
    booking = empty_studio.book(nine)
    booking.written()
    assert empty_studio.conflicts() == {}

    of_the_other = replace(empty_studio, calendar=other)
    assert audited(of_the_other)["drift"] == [{"busy": "only_in_google", "start": nine, "end": half_past}]
    until(lambda: empty_studio.conflicts() == {booking.id: "taken"})  # it was listed in full
    assert audited(of_the_other)["drift_minutes"] == audited(empty_studio)["drift_minutes"] == 0


def test_what_google_does_not_say_is_unknown_and_no_drift(studio: Studio) -> None:  # case 157
    studio.google_control("PUT", "freebusy", {"calendar": studio.person.email, "reason": "internalError"})
    assert studio.post(f"calendars/{studio.calendar}/audit", **studio.operator).status_code == 202
    unknown = until(lambda: (calendar := seen(studio)).get("audit_error") and calendar)
    assert not {"drift_minutes", "audited_at"} & unknown.keys()
    assert "internalError" in unknown["audit_error"]
    studio.google_control("PUT", "freebusy", {"calendar": studio.person.email})
    until(lambda: (calendar := seen(studio)).get("drift_minutes") == 0 and "audit_error" not in calendar)


def test_where_the_connection_is_lost_nothing_is_known(studio: Studio) -> None:
    assert audited(studio)["drift_minutes"] == 0
    connection = studio.look("connections")["connections"][0]["id"]
    document = studio.store.client.document(f"accounts/{studio.account}/connections/{connection}")
    document.update({"status": "needs_reconnect"})
    assert studio.post(f"calendars/{studio.calendar}/audit", **studio.operator).status_code == 202
    until(lambda: "connection is lost" in seen(studio).get("audit_error", ""))
    health = studio.look("health")
    assert health["status"] == "attention"
    assert [reason for reason in health["reasons"] if reason.get("connection") == connection]


def test_what_is_not_in_use_can_not_be_compared(studio: Studio) -> None:
    studio.put(f"calendars/{studio.calendar}", {"blocks": [], "destination_for": []})
    for what in ("audit", "pull"):
        assert studio.post(f"calendars/{studio.calendar}/{what}", **studio.operator).status_code == 409
    assert studio.post("calendars/nothing-there/audit", **studio.operator).status_code == 404


class Noted:
    """Tasks that are noted and go nowhere."""

    def __init__(self) -> None:
        self.made: list[Task] = []

    def create(self, task: Task) -> None:
        self.made.append(task)


def test_every_calendar_is_audited_each_night_but_not_all_at_once(studio: Studio, platform: Platform) -> None:
    application, tasks = application_of(platform), Noted()
    vars(application)["tasks"] = tasks
    now = now_millis()
    for _ in range(2):
        schedules.daily(application)
    own = [task for task in tasks.made if task.kind == "audit" and task.body["subject"] == studio.calendar]
    assert len(own) == 2
    assert len({task.name for task in own}) == 1  # so the second is none
    late = [task.not_before_ms - now for task in own if task.not_before_ms is not None]
    assert all(0 <= each <= schedules.AUDITS_SPREAD_MS for each in late)
    assert len({*late}) == 2


def lose_blocks(studio: Studio) -> None:
    """What a mistake of ours would leave: the mirror knows the event, the ledger does not."""
    for month in studio.store.client.collection(f"accounts/{studio.account}/resources/anna/months").stream():
        month.reference.update({"blocks": {}})
