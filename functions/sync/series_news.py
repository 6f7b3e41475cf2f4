"""What a client is told of bookings that were made, or are cancelled, together: one message that lists all their dates."""

from functions.adapters.store import queries
from functions.adapters.store.store import Reader
from functions.domain.configuration import Service
from functions.domain.decision import Ref
from functions.domain.instants import MINUTE_MS
from functions.domain.session import Booking
from functions.sync.wording import News, when, zone_of
from functions.sync.work import Work

ABOUT_SERIES = frozenset({"series", "series_cancelled"})


def series_news(work: Work, reader: Reader) -> News | None:
    """From the present state of the subject booking's series (law 4); None where there is nothing to tell any more."""
    subject = reader.get(Ref(Booking, work.subject))
    service = None if subject is None else reader.get(Ref(Service, subject.service))
    if subject is None or subject.series is None or service is None:
        return None
    ahead = [
        booking
        for booking in queries.bookings_of_series(work.store, work.account, subject.series)
        if booking.start * MINUTE_MS > work.now()
    ]
    cancelled = work.about == "series_cancelled"
    told = [booking for booking in ahead if (booking.status == "cancelled") == cancelled]
    if not told:
        return None
    dates = tuple(when(booking.start, zone_of(reader, booking.resources[0])) for booking in told)
    reasons = (f"Reason: {told[0].reason}.",) if cancelled and told[0].reason else ()
    return News(
        client=subject.client, subject=f"{_opening(told)}: {service.name}, {len(told)} times", lines=(*reasons, *dates)
    )


def _opening(bookings: list[Booking]) -> str:
    if all(booking.status == "cancelled" for booking in bookings):
        return "Your bookings are cancelled"
    if any(booking.status == "held" for booking in bookings):
        return "We have your request"
    return "Your bookings are confirmed"
