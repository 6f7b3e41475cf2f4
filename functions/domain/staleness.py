"""How long a calendar may go unread before the time that it blocks is not known any more (law 6), and what becomes of that time then.

A resource may have rules of its own, which win over those of the service that is sold, and these over the deployment's: a room that many share may be
closed early while the people who work in it go by what was known last. Each of the two rules by itself: a resource that only says how long leaves it to the
service what then follows.
"""

from dataclasses import dataclass
from typing import Literal

from functions.domain.configuration import OnStale, Resource, Service
from functions.domain.instants import MINUTE_MS, Millis


@dataclass(frozen=True, kw_only=True)
class Staleness:
    """`limit`: for how long what was read last counts; whose rule that is stands in `limit_of`. `then`: its time is closed, or kept as it was known."""

    limit: Millis
    limit_of: Literal["resource", "service", "deployment"]
    then: OnStale

    @property
    def known_for(self) -> Millis | None:
        """None: for ever."""
        return None if self.then == "keep" else self.limit


def staleness(resource: Resource, service: Service, *, usual: Millis) -> Staleness:
    """Of the service, at this resource. `usual`: the deployment's limit."""
    then = resource.on_stale or service.on_stale
    if resource.stale_after_minutes is not None:
        return Staleness(limit=resource.stale_after_minutes * MINUTE_MS, limit_of="resource", then=then)
    if service.stale_after_minutes is not None:
        return Staleness(limit=service.stale_after_minutes * MINUTE_MS, limit_of="service", then=then)
    return Staleness(limit=usual, limit_of="deployment", then=then)
