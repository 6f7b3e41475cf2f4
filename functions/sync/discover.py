"""Discover: which calendars a connection reaches. New ones are listed, never selected by themselves (case 87); what Google's user shows or hides is
theirs alone (case 88), and one that they took off their list stays as long as its events can be read (case 73).

It is the nightly probe of the connection too. One that was lost is tried all the same: a person who was suspended is back without anybody granting anything
anew (case 85).
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from functions.adapters.google_errors import AccessLost
from functions.adapters.store.queries import calendars_of
from functions.adapters.store.store import Reader
from functions.domain.calendar import Calendar, Connection
from functions.domain.calendar_access import reappear, with_role
from functions.domain.configuration import Resource
from functions.domain.decision import Decision, Effect, Ref
from functions.domain.google_event import zone_or
from functions.domain.instants import Millis
from functions.sync.left_events import former_connections, take_over
from functions.sync.lost_access import lose_connection, regain_connection
from functions.sync.work import Work


def discover(work: Work) -> None:
    """Lists the subject connection's calendars and keeps what is ours to decide: which block, which are destinations."""
    try:
        google = work.google(work.subject, lost_too=True)
        scopes = google.probe()
        entries = google.calendar_list()
    except AccessLost as error:
        lose_connection(work, work.subject, error)
        _note(work, holds=False)
        return
    regain_connection(work, work.subject, scopes)
    entries = [entry for entry in entries if not entry.get("deleted")]
    _take_over_former(work, entries)
    for entry in entries:
        _keep(work, entry)
    _note(work, holds=True)


def calendar_id(connection: str, google_id: str) -> str:
    """Ours, by connection too: one Google calendar that two people share is two calendars here (case 56)."""
    return sha256(f"{connection}\0{google_id}".encode()).hexdigest()[:20]


def _take_over_former(work: Work, entries: Iterable[Mapping[str, Any]]) -> None:
    """What an earlier connection to the same account has left in calendars that this one reaches for the first time."""
    connection = work.store.get(work.account, Ref(Connection, work.subject))
    former = [] if connection is None else former_connections(work, connection)
    known = {each.id for each in calendars_of(work.store, work.account, work.subject)} if former else set()
    new = {entry["id"]: calendar_id(work.subject, entry["id"]) for entry in entries}
    renamed = {calendar_id(f.id, name): id_ for f in former for name, id_ in new.items() if id_ not in known}
    if renamed:
        take_over(work, renamed)


def _keep(work: Work, entry: Mapping[str, Any]) -> None:
    def attempt(reader: Reader) -> Decision[None]:
        ref = Ref(Calendar, calendar_id(work.subject, entry["id"]))
        reader.load(ref, Ref(Connection, work.subject))
        known, connection = reader.get(ref), reader.get(Ref(Connection, work.subject))
        if connection is None or connection.status == "disconnected":
            return Decision(answer=None)  # ended meanwhile; its calendars are forgotten
        seen = {
            "summary": entry.get("summaryOverride") or entry.get("summary") or entry["id"],
            "role": entry.get("accessRole", ""),
            "primary": bool(entry.get("primary")),
        }
        if known is None:
            new = Calendar(
                id=ref.id,
                connection=work.subject,
                google_id=entry["id"],
                time_zone=zone_or(entry.get("timeZone"), "UTC").key,  # the first list brings the zone again
                **seen,
            )
            # Whoever ends the connection at this moment does not know of it.
            return Decision(answer=None, documents=(new,), guards=(Ref(Connection, work.subject),))
        return _seen_again(reader, known, seen, now=work.now())

    work.store.run(work.account, attempt)


def _seen_again(reader: Reader, known: Calendar, seen: Mapping[str, Any], *, now: Millis) -> Decision[None]:
    role = with_role(known, seen["role"])
    updated = role.answer.model_copy(update=seen)
    if known.state == "gone":
        names = sorted({*known.resources, *known.destination_for})
        reader.load(*(Ref(Resource, name) for name in names))
        return reappear(updated, [r for name in names if (r := reader.get(Ref(Resource, name))) is not None], now=now)
    documents = () if updated == known else (updated,)
    # With another role it may have to be listed in another form.
    pulls = (Effect(kind="pull", subject=known.id),) if role.history else ()
    return Decision(answer=None, documents=documents, history=role.history, effects=(*role.effects, *pulls))


def _note(work: Work, *, holds: bool) -> None:
    def attempt(reader: Reader) -> Decision[None]:
        connection = reader.get(Ref(Connection, work.subject))
        if connection is None or connection.status == "disconnected":
            return Decision(answer=None)
        update = {"probed_at": work.now()} | ({"last_success_at": work.now()} if holds else {})
        return Decision(answer=None, documents=(connection.model_copy(update=update),))

    work.store.run(work.account, attempt)
