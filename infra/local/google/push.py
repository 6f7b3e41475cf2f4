"""Delivery of notifications: empty POSTs with Google's headers, and on demand Google's bad days.

Answers 200, 201, 202, 204 and 102 mean delivered; 500, 502, 503, 504 and a failed connection are tried again with
growing waits; every other answer is a failure that is not tried again (Google's push guide).
"""

import asyncio
import random
import time
from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import httpx

from infra.local.google.channels import Channel

Json = dict[str, Any]

_DELIVERED = (200, 201, 202, 204, 102)
_RETRIED = (500, 502, 503, 504)
_USER_AGENT = "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)"


@dataclass(frozen=True)
class Behaviour:
    """How pushes go wrong. Chances are between 0 and 1; a reordered message is overtaken by the next one."""

    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    delay_ms: tuple[int, int] = (0, 0)
    # How long a message that is to be overtaken waits for another one.
    hold_ms: int = 1000
    # The sync message is delivered before the watch call is answered.
    sync_before_answer: bool = False
    retry_base_ms: int = 500
    max_attempts: int = 8


@dataclass
class Message:
    """One notification and what became of it: pending, delivered, dropped or failed."""

    seq: int
    channel_id: str
    kind: str
    target: str
    address: str
    state: str
    number: int
    time: str
    outcome: str = "pending"
    status: int | None = None
    attempts: int = 0
    delay_ms: int = 0
    duplicated: bool = False
    reordered: bool = False


class Pusher:
    """Sends messages in the background; per channel in order unless told otherwise."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._settled = asyncio.Event()
        self._locks: dict[str, asyncio.Lock] = {}
        self._held: dict[str, asyncio.Event] = {}
        self._random = random.Random(1)  # noqa: S311 - repeatable trouble, no secret
        self._seq = 0
        self.log: deque[Message] = deque(maxlen=10_000)
        self.default = Behaviour()
        self.by_target: dict[str, Behaviour] = {}

    def seed(self, number: int) -> None:
        self._random = random.Random(number)  # noqa: S311 - as above

    def behaviour(self, target: str) -> Behaviour:
        return self.by_target.get(target, self.default)

    def reset(self) -> None:
        self.default = Behaviour()
        self.by_target.clear()
        self.log.clear()

    def send(self, channel: Channel, state: str) -> asyncio.Task[None]:
        """Number a message and send it in the background. Numbers grow with gaps that mean nothing."""
        channel.last_message = 1 if state == "sync" else channel.last_message + self._random.choice((1, 1, 2, 5))
        behaviour = self.behaviour(channel.target)
        self._seq += 1
        message = Message(
            seq=self._seq,
            channel_id=channel.id,
            kind=channel.kind,
            target=channel.target,
            address=channel.address,
            state=state,
            number=channel.last_message,
            time=datetime.now(UTC).isoformat(),
            delay_ms=self._random.randint(*behaviour.delay_ms),
        )
        if state != "sync":
            message.outcome = "dropped" if self._random.random() < behaviour.drop else "pending"
            message.duplicated = self._random.random() < behaviour.duplicate
            message.reordered = self._random.random() < behaviour.reorder
        self.log.append(message)
        task = asyncio.create_task(self._deliver(channel, message, behaviour))
        self._tasks[task] = channel.target
        task.add_done_callback(self._done)
        return task

    async def wait_idle(self, timeout_seconds: float, target: str | None = None) -> bool:
        """Wait until nothing is in flight, retries included, to one target or at all. False: it took too long."""
        try:
            async with asyncio.timeout(timeout_seconds):
                while self.in_flight(target):
                    self._settled.clear()
                    await self._settled.wait()
        except TimeoutError:
            return False
        return True

    def in_flight(self, target: str | None = None) -> int:
        return sum(target in (None, found) for found in self._tasks.values())

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    def _done(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        self._settled.set()
        if not task.cancelled() and task.exception() is not None:
            raise RuntimeError("push delivery failed") from task.exception()

    async def _deliver(self, channel: Channel, message: Message, behaviour: Behaviour) -> None:
        if message.outcome == "dropped":
            return
        if message.reordered and channel.id not in self._held:
            await self._hold(channel.id, behaviour.hold_ms / 1000)
            await self._send_copies(channel, message, behaviour)
            return
        lock = self._locks.setdefault(channel.id, asyncio.Lock())
        async with lock:
            await asyncio.sleep(message.delay_ms / 1000)
            retry = not await self._attempt(channel, message)
        overtaken = self._held.pop(channel.id, None)
        if overtaken is not None:
            overtaken.set()
        await self._finish(channel, message, behaviour, retry=retry)

    async def _hold(self, channel_id: str, seconds: float) -> None:
        released = self._held[channel_id] = asyncio.Event()
        try:
            await asyncio.wait_for(released.wait(), seconds)
        except TimeoutError:
            if self._held.get(channel_id) is released:
                del self._held[channel_id]

    async def _send_copies(self, channel: Channel, message: Message, behaviour: Behaviour) -> None:
        await asyncio.sleep(message.delay_ms / 1000)
        retry = not await self._attempt(channel, message)
        await self._finish(channel, message, behaviour, retry=retry)

    async def _finish(self, channel: Channel, message: Message, behaviour: Behaviour, *, retry: bool) -> None:
        if message.duplicated and not retry:
            await self._attempt(channel, message)
        wait = behaviour.retry_base_ms / 1000
        while retry and message.attempts < behaviour.max_attempts and not channel.stopped:
            await asyncio.sleep(wait)
            wait *= 2
            retry = not await self._attempt(channel, message)
        if retry:
            message.outcome = "failed"

    async def _attempt(self, channel: Channel, message: Message) -> bool:
        """Send once. True: settled, for good or ill; False: to be tried again."""
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=10, trust_env=False)
        message.attempts += 1
        try:
            answer = await self._client.post(channel.address, headers=_headers(channel, message), content=b"")
        except httpx.HTTPError:
            return False
        message.status = answer.status_code
        if answer.status_code in _RETRIED:
            return False
        message.outcome = "delivered" if answer.status_code in _DELIVERED else "failed"
        return True


def _headers(channel: Channel, message: Message) -> dict[str, str]:
    expires = datetime.fromtimestamp(channel.expiration_ms // 1000, UTC)
    headers = {
        "User-Agent": _USER_AGENT,
        "Content-Length": "0",
        "X-Goog-Channel-ID": channel.id,
        "X-Goog-Channel-Expiration": format_datetime(expires, usegmt=True),
        "X-Goog-Message-Number": str(message.number),
        "X-Goog-Resource-ID": channel.resource_id,
        "X-Goog-Resource-State": message.state,
        "X-Goog-Resource-URI": channel.resource_uri,
    }
    if channel.token is not None:
        headers["X-Goog-Channel-Token"] = channel.token
    return headers


def message_json(message: Message) -> Json:
    return asdict(message)


def now_ms() -> int:
    return int(time.time() * 1000)
