"""What a client asks of a list of events, and which tokens that makes good."""

from dataclasses import dataclass
from typing import Any

from infra.local.google import errors
from infra.local.google.calendars import Calendar, at_least
from infra.local.google.event_record import EventRecord
from infra.local.google.event_times import parse_instant
from infra.local.google.sync_tokens import SyncToken, decode_sync, fingerprint

Json = dict[str, Any]

DEFAULT_PAGE = 250
LARGEST_PAGE = 2500
# Google's list of what can't be combined with a sync token (discovery document, events.list syncToken).
NOT_WITH_TOKEN = (
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "timeMin",
    "timeMax",
    "updatedMin",
)
_SUBSET = ("iCalUID", "privateExtendedProperty", "q", "sharedExtendedProperty")
_SEARCHED = ("summary", "description", "location")


@dataclass(frozen=True)
class EventQuery:
    """The parameters of events.list, read and checked."""

    single: bool
    show_deleted: bool
    time_min: float | None
    time_max: float | None
    updated_min: float | None
    order_by: str | None
    max_results: int
    page_token: str | None
    sync_token: str | None
    event_types: tuple[str, ...]
    # iCalUID, q and extended properties: kept in the sync token.
    subset: Json
    # Of all that must stay the same while a token is used; and of the whole query, for page tokens.
    stable: str
    whole: str

    @property
    def windowed(self) -> bool:
        return self.time_min is not None or self.time_max is not None

    def accepts(self, record: EventRecord) -> bool:
        """Filters that do not depend on the time of an occurrence."""
        body = record.body
        if self.event_types and record.event_type not in self.event_types:
            return False
        if self.updated_min is not None and parse_instant(body["updated"]) < self.updated_min:
            return False
        if not self.subset:
            return True
        uid = self.subset.get("iCalUID")
        if uid is not None and body.get("iCalUID") != uid:
            return False
        words = self.subset.get("q")
        if words is not None and not _mentions(body, words):
            return False
        properties = body.get("extendedProperties", {})
        return all(
            _has(properties.get(scope, {}), pair)
            for scope, name in (("private", "privateExtendedProperty"), ("shared", "sharedExtendedProperty"))
            for pair in self.subset.get(name, ())
        )

    def overlaps(self, start: float, end: float) -> bool:
        """timeMin is exclusive on the end, timeMax exclusive on the start (discovery document)."""
        # An event without length still has its instant.
        if self.time_min is not None and end <= self.time_min and not (start == end > self.time_min):
            return False
        return self.time_max is None or start < self.time_max


def read_query(parameters: Json, *, role: str) -> EventQuery:
    """Check the parameters of events.list (400 for what does not go together)."""
    single = bool(parameters.get("singleEvents", False)) or not at_least(role, "reader")
    order_by = parameters.get("orderBy")
    sync_token = parameters.get("syncToken")
    if sync_token is not None:
        for name in NOT_WITH_TOKEN:
            if name in parameters:
                raise errors.invalid(f"{name} can't be used together with syncToken.", location=name)
        if parameters.get("showDeleted") is False:
            raise errors.invalid("showDeleted can't be false together with syncToken.", location="showDeleted")
    if order_by == "startTime" and not single:
        raise errors.invalid("The requested ordering is not available for the particular query.", location="orderBy")
    time_min, time_max = _instant(parameters, "timeMin"), _instant(parameters, "timeMax")
    if time_min is not None and time_max is not None and time_max <= time_min:
        raise errors.time_range_empty()
    event_types = tuple(sorted(parameters.get("eventTypes", ())))
    stable = fingerprint(
        single, event_types, parameters.get("showHiddenInvitations", False), parameters.get("maxAttendees")
    )
    varying = [name for name in (*NOT_WITH_TOKEN, "showDeleted", "syncToken") if name in parameters]
    return EventQuery(
        single=single,
        show_deleted=bool(parameters.get("showDeleted", False)),
        time_min=time_min,
        time_max=time_max,
        updated_min=_instant(parameters, "updatedMin"),
        order_by=order_by,
        max_results=min(int(parameters.get("maxResults", DEFAULT_PAGE)), LARGEST_PAGE),
        page_token=parameters.get("pageToken"),
        sync_token=sync_token,
        event_types=event_types,
        subset={name: parameters[name] for name in _SUBSET if name in parameters},
        stable=stable,
        whole=fingerprint(stable, {name: parameters[name] for name in varying}),
    )


def check_token(text: str, *, calendar: Calendar, email: str, role: str, query: EventQuery) -> SyncToken:
    """The sync token, if it is this person's for this calendar and still good.

    Another person's or calendar's token, a changed role and an expired token are 410; another query is 400 here, where
    Google promises nothing ("undefined behavior").
    """
    token = decode_sync(text)
    if (token.resource, token.email) != (f"events {calendar.id}", email):
        raise errors.full_sync_required()
    if (token.epoch, token.role) != (calendar.token_epoch, role):
        raise errors.full_sync_required()
    if token.query != query.stable:
        raise errors.invalid("The sync token belongs to a query with other parameters.", location="syncToken")
    return token


def new_token(*, calendar: Calendar, email: str, role: str, query: EventQuery, version: int, subset: Json) -> SyncToken:
    return SyncToken(f"events {calendar.id}", email, version, calendar.token_epoch, role, query.stable, subset)


def _instant(parameters: Json, name: str) -> float | None:
    text = parameters.get(name)
    if text is None:
        return None
    try:
        return parse_instant(text)
    except ValueError as error:
        raise errors.invalid_parameter(name, f"Invalid value for {name}.") from error


def _mentions(body: Json, words: str) -> bool:
    people = [entry.get(name, "") for entry in body.get("attendees", ()) for name in ("email", "displayName")]
    text = " ".join([*(str(body.get(name, "")) for name in _SEARCHED), *people]).lower()
    return all(word in text for word in words.lower().split())


def _has(pairs: Json, constraint: str) -> bool:
    key, _, value = constraint.partition("=")
    return bool(pairs.get(key) == value)
