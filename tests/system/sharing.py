"""A calendar that somebody else keeps and shares with the studio's person, as the operator and its owner see it."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

import requests

from tests.studio import Studio


@dataclass
class Shared:
    """`google_id` is Google's id of it, `id` ours."""

    studio: Studio
    google_id: str
    id: str = ""

    @classmethod
    def of(cls, studio: Studio, *, role: str, **calendar: Any) -> "Shared":
        """Before the studio's person is connected, so that it is among their calendars from the start."""
        owner = f"boss@{studio.account}.example"
        user = {"email": owner, "password": "correct horse", "name": "Boss", "time_zone": "Europe/Berlin"}
        studio.google_control("POST", "users", user)
        made = studio.google_control("POST", "calendars", {"owner": owner, "summary": "Room", **calendar})
        shared = cls(studio, made["id"])
        shared.give(role)
        return shared

    def give(self, role: str) -> None:
        """Google tells nobody of it: only what is listed next does."""
        self.studio.google_control(
            "PUT", f"calendars/{quote(self.google_id)}/roles", {"email": self.studio.person.email, "role": role}
        )

    def use(self, connection: str, **links: list[str]) -> None:
        listed = self.studio.look(f"connections/{connection}/calendars")["calendars"]
        self.id = next(each["id"] for each in listed if each["google_id"] == self.google_id)
        self.link(**links)

    def link(self, **links: list[str]) -> dict[str, Any]:
        return self.studio.put(f"calendars/{self.id}", links)

    def put_event(self, start: str, end: str, **more: Any) -> str:
        event = {"summary": "Theirs", "start": _timed(start), "end": _timed(end), **more}
        made = self.studio.google_control(
            "POST", f"calendars/{quote(self.google_id)}/events", {"event": event, "as": "event"}
        )
        return str(made["id"])

    def seen(self) -> dict[str, Any]:
        """As the health of the account shows it."""
        calendars = self.studio.look("health")["calendars"]
        return next((each for each in calendars if each["id"] == self.id), {})

    def asked(self, method: str) -> list[dict[str, Any]]:
        """The queries of our calls of that method about it."""
        calls = self.studio.google_control("GET", "calls")["calls"]
        return [call["query"] for call in calls if call["id"] == method and self.google_id in unquote(call["path"])]

    def pull(self) -> requests.Response:
        return self.studio.post(f"calendars/{self.id}/pull", **self.studio.operator)

    def history(self) -> list[str]:
        return [entry["what"] for entry in self.studio.history(calendar=self.id)]


def _timed(instant: str) -> dict[str, str]:
    return {"dateTime": instant, "timeZone": "Europe/Berlin"}
