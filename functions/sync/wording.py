"""How mails say when something is."""

from zoneinfo import ZoneInfo

from functions.adapters.store.documents import ACCOUNT
from functions.adapters.store.store import Reader
from functions.domain.configuration import Resource
from functions.domain.decision import Ref
from functions.domain.instants import Minute, datetime_of
from functions.domain.zones import zone


def when(start: Minute, zone_: ZoneInfo) -> str:
    """`Monday 1 March 2027, 09:00 (Europe/Berlin)`."""
    local = datetime_of(start).astimezone(zone_)
    return f"{local:%A} {local.day} {local:%B %Y, %H:%M} ({zone_.key})"


def zone_of(reader: Reader, resource_id: str) -> ZoneInfo:
    """The resource's, or else the account's."""
    resource, account = reader.get(Ref(Resource, resource_id)), reader.get(ACCOUNT)
    if resource is not None:
        return zone(resource.hours.time_zone)
    return zone(account.time_zone if account else "UTC")
