"""What a mail consists of, and how it says when something is."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from functions.adapters.store.documents import ACCOUNT
from functions.adapters.store.store import Reader
from functions.domain.configuration import Resource
from functions.domain.decision import HistoryEntry, Ref
from functions.domain.instants import Minute, datetime_of
from functions.domain.session import Client
from functions.domain.zones import zone


@dataclass(frozen=True, kw_only=True)
class News:
    """To whom, under which subject, and the paragraphs below it. `others` get the same message. `told`: what the history says once it has been sent."""

    client: Client
    subject: str
    lines: tuple[str, ...] = ()
    others: tuple[Client, ...] = ()
    told: HistoryEntry | None = None


@dataclass(frozen=True)
class Message:
    """A subject, and the statuses of what it is about in which it still says the truth."""

    subject: str
    true_of: frozenset[str]


def when(start: Minute, zone_: ZoneInfo) -> str:
    """`Monday 1 March 2027, 09:00 (Europe/Berlin)`."""
    local = datetime_of(start).astimezone(zone_)
    return f"{local:%A} {local.day} {local:%B %Y, %H:%M} ({zone_.key})"


def zone_of(reader: Reader, resource_id: str) -> ZoneInfo:
    """The resource's, or else the account's."""
    resource = reader.get(Ref(Resource, resource_id))
    return zone_of_account(reader) if resource is None else zone(resource.hours.time_zone)


def zone_of_account(reader: Reader) -> ZoneInfo:
    account = reader.get(ACCOUNT)
    return zone(account.time_zone if account else "UTC")
