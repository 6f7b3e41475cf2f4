"""A client that only ever asks for changes knows what a client that reads everything knows, whatever happened."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from tests.platform.test_google_fixtures import Someone, at

pytest_plugins = ["tests.platform.test_google_fixtures"]

Json = dict[str, Any]
RULES = ["RRULE:FREQ=DAILY;COUNT=4", "RRULE:FREQ=WEEKLY;COUNT=3", "RRULE:FREQ=DAILY;INTERVAL=2;COUNT=3"]


WINDOW = ("2027-02-28T00:00:00+01:00", "2027-05-15T00:00:00+01:00")
SHARED = ("summary", "start", "end", "recurrence", "iCalUID", "sequence", "originalStartTime")


@dataclass
class Mirror:
    """What one reader has gathered from incremental lists, of masters or of instances."""

    reader: Someone
    single: bool
    token: str
    events: dict[str, Json] = field(default_factory=dict)

    def pull(self, page_size: int) -> None:
        news = self.reader.list(singleEvents=self.single, syncToken=self.token, maxResults=page_size)
        self.token = news.token
        for item in news.items:
            self._apply(item)

    def _apply(self, item: Json) -> None:
        if item["status"] != "cancelled":
            self.events[item["id"]] = item
        elif "recurringEventId" in item and not self.single:
            self.events[item["id"]] = {"status": "cancelled"}
        else:
            self.events.pop(item["id"], None)
            if not self.single:
                # A master takes its exceptions with it.
                for event_id in [known for known in self.events if known.startswith(f"{item['id']}_")]:
                    del self.events[event_id]

    def standing(self) -> dict[str, Json]:
        """Without cancelled instances of a series that is none any more: they mean nothing."""
        return {
            event_id: event
            for event_id, event in self.events.items()
            if event["status"] != "cancelled" or "recurrence" in self.events.get(event_id.rpartition("_")[0], {})
        }

    def truth(self) -> dict[str, Json]:
        items = self.reader.list(singleEvents=self.single).items
        return {item["id"]: {"status": "cancelled"} if item["status"] == "cancelled" else item for item in items}


@dataclass
class Chance:
    """People who do anything at all to their events."""

    random: random.Random
    people: tuple[Someone, Someone]
    ids: list[str] = field(default_factory=list)

    def act(self) -> None:
        actor = self.random.choice(self.people)
        if not self.ids or self.random.random() < 0.35:
            self._insert(actor)
            return
        try:
            self._change(actor, self._target(actor))
        except HttpError as error:
            # Deleted, not theirs, not allowed: refused as it should be.
            if error.status_code not in (400, 403, 404, 410):
                raise

    def _times(self) -> Json:
        hour, day = self.random.randint(1, 20), self.random.randint(1, 20)
        return {"start": at(hour, day=day), "end": at(hour + 1, day=day)}

    def _guests(self) -> list[Json]:
        guests = self.random.sample(self.people, self.random.randint(0, 2))
        return [
            {"email": guest.email, "responseStatus": self.random.choice(["accepted", "declined"])} for guest in guests
        ]

    def _insert(self, actor: Someone) -> None:
        fields: Json = {**self._times(), "guestsCanModify": self.random.random() < 0.2}
        if self.random.random() < 0.5:
            fields["recurrence"] = [self.random.choice(RULES)]
        if self.random.random() < 0.5:
            fields["attendees"] = [{"email": person.email} for person in self.people if person is not actor]
        self.ids.append(actor.insert(**fields)["id"])

    def _target(self, actor: Someone) -> str:
        event_id = self.random.choice(self.ids)
        if self.random.random() < 0.5:
            return event_id
        shown: list[str] = [
            item["id"] for item in actor.list(singleEvents=True).items if item["id"].startswith(f"{event_id}_")
        ]
        return self.random.choice(shown or [event_id])

    def _change(self, actor: Someone, event_id: str) -> None:
        kind = self.random.choice(["move", "move", "rename", "repeat", "invite", "delete", "restore"])
        if kind == "move":
            actor.patch(event_id, **self._times())
        elif kind == "rename":
            actor.patch(event_id, summary=f"Name {self.random.random()}")
        elif kind == "repeat":
            actor.patch(event_id, recurrence=self.random.choice([None, [self.random.choice(RULES)]]))
        elif kind == "invite":
            actor.patch(event_id, attendees=self._guests())
        elif kind == "delete":
            actor.delete(event_id)
        else:
            body = {"status": "confirmed", **self._times()}
            actor.events.update(calendarId="primary", eventId=event_id, body=body).execute()


@pytest.mark.parametrize("seed", [1, 2])
def test_changes_add_up_to_the_truth(make_person: Callable[..., Someone], seed: int) -> None:
    # case 61
    chance = Chance(random.Random(seed), (make_person("anna"), make_person("ben")))
    mirrors = [
        Mirror(person, single, person.list(singleEvents=single).token)
        for person in chance.people
        for single in (False, True)
    ]
    for _ in range(8):
        for _ in range(10):
            chance.act()
        for mirror in mirrors:
            mirror.pull(chance.random.choice([2, 3, 250]))
            assert mirror.standing() == mirror.truth()
        for person in chance.people:
            assert busy(person) == merged(person)
        assert_copies_agree(*chance.people)


def busy(person: Someone) -> list[tuple[float, float]]:
    """What freebusy says of the spring in which everything here happens."""
    body = {"timeMin": WINDOW[0], "timeMax": WINDOW[1], "items": [{"id": "primary"}]}
    spans = person.service.freebusy().query(body=body).execute()["calendars"]["primary"]["busy"]
    return [(instant(span["start"]), instant(span["end"])) for span in spans]


def merged(person: Someone) -> list[tuple[float, float]]:
    """The same from the list of instances, by the rules of section 1.3."""
    shown = person.list(singleEvents=True, timeMin=WINDOW[0], timeMax=WINDOW[1], orderBy="startTime").items
    spans: list[tuple[float, float]] = []
    for event in shown:
        answers = [entry["responseStatus"] for entry in event.get("attendees", []) if entry.get("self")]
        if answers == ["declined"]:
            continue
        start, end = instant(event["start"]["dateTime"]), instant(event["end"]["dateTime"])
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def assert_copies_agree(anna: Someone, ben: Someone) -> None:
    """An organizer's event and the guest's copy say the same, as long as the guest has not taken it off."""
    for organizer, guest in ((anna, ben), (ben, anna)):
        copies = {event["id"]: event for event in guest.list().items}
        for event in organizer.list().items:
            invited = guest.email in [entry["email"] for entry in event.get("attendees", [])]
            if event["status"] == "cancelled" or event["organizer"]["email"] != organizer.email or not invited:
                continue
            copy = copies.get(event["id"], {"status": "cancelled"})
            if copy["status"] != "cancelled":
                assert [copy.get(name) for name in SHARED] == [event.get(name) for name in SHARED]


def instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
