"""What an owner waits for where many do something at once: two hundred calendars of ten people, one event added to each within ten seconds.

The lag of a change is the time from Google's answer to it, at which the notification goes out, to the commit of the ledger that availability is answered from:
Firestore's own time of that document, so that nobody who looks is in the way.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from functions.adapters.store.documents import collection_of
from functions.domain.configuration import Resource
from tests.bench.measured import Measured, percentile
from tests.studio import DAY, Studio, until

PEOPLE = 10
CALENDARS_EACH = 20
SPREAD_S = 10.0
P50_MS, P99_MS = 1500, 3000
START, CLOSED = f"{DAY}T10:00:00+00:00", f"{DAY}T10:00:00Z"


@dataclass
class Owner:
    """A studio whose calendars each block a resource of their own, with a service of its name."""

    studio: Studio
    calendars: list[str] = field(default_factory=list)  # Google's ids, by the number of the resource

    def set_up(self) -> None:
        studio, person = self.studio, self.studio.person
        for number in range(1, CALENDARS_EACH):
            body = {"owner": person.email, "summary": f"Room {number}", "id": f"{number}.{person.email}"}
            studio.google_control("POST", "calendars", body)
        grant = {"email": person.email, "refresh_token": person.refresh_token}
        connection = studio.post("connections/grants", grant, **studio.operator).json()["id"]
        listed = until(lambda: self._listed(connection), within=60)
        for number, (ours, theirs) in enumerate(listed.items()):
            studio.open(resource=f"r{number}", start="00:00", end="24:00", zone="UTC")
            studio.offer(f"r{number}", resources=[f"r{number}"])
            studio.put(f"calendars/{ours}", {"blocks": [f"r{number}"]})
            self.calendars.append(theirs)

    def _listed(self, connection: str) -> dict[str, str]:
        listed = self.studio.look(f"connections/{connection}/calendars")["calendars"]
        return {one["id"]: one["google_id"] for one in listed} if len(listed) == CALENDARS_EACH else {}

    def in_step(self) -> bool:
        calendars = self.studio.look("health")["calendars"]
        return len(calendars) == CALENDARS_EACH and all(c["watched"] and c.get("last_success_at") for c in calendars)

    def change(self, number: int) -> float:
        """An event in that calendar; the moment at which Google had it."""
        event = {"count": 1, "start": START, "minutes": 30, "prefix": "change"}
        self.studio.google_control("POST", f"calendars/{self.calendars[number]}/fill", event)
        return time.time()

    def shown_at(self, number: int) -> float | None:
        """When the ledger had it; None where it has it not."""
        path = f"accounts/{self.studio.account}/{collection_of(Resource)}/r{number}/months/{DAY:%Y-%m}"
        snapshot = self.studio.store.client.document(path).get()
        known = any((snapshot.to_dict() or {}).get("blocks", {}).values())
        return snapshot.update_time.timestamp() if known else None


def many_calendars(new_studio: Callable[[], Studio]) -> list[Measured]:
    owners = [Owner(new_studio()) for _ in range(PEOPLE)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(Owner.set_up, owners))
        for owner in owners:
            until(owner.in_step, within=300)
        anybody = owners[0].studio
        before = anybody.google_control("GET", "calls")["last"]
        lags = _lags(owners, threads)
        until(lambda: all(CLOSED not in owner.studio.starts(service="r0") for owner in owners))
        calls = anybody.google_control("GET", f"calls?since={before}")["counts"]
    many = len(lags)
    what = f"a change in Google to availability, {many} calendars in {SPREAD_S:g} s"
    return [
        Measured(what=f"{what}, p50", value=percentile(lags, 0.5), unit="ms", budget=P50_MS),
        Measured(what=f"{what}, p99", value=percentile(lags, 0.99), unit="ms", budget=P99_MS),
        Measured(what="  Google calls per change", value=sum(calls.values()) / many, unit=""),
    ]


def _lags(owners: Sequence[Owner], threads: ThreadPoolExecutor) -> list[float]:
    """Each in milliseconds. The calendars take turns, so that no two of a person's change at once."""
    all_of_them = [(owner, number) for number in range(CALENDARS_EACH) for owner in owners]
    began = time.monotonic()

    def change(turn: int) -> float:
        time.sleep(max(0.0, began + turn * SPREAD_S / len(all_of_them) - time.monotonic()))
        owner, number = all_of_them[turn]
        return owner.change(number)

    changed = list(threads.map(change, range(len(all_of_them))))
    shown = [until(lambda o=owner, n=number: o.shown_at(n), within=120) for owner, number in all_of_them]  # type: ignore[misc]
    return [(there - here) * 1000 for here, there in zip(changed, shown, strict=True)]
