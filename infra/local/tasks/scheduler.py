"""Cloud Scheduler for one target: three schedules that POST with an OIDC token."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from infra.local.tasks.http_client import HttpClient, HttpRequest
from infra.local.tasks.oidc import TokenSigner
from infra.local.tasks.target import Outcome, call

log = logging.getLogger("tasks")

# The default attempt deadline of a Cloud Scheduler job with an HTTP target.
_DEADLINE_SECONDS = 180.0


class Schedule(StrEnum):
    MINUTE = "minute"
    QUARTER = "quarter"
    DAILY = "daily"


PERIODS = {Schedule.MINUTE: 60.0, Schedule.QUARTER: 900.0, Schedule.DAILY: 86400.0}


@dataclass(frozen=True, slots=True)
class SchedulerTarget:
    """`url` is the base address, also the tokens' audience; `email` the service account in them."""

    url: str
    email: str


class Scheduler:
    """Each schedule's first tick is one period after the start. A failed call is not repeated before the next tick."""

    def __init__(
        self,
        *,
        target: SchedulerTarget,
        client: HttpClient,
        signer: TokenSigner,
        periods: Mapping[Schedule, float] = PERIODS,
    ) -> None:
        self._target = target
        self._client = client
        self._signer = signer
        self._periods = periods

    async def run(self) -> None:
        """Until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            for schedule in Schedule:
                group.create_task(self._tick(schedule))

    async def fire(self, schedule: Schedule) -> Outcome:
        token = self._signer.token(audience=self._target.url, email=self._target.email)
        request = HttpRequest(
            method="POST",
            url=f"{self._target.url}/schedule/{schedule}",
            headers={
                "Authorization": f"Bearer {token}",
                "User-Agent": "Google-Cloud-Scheduler",
                "X-CloudScheduler": "true",
                "X-CloudScheduler-JobName": str(schedule),
            },
            body=b"",
        )
        outcome = await call(self._client, request, deadline=_DEADLINE_SECONDS, now=time.time())
        if not outcome.succeeded:
            log.warning("schedule %s: %s", schedule, outcome.error)
        return outcome

    async def _tick(self, schedule: Schedule) -> None:
        period = self._periods[schedule]
        next_tick = time.monotonic() + period
        while True:
            await asyncio.sleep(next_tick - time.monotonic())
            await self.fire(schedule)
            # A tick that passed while the call was running is left out.
            late = max(0.0, time.monotonic() - next_tick)
            next_tick += period * (1 + late // period)
