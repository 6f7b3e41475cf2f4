"""What would follow from a change: exactly what then follows, and until then nothing at all."""

from datetime import timedelta
from typing import Any

import pytest
from google.cloud import firestore

from functions.adapters.store.store import Store
from tests.studio import DAY, Studio, until
from tests.system.waiting import all_done, full_class

EVENING = f"{DAY}T18:00:00Z"
NOTHING = {"conflicted": [], "cancelled": [], "supported": [], "offered": [], "clients_told": 0}


def hours(end: str) -> dict[str, Any]:
    weekly = [{"days": [1, 2, 3, 4, 5, 6, 7], "start": "09:00", "end": end}]
    return {"name": "Anna", "time_zone": "Europe/Berlin", "hours": weekly}


def consult(**more: Any) -> dict[str, Any]:
    return {"name": "Consultation", "duration_minutes": 30, "step_minutes": 30, "resources": ["anna"]} | more


def everything(store: Store, account: str) -> dict[str, Any]:
    """Every document of the account, with the moment at which it was written last."""
    found: dict[str, Any] = {}

    def look(document: firestore.DocumentReference) -> None:
        for collection in document.collections():
            for snapshot in collection.stream():
                found[snapshot.reference.path] = (snapshot.update_time, snapshot.to_dict())
                look(snapshot.reference)

    look(store.client.document(f"accounts/{account}"))
    return found


class TestThatItIsSo:
    """Foreseen, then made, and then so."""

    def test_of_hours(self, empty_studio: Studio) -> None:
        early, late = (empty_studio.book(empty_studio.starts()[n]) for n in (0, 10))
        resource = {"id": "anna", **hours("12:00")}
        start, end = late.look()["start"], late.look()["end"]
        assert empty_studio.preview(resource=resource) == NOTHING | {
            "conflicted": [
                {
                    "session": late.session,
                    "service": "consult",
                    "resources": ["anna"],
                    "start": start,
                    "end": end,
                    "reason": "outside_hours",
                    "bookings": [late.id],
                }
            ]
        }
        empty_studio.put("resources/anna", hours("12:00"))
        until(lambda: empty_studio.conflicts() == {late.id: "outside_hours"})
        assert empty_studio.preview(resource=resource) == NOTHING
        back = empty_studio.preview(resource={"id": "anna", **hours("17:00")})
        assert [(one["session"], one["reason"]) for one in back["supported"]] == [(late.session, "outside_hours")]
        assert (back["conflicted"], early.look()["status"]) == ([], "confirmed")

    def test_of_a_week_away(self, empty_studio: Studio) -> None:
        empty_studio.offer(on_conflict="cancel", capacity=2)
        nine = empty_studio.starts()[0]
        after = empty_studio.book(empty_studio.starts(DAY + timedelta(days=7))[0])
        gone = [
            empty_studio.book(nine, client={"name": name, "email": f"{name}@{empty_studio.account}.example"})
            for name in ("kim", "lee")
        ]
        away = {"resource": "anna", "first": str(DAY), "last": str(DAY + timedelta(days=6))}
        foreseen = empty_studio.preview(closed=away)
        assert [one["session"] for one in foreseen["cancelled"]] == [gone[0].session]
        assert {*foreseen["cancelled"][0]["bookings"]} == {one.id for one in gone}
        assert (foreseen["clients_told"], foreseen["conflicted"]) == (2, [])
        empty_studio.open(closed=[{"first": away["first"], "last": away["last"]}])
        until(lambda: {one.look()["status"] for one in gone} == {"cancelled"})
        assert after.look()["status"] == "confirmed"

    def test_of_seats(self, empty_studio: Studio) -> None:
        empty_studio.offer(capacity=2)
        nine = empty_studio.starts()[0]
        _, second = empty_studio.book(nine), empty_studio.book(nine)
        (flagged,) = empty_studio.preview(service={"id": "consult", **consult(capacity=1)})["conflicted"]
        assert (flagged["reason"], flagged["bookings"]) == ("over_capacity", [second.id])
        cut = empty_studio.preview(service={"id": "consult", **consult(capacity=1, on_conflict="cancel")})
        assert [(one["reason"], one["bookings"]) for one in cut["cancelled"]] == [("over_capacity", [second.id])]
        assert cut["clients_told"] == 1
        empty_studio.offer(capacity=1)
        until(lambda: empty_studio.conflicts() == {second.id: "over_capacity"})
        (again,) = empty_studio.preview(service={"id": "consult", **consult(capacity=2)})["supported"]
        assert again["session"] == second.session

    def test_of_who_serves(self, empty_studio: Studio) -> None:
        empty_studio.open(resource="ben")
        booking = empty_studio.book(empty_studio.starts()[0])
        (flagged,) = empty_studio.preview(service={"id": "consult", **consult(resources=["ben"])})["conflicted"]
        assert (flagged["session"], flagged["reason"]) == (booking.session, "not_served")
        empty_studio.offer(resources=["ben"])
        until(lambda: empty_studio.conflicts() == {booking.id: "not_served"})

    def test_of_the_seats_of_one_event(self, empty_studio: Studio) -> None:
        empty_studio.offer(kind="event", capacity=3)
        concert = empty_studio.schedule(f"{DAY}T18:00:00Z", service="consult", minutes=60, capacity=3)
        bookings = [empty_studio.book(f"{DAY}T18:00:00Z") for _ in range(3)]
        (flagged,) = empty_studio.preview(session={"id": concert, "capacity": 1})["conflicted"]
        assert (flagged["reason"], flagged["bookings"]) == ("over_capacity", [bookings[2].id, bookings[1].id])
        assert empty_studio.preview(session={"id": concert, "capacity": 9}) == NOTHING
        cut = empty_studio.preview(session={"id": concert, "capacity": 1, "below": "cancel"})
        assert (cut["conflicted"], cut["clients_told"]) == ([], 1)
        assert [(one["reason"], {*one["bookings"]}) for one in cut["cancelled"]] == [
            ("over_capacity", {bookings[2].id, bookings[1].id})
        ]
        assert empty_studio.change_session(concert, capacity=1, below="cancel").ok
        assert [each.look()["status"] for each in bookings] == ["confirmed", "cancelled", "cancelled"]


@pytest.mark.parametrize("rule", ["flag", "cancel"])
def test_nothing_is_saved(empty_studio: Studio, store: Store, rule: str) -> None:
    empty_studio.offer(on_conflict=rule, capacity=2)
    booking = empty_studio.book(empty_studio.starts()[0])
    empty_studio.offer("concert", kind="event", capacity=2)
    concert = empty_studio.schedule(EVENING, service="concert", minutes=60)
    for _ in range(2):
        empty_studio.book(EVENING, service="concert")
    empty_studio.wait(client="ann", service="concert", sessions=[concert])
    until(empty_studio.mails)
    account = empty_studio.account
    all_done(empty_studio)
    before = everything(store, account)
    assert {path.split("/")[2] for path in before} >= {"sessions", "bookings", "resources", "services", "queues"}
    for change in (
        {"resource": {"id": "anna", **hours("09:10")}},
        {"resource": {"id": "nobody-yet", **hours("09:10")}},
        {"service": {"id": "consult", **consult(on_conflict=rule, active=False, resources=["anna"])}},
        {"closed": {"resource": "anna", "first": str(DAY), "last": str(DAY)}},
        {"session": {"id": concert, "capacity": 1, "below": "cancel"}},
        {"session": {"id": concert, "capacity": 4}},
        {"preset": {"id": "usual", "name": "Usual", "mode": "autopromote"}},
    ):
        empty_studio.preview(**change)
    assert everything(store, account) == before
    assert booking.look()["status"] == "confirmed"


def refused(studio: Studio, change: Any) -> tuple[int, str]:
    answer = studio.post("preview", change, **studio.operator)
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


@pytest.mark.parametrize(
    ("change", "status", "problem"),
    [
        pytest.param({}, 422, "invalid-request", id="no change"),
        pytest.param({"resource": None}, 422, "invalid-request", id="a change that is none"),
        pytest.param(
            {
                "closed": {"resource": "anna", "first": "2027-03-01", "last": "2027-03-02"},
                "session": {"id": "x", "capacity": 1},
            },
            422,
            "invalid-request",
            id="two at once",
        ),
        pytest.param({"weather": {}}, 422, "invalid-request", id="what nobody can change"),
        pytest.param(
            {"closed": {"resource": "anna", "first": "2027-03-02", "last": "2027-03-01"}},
            422,
            "invalid-request",
            id="a time away that ends before it begins",
        ),
        pytest.param(
            {"closed": {"resource": "nobody", "first": "2027-03-01", "last": "2027-03-01"}},
            404,
            "not-found",
            id="a resource that there is not",
        ),
        pytest.param({"session": {"id": "nothing", "capacity": 1}}, 404, "not-found", id="a session that there is not"),
        pytest.param({"session": {"id": "a/b", "capacity": 1}}, 422, "invalid-request", id="an id that is none"),
        pytest.param({"session": {"id": "x", "capacity": 0}}, 422, "invalid-request", id="no seats"),
        pytest.param({"resource": {"id": "anna"}}, 422, "invalid-request", id="half a resource"),
        pytest.param(
            {"service": {"id": "consult", **consult(resources=["nobody"])}},
            422,
            "invalid-request",
            id="a service by nobody",
        ),
        pytest.param(
            {"service": {"id": "consult", **consult(duration_minutes=0)}}, 422, "invalid-request", id="no time"
        ),
    ],
)
def test_what_is_no_change_is_refused(empty_studio: Studio, change: Any, status: int, problem: str) -> None:
    assert refused(empty_studio, change) == (status, problem)


def test_the_seats_of_an_appointment_are_its_service_s(empty_studio: Studio) -> None:
    booking = empty_studio.book(empty_studio.starts()[0])
    answer = empty_studio.post("preview", {"session": {"id": booking.session, "capacity": 2}}, **empty_studio.operator)
    assert (answer.status_code, "change of the service" in answer.json()["detail"]) == (422, True)
    booking.cancel()
    assert refused(empty_studio, {"session": {"id": booking.session, "capacity": 2}}) == (409, "illegal-state")


def test_of_those_who_wait(empty_studio: Studio) -> None:
    """Two more seats: the first two of three who wait would get offers, and then do."""
    empty_studio.offer(kind="event", capacity=1)
    start = f"{DAY}T18:00:00Z"
    concert = empty_studio.schedule(start, service="consult", minutes=60)
    empty_studio.book(start)
    ann, ben, cid = (empty_studio.wait(client=name, sessions=[concert]) for name in ("ann", "ben", "cid"))
    seen = empty_studio.preview(session={"id": concert, "capacity": 3})
    assert [(one["entry"], one["start"], one["seats"]) for one in seen["offered"]] == [
        (ann.id, start, 1),
        (ben.id, start, 1),
    ]
    assert seen["clients_told"] == 2
    assert {one.status() for one in (ann, ben, cid)} == {"waiting"}
    assert empty_studio.change_session(concert, capacity=3).status_code == 200
    until(lambda: [one.status() for one in (ann, ben, cid)] == ["offered", "offered", "waiting"])


def test_of_those_who_wait_for_time_that_would_be_open(empty_studio: Studio) -> None:
    """All that is open is taken; opening earlier makes room for who waits for any start of the day."""
    empty_studio.open(start="09:00", end="10:00", zone="UTC")
    for start in empty_studio.starts():
        empty_studio.book(start)
    waiting = empty_studio.wait(start=f"{DAY}T00:00:00Z", end=f"{DAY}T23:00:00Z")
    hours = [{"days": [1, 2, 3, 4, 5, 6, 7], "start": "08:00", "end": "10:00"}]
    earlier = {"id": "anna", "name": "Anna", "time_zone": "UTC", "hours": hours}
    (served,) = empty_studio.preview(resource=earlier)["offered"]
    assert (served["entry"], served["start"]) == (waiting.id, f"{DAY}T08:00:00Z")
    empty_studio.put("resources/anna", {name: value for name, value in earlier.items() if name != "id"})
    assert waiting.became("offered")["offer"]["start"] == served["start"]


def test_of_those_who_wait_for_a_group_that_would_have_more_seats(empty_studio: Studio) -> None:
    """Nobody would be in conflict, and yet the session is another one: it has the seat that is offered."""
    start, _ = full_class(empty_studio, mode="autopromote")
    ann, ben = (empty_studio.wait(client=name, start=start) for name in ("ann", "ben"))
    larger = consult(capacity=3, waitlist="rules")
    assert [one["entry"] for one in empty_studio.preview(service={"id": "consult", **larger})["offered"]] == [ann.id]
    empty_studio.put("services/consult", larger)
    ann.became("booked")
    all_done(empty_studio)
    assert ben.status() == "waiting"


def test_of_those_who_wait_by_rules_that_would_be_changed(empty_studio: Studio) -> None:
    start, (first, _) = full_class(empty_studio, mode="manual")
    ann, ben = (empty_studio.wait(client=name, start=start) for name in ("ann", "ben"))
    first.cancel()
    all_done(empty_studio)
    ben.change(by=empty_studio.operator, level="gold")
    proposed = {"name": "Rules", "mode": "autopromote", "levels": ["gold"]}
    assert empty_studio.preview(preset={"id": "other", **proposed})["offered"] == []
    (served,) = empty_studio.preview(preset={"id": "rules", **proposed})["offered"]
    assert (served["entry"], "expires_at" in served) == (ben.id, False)
    empty_studio.put("presets/rules", proposed)
    ben.became("booked")
    assert ann.status() == "waiting"


def test_of_those_who_wait_by_the_rules_that_the_service_would_name(empty_studio: Studio) -> None:
    """A seat is free and the rules leave it to an operator; by those that are proposed it would be the first one's, and then is."""
    start, (first, _) = full_class(empty_studio, mode="manual")
    empty_studio.rules("by-itself", mode="autopromote")
    ann = empty_studio.wait(client="ann", start=start)
    first.cancel()
    all_done(empty_studio)
    assert empty_studio.preview(service={"id": "consult", **consult(capacity=2, waitlist="rules")})["offered"] == []
    proposed = consult(capacity=2, waitlist="by-itself")
    (served,) = empty_studio.preview(service={"id": "consult", **proposed})["offered"]
    assert (served["entry"], served["start"], "expires_at" in served) == (ann.id, start, False)
    empty_studio.put("services/consult", proposed)
    ann.became("booked")
