"""The first minutes of a business: its account, somebody to book, something to book, and an owner, in one commit."""

from dataclasses import dataclass

from functions.domain.configuration import Account, Resource, Service
from functions.domain.decision import Author, Decision, HistoryEntry
from functions.domain.errors import IllegalMove
from functions.domain.hours import Hours, WeeklyHours
from functions.domain.instants import Millis
from functions.domain.membership import joining
from functions.domain.person import Person

MOST_FOUNDED = 10  # accounts by one person
RESOURCE, SERVICE = "main", "appointment"  # the ids that the first ones get
USUAL_HOURS = (WeeklyHours(days=(1, 2, 3, 4, 5), start="09:00", end="17:00"),)
# So that nobody books a start that is only minutes away, which whoever has just begun would not see in time.
NOTICE_MINUTES = 60


@dataclass(frozen=True, kw_only=True)
class FirstDetails:
    """`resource`: the name of the person, room or thing whose time is booked."""

    name: str
    time_zone: str
    hours: tuple[WeeklyHours, ...] = USUAL_HOURS
    resource: str
    service: str
    duration_minutes: int


def set_up(account_id: str, details: FirstDetails, founder: Person, *, now: Millis) -> Decision[Account]:
    """Raises `IllegalMove` where this person has made as many accounts as one may."""
    if len(founder.founded) >= MOST_FOUNDED:
        raise IllegalMove(f"You have made {MOST_FOUNDED} accounts, which is the most that one person may.")
    account = Account(id=account_id, name=details.name, time_zone=details.time_zone, created_at=now)
    resource = Resource(
        id=RESOURCE, name=details.resource, hours=Hours(time_zone=details.time_zone, weekly=details.hours)
    )
    service = Service(
        id=SERVICE,
        name=details.service,
        duration_minutes=details.duration_minutes,
        # Half past and the full hour: what is long would else be offered at times that break up the day.
        step_minutes=min(30, details.duration_minutes),
        notice_minutes=NOTICE_MINUTES,
        resources=(resource.id,),
    )
    author = Author(kind="operator", name=founder.email)
    history = (
        HistoryEntry(what="account.made", author=author, after={"name": account.name, "time_zone": account.time_zone}),
        HistoryEntry(
            what="resource.created", author=author, resource=resource.id, after=resource.model_dump(mode="json")
        ),
        HistoryEntry(
            what="service.created",
            author=author,
            service=service.id,
            after={"service": service.model_dump(mode="json")},
        ),
        HistoryEntry(what="member.joined", author=author, after={"member": founder.email, "role": "owner"}),
    )
    grown = founder.model_copy(update={"founded": (*founder.founded, account.id)})
    owner = joining(founder, "owner", now=now)
    return Decision(answer=account, documents=(account, resource, service, owner, grown), history=history)
