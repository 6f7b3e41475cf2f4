"""Lists of a collection's documents and of the collections below a document, in pages."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from infra.local.firestore.embedded import names
from infra.local.firestore.embedded.errors import InvalidArgument
from infra.local.firestore.embedded.names import Path
from infra.local.firestore.embedded.storage import View

_DEFAULT_PAGE_SIZE = 300


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some ids in order, and the token that continues after them (empty when there are no more)."""

    ids: list[str]
    next_token: str


def collection_ids(view: View, parent: Path, *, page_size: int, page_token: str) -> Page:
    """The ids of the collections directly below ``parent`` that hold a document, at any depth."""
    return _page(_ids_below(view, parent, after=_last_id(page_token)), page_size)


def document_ids(
    view: View, parent: Path, collection: str, *, page_size: int, page_token: str, show_missing: bool
) -> Page:
    """The ids of a collection's documents; ``show_missing`` adds those that only have documents below them."""
    within = parent.below(names.check_id(collection))
    ids = _ids_below(view, within, after=_last_id(page_token))
    if not show_missing:
        ids = (identifier for identifier in ids if view.updated(within.below(identifier)) is not None)
    return _page(ids, page_size)


def _ids_below(view: View, above: Path, *, after: str | None) -> Iterator[str]:
    """The distinct next segments below a path: one look-up each, however much lies below them."""
    position = above.key if after is None else names.end_of_prefix(above.below(after).key)
    while (segments := view.first_below(above, after=position)) is not None:
        identifier = segments[len(above.segments)]
        yield identifier
        position = names.end_of_prefix(above.below(identifier).key)


def _page(ids: Iterator[str], page_size: int) -> Page:
    if page_size < 0:
        raise InvalidArgument("the page size is negative")
    page_size = page_size or _DEFAULT_PAGE_SIZE
    found = list(islice(ids, page_size + 1))
    more = len(found) > page_size
    return Page(ids=found[:page_size], next_token=_token(found[page_size - 1]) if more else "")


def _token(last_id: str) -> str:
    return base64.urlsafe_b64encode(last_id.encode()).decode()


def _last_id(page_token: str) -> str | None:
    if not page_token:
        return None
    try:
        return base64.b64decode(page_token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise InvalidArgument("invalid page token") from error
