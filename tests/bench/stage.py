"""The booking function in this process, over the platform's Firestore: an account of its own, and what clients ask it.

What a commit leaves to do is not enqueued here, because what it is compared with has nothing to enqueue: the records stay in the outbox.
"""

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Request, Response
from werkzeug.test import EnvironBuilder

from functions.adapters.clock import now_millis
from functions.adapters.composition import Application
from functions.adapters.store.store import Reader, Store
from functions.booking import main as booking
from functions.booking.bootstrap import bootstrap
from functions.domain.configuration import Resource, Service
from functions.domain.decision import Decision, Ref
from functions.domain.hours import Hours, WeeklyHours
from functions.domain.model import Document
from infra.local.platform import Platform
from tests.in_process import application_of

FIRST = (datetime.now(UTC) + timedelta(days=7)).replace(hour=0, minute=0, second=0, microsecond=0)
STEP = timedelta(minutes=30)
ALWAYS = Hours(time_zone="UTC", weekly=(WeeklyHours(days=(1, 2, 3, 4, 5, 6, 7), start="00:00", end="24:00"),))


@dataclass(frozen=True)
class Stage:
    application: Application
    account: str

    @classmethod
    def over(cls, platform: Platform) -> "Stage":
        application = application_of(platform)
        application.__dict__["store"] = Store(application.store.client, lambda account, records: None)
        account = f"stage-{uuid.uuid4().hex[:12]}"
        bootstrap(application.store, account=account, name=account, time_zone="UTC", may_exist=False)
        return cls(application, account)

    def set_up(self, *names: str, **service: Any) -> None:
        """Resources that are open day and night, each with a service of its name."""
        for name in names:
            offered = {"duration_minutes": 30, "step_minutes": 30, "resources": (name,)} | service
            self._put(Resource(id=name, name=name, hours=ALWAYS), Service(id=name, name=name, **offered))

    def _put(self, *documents: Document) -> None:
        def attempt(reader: Reader) -> Decision[None]:
            reader.load(*(Ref(type(each), each.id) for each in documents))  # type: ignore[attr-defined]
            return Decision(answer=None, documents=documents)

        self.application.store.run(self.account, attempt)

    def booking(self, service: str, step: int = 0) -> Request:
        """A booking of the start `step` half hours after the first one, as it arrives: with a key, so that it can be repeated."""
        start = (FIRST + step * STEP).isoformat()
        client = {"name": "Kim Doe", "email": f"{uuid.uuid4().hex}@example.com"}
        builder = EnvironBuilder(
            f"/v1/accounts/{self.account}/bookings",
            method="POST",
            data=json.dumps({"service": service, "start": start, "client": client}),
            headers={"Idempotency-Key": uuid.uuid4().hex},
            content_type="application/json",
        )
        return Request(builder.get_environ())

    def answer(self, request: Request) -> Response:
        return booking._router.answer(request, self.application, now_millis())

    def book(self, request: Request) -> None:
        answer = self.answer(request)
        assert answer.status_code == 201, answer.get_data(as_text=True)
