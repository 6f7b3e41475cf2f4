"""One story, told by a seed: what happens next, who goes on, what fails. Then it goes quiet, and what must be true is looked at."""

import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from random import Random
from typing import Any

from flask import Response

from functions.adapters.tasks import Task
from functions.sync.claims import CLAIM_MS
from infra.local.google.faults import Paging
from tests.reliability.simulation import google
from tests.reliability.simulation.business import ACCOUNT, business
from tests.reliability.simulation.callers import Callers, Wish
from tests.reliability.simulation.chance import Clock, decided_by
from tests.reliability.simulation.checks import AtEveryMoment, when_quiet
from tests.reliability.simulation.faults import Faults
from tests.reliability.simulation.people import People
from tests.reliability.simulation.tasks import Waiting
from tests.reliability.simulation.turns import Died, Turns, Worker

STROKES = 130
MOST_AT_ONCE = 6
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
MOST_ROUNDS = 60


@dataclass
class Told:
    """What a story was, and what is untrue at its end."""

    seed: object
    wrong: list[str]
    trace: list[str]
    strokes: list[int]  # those that did something
    covered: Counter[str]

    @property
    def hash(self) -> str:
        return sha256("\n".join(self.trace).encode()).hexdigest()[:16]


class Untrue(Exception):
    """Something that must never be. Ends the story at once."""


@dataclass
class Story:
    seed: object
    skip: frozenset[int] = frozenset()
    trace: list[str] = field(default_factory=list)
    strokes: list[int] = field(default_factory=list)
    covered: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        character = Random(f"{self.seed}/character")
        self.clock = Clock()
        self.turns = Turns()
        self.random = character
        self.faults = Faults(chance=character.choice((0.0, 0.004, 0.015, 0.04)), note=self._note)
        # How likely it is that another one goes on, and that a push is lost.
        self.restless = character.choice((0.0, 0.02, 0.1, 0.5))
        self.deaf = character.choice((0.0, 0.2, 1.0))
        self.haste = character.choice((8, 20, 60))
        self.rules = {
            "on_calendar_move": character.choice(("follow", "follow", "restore", "ask")),
            "on_host_decline": character.choice(("flag", "cancel")),
            "on_conflict": character.choice(("flag", "flag", "flag", "cancel")),
        }
        if (chosen := character.choice((None, "cancel", "restore", "ask"))) is not None:
            self.rules["on_calendar_delete"] = chosen
        self.moment = AtEveryMoment(lambda: self.clock.millis)
        self.waiting_wishes: list[tuple[Wish, int]] = []
        self.disturbed = Counter[
            str
        ]()  # deliveries of a mail's task in which something failed, or that took too long, by its outbox record
        self._left = 0  # how many more I/O until something else happens
        self._looking = True
        self.listening = True  # whether pushes arrive
        self._named = 0

    def tell(self) -> Told:
        with (
            decided_by(self.seed, self.clock),
            business(self.clock, self._io, self.moment.committed, self.rules) as made,
        ):
            self.business = made
            self.people, self.callers = People(made), Callers(made)
            self._looking = False
            wrong = self._wrong()
        self.covered.update({f"fault, {what}": times for what, times in self.faults.met.items()})
        return Told(self.seed, wrong, self.trace, self.strokes, self.covered)

    def _wrong(self) -> list[str]:
        try:
            for number in range(STROKES):
                self._stroke(number)
            self._go_quiet()
            return self._after_one_poll()
        except Untrue as untrue:
            return [str(untrue)]
        finally:
            self._looking = False
            self.turns.end_all()

    def _after_one_poll(self) -> list[str]:
        """All must be true once every calendar was polled, with no push to help. Where that poll led to writes of ours, only the next one sees these as Google
        has them now; what we know of those events is judged then, and that this one writes nothing.
        """
        before = self._poll()
        written = self._written_since(before)
        self.covered["polls, 1"] += 1
        found = [*self.moment.found, *self._judged(besides=written)]
        if written and not found:
            before = self._poll()
            self.covered["polls, 2 because of writes"] += 1
            if self._written_since(before):
                found.append("a second poll in which nobody has done anything makes us write to Google once more")
            found += self._judged()
        return found

    def _poll(self) -> int:
        """Google's version of before."""
        before = self.business.world.clock.version
        self.listening = False
        self.clock.move(2 * HOUR_MS)
        self._note("poll")
        self._settle()
        return before

    def _written_since(self, version: int) -> frozenset[str]:
        world = self.business.world
        calendars = (world.calendars.get(name) for name in self.business.calendars)
        return frozenset(each.id for calendar in calendars for each in world.events(calendar).changed_after(version))

    def _judged(self, besides: frozenset[str] = frozenset()) -> list[str]:
        self._looking = True
        found = when_quiet(self.business, self.people.deeds, disturbed=self.disturbed, unseen=besides)
        self._looking = False
        return found

    # I/O

    def _io(self, what: str, do: Callable[[], Any]) -> Any:
        """Every I/O of the functions comes by here."""
        worker = self.turns.running
        if worker is None or self._looking:
            return do()
        if self._left > 0 and self.random.random() >= self.restless:
            self._left -= 1  # it goes on at once, because handing over takes longer than most I/O here
        else:
            worker.stop(what)
        if worker.dead:
            raise Died
        self.covered[f"I/O, {what}"] += 1
        return self.faults.around(self.random, worker, what, do)

    def _note(self, what: str) -> None:
        self.trace.append(f"{(self.clock.millis - 1_803_880_800_000) / 1000:8.1f} {what}")

    # What happens

    def _stroke(self, number: int) -> None:
        self.random = Random(f"{self.seed}/{number}")
        self.clock.move(self.random.choice((0, 0, 50, 300, 2000)))
        if number not in self.skip and len(self.turns.under_way) < MOST_AT_ONCE:
            happens = self.random.choices([each for each, _ in _HAPPENINGS], [weight for _, weight in _HAPPENINGS])[0]
            before = len(self.trace)
            happens(self)
            if len(self.trace) > before:
                self.strokes.append(number)
                self.covered[f"happens, {happens.__name__.strip('_')}"] += 1
        self._left = self.random.randrange(self.haste)
        while self._left > 0 and self._go_on():
            self._left -= 1
        self._left = 0
        if self.moment.found:
            raise Untrue("; ".join(self.moment.found))

    def _go_on(self) -> bool:
        """Somebody does the next thing, or a few."""
        under_way = self.turns.under_way
        if not under_way:
            return False
        worker = self.random.choice(under_way)
        self.turns.go_on(worker)
        if worker.over:
            self._ended(worker)
        return True

    def _begin(self, what: str, work: Callable[[], Any], then: Callable[[Worker], str]) -> Worker:
        self._named += 1
        worker = self.turns.begin(f"{self._named} {what}", work)
        worker.then = then  # type: ignore[attr-defined]
        self._note(f"{worker.name} …")
        return worker

    def _ended(self, worker: Worker) -> None:
        if worker.error is not None and not isinstance(worker.error, Died):
            told = "".join(traceback.format_exception(worker.error)[-6:])
            raise Untrue(f"{worker.name} raised what nobody foresaw: {told}")
        said = worker.then(worker)  # type: ignore[attr-defined]
        self._note(f"{worker.name} → {'died' if worker.dead else said}")

    # Somebody does something

    def _person(self) -> None:
        done = self.people.act(self.random)
        self.covered[f"people, {done.partition(':')[0]}"] += 1
        self._note(f"Google: {done}")

    def _client(self) -> None:
        self._call(self.callers.wish(self.random, operator=False))

    def _operator(self) -> None:
        self._call(self.callers.wish(self.random, operator=True))

    def _again(self) -> None:
        """Who got no answer asks again."""
        if self.waiting_wishes:
            wish, tries = self.waiting_wishes.pop(self.random.randrange(len(self.waiting_wishes)))
            self._call(wish, tries=tries + 1)

    def _call(self, wish: Wish | None, tries: int = 1) -> None:
        if wish is None:
            return

        def answered(worker: Worker) -> str:
            answer: Response | None = worker.result
            status = 503 if answer is None else answer.status_code
            if status == 500:
                raise Untrue(f"{worker.name} answered 500")
            if status == 503 and tries < 4:
                self.waiting_wishes.append((wish, tries))
            if answer is not None and status < 300:
                self.callers.answered(wish, answer.get_json())
                if "choice" in (wish.body or {}):
                    self.covered[f"choices, {wish.body['choice']}"] += 1
            self.covered[f"answers, {status}"] += 1
            return str(status)

        self._begin(wish.words, lambda: wish.made(self.business), answered)

    # What follows

    def _task(self) -> None:
        due = self.business.tasks.due()
        if not due:
            self._time_to_next_task()
            return
        waiting = self.random.choice(due)
        self._deliver(waiting)
        if self.random.random() < 0.1:
            self._deliver(waiting)

    def _time_to_next_task(self) -> None:
        later = [each.due for each in self.business.tasks.waiting]
        if later and min(later) - self.clock.millis < 2 * MINUTE_MS:
            self.clock.move(min(later) - self.clock.millis)

    def _deliver(self, waiting: Waiting) -> None:
        task, began = waiting.task, self.clock.millis
        backoff = self.random.choice((1000, 10_000, 60_000))

        def done(worker: Worker) -> str:
            status = 0 if worker.dead else int(worker.result)
            self._took(task, worker, began)
            self.business.tasks.took(waiting, well=status == 204, backoff_ms=backoff)
            self.covered[f"tasks, {task.kind} {status}"] += 1
            return str(status)

        waiting.due = self.clock.millis + 10 * MINUTE_MS  # until this delivery has ended, or its time is over
        subject = next((name[:5] for name, own in self.business.calendars.items() if own == task.body["subject"]), "")
        about = task.body.get("about") or ""
        self._begin(
            f"{task.kind} {subject or task.body['subject'][:4]} {about}".rstrip(),
            lambda: self.business.run(task),
            done,
        )

    def _late_task(self) -> None:
        """At least once is all that is promised: a task that was done comes again."""
        if self.business.tasks.done:
            task, began = self.random.choice(self.business.tasks.done), self.clock.millis

            def done(worker: Worker) -> str:
                self._took(task, worker, began)
                return str(worker.result)

            self._begin(f"{task.kind} again", lambda: self.business.run(task), done)

    def _took(self, task: Task, worker: Worker, began: int) -> None:
        """A mail whose delivery failed, died, or held its claim for too long may be sent once more; no other."""
        if task.kind == "notify" and (worker.struck or self.clock.millis - began >= CLAIM_MS):
            self.disturbed[task.body["outbox"]] += 1

    def _push(self) -> None:
        pushes = self.business.world.pushes
        if not pushes:
            return
        push = pushes[self.random.randrange(len(pushes))]
        twice = self.random.random() < 0.15
        if not twice:
            pushes.remove(push)
        if self.random.random() < self.deaf:
            self._note(f"a push for {push.channel.target[:5]} is lost")
            return
        self._notify(push)

    def _notify(self, push: google.Push) -> None:
        def answered(worker: Worker) -> str:
            if worker.result == 503:
                self.business.world.pushes.append(push)
            return str(worker.result)

        self._begin(f"webhook {push.channel.target[:5]}", lambda: self.business.notified(push), answered)

    def _schedule(self) -> None:
        name = self.random.choice(("minute", "minute", "minute", "quarter", "daily"))
        self._begin(f"schedule {name}", lambda: self.business.fire(name), lambda worker: str(worker.result))

    def _time(self) -> None:
        passes = self.random.choice((5_000, 61_000, 61_000, CLAIM_MS + 1000, 10 * MINUTE_MS, 70 * MINUTE_MS))
        self.clock.move(passes)
        self._note(f"{passes // 1000} s pass")

    def _trouble(self) -> None:
        world = self.business.world
        calendar = world.calendars.get(self.random.choice(tuple(self.business.calendars)))
        match self.random.choice(("tokens", "tokens", "access", "paging", "lag", "channels", "usage")):
            case "tokens":
                calendar.token_epoch += 1
                said = f"sync tokens of {calendar.id[:5]} expire"
            case "access":
                said = f"{world.grants.expire_access()} access tokens expire"
            case "paging":
                paging = Paging(self.random.choice((None, 1, 2)), self.random.choice((None, 2)))
                world.faults.set_paging("*", paging)
                said = f"{paging}"
            case "lag":
                world.faults.lag[calendar.id] = self.random.choice((0, 1, 2))
                said = f"lists of {calendar.id[:5]} lag by {world.faults.lag[calendar.id]}"
            case "channels":
                said = f"{world.channels.expire(world.channels.all(), self.clock.millis)} channels expire"
            case _:
                limited = world.faults.usage_limited
                (limited.clear if limited else lambda: limited.add("*"))()
                said = f"usage limits: {sorted(limited)}"
        self._note(f"trouble: {said}")

    # The end

    def _go_quiet(self) -> None:
        """No more trouble; what is under way ends, and everything owed is done."""
        self.random = Random(f"{self.seed}/quiet")
        self._note("quiet")
        self.faults.chance = 0.0
        self.business.world.faults.reset()
        if self.random.random() < 0.7:
            self.business.let_into_the_room("writer")
        self._finish_all()
        self.restless = 0.02
        for email in filter(self.business.is_shut_out, self.business.connections):
            self._call(self.callers.regained(email))
            self._finish_all()
        self._settle()
        self._wait_for_google()
        for _ in range(self.random.choice((0, 1, 1, 2))):
            self._decide()
            self._settle()

    def _decide(self) -> None:
        """The operator looks through their inbox, and decides about some."""
        for _ in range(self.random.choice((1, 2, 4))):
            self._call(self.callers.resolve(self.random))
            self._finish_all()

    def _wait_for_google(self) -> None:
        """Where Google wanted no writes for hours, or had forbidden them, that is over and has come to be known (cases 69 and 74)."""
        pauses = [int(each["not_before"] or 0) for each in self._outbox() if each["kind"] == "push"]
        pauses += [waiting.due for waiting in self.business.tasks.waiting if waiting.task.kind == "push"]
        if pauses:
            self.clock.move(max(0, max(pauses) - self.clock.millis))
            self._settle()

    def _settle(self) -> None:
        """Until nothing is due: tasks, what pushes still bring, and what the sweep finds. Holds and offers that end meanwhile end."""
        for _ in range(MOST_ROUNDS):
            self._schedule_now("quarter")
            self._schedule_now("minute")
            idle = not self._deliver_all()
            if idle and not self._owed():
                return
            self.clock.move(3 * MINUTE_MS)
        waiting = [(each.task.kind, each.task.body, each.failures) for each in self.business.tasks.due()]
        raise Untrue(f"it does not come to rest; still due: {waiting}; owed: {self._owed()}")

    def _schedule_now(self, name: str) -> None:
        self._begin(f"schedule {name}", lambda: self.business.fire(name), lambda worker: str(worker.result))
        self._finish_all()

    def _finish_all(self) -> None:
        self._left = 1_000_000
        while self._go_on():
            pass
        self._left = 0

    def _deliver_all(self) -> bool:
        any_ = False
        while True:
            pushes, due = self.business.world.pushes, self.business.tasks.due()
            if pushes:
                push = pushes.pop(0)
                if self.listening and self.random.random() >= self.deaf:
                    self._notify(push)
            elif due and due[0].failures < 200:
                any_ = True
                self._deliver(self.random.choice(due))
            else:
                return any_
            self._finish_all()

    def _owed(self) -> list[Any]:
        return [
            (each["kind"], each["subject"], each["about"])
            for each in self._outbox()
            if (each["not_before"] or 0) <= self.clock.millis
        ]

    def _outbox(self) -> list[dict[str, Any]]:
        self._looking = True
        outbox = self.business.store.client.collection(f"accounts/{ACCOUNT}/outbox").stream()
        records = [record.to_dict() or {} for record in outbox]
        self._looking = False
        return records


_HAPPENINGS: tuple[tuple[Callable[[Story], None], int], ...] = (
    (Story._task, 40),
    (Story._late_task, 2),
    (Story._push, 12),
    (Story._person, 16),
    (Story._client, 14),
    (Story._operator, 5),
    (Story._again, 4),
    (Story._schedule, 6),
    (Story._time, 6),
    (Story._trouble, 3),
)


def tell(seed: object, skip: frozenset[int] = frozenset()) -> Told:
    """The story of a seed, without the strokes of `skip`."""
    return Story(seed, skip).tell()


def shortest(told: Told) -> Told:
    """A story with as few strokes as could be found that ends as badly."""
    best, skipped = told, frozenset[int]()
    part = max(1, len(told.strokes) // 2)
    while part:
        place = 0
        while place < len(best.strokes):
            tried = skipped | set(best.strokes[place : place + part])
            shorter = tell(told.seed, tried)
            if shorter.wrong and _kind(shorter) == _kind(told):
                best, skipped = shorter, tried
            else:
                place += part
        part //= 2
    return best


def _kind(told: Told) -> str:
    """What went wrong, without ids and times."""
    return "".join(each for each in told.wrong[0].partition(":")[0] if not each.isdigit())[:20]
