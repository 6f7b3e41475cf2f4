"""Lists that are read page by page: what may be asked of each, and where a page ends.

A page begins after a position: the value of the field that orders the list, and the name of the document that had it (a keyset, never an offset). So
it costs what it holds wherever it lies, and what is added or ends meanwhile puts nothing on another page.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from google.cloud.firestore_v1.base_query import FieldFilter

from functions.adapters.store.documents import decode
from functions.domain.decision import Ref
from functions.domain.instants import Minute

D = TypeVar("D")

Condition = tuple[str, str, Any]  # field, operator, value; None as value: no such condition


class Position(NamedTuple):
    value: int
    id: str


@dataclass(frozen=True, kw_only=True)
class Part:
    """Which part of a list is wanted: at most `limit` documents, those that come after a position."""

    limit: int
    after: Position | None = None


@dataclass(frozen=True)
class Page(Generic[D]):
    """`last`: the position of its last document; None where nothing comes after it."""

    documents: list[D]
    last: Position | None


@dataclass(frozen=True, kw_only=True)
class BookingFilter:
    """Of bookings whose session starts in [start, end)."""

    start: Minute | None = None
    end: Minute | None = None
    resource: str | None = None
    service: str | None = None
    client_key: str | None = None
    status: str | None = None
    session: str | None = None


@dataclass(frozen=True, kw_only=True)
class SessionFilter:
    """Of sessions that start in [start, end)."""

    start: Minute | None = None
    end: Minute | None = None
    resource: str | None = None
    service: str | None = None
    status: str | None = None


@dataclass(frozen=True, kw_only=True)
class EntryFilter:
    """Of those who wait or waited. `session`: one of those that an entry names."""

    service: str | None = None
    session: str | None = None
    client_key: str | None = None
    status: str | None = None


@dataclass(frozen=True, kw_only=True)
class HistoryFilter:
    """What an entry is about."""

    session: str | None = None
    booking: str | None = None
    resource: str | None = None
    calendar: str | None = None
    service: str | None = None
    entry: str | None = None


def read_page(
    collection: Any,
    type_: type[D],
    conditions: Iterable[Condition],
    part: Part,
    *,
    order: str,
    descending: bool = False,
) -> Page[D]:
    """The part of a Firestore collection's documents that meet the conditions, by the field `order`, of whole numbers. One query."""
    query, direction = collection, "DESCENDING" if descending else "ASCENDING"
    for field, operator, value in conditions:
        if value is not None:
            query = query.where(filter=FieldFilter(field, operator, value))
    query = query.order_by(order, direction=direction).order_by("__name__", direction=direction)
    if part.after is not None:
        query = query.start_after({order: part.after.value, "__name__": part.after.id})
    found = list(query.limit(part.limit + 1).stream())  # one more, which tells whether there is another page
    shown = found[: part.limit]
    last = Position(shown[-1].get(order), shown[-1].id) if len(found) > len(shown) else None
    return Page([decode(Ref(type_, snapshot.id), snapshot.to_dict()) for snapshot in shown], last)
