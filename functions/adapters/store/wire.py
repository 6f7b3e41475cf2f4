"""The two calls that every decision makes, a batched read and a commit, straight in Firestore's protocol buffers.

Google's client library wraps every single value in an object of its own and copies each document twice on its way in, which was most of what a booking
cost this process. It still makes the connection, with its retries, and every query.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from google.cloud import firestore
from google.cloud.firestore_v1.types import BatchGetDocumentsRequest, BatchGetDocumentsResponse, CommitRequest

# The value of a field that goes away.
GONE: Final = object()

Path = tuple[str, ...]  # to a field: a name at each depth


@dataclass(frozen=True)
class Stored:
    """A document as it was read: what it holds, and when it was last changed, in Firestore's own form. None for both where there is none."""

    fields: Mapping[str, Any] | None = None
    updated: Any | None = None

    @classmethod
    def of(cls, snapshot: "firestore.DocumentSnapshot[Any]") -> "Stored":
        """One that a query found."""
        return cls(snapshot.to_dict() or {}, snapshot.update_time.timestamp_pb())


def read(client: firestore.Client, paths: Iterable[str]) -> dict[str, Stored]:
    """The documents at these paths, in one round trip and as they were at one moment."""
    prefix = f"{client._database_string}/documents/"
    names = [prefix + path for path in paths]
    request = BatchGetDocumentsRequest.pb()(database=client._database_string, documents=names)
    found = {}
    for response in client._firestore_api.batch_get_documents(
        request=BatchGetDocumentsRequest.wrap(request), metadata=client._rpc_metadata
    ):
        answer = BatchGetDocumentsResponse.pb(response)
        if answer.WhichOneof("result") == "found":
            fields = {name: _decoded(value) for name, value in answer.found.fields.items()}
            found[answer.found.name.removeprefix(prefix)] = Stored(fields, answer.found.update_time)
        elif answer.missing:
            found[answer.missing.removeprefix(prefix)] = Stored()
    return found


class Commit:
    """Writes that are all made or none is. A precondition that does not hold fails them with the library's own exceptions."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client
        self._prefix = f"{client._database_string}/documents/"
        self._request = CommitRequest.pb()(database=client._database_string)

    def create(self, path: str, fields: Mapping[str, Any]) -> None:
        """A document that must not exist yet."""
        write = self._request.writes.add()
        write.update.name = self._prefix + path
        _encode_fields(fields, write.update.fields)
        write.current_document.exists = False

    def update(self, path: str, fields: Mapping[Path, Any], *, last: Any) -> None:
        """These fields of a document that was last changed at `last`; what is `GONE` goes away."""
        write = self._setting(path, fields)
        write.current_document.update_time.CopyFrom(last)

    def _setting(self, path: str, fields: Mapping[Path, Any]) -> Any:
        """A write of these fields; all others stay."""
        write = self._request.writes.add()
        write.update.name = self._prefix + path
        write.update_mask.SetInParent()
        for place, value in fields.items():
            write.update_mask.field_paths.append(firestore.Client.field_path(*place))
            if value is not GONE:
                inner = write.update.fields
                for name in place[:-1]:
                    inner = inner[name].map_value.fields
                _encode(value, inner[place[-1]])
        return write

    def count(
        self, path: str, field: Path, *, fields: Mapping[Path, Any] = MappingProxyType({}), last: Any | None = None
    ) -> None:
        """Adds one to a field: to be seen by everybody who has read the document. Makes one where there is none. `fields`: what it says besides."""
        write = self._setting(path, fields)
        transform = write.update_transforms.add(field_path=firestore.Client.field_path(*field))
        transform.increment.integer_value = 1
        if last is not None:
            write.current_document.update_time.CopyFrom(last)

    def delete(self, path: str, *, last: Any | None = None) -> None:
        write = self._request.writes.add(delete=self._prefix + path)
        if last is not None:
            write.current_document.update_time.CopyFrom(last)

    def send(self) -> None:
        self._client._firestore_api.commit(
            request=CommitRequest.wrap(self._request), metadata=self._client._rpc_metadata
        )


def _encode_fields(fields: Mapping[str, Any], into: Any) -> None:
    for name, value in fields.items():
        _encode(value, into[name])


def _encode(value: Any, into: Any) -> None:
    """Sets one of Firestore's values. Raises `TypeError` for what no document of ours holds."""
    match value:
        case None:
            into.null_value = 0
        case bool():  # before the numbers: to Python it is one
            into.boolean_value = value
        case int():
            into.integer_value = value
        case float():
            into.double_value = value
        case str():
            into.string_value = value
        case datetime():
            into.timestamp_value.FromDatetime(value)
        case dict():
            into.map_value.SetInParent()
            _encode_fields(value, into.map_value.fields)
        case list() | tuple():
            into.array_value.SetInParent()
            for each in value:
                _encode(each, into.array_value.values.add())
        case _:
            raise TypeError(f"{type(value).__name__} is not stored")


def _decoded(value: Any) -> Any:
    kind = value.WhichOneof("value_type")
    if kind == "map_value":
        return {name: _decoded(inner) for name, inner in value.map_value.fields.items()}
    if kind == "array_value":
        return [_decoded(inner) for inner in value.array_value.values]
    if kind == "null_value":
        return None
    if kind == "timestamp_value":
        return value.timestamp_value.ToDatetime(UTC)
    return getattr(value, kind)
