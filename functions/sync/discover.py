"""Discover: which calendars a connection reaches. New ones are listed, never selected by themselves (case 87)."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from functions.adapters.google_errors import AccessLost
from functions.adapters.store.store import Reader
from functions.domain.calendar import Calendar, Connection
from functions.domain.decision import Decision, Ref
from functions.domain.google_event import zone_or
from functions.sync.lost_access import lose_connection
from functions.sync.work import Work


def discover(work: Work) -> None:
    """Lists the subject connection's calendars and keeps what is ours to decide: which block, which are destinations."""
    try:
        entries = work.google(work.subject).calendar_list()
    except AccessLost as error:
        if error.reason != "not_connected":
            lose_connection(work, work.subject, error.reason)
        return
    for entry in entries:
        if not entry.get("deleted"):
            _keep(work, entry)
    _note_success(work)


def calendar_id(connection: str, google_id: str) -> str:
    """Ours, by connection too: one Google calendar that two people share is two calendars here (case 56)."""
    return sha256(f"{connection}\0{google_id}".encode()).hexdigest()[:20]


def _keep(work: Work, entry: Mapping[str, Any]) -> None:
    def attempt(reader: Reader) -> Decision[None]:
        ref = Ref(Calendar, calendar_id(work.subject, entry["id"]))
        known = reader.get(ref)
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
            return Decision(answer=None, documents=(new,))
        updated = known.model_copy(update=seen)
        return Decision(answer=None, documents=() if updated == known else (updated,))

    work.store.run(work.account, attempt)


def _note_success(work: Work) -> None:
    def attempt(reader: Reader) -> Decision[None]:
        connection = reader.get(Ref(Connection, work.subject))
        if connection is None:
            return Decision(answer=None)
        fresh = connection.model_copy(update={"last_success_at": work.now(), "last_error": None})
        return Decision(answer=None, documents=(fresh,))

    work.store.run(work.account, attempt)
