"""What those who wait are told: each thing once, in words that are true, with a link that works."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import requests

from functions.adapters.store.documents import ledger_refs_of
from functions.adapters.store.store import Reader
from functions.domain.decision import Decision, Effect, Ref
from functions.domain.event_ids import event_id
from functions.domain.ledger import enter
from functions.domain.session import GoogleCopy, Session
from tests.studio import Studio, Waiting, until
from tests.system.waiting import TEN, all_done, full_class, full_event


def told(studio: Studio, client: str) -> list[str]:
    """What their mails are about, once everything has been sent."""
    all_done(studio)
    return [subject.partition(":")[0] for subject in studio.mails(client)]


def link_of(studio: Studio, client: str) -> tuple[str, str]:
    """The address in their last mail, and the token that proves that it is theirs."""
    found = re.search(r"(http\S+)#(\S+)", studio.letters(client)[-1]["text"])
    assert found is not None, studio.letters(client)[-1]["text"]
    return found[1], found[2]


def follow(studio: Studio, client: str) -> dict[str, object]:
    address, token = link_of(studio, client)
    answer = requests.get(address, headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_from_joining_to_the_booking(empty_studio: Studio) -> None:
    start, (first, _) = full_class(empty_studio)
    ann = empty_studio.wait(client="ann", start=start)
    assert told(empty_studio, "ann") == ["You are on the waitlist"]
    assert "You are number 1." in empty_studio.letters("ann")[-1]["text"]
    assert follow(empty_studio, "ann")["id"] == ann.id

    first.cancel()
    ann.became("offered")
    assert told(empty_studio, "ann")[1:] == ["A seat has come free for you"]
    assert "It is kept for you until" in empty_studio.letters("ann")[-1]["text"]
    assert follow(empty_studio, "ann")["status"] == "offered"

    ann.do("accept")
    assert told(empty_studio, "ann")[2:] == ["Your booking is confirmed"]
    assert follow(empty_studio, "ann")["status"] == "confirmed"


def test_who_is_booked_without_being_asked_gets_the_way_to_their_booking(empty_studio: Studio) -> None:
    start, (first, _) = full_class(empty_studio, mode="autopromote")
    ann = empty_studio.wait(client="ann", start=start)
    first.cancel()
    ann.became("booked")
    assert told(empty_studio, "ann") == ["You are on the waitlist", "Your booking is confirmed"]
    address, token = link_of(empty_studio, "ann")
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.post(f"{address}/cancel", json={}, headers=headers, timeout=10).json()["status"] == "cancelled"


def test_an_offer_that_ran_out(empty_studio: Studio) -> None:
    start, (first, _) = full_class(empty_studio)
    ann = empty_studio.wait(client="ann", start=start)
    first.cancel()
    ann.became("offered")
    all_done(empty_studio)
    empty_studio.run_out(ann)
    until(lambda: ann.status() == "expired", nudge=lambda: empty_studio.fire("minute"))
    assert told(empty_studio, "ann")[2:] == ["Your offer has run out"]


def test_who_leaves_or_declines_knows_it(empty_studio: Studio) -> None:
    start, (first, _) = full_class(empty_studio)
    ann, ben = (empty_studio.wait(client=name, start=start) for name in ("ann", "ben"))
    all_done(empty_studio)  # who leaves before their mail has gone out is told nothing
    ann.do("leave")
    first.cancel()
    ben.became("offered")
    all_done(empty_studio)
    ben.do("decline")
    assert told(empty_studio, "ann") == ["You are on the waitlist"]
    assert told(empty_studio, "ben") == ["You are on the waitlist", "A seat has come free for you"]


def test_who_is_taken_off_put_back_or_put_on_by_an_operator(empty_studio: Studio) -> None:
    start, (first, _) = full_class(empty_studio, mode="manual")
    ann = empty_studio.wait(client="ann", start=start)
    assert told(empty_studio, "ann") == ["You are on the waitlist"]
    empty_studio.post(f"waitlist/{ann.id}/leave", **empty_studio.operator)
    assert told(empty_studio, "ann")[1:] == ["You are not on the waitlist any more"]
    empty_studio.post(f"waitlist/{ann.id}/put-back", **empty_studio.operator)
    assert told(empty_studio, "ann")[2:] == ["You are on the waitlist"]

    put = empty_studio.post(f"bookings/{first.id}/waitlist", **empty_studio.operator).json()
    assert told(empty_studio, "c0") == ["Your booking is confirmed", "Your booking has become a place on the waitlist"]
    assert follow(empty_studio, "c0")["id"] == put["id"]


def test_who_had_an_offer_that_an_operator_cancelled(empty_studio: Studio) -> None:
    start, (first, _) = full_class(empty_studio)
    ann = empty_studio.wait(client="ann", start=start)
    first.cancel()
    ann.became("offered")
    all_done(empty_studio)
    (held,) = [b for b in empty_studio.look("bookings")["bookings"] if b["status"] == "held"]
    empty_studio.post(f"bookings/{held['id']}/cancel", {}, **empty_studio.operator)
    ann.became("waiting")
    assert told(empty_studio, "ann")[2:] == ["What was offered to you is not free any more"]
    assert follow(empty_studio, "ann")["status"] == "waiting"


def in_google(studio: Studio, session_id: str) -> str:
    """The session gets its event in the person's calendar, as one does that is scheduled; the event's id."""
    event = event_id(session_id, studio.calendar, 0)

    def attempt(reader: Reader) -> Decision[None]:
        session = reader.get(Ref(Session, session_id))
        assert session is not None
        reader.load(*ledger_refs_of(session))
        copied = session.with_copy(GoogleCopy(calendar=studio.calendar, event=event))
        push = Effect(kind="push", subject=session_id)
        changes = enter(copied.resources, copied.occupation)
        return Decision(answer=None, documents=(copied,), changes=changes, effects=(push,))

    studio.store.run(studio.account, attempt)
    until(lambda: event in [each["id"] for each in studio.person.events()])
    return event


@pytest.fixture
def event_in_google(studio: Studio) -> tuple[Studio, str, Waiting, Waiting]:
    """A full event that is in the person's calendar: its id there; Ann has an offer for it, Ben waits."""
    session, (first, _) = full_event(studio)
    event = in_google(studio, session)
    ann, ben = (studio.wait(client=name, sessions=[session]) for name in ("ann", "ben"))
    first.cancel()
    ann.became("offered")
    all_done(studio)
    return studio, event, ann, ben


def test_that_the_event_is_cancelled_which_somebody_deleted_in_google(
    event_in_google: tuple[Studio, str, Waiting, Waiting],
) -> None:
    studio, event, ann, ben = event_in_google
    studio.person.delete(event)
    assert ann.became("expired")["reason"] == "what was offered is not there any more"
    assert ben.became("expired")["reason"] == "it was cancelled"
    assert told(studio, "ann")[2:] == ["You wait no longer"]
    assert told(studio, "ben")[1:] == ["You wait no longer"]
    assert "Reason: it was cancelled." in studio.letters("ben")[-1]["text"]
    assert told(studio, "c1") == ["Your booking is confirmed", "Your booking is cancelled"]


def test_that_the_event_they_wait_for_is_at_another_time_now_shows_where_they_look(
    event_in_google: tuple[Studio, str, Waiting, Waiting],
) -> None:
    studio, event, ann, ben = event_in_google
    later, end = TEN.replace("T10:00", "T11:30"), TEN.replace("T10:00", "T12:00")
    studio.person.move(event, later, end)
    until(lambda: ben.look()["starts"] == [later])
    assert ann.look()["offer"]["start"] == later
    ann.do("decline")
    ben.became("offered")
    all_done(studio)
    moved_to = datetime.fromisoformat(later).astimezone(ZoneInfo("Europe/Berlin"))
    assert f"{moved_to:%H:%M} (Europe/Berlin)" in studio.mails("ben")[-1]
