"""What a pull costs: of one change in a small calendar and in a large one, and of a large calendar in full, beside a bare loop of the same pages and commits.

The sync function runs in this process, alone with a Firestore and a Google of its own. The two take turns at the full list, page by page, so that what slows
the machine down slows both: after each page that the pull has applied, the loop lists its next page and commits what the pull has just committed, under
other names and without a thought. So the memory of the process is that of both; the loop keeps nothing.
"""

import os
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from google.cloud.firestore_v1.types import CommitRequest, Write

from functions.adapters.composition import Application
from functions.adapters.google_calendar import EventPage, GoogleCalendar
from functions.adapters.store.store import Store
from functions.adapters.tasks import Task
from functions.sync.discover import discover
from functions.sync.pull import pull
from functions.sync.work import Work
from infra.local.configuration import Configuration
from infra.local.platform import Platform
from infra.local.ports import Ports
from tests.bench.measured import Measured
from tests.in_process import application_of, booking_client
from tests.studio import DAY, Person, Studio, new_studio
from tests.wire import Wire, tap

FEW = 100
PARTS = ("firestore", "google")
AHEAD_DAYS = 60  # of the events; the rest lies in the past, as in a calendar that has grown over years
FLAT = 1.1


class _NoTasks:
    """Nothing that a pull asks for later is done here."""

    def create(self, task: Task) -> None: ...


@dataclass
class Owner:
    """A person with so many events, an hour each, and our side of their calendar, of which nothing has been read yet."""

    platform: Platform
    events: int
    application: Application = field(init=False)
    studio: Studio = field(init=False)

    def __post_init__(self) -> None:
        google = self.platform.configuration.google
        self.application = application_of(self.platform)
        self.application.__dict__["store"] = Store(self.application.store.client, lambda account, records: None)
        self.application.__dict__["tasks"] = _NoTasks()
        addresses = self.platform.addresses
        self.studio = new_studio(addresses, self.application.store, google.client_id, google.client_secret)
        first = datetime.combine(DAY, datetime.min.time(), UTC) + timedelta(days=AHEAD_DAYS, hours=-self.events)
        fill = {"count": self.events, "start": first.isoformat(), "minutes": 30, "step_minutes": 60}
        self.studio.google_control("POST", f"calendars/{self.person.email}/fill", fill)
        self._connect()

    @property
    def person(self) -> Person:
        return self.studio.person

    def _connect(self) -> None:
        self._ask("PUT", "resources/anna", {"name": "Anna", "time_zone": "UTC", "hours": []})
        grant = {"email": self.person.email, "refresh_token": self.person.refresh_token}
        connection = self._ask("POST", "connections/grants", grant)["id"]
        discover(self._work(connection))
        (calendar,) = self._ask("GET", f"connections/{connection}/calendars")["calendars"]
        self.studio.calendar = calendar["id"]
        self._ask("PUT", f"calendars/{self.studio.calendar}", {"blocks": ["anna"]})

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        address = f"/v1/accounts/{self.studio.account}/{path}"
        answer = booking_client(self.application).open(
            address, method=method, json=body, headers=dict(self.studio.operator)
        )
        assert answer.status_code < 300, answer.get_data(as_text=True)
        return answer.get_json()

    def _work(self, subject: str) -> Work:
        return Work(application=self.application, account=self.studio.account, subject=subject)

    def pull(self, between_pages: Callable[[GoogleCalendar], None] = lambda google: None) -> None:
        """To its end, in as many tasks as that takes."""
        work = self._work(self.studio.calendar)
        calendar = work.store.client.document(f"accounts/{work.account}/calendars/{work.subject}")
        while True:
            pull(_Paging(**vars(work), between_pages=between_pages))
            after: Any = calendar.get().to_dict()
            assert after.get("last_error") is None
            if after["cursor"]["sync_token"] is not None and after["cursor"]["page_token"] is None:
                return


@dataclass(frozen=True, kw_only=True)
class _Paging(Work):
    """Work that tells when it is about to list a page."""

    between_pages: Callable[[GoogleCalendar], None]

    def google(self, connection_id: str) -> GoogleCalendar:
        return _Told(super().google(connection_id), self.between_pages)  # type: ignore[return-value]


@dataclass
class _Told:
    real: GoogleCalendar
    between_pages: Callable[[GoogleCalendar], None]

    def events_page(self, *calendar: Any, **tokens: Any) -> EventPage:
        self.between_pages(self.real)
        return self.real.events_page(*calendar, **tokens)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


@dataclass
class Bare:
    """The same pages and the same commits, under other names. `seconds` is what all of it took, its preparations too; `bare` only calls and waiting.

    `memory` is the process's peak after each page.
    """

    owner: Owner
    wire: Wire
    commit: Callable[..., Any]
    metadata: Any  # without which the emulator takes several times as long
    seconds: float = 0.0
    bare: float = 0.0
    page: EventPage | None = None
    google: GoogleCalendar | None = None
    memory: list[int] = field(default_factory=list)

    def step(self, google: GoogleCalendar) -> None:
        self.google = google
        began = time.perf_counter()
        requests = [self._renamed(CommitRequest(request)) for request in self.wire.commits]
        prepared = time.perf_counter()
        for request in requests:
            self.commit(request=request, metadata=self.metadata)
        if self.page is None or self.page.next_page_token is not None:
            token = self.page.next_page_token if self.page else None
            self.page = google.events_page(self.owner.person.email, sync_token=None, page_token=token)
        self.bare += time.perf_counter() - prepared
        self.wire.clear()
        self.memory.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        self.seconds += time.perf_counter() - began

    def _renamed(self, request: CommitRequest) -> CommitRequest:
        return CommitRequest(database=request.database, writes=[self._write(write) for write in request.writes])

    def _write(self, write: Write) -> Write:
        ours, other = f"/accounts/{self.owner.studio.account}/", f"/accounts/bare-{self.owner.studio.account}/"
        copy = Write(write)
        if copy.current_document.update_time:
            copy.current_document = None  # that of another document; what is made stays a making
        if copy.delete:
            copy.delete = copy.delete.replace(ours, other)
        else:
            copy.update.name = copy.update.name.replace(ours, other)
        return copy


def pulling(directory: Path, events: int) -> list[Measured]:
    configuration = Configuration.from_environment(os.environ, directory=directory, ports=Ports.free())
    with Platform(configuration, only=PARTS) as platform:
        small, large = Owner(platform, FEW), Owner(platform, events)
        small.pull()
        return [*_in_full(large), *_one_change(small, large)]


def _in_full(owner: Owner) -> list[Measured]:
    client = owner.application.store.client
    commit = client._firestore_api.commit
    bare = Bare(owner, tap(client), commit, client._rpc_metadata)
    began = time.perf_counter()
    owner.pull(bare.step)
    ours = time.perf_counter() - began - bare.seconds
    assert bare.google is not None
    bare.step(bare.google)  # what the pull committed after its last page
    early = bare.memory[len(bare.memory) // 10]
    what = f"a full pull of {owner.events:,} events"
    return [
        Measured(what=what, value=owner.events / ours, unit="/s"),
        Measured(what="  bare loop of the same pages and commits", value=owner.events / bare.bare, unit="/s"),
        Measured(what="  full pull / bare loop", value=bare.bare / ours, unit="x"),
        Measured(what="  peak memory at its end / at a tenth", value=bare.memory[-1] / early, unit="x", budget=FLAT),
    ]


def _one_change(small: Owner, large: Owner) -> list[Measured]:
    few, many = counted(small), counted(large)
    return [
        Measured(
            what=f"a pull of one change among {owner.events:,} events: {name}",
            value=counts[name],
            unit="",
            budget=few[name] if owner is large else None,
        )
        for name in few
        for owner, counts in ((small, few), (large, many))
    ]


def counted(owner: Owner) -> dict[str, int]:
    owner.person.add(f"{DAY}T10:30:00Z", f"{DAY}T11:00:00Z")
    before = owner.studio.google_control("GET", "calls")["last"]
    wire = tap(owner.application.store.client)
    owner.pull()
    calls = owner.studio.google_control("GET", f"calls?since={before}")["counts"]
    return {
        "Google calls": sum(calls.values()),
        "documents read": sum(wire.documents_read) + wire.found,
        "documents written": sum(wire.documents_written),
        "Firestore round trips": wire.round_trips,
    }
