"""A client's personal data: all that is held of them is handed out; after an erasure none of it is anywhere, and what happened and every number is."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests
from google.cloud.firestore import DELETE_FIELD

from functions.adapters.signing import secret_hash
from functions.adapters.store.documents import path_of
from functions.adapters.store.encoding import encode
from functions.adapters.store.queries import effects_about
from functions.adapters.store.records import OutboxRecord
from functions.adapters.tasks import Task
from functions.domain.configuration import OperatorKey
from functions.domain.decision import Decision, Ref
from functions.domain.erasing import Erasure
from functions.domain.membership import Member, joining
from functions.domain.permissions import OF_ROLE
from functions.domain.person import Person, person_id
from functions.domain.session import Client, client_key
from functions.domain.transitions import EntryStatus
from functions.domain.waitlist.entry import Place, WaitlistEntry, Wish
from functions.sync import erasing, retention, schedules
from functions.sync.work import TryLater
from infra.local.platform import Platform
from tests.in_process import application_of, worker
from tests.retelling import retold
from tests.studio import Booked, Studio, until
from tests.system.waiting import TEN, all_done, full_event

KIM = {"name": "Kimberly Zanzibar", "phone": "+49 30 5550815"}
WORDS = {"notes": "my meniscus hurts", "answers": {"allergies": "hazelnuts and latex"}}
QUESTION = {"id": "allergies", "label": "Any allergies?", "kind": "text"}
REASON = "I caught chickenpox"


def kim(studio: Studio) -> dict[str, str]:
    return {**KIM, "email": f"Kimberly@{studio.account}.example"}


def said_by(studio: Studio) -> list[str]:
    """Everything by which she could be known again, in small letters."""
    email = kim(studio)["email"]
    said = [email, client_key(email), *KIM.values(), WORDS["notes"], *WORDS["answers"].values(), REASON]
    return [each.casefold() for each in (*said, "kimberly", "chickenpox", "hazelnuts")]


def in_every_document(studio: Studio) -> str:
    """All that Firestore holds below the account."""

    def below(document: Any) -> Iterator[Any]:
        for collection in document.collections():
            for inner in collection.list_documents():
                yield inner.id, (inner.get().to_dict() or {})
                yield from below(inner)

    account = studio.store.client.document(f"accounts/{studio.account}")
    return json.dumps([account.get().to_dict(), *below(account)], default=str).casefold()


def texts_of(event: Mapping[str, Any]) -> tuple[str, str]:
    return event["summary"], event["description"]


def ask(studio: Studio, what: str, **body: Any) -> Any:
    return studio.post(f"clients/{what}", {"email": kim(studio)["email"].lower(), **body}, **studio.operator)


def erased(studio: Studio, **how: Any) -> dict[str, Any]:
    """The erasure, once it is through and Google knows."""
    begun = ask(studio, "erase", confirm=kim(studio)["email"], **how)
    assert begun.status_code == 202, begun.text
    return until(
        lambda: (
            (now := studio.look(f"erasures/{begun.json()['id']}"))["status"] == "done"
            and now["events_pending"] == 0
            and now
        )
    )


def move_into_the_past(studio: Studio, booked: Booked, *, days: int = 1) -> None:
    """Its owner moves the event there, as somebody would who notes down what was."""
    event = booked.written()
    ago = timedelta(days=days)
    start, end = (
        (datetime.fromisoformat(event[name]["dateTime"]) - timedelta(days=7) - ago).isoformat()
        for name in ("start", "end")
    )
    studio.person.move(event["id"], start, end)
    until(lambda: datetime.fromisoformat(booked.look()["start"]).timestamp() < time.time())


def test_all_that_is_held_is_exported_and_after_an_erasure_none_of_it_is_anywhere(
    studio: Studio, platform: Platform
) -> None:
    studio.offer(questions=[QUESTION], client_limits={"per_month": 50})
    starts = studio.starts()
    over = studio.book(starts[0], client=kim(studio), **WORDS)
    stands = texts_of(over.written())
    assert texts_of(ask(studio, "export").json()["bookings"][0]["events"][0]) == stands
    assert "Kimberly" in stands[0]
    move_into_the_past(studio, over)
    studio.person.change(
        over.written()["id"], summary="Kimberly Zanzibar!", description="Kimberly: hazelnuts and latex, late"
    )
    kept = studio.try_to_book(starts[2], key="once", client=kim(studio), **WORDS).json()
    cancelled = Booked(studio, kept["id"], kept["session"], kept["manage_token"])
    cancelled.cancel(reason=REASON)
    studio.offer("class", capacity=3, duration_minutes=60)
    together = studio.book(starts[6], service="class", client=kim(studio), notes=WORDS["notes"])
    lou = studio.book(starts[6], service="class", client=studio.details("lou"))
    session, _ = full_event(studio, TEN, seats=1)
    wish = {"service": "consult", "sessions": [session], "client": kim(studio), "notes": WORDS["notes"]}
    waiting = studio.post("waitlist", wish).json()["id"]
    all_done(studio)

    export = ask(studio, "export").json()
    assert [one["id"] for one in export["bookings"]] == [over.id, cancelled.id, together.id]
    first, second, third = export["bookings"]
    assert (first["client"], first["notes"], first["answers"]) == (kim(studio), *WORDS.values())
    assert (second["reason"], second["cancelled_by"], second["events"]) == (REASON, "client", [])
    assert [event["summary"] for event in first["events"]] == [stands[0]], (
        "of what its owner wrote there we hold nothing"
    )
    (event,) = third["events"]
    assert event["guest"]
    assert {*event["description"].splitlines()} < {*together.written()["description"].splitlines()}
    assert KIM["name"] in event["summary"] + event["description"]
    assert "Lou" not in event["summary"] + event["description"]
    assert [one["id"] for one in export["waitlist"]] == [waiting]
    assert {"booking.confirmed", "booking.cancelled", "session.moved"} <= {one["what"] for one in export["history"]}
    assert [one["body"]["id"] for one in export["answers"]] == [cancelled.id]
    assert "hash" not in json.dumps(export)

    refused = ask(studio, "erase", confirm=kim(studio)["email"])
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:booking:problem:still-booked")
    assert [one["id"] for one in refused.json()["bookings"]] == [together.id]
    assert refused.json()["waitlist"] == [waiting]

    everywhere = in_every_document(studio) + json.dumps(studio.person.events()).casefold()
    assert [word for word in said_by(studio) if word not in everywhere] == []
    seats_before = studio.look(f"sessions/{over.session}")["seats"]
    done = erased(studio, cancel_future=True)
    assert (done["bookings"], done["waitlist"], done["kept"]) == (3, 1, [])
    # What was cancelled for it they were still told.
    told = studio.messages(kim(studio)["email"])
    assert any("is cancelled" in mail["subject"] for mail in told)
    all_done(studio)

    held = in_every_document(studio)
    assert [word for word in said_by(studio) if word in held] == []
    in_google = json.dumps(studio.person.events()).casefold()
    assert [word for word in said_by(studio) if word in in_google] == []
    event = studio.event_of(over.session)
    assert event is not None
    assert (event["summary"], event["description"]) == ("Consultation: erased client", "erased client")
    logs = "".join(
        log.read_text() for log in (platform.configuration.directory / "logs").iterdir() if "mail" not in log.name
    )
    assert [word for word in said_by(studio) if word in logs.casefold()] == []
    # What happened and what is counted is as it was, and history tells it.
    assert studio.look(f"sessions/{over.session}")["seats"] == seats_before
    assert lou.look()["status"] == "confirmed"
    told_state, stored = retold(studio.store, studio.account)
    assert told_state == stored
    # Whoever kept the link finds nothing; who did it stands in the history.
    assert over.studio.http.get(f"{studio.base}/bookings/{over.id}", headers=over._proof).status_code == 404
    by = {(one["what"], one["author_name"]) for one in studio.look("history")["history"] if "client." in one["what"]}
    assert by >= {(what, "bootstrap") for what in ("client.exported", "client.erasure_requested", "client.erased")}
    again = ask(studio, "export").json()
    assert (again["bookings"], again["waitlist"], again["history"]) == ([], [], [])


def test_who_books_after_they_were_forgotten_is_a_client_again(empty_studio: Studio) -> None:
    done = erased(empty_studio)
    assert (done["bookings"], done["waitlist"]) == (0, 0)
    booked = empty_studio.book(empty_studio.starts()[0], client=kim(empty_studio))
    assert ask(empty_studio, "export").json()["bookings"][0]["id"] == booked.id
    assert ask(empty_studio, "erase", confirm="somebody@else.example").status_code == 422


def test_it_takes_a_permission_of_its_own(empty_studio: Studio) -> None:
    manager = OperatorKey(id=secret_hash("bok_manager"), name="manager", created_at=0, permissions=OF_ROLE["manager"])
    empty_studio.store.run(empty_studio.account, lambda _: Decision(answer=None, documents=(manager,)))
    email = kim(empty_studio)["email"]
    proof = {"Authorization": "Bearer bok_manager"}
    calls = [("export", {"email": email}), ("erase", {"email": email, "confirm": email})]
    assert [empty_studio.post(f"clients/{what}", body, **proof).status_code for what, body in calls] == [403, 403]


def asked_to_erase(studio: Studio, *, ago_ms: int = 0, **how: Any) -> Erasure:
    """An erasure of which no task knows yet, so that something can come in between."""
    key, asked_at = client_key(kim(studio)["email"]), int(time.time() * 1000) - ago_ms
    erasure = Erasure(id="erasure", client="keyed", client_key=key, by="bootstrap", requested_at=asked_at, **how)
    studio.store.run(studio.account, lambda _: Decision(answer=None, documents=(erasure,)))
    return erasure


def names_listed(studio: Studio) -> dict[str, str]:
    return {one["id"]: one["client"]["name"] for one in studio.look("bookings")["bookings"]}


def test_what_is_over_in_a_calendar_that_nobody_reads_any_more_is_written_anew_whatever_became_of_it(
    studio: Studio,
) -> None:
    made_a_day, deleted = (studio.book(studio.starts()[0], client=kim(studio)) for _ in range(2))
    for number, each in enumerate((made_a_day, deleted)):
        move_into_the_past(studio, each, days=1 + number)
    events = [each.written()["id"] for each in (made_a_day, deleted)]
    all_done(studio)
    studio.put(f"calendars/{studio.calendar}", {"blocks": [], "destination_for": []})
    days = {name: {"date": f"2026-01-0{n}", "dateTime": None} for n, name in enumerate(("start", "end"), start=1)}
    changed = studio.person.change(events[0], **days)
    studio.person.delete(events[1])
    assert erased(studio)["bookings"] == 2
    (event,) = studio.person.events()
    assert (event["start"], "Kimberly" in str(event)) == (changed["start"], False)


def test_a_long_list_is_forgotten_task_by_task_and_what_came_in_between_is_kept(
    empty_studio: Studio, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = empty_studio.starts()
    booked = [empty_studio.book(start, client=kim(empty_studio)) for start in starts[:4]]
    for each in booked[:3]:
        each.cancel()
    all_done(empty_studio)
    asked = asked_to_erase(empty_studio)
    anew = [empty_studio.book(start, client=kim(empty_studio)) for start in starts[4:6]]
    anew[0].cancel()

    monkeypatch.setattr(erasing, "MOST_A_TASK", 2)
    erasing.erase(worker(application_of(platform), empty_studio, asked.id))
    done = until(lambda: (now := empty_studio.look("erasures/erasure"))["status"] == "done" and now)
    assert (done["bookings"], done["kept"]) == (3, [booked[3].id])
    still_known = {each.id: KIM["name"] for each in (booked[3], *anew)}
    assert names_listed(empty_studio) == {each.id: "erased client" for each in booked[:3]} | still_known


def test_what_the_waitlist_makes_in_between_of_a_place_from_before_is_not_booked_anew(
    empty_studio: Studio, platform: Platform
) -> None:
    session, (taken,) = full_event(empty_studio, TEN, seats=1, mode="autopromote")
    waiting = empty_studio.wait(sessions=[session], client="kimberly", notes=WORDS["notes"])
    all_done(empty_studio)
    asked = asked_to_erase(empty_studio, cancel_future=True)
    taken.cancel()
    served = waiting.became("booked")["booking"]
    all_done(empty_studio)

    work = worker(application_of(platform), empty_studio, asked.id)
    with suppress(TryLater):
        erasing.erase(work)  # which cancels it, and waits until they are told
    all_done(empty_studio)
    erasing.erase(work)
    done = empty_studio.look("erasures/erasure")
    assert (done["status"], done["bookings"], done["waitlist"], done["kept"]) == ("done", 1, 1, [])
    assert names_listed(empty_studio)[served] == "erased client"
    held = in_every_document(empty_studio)
    assert [word for word in said_by(empty_studio) if word in held] == []


def test_a_mail_that_is_owed_long_after_the_request_is_waited_for_at_a_pace(
    empty_studio: Studio, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked = [empty_studio.book(start, client=kim(empty_studio)) for start in empty_studio.starts()[:2]]
    account = empty_studio.store.client.document(f"accounts/{empty_studio.account}")
    for each in booked:
        each.cancel()
        account.collection("bookings").document(each.id).update({"created_at": 0})
    all_done(empty_studio)
    asked, now = asked_to_erase(empty_studio, ago_ms=3_600_000), int(time.time() * 1000)
    mail = OutboxRecord(
        id="mail", kind="notify", subject=booked[0].id, about="moved", created_at=now, due_at=now + 600_000
    )
    account.collection("outbox").document(mail.id).set(encode(mail))  # of which no task knows either

    work = worker(application_of(platform), empty_studio, asked.id)
    monkeypatch.setattr(erasing, "MOST_A_TASK", 1)
    erasing.erase(work)
    assert names_listed(empty_studio) == {each.id: KIM["name"] for each in booked}
    (again,) = effects_about(empty_studio.store, empty_studio.account, asked.id)
    assert again.not_before is not None
    assert again.not_before >= now + erasing.OWED_PACE_MS

    account.collection("outbox").document(mail.id).delete()
    erasing.erase(work)  # which has the rest done at once
    until(lambda: empty_studio.look("erasures/erasure")["status"] == "done")
    assert names_listed(empty_studio) == {each.id: "erased client" for each in booked}


def test_an_account_forgets_whom_it_keeps_no_longer(studio: Studio, platform: Platform) -> None:
    studio.offer(questions=[QUESTION])
    starts = studio.starts()
    old = studio.book(starts[0], client=kim(studio), **WORDS)
    recent = studio.book(starts[4], client=kim(studio), **WORDS)
    move_into_the_past(studio, old, days=40)
    move_into_the_past(studio, recent, days=20)
    all_done(studio)
    stored = studio.store.client.document(f"accounts/{studio.account}/bookings/{old.id}")
    stored.update({"names_client": DELETE_FIELD})  # as a version did that forgot nobody
    too_short = studio.http.put(f"{studio.base}/retention", json={"days": 7}, headers=studio.operator)
    assert too_short.status_code == 422
    assert studio.put("retention", {"days": 31}) == {"days": 31}
    assert studio.look("retention") == {"days": 31}
    all_done(studio)

    application = application_of(platform)
    made: list[Any] = []
    tasks, application.tasks.create = application.tasks.create, made.append  # type: ignore[method-assign]
    schedules.daily(application)
    application.tasks.create = tasks  # type: ignore[method-assign]
    (asked,) = [task for task in made if task.kind == "retention" and task.body["account"] == studio.account]

    retention.retain(worker(application, studio, asked.body["subject"]))
    all_done(studio)
    listed = {one["id"]: one["client"]["name"] for one in studio.look("bookings")["bookings"]}
    assert listed == {old.id: "erased client", recent.id: KIM["name"]}
    event = until(lambda: (found := studio.event_of(old.session)) and "Kimberly" not in str(found) and found)
    assert event.get("attendees", []) == []
    assert ("booking.erased", "rule") in [(e["what"], e["author_kind"]) for e in studio.history(booking=old.id)]
    retention.retain(worker(application, studio, studio.account))  # twice is once
    assert len([e for e in studio.history(booking=old.id) if e["what"] == "booking.erased"]) == 1
    told_state, stored = retold(studio.store, studio.account)
    assert told_state == stored


def test_who_can_not_be_forgotten_yet_is_in_nobodys_way(
    empty_studio: Studio, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = empty_studio.store.client.collection(f"accounts/{empty_studio.account}/waitlist")
    place = Place(wish=Wish(start=1, end=2), seats=1, client_key="kim", joined_at=0)
    them = {"client": Client(name="Kim", email="kim@example.com"), "manage_hash": "", "created_at": 0}
    standing: dict[str, EntryStatus] = {"first": "waiting", "second": "waiting", "third": "left", "fourth": "left"}
    for name, status in standing.items():
        entry = WaitlistEntry(id=name, service="consult", place=place, status=status, **them)
        entries.document(name).set(encode(entry))
    empty_studio.put("retention", {"days": 31})
    monkeypatch.setattr(retention, "MOST_A_TASK", 1)
    retention.retain(worker(application_of(platform), empty_studio, empty_studio.account))
    all_done(empty_studio)
    left = {each.id: each.get("client.name") for each in entries.stream()}
    assert left == {"first": "Kim", "second": "Kim", "third": "erased client", "fourth": "erased client"}


def test_who_signed_in_long_ago_and_belongs_to_no_account_is_forgotten(
    empty_studio: Studio, platform: Platform
) -> None:
    now, account = int(time.time() * 1000), empty_studio.account
    long_ago = now - 401 * 86_400_000
    signed_in = {"gone": long_ago, "before that was noted": None, "back": now, "member": long_ago}
    documents = {}
    for name, at in signed_in.items():
        person = Person(id=person_id(f"{account} {name}"), email="a@b.example", created_at=long_ago, signed_in_at=at)
        documents[name] = empty_studio.store.client.document(path_of(account, Ref(Person, person.id)))
        documents[name].set(encode(person))
    member = joining(person, "viewer", now=long_ago)
    empty_studio.store.client.document(path_of(account, Ref(Member, member.id))).set(encode(member))
    application, made = application_of(platform), list[Task]()
    create, application.tasks.create = application.tasks.create, made.append  # type: ignore[method-assign]
    schedules.daily(application)
    (asked,) = [task for task in made if task.kind == "people"]
    create(replace(asked, name=f"{account}/people"))  # the day's own may have been made in this test run
    until(lambda: [name for name, each in documents.items() if each.get().exists] == ["back", "member"])


def test_what_is_yet_to_be_done_holds_ids_only(studio: Studio) -> None:
    """Outbox and tasks carry no names, addresses or words (law 4)."""
    studio.offer(questions=[QUESTION])
    outbox = studio.store.client.collection(f"accounts/{studio.account}/outbox")
    booked = studio.book(studio.starts()[0], client=kim(studio), **WORDS)
    left = [str(record.to_dict()) for record in outbox.stream()]
    booked.cancel(reason=REASON)
    left += [str(record.to_dict()) for record in outbox.stream()]
    all_done(studio)
    log = requests.get(f"{studio.addresses.tasks_http}/control/log", timeout=30).json()["deliveries"]
    bodies = [task["body"] for task in log if studio.account in task["body"]]
    assert {json.loads(body)["about"] for body in bodies if "about" in body} >= {"confirmed", "cancelled"}
    assert not [word for word in said_by(studio) if word in "".join([*left, *bodies]).casefold()]
