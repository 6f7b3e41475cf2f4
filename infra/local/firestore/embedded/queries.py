"""Queries: a structured query is planned once (checked and completed as Firestore does) and run on a view."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

from google.cloud.firestore_v1.types import StructuredQuery as Query

from infra.local.firestore.embedded import fieldpaths, names, values
from infra.local.firestore.embedded.errors import FailedPrecondition, InvalidArgument, Unimplemented
from infra.local.firestore.embedded.fieldpaths import NAME, FieldPath
from infra.local.firestore.embedded.filters import CompiledFilter, Predicate, compile_filter
from infra.local.firestore.embedded.messages import Cursor, Document, StructuredQuery
from infra.local.firestore.embedded.names import Path
from infra.local.firestore.embedded.storage import CollectionScan, View
from infra.local.firestore.embedded.values import OrderKey

_DESCENDING = Query.Direction.DESCENDING


@dataclass(frozen=True, kw_only=True)
class Order:
    path: FieldPath
    descending: bool


@dataclass(frozen=True, kw_only=True)
class Bound:
    """A cursor: a position right before, or right after, every document whose leading order values are ``keys``."""

    keys: tuple[OrderKey, ...]
    before: bool


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A query ready to run. ``orders`` ends with the document's name, so the order of the answer is always total."""

    scan: CollectionScan
    matches: Predicate
    orders: tuple[Order, ...]
    required: frozenset[FieldPath]
    start: Bound | None
    end: Bound | None
    offset: int
    limit: int | None
    projection: tuple[FieldPath, ...] | None

    def run(self, view: View) -> list[Document]:
        """The answer: whole documents in order, cut to offset and limit; the projection is the caller's to apply."""
        found: Iterable[Document] = (document for document in view.scan(self.scan) if self._holds(document))
        if self.orders != (Order(path=NAME, descending=False),):  # the scan is already in that order
            found = self._sorted(found)
        if self.start or self.end:
            found = self._between_cursors(found)
        return list(islice(found, self.offset, None if self.limit is None else self.offset + self.limit))

    def projected(self, document: Document) -> Document:
        return document if self.projection is None else fieldpaths.masked(document, self.projection)

    def _holds(self, document: Document) -> bool:
        return self.matches(document) and all(fieldpaths.lookup(document, path) is not None for path in self.required)

    def _sorted(self, documents: Iterable[Document]) -> list[Document]:
        ordered = list(documents)
        for order in reversed(self.orders):  # stable sorts, the least significant first
            ordered.sort(key=partial(_key, path=order.path), reverse=order.descending)
        return ordered

    def _between_cursors(self, documents: Iterable[Document]) -> Iterator[Document]:
        for document in documents:
            if self.start is not None and not self._is_after(document, self.start):
                continue
            if self.end is not None and self._is_after(document, self.end):
                return
            yield document

    def _is_after(self, document: Document, bound: Bound) -> bool:
        """Whether the document lies after the position of the cursor, in the order of the query."""
        for order, key in zip(self.orders, bound.keys, strict=False):
            own = _key(document, path=order.path)
            if own != key:
                return (own < key) if order.descending else (own > key)
        return bound.before


def plan(parent: Path, query: StructuredQuery, *, aggregated: frozenset[FieldPath] = frozenset()) -> Plan:
    """Plans a query below ``parent``; ``aggregated`` fields must exist in a document for it to count.

    Raises InvalidArgument for what Firestore refuses and Unimplemented for what only the stand-in does.
    """
    if query.HasField("find_nearest"):
        raise Unimplemented("vector search (find_nearest)")
    filtered = compile_filter(query.where) if query.HasField("where") else CompiledFilter(matches=_everything)
    if query.select.fields and aggregated:
        raise InvalidArgument("a projection cannot be aggregated")
    orders = _orders(query, filtered, aggregated)
    if orders == (Order(path=NAME, descending=True),) and filtered.fields <= {NAME}:
        raise FailedPrecondition("Firestore has no index for the descending order of names alone")
    if query.offset < 0 or query.limit.value < 0:
        raise InvalidArgument("offset or limit is negative")
    return Plan(
        scan=_scan(parent, query),
        matches=filtered.matches,
        orders=orders,
        required=frozenset(order.path for order in orders) - {NAME},
        start=_bound(query.start_at, orders) if query.HasField("start_at") else None,
        end=_bound(query.end_at, orders) if query.HasField("end_at") else None,
        offset=query.offset,
        limit=query.limit.value if query.HasField("limit") else None,
        projection=_projection(query),
    )


def _everything(document: Document) -> bool:
    return True


def _key(document: Document, *, path: FieldPath) -> OrderKey:
    value = fieldpaths.lookup(document, path)
    if value is None:
        raise AssertionError("a document without a field of the order reached the sort")
    return values.order_key(value)


def _scan(parent: Path, query: StructuredQuery) -> CollectionScan:
    selectors = query.from_
    if len(selectors) != 1:
        raise InvalidArgument("a query must name exactly one collection")
    (selector,) = selectors
    if not selector.collection_id:
        if not selector.all_descendants:
            raise Unimplemented("queries without a collection that are not over all descendants")
        return CollectionScan(parent=parent, collection=None, descendants=True)
    collection = names.check_id(selector.collection_id)
    return CollectionScan(parent=parent, collection=collection, descendants=selector.all_descendants)


def _orders(query: StructuredQuery, filtered: CompiledFilter, aggregated: frozenset[FieldPath]) -> tuple[Order, ...]:
    """The order asked for, completed: compared fields, aggregated fields, then the document's name.

    What is added takes the direction of the last order that was asked for. Firestore has no index with a field after
    the name; what would need one is refused, as the official emulator 1.19.9 does.
    """
    orders = [
        Order(path=fieldpaths.parse(order.field.field_path), descending=order.direction == _DESCENDING)
        for order in query.order_by
    ]
    paths = [order.path for order in orders]
    if len(set(paths)) != len(paths):
        raise InvalidArgument("the order names a field twice")
    added = [path for path in sorted(filtered.compared - {NAME}) if path not in paths]
    summed = [path for path in sorted(aggregated) if path not in paths and path not in added]
    if summed and NAME in filtered.compared | filtered.equated:
        raise InvalidArgument("aggregated fields would have to be ordered before __name__")
    added += summed
    if NAME in paths and (added or paths[-1] != NAME):
        raise InvalidArgument("the order cannot contain more fields after __name__")
    if NAME not in paths:
        added.append(NAME)
    descending = orders[-1].descending if orders else False
    return (*orders, *(Order(path=path, descending=descending) for path in added))


def _bound(cursor: Cursor, orders: tuple[Order, ...]) -> Bound:
    if len(cursor.values) > len(orders):
        raise InvalidArgument("a cursor has more values than the query has orders")
    for order, value in zip(orders, cursor.values, strict=False):
        if order.path == NAME and not value.HasField("reference_value"):
            raise InvalidArgument("the value of a cursor for __name__ must be a reference to a document")
    return Bound(keys=tuple(values.order_key(value) for value in cursor.values), before=cursor.before)


def _projection(query: StructuredQuery) -> tuple[FieldPath, ...] | None:
    if not query.HasField("select"):
        return None
    return tuple(fieldpaths.parse(field.field_path) for field in query.select.fields)
