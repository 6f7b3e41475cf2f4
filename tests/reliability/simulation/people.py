"""People with calendar programs of their own: whatever Google lets them do to events, ours and theirs, on one crowded day."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from functions.domain.calendar import FREE_BUSY_ROLE
from functions.domain.event_ids import session_of
from infra.local.google.event_record import EventRecord
from tests.reliability.simulation.business import ANNA, BEN, CAROL, KIM, PRIVATE, ROOM, Business
from tests.reliability.simulation.google import Refused

Json = dict[str, Any]

DAY = "2027-03-03"
WHO = {ANNA: ANNA, PRIVATE: ANNA, ROOM: CAROL, BEN: BEN}  # who acts in a calendar that we are connected to
STARTS = tuple(f"{hour:02}:{minute:02}" for hour in range(8, 14) for minute in (0, 30))


@dataclass
class Deeds:
    """What people have done to events of ours, for the checks. All by event id."""

    changed: Counter[str] = field(default_factory=Counter)  # how often its time, or whether it is there at all
    retitled: set[str] = field(default_factory=set)
    brought_back: set[str] = field(default_factory=set)
    taken_elsewhere: set[str] = field(default_factory=set)


@dataclass
class People:
    """Everybody. Each deed is one call of Google's API, at once; it answers with what was done, in words."""

    business: Business
    deeds: Deeds = field(default_factory=Deeds)

    def act(self, random: Random) -> str:
        deed = random.choices([deed for deed, _ in _DEEDS], [weight for _, weight in _DEEDS])[0]
        try:
            done = deed(self, random)
        except Refused as no:
            done = f"Google says {no}"
        return f"{deed.__name__}: {done or 'nothing to do it to'}"

    # Theirs

    def add(self, random: Random) -> str:
        calendar = random.choice(tuple(WHO))
        body = {"summary": "Theirs", **_times(random)}
        if random.random() < 0.15:
            body["transparency"] = "transparent"
        return self._insert(calendar, body)

    def add_series(self, random: Random) -> str:
        calendar = random.choice(tuple(WHO))
        first = random.choice(("2027-03-02", DAY, "2027-02-24"))
        rule = random.choice(("RRULE:FREQ=DAILY;COUNT=3", "RRULE:FREQ=WEEKLY;COUNT=3", "RRULE:FREQ=DAILY;COUNT=30"))
        return self._insert(calendar, {"summary": "Often", **_times(random, day=first), "recurrence": [rule]})

    def invite(self, random: Random) -> str:
        guests = [{"email": guest} for guest in random.sample((ANNA, BEN), random.choice((1, 2)))]
        body = {"summary": "Meeting", **_times(random), "attendees": guests}
        made = self.business.wire.as_person(CAROL, "POST", f"calendars/{CAROL}/events", body)
        return f"Carol invites to {_short(made['id'])} at {body['start'].get('dateTime', 'all day')}"

    def answer(self, random: Random) -> str | None:
        """An invitation of Carol's; or Kim one of ours."""
        calendar = random.choice((ANNA, BEN, KIM))
        record = self._some(random, calendar, lambda each: calendar in _guests(each))
        if record is None:
            return None
        said = random.choice(("declined", "accepted", "tentative"))
        guests = [
            {**guest, "responseStatus": said} if guest["email"] == calendar else guest
            for guest in record.body["attendees"]
        ]
        self._patch(calendar, record, {"attendees": guests})
        return f"{calendar} has {said} {_short(record.id)}"

    def change_instance(self, random: Random) -> str | None:
        calendar = random.choice(tuple(WHO))
        master = self._some(random, calendar, lambda each: each.master)
        if master is None:
            return None
        path = f"calendars/{calendar}/events/{master.id}"
        instances = self.business.wire.as_person(WHO[calendar], "GET", f"{path}/instances").get("items", [])
        if not instances:
            return None
        instance = random.choice(instances[:4])
        one = f"calendars/{calendar}/events/{instance['id']}"
        if random.random() < 0.4:
            self.business.wire.as_person(WHO[calendar], "DELETE", one)
            return f"without {instance['id'][-24:]}"
        self.business.wire.as_person(WHO[calendar], "PATCH", one, _times(random))
        return f"moved {instance['id'][-24:]}"

    def split(self, random: Random) -> str | None:
        """This and all that follow get another time: the old series ends, another begins."""
        calendar = random.choice(tuple(WHO))
        master = self._some(random, calendar, lambda each: each.master and "dateTime" in each.body["start"])
        if master is None:
            return None
        self._patch(calendar, master, {"recurrence": ["RRULE:FREQ=DAILY;COUNT=1"]})
        body = {"summary": "From here", **_times(random), "recurrence": ["RRULE:FREQ=DAILY;COUNT=2"]}
        return f"{_short(master.id)}, and {self._insert(calendar, body)}"

    # Theirs and ours

    def move(self, random: Random) -> str | None:
        calendar = random.choice(tuple(WHO))
        record = self._some(random, calendar, lambda each: not each.master and each.master_id is None)
        if record is None:
            return None
        times = _times(random, all_day=0.08)
        self._patch(calendar, record, times)
        self.deeds.changed[record.id] += 1
        return f"{_short(record.id)} to {_said(times)}"

    def retitle(self, random: Random) -> str | None:
        calendar = random.choice(tuple(WHO))
        record = self._some(random, calendar)
        if record is None:
            return None
        self._patch(calendar, record, {"summary": f"Title {random.randrange(1000)}"})
        self.deeds.retitled.add(record.id)
        return _short(record.id)

    def show_as(self, random: Random) -> str | None:
        """Theirs as free or busy."""
        calendar = random.choice(tuple(WHO))
        record = self._some(random, calendar, lambda each: session_of(each.id) is None)
        if record is None:
            return None
        shown = random.choice(("transparent", "opaque"))
        self._patch(calendar, record, {"transparency": shown})
        return f"{_short(record.id)} {shown}"

    def delete(self, random: Random) -> str | None:
        calendar = random.choice(tuple(WHO))
        record = self._some(random, calendar)
        if record is None:
            return None
        self.business.wire.as_person(WHO[calendar], "DELETE", f"calendars/{calendar}/events/{record.id}")
        self.deeds.changed[record.id] += 1
        return _short(record.id)

    def undelete(self, random: Random) -> str | None:
        calendar = random.choice(tuple(WHO))
        record = self._some(random, calendar, lambda each: "start" in each.body, cancelled=True)
        if record is None or record.master_id is not None:
            return None
        body = {
            name: record.body[name]
            for name in ("start", "end", "summary", "extendedProperties", "recurrence")
            if name in record.body
        }
        path = f"calendars/{calendar}/events/{record.id}"
        self.business.wire.as_person(WHO[calendar], "PUT", path, {**body, "status": "confirmed"})
        self.deeds.brought_back.add(record.id)
        self.deeds.changed[record.id] += 1
        return _short(record.id)

    def duplicate(self, random: Random) -> str | None:
        calendar = random.choice(tuple(WHO))
        record = self._some(random, calendar, lambda each: session_of(each.id) is not None and not each.master)
        if record is None:
            return None
        body = {name: record.body[name] for name in ("summary", "extendedProperties") if name in record.body}
        return f"{_short(record.id)} as {self._insert(calendar, {**body, **_times(random)})}"

    def take_elsewhere(self, random: Random) -> str | None:
        """To another calendar of the same person's."""
        there, to = random.choice(((ANNA, PRIVATE), (PRIVATE, ANNA), (ANNA, ROOM), (ROOM, ANNA)))
        record = self._some(random, there, lambda each: each.organizer == there and each.master_id is None)
        if record is None:
            return None
        path = f"calendars/{there}/events/{record.id}/move"
        self.business.wire.as_person(ANNA, "POST", path, destination=to)
        self.deeds.taken_elsewhere.add(record.id)
        self.deeds.changed[record.id] += 1
        return f"{_short(record.id)} from {there[:5]} to {to[:5]}"

    # What we may do

    def change_role(self, random: Random) -> str:
        role = random.choice(("writer", "writer", "reader", FREE_BUSY_ROLE))
        self.business.let_into_the_room(role)
        return f"Anna is {role} of the room"

    def revoke(self, random: Random) -> str:
        person = random.choice((ANNA, BEN))
        self.business.world.grants.revoke_grant(person)
        return f"{person} has revoked all grants"

    # Steps

    def _some(
        self,
        random: Random,
        calendar: str,
        wanted: Callable[[EventRecord], object] = lambda each: True,
        *,
        cancelled: bool = False,
    ) -> EventRecord | None:
        store = self.business.world.events(self.business.world.calendars.get(calendar))
        found = [each for each in store.from_ordinal(0) if each.cancelled == cancelled and wanted(each)]
        return random.choice(found) if found else None

    def _insert(self, calendar: str, body: Json) -> str:
        made = self.business.wire.as_person(WHO[calendar], "POST", f"calendars/{calendar}/events", body)
        return f"{_short(made['id'])} in {calendar[:5]} at {_said(body)}"

    def _patch(self, calendar: str, record: EventRecord, body: Json) -> None:
        path = f"calendars/{calendar}/events/{record.id}"
        self.business.wire.as_person(WHO.get(calendar, calendar), "PATCH", path, body)


_DEEDS: tuple[tuple[Callable[[People, Random], str | None], int], ...] = (
    (People.add, 16),
    (People.add_series, 4),
    (People.invite, 4),
    (People.answer, 6),
    (People.change_instance, 6),
    (People.split, 2),
    (People.move, 20),
    (People.retitle, 5),
    (People.show_as, 4),
    (People.delete, 12),
    (People.undelete, 6),
    (People.duplicate, 3),
    (People.take_elsewhere, 3),
    (People.change_role, 3),
    (People.revoke, 1),
)


def _times(random: Random, *, day: str = DAY, all_day: float = 0.04) -> Json:
    """Mostly on the grid that is sold, sometimes across it, sometimes the whole day."""
    if random.random() < all_day:
        return {
            "start": {"date": day, "dateTime": None, "timeZone": None},
            "end": {"date": f"{day[:-2]}{int(day[-2:]) + 1:02}", "dateTime": None, "timeZone": None},
        }
    hour, minute = map(int, random.choice(STARTS).split(":"))
    first = hour * 60 + minute + random.choice((0, 0, 0, 10))
    last = first + random.choice((30, 30, 60, 90, 45))
    return {
        name: {"dateTime": f"{day}T{at // 60:02}:{at % 60:02}:00Z", "timeZone": "Europe/Berlin", "date": None}
        for name, at in (("start", first), ("end", last))
    }


def _said(times: Json) -> str:
    start, end = times["start"], times["end"]
    return "all day" if start["date"] else f"{start['dateTime'][5:16]}-{end['dateTime'][11:16]}"


def _guests(record: EventRecord) -> set[str]:
    return {guest["email"] for guest in record.body.get("attendees", ())}


def _short(event: str) -> str:
    session = session_of(event)
    return f"ours {event[:4]}" if session else event[:4]
