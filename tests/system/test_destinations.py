"""Another destination: the events of what lies ahead go there and leave the old calendar, and nobody takes that for a deed of its owner's."""

from typing import Any
from urllib.parse import quote

import pytest

from functions.domain.decision import Ref
from functions.domain.session import Session
from functions.sync import redirecting
from functions.sync.push import push
from functions.sync.work import Work
from infra.local.platform import Platform
from tests.in_process import application_of, rediscover, worker
from tests.studio import DAY, Booked, Studio, instants, until
from tests.system.sharing import Shared
from tests.system.waiting import all_done, all_mails

BOTH = {"blocks": ["anna"], "destination_for": ["anna"]}
BLOCKS_ONLY: dict[str, list[str]] = {"blocks": ["anna"], "destination_for": []}


def events_in(studio: Studio, google_id: str) -> dict[str, dict[str, Any]]:
    """The sessions' events in one of the person's calendars, by session."""
    listed = studio.person.calendar.events().list(calendarId=google_id).execute()["items"]
    marks = ((each.get("extendedProperties") or {}).get("private") or {} for each in listed)
    return {mark["bookingSession"]: each for mark, each in zip(marks, listed, strict=True) if "bookingSession" in mark}


def until_only_in(studio: Studio, google_id: str, *others: str, booked: list[Booked]) -> dict[str, dict[str, Any]]:
    sessions = {each.session for each in booked}
    until(lambda: events_in(studio, google_id).keys() == sessions and not any(events_in(studio, o) for o in others))
    until(lambda: {each.look()["calendar_copy"] for each in booked} == {"written"})
    all_done(studio)
    return events_in(studio, google_id)


def test_what_lies_ahead_goes_along_and_comes_back(studio: Studio) -> None:  # case 113
    other, google_id = second_calendar(studio)
    me = studio.person.email
    eight, nine, ten = (f"{DAY}T{hour:02}:00:00Z" for hour in (8, 9, 10))
    past, *ahead = [studio.book(start) for start in (eight, nine, ten)]
    until_only_in(studio, me, google_id, booked=[past, *ahead])
    # As if the first of them had been an hour ago.
    session = studio.store.client.document(f"accounts/{studio.account}/sessions/{past.session}")
    session.update({"start": 1, "end": 31})

    studio.put(f"calendars/{other}", BOTH)
    until(lambda: events_in(studio, google_id).keys() == {each.session for each in ahead})
    until(lambda: events_in(studio, me).keys() == {past.session})
    first = events_in(studio, google_id)
    assert [instants(first[each.session])[0] for each in ahead] == [nine, ten]
    studio.poll()  # the old calendar tells that they are deleted there
    all_done(studio)
    assert [each.look()["status"] for each in ahead] == ["confirmed"] * 2
    assert len(studio.mails()) == 3
    assert [what for what, _ in ahead[0].history()] == ["booking.confirmed"]
    assert "session.redirected" in [entry["what"] for entry in studio.history(session=ahead[0].session)]
    assert studio.look("health")["well"]

    # What its owner does there counts.
    noon = f"{DAY}T12:00:00Z"
    moved = {"start": {"dateTime": noon}, "end": {"dateTime": f"{DAY}T12:30:00Z"}}
    event = first[ahead[0].session]["id"]
    studio.person.calendar.events().patch(calendarId=google_id, eventId=event, body=moved).execute()
    until(lambda: ahead[0].look()["start"] == noon)

    studio.put(f"calendars/{studio.calendar}", BOTH)
    until(lambda: events_in(studio, google_id) == {})
    until(lambda: len(events_in(studio, me)) == 3)
    assert instants(events_in(studio, me)[ahead[0].session])[0] == noon
    all_done(studio)
    assert [each.look()["status"] for each in ahead] == ["confirmed"] * 2

    # Where nothing is written any more, nothing of what lies ahead stays.
    studio.put(f"calendars/{studio.calendar}", BLOCKS_ONLY)
    until(lambda: events_in(studio, me).keys() == {past.session})
    until(lambda: ahead[0].look()["calendar_copy"] == "none")
    assert noon not in studio.starts()
    studio.put(f"calendars/{other}", BOTH)
    until(lambda: len(events_in(studio, google_id)) == 2)


def second_calendar(studio: Studio) -> tuple[str, str]:
    """Another calendar of the same person: our id, and Google's."""
    made = studio.google_control("POST", "calendars", {"owner": studio.person.email, "summary": "Second"})["id"]
    (connection,) = studio.look("connections")["connections"]
    body = {"email": studio.person.email, "refresh_token": studio.person.refresh_token}
    assert studio.post("connections/grants", body, **studio.operator).ok  # which lists the calendars anew

    def found() -> str | None:
        listed = studio.look(f"connections/{connection['id']}/calendars")["calendars"]
        return next((each["id"] for each in listed if each["google_id"] == made), None)

    return str(until(found)), str(made)


def test_a_calendar_that_two_resources_share_keeps_its_event_for_the_other(studio: Studio) -> None:
    other, google_id = second_calendar(studio)
    studio.open(resource="room")
    both = ["anna", "room"]
    studio.put(f"calendars/{studio.calendar}", {"blocks": ["anna"], "destination_for": both})
    studio.offer("both", resources=both, assignment="all")
    booked = studio.book(until(lambda: studio.starts(service="both"))[0], service="both")
    before = until_only_in(studio, studio.person.email, google_id, booked=[booked])[booked.session]["id"]
    studio.put(f"calendars/{other}", {"blocks": [], "destination_for": ["room"]})
    until(lambda: events_in(studio, google_id))
    all_done(studio)
    assert events_in(studio, studio.person.email)[booked.session]["id"] == before


def test_an_old_calendar_that_may_only_be_looked_at_is_told_of_and_its_owner_may_tidy_up(empty_studio: Studio) -> None:
    studio = empty_studio
    shared = Shared.of(studio, role="writer")
    shared.use(studio.connect(), **BOTH)
    until(lambda: shared.seen().get("last_success_at") and studio.starts())
    booked = studio.book(f"{DAY}T10:00:00Z")
    event = until(lambda: events_in(studio, shared.google_id).get(booked.session))
    shared.give("reader")
    studio.put(f"calendars/{studio.calendar}", BOTH)
    until(lambda: booked.session in events_in(studio, studio.person.email))

    def reasons() -> list[str]:
        return [each["text"] for each in studio.look("health")["reasons"] if each.get("calendar") == shared.id]

    told = until(lambda: [text for text in reasons() if "which is not their calendar any more" in text])
    assert "1 events are still in Room" in told[0]
    assert f"{DAY}T10:00:00Z" not in studio.starts()

    path = f"calendars/{quote(shared.google_id)}/events"
    body = {"id": event["id"], "status": "cancelled", "start": event["start"], "end": event["end"]}
    studio.google_control("POST", path, {"event": body, "as": "event"})
    shared.pull()
    until(lambda: not reasons() and booked.look()["calendar_copy"] == "written")
    assert booked.look()["status"] == "confirmed"
    assert len(all_mails(studio)) == 1


def test_what_was_in_question_follows_when_its_owner_ends_that(studio: Studio) -> None:  # case 113
    other, google_id = second_calendar(studio)
    studio.offer(on_calendar_move="ask")
    booked = studio.book(f"{DAY}T10:00:00Z")
    event = booked.written()
    studio.person.move(event["id"], f"{DAY}T12:00:00Z", f"{DAY}T12:30:00Z")
    until(studio.conflicts)
    studio.put(f"calendars/{other}", BOTH)
    all_done(studio)
    assert booked.session in events_in(studio, studio.person.email), "it stays where it is in question"
    studio.person.move(event["id"], f"{DAY}T10:00:00Z", f"{DAY}T10:30:00Z")
    until_only_in(studio, google_id, studio.person.email, booked=[booked])
    assert studio.conflicts() == {}


def test_it_goes_page_by_page_and_twice_is_once(
    studio: Studio, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redirecting, "PAGE", 2)
    booked = [studio.book(start) for start in studio.starts()[:5]]
    until(lambda: {each.look()["calendar_copy"] for each in booked} == {"written"})
    resource = studio.store.client.document(f"accounts/{studio.account}/resources/anna")
    resource.update({"destination": "nowhere"})  # a calendar that there is none of: nothing of this is pushed
    application = application_of(platform)
    made: list[Any] = []
    application.tasks.create = made.append  # type: ignore[method-assign]
    walks, pages = [worker(application, studio, "anna")], 0
    while walks:
        work, pages = walks.pop(), pages + 1
        redirecting.redirect_sessions(work)
        redirecting.redirect_sessions(work)  # as after a crash
        about = [task.body["about"] for task in made if task.kind == "redirect"]
        made.clear()
        walks = (
            [Work(application=application, account=studio.account, subject="anna", about=about[-1])] if about else []
        )
    assert pages == 6  # three that change what there is, and three that find nothing more to do
    for each in booked:
        session = studio.store.get(studio.account, Ref(Session, each.session))
        assert session is not None
        assert {copy.calendar: copy.leaving for copy in session.copies.values()} == {
            studio.calendar: "due",
            "nowhere": None,
        }

    # Nor does it wait for ever to be written where there is nothing any more, as after a disconnect that nobody who booked knew of.
    push(worker(application, studio, booked[0].session))
    assert booked[0].event() is None
    assert booked[0].look()["calendar_copy"] == "none"


def test_what_stood_in_a_calendar_that_is_gone_stands_in_the_new_one(empty_studio: Studio, platform: Platform) -> None:
    # case 72
    studio = empty_studio
    shared = Shared.of(studio, role="writer")
    shared.use(studio.connect(), **BOTH)
    until(lambda: shared.seen().get("last_success_at") and studio.starts())
    booked = studio.book(f"{DAY}T10:00:00Z")
    until(lambda: booked.session in events_in(studio, shared.google_id))
    shared.give("none")
    document = studio.store.client.document(f"accounts/{studio.account}/calendars/{shared.id}")
    document.update({"missing_since": 1, "missed": 3})
    until(lambda: shared.seen()["state"] == "gone", nudge=shared.pull)
    studio.put(f"calendars/{studio.calendar}", BOTH)
    until(lambda: booked.session in events_in(studio, studio.person.email))
    until(lambda: booked.look()["calendar_copy"] == "written")

    # Should it be shared once more, nothing of it stands there for a second time.
    shared.give("writer")
    rediscover(platform, studio)
    until(lambda: events_in(studio, shared.google_id) == {})
    all_done(studio)
    assert (booked.look()["status"], len(studio.mails())) == ("confirmed", 1)
