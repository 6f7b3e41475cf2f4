"""More seats sold than there are: whose they are not any more."""

from collections.abc import Iterable

from functions.domain.session import Booking, Session


def over_capacity(session: Session, bookings: Iterable[Booking]) -> tuple[Booking, ...]:
    """The bookings that the session has no seats for, the latest first.

    Who came first keeps theirs, as long as they fit; what is only held comes after what is sold.

    `bookings`: those that have or hold seats in it now.
    """
    left, orphans = session.capacity, list[Booking]()
    for booking in sorted(bookings, key=lambda each: (each.status == "held", each.created_at, each.id)):
        if booking.seats <= left:
            left -= booking.seats
        else:
            orphans.append(booking)
    return tuple(reversed(orphans))
