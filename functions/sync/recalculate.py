"""Recalculate: the sessions of one resource are looked at again, because its rules or its time have changed.

Cheap where nothing follows: the resource, its ledger months from now to the horizon (about 14), the calendars that block it, the services of its
sessions and those that it serves, and their queues; no session is read, and nothing is written. What is in question is read with its bookings and
committed in slices, first come first. Each slice judges by what it reads itself, and its commit holds every ledger month that it judged by: so a slice
that comes twice, or after something else has changed, decides what is right then (laws 4 and 5). As cheap as that, bursts need no counting together: a
pull asks once a resource however many events it brings.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from functions.adapters.store import queries
from functions.adapters.store.scenes import places_ahead, places_of, read_scene, read_sessions
from functions.adapters.store.store import Reader
from functions.domain.decision import Ref
from functions.domain.ledger import Occupation
from functions.domain.recalculation import Decisions, in_question
from functions.domain.recalculation import recalculate as decide
from functions.domain.waitlist.entry import Queue
from functions.sync.waitlists import promote
from functions.sync.work import Work

SLICE = 50  # documents to read and write, about


def recalculate(work: Work) -> None:
    """Sets the standing of the subject resource's sessions, and then lets those who wait have what is free."""
    reader, now = work.store.reader(work.account), work.now()
    scene = read_scene(reader, places_ahead(work.subject, now), now=now)
    for part in _slices(in_question(scene)):
        _commit(work, part)
    _call_those_who_wait(work)


def _slices(entries: Iterable[Occupation]) -> Iterator[list[str]]:
    """A session with very many bookings is one by itself: its clients are told all at once, or none of them."""
    part: list[str] = []
    weight = 0
    for entry in entries:
        weighs = 1 + entry.seats + len(entry.holds)
        if part and weight + weighs > SLICE:
            yield part
            part, weight = [], 0
        part.append(entry.session)
        weight += weighs
    if part:
        yield part


def _commit(work: Work, ids: list[str]) -> None:
    def attempt(reader: Reader) -> Decisions:
        sessions, bookings = read_sessions(reader, ids)
        return decide(read_scene(reader, places_of(sessions), now=work.now()), sessions, bookings)

    work.store.run(work.account, attempt)


def _call_those_who_wait(work: Work) -> None:
    services = [each for each in queries.services_at(work.store, work.account, work.subject) if each.active]
    reader = work.store.reader(work.account)
    reader.load(*(Ref(Queue, service.id) for service in services))
    queues = {service.id: reader.get(Ref(Queue, service.id)) for service in services}
    for service, queue in queues.items():
        if queue is not None and queue.size:
            promote(replace(work, subject=service))
