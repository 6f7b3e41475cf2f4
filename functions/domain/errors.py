"""What the domain refuses, and why. Only the HTTP edge turns one of these into an answer.

Each class has a stable `slug` (the problem type's last part) and hints whose fault it is by `status`. `detail` says what to do about it.
"""

from collections.abc import Mapping
from typing import Any


class Refusal(Exception):
    """A request that the rules do not allow. Subclasses name the rule."""

    slug = "refused"
    status = 400
    title = "The request was refused"
    retry_after_s: int | None = None  # where the very same request is worth another try

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra: Mapping[str, Any] = extra


class Invalid(Refusal):
    """The request does not have the form that this call takes. `errors` names the fields."""

    slug = "invalid-request"
    status = 422
    title = "The request does not have the right form"


class NotFound(Refusal):
    """What the address or the body names does not exist (or is not the caller's to see)."""

    slug = "not-found"
    status = 404
    title = "There is no such thing"


class Unauthorized(Refusal):
    """No proof, or a wrong proof, of who is calling."""

    slug = "unauthorized"
    status = 401
    title = "This call needs proof of who you are"


class Forbidden(Refusal):
    """It is known who calls, and they may not do this."""

    slug = "forbidden"
    status = 403
    title = "You may not do this"


class CrossSite(Refusal):
    """A browser that is signed in was made to ask for this by another site, or might have been."""

    slug = "cross-site"
    status = 403
    title = "This did not come from a page of ours"


class SlotTaken(Refusal):
    """The start was offered once, but its time is taken now. `alternatives` holds the nearest open starts."""

    slug = "slot-taken"
    status = 409
    title = "That time is taken"


class TimeTaken(Refusal):
    """What an operator schedules meets time that is taken. `taken` names each start with what takes its time."""

    slug = "time-taken"
    status = 409
    title = "That time is taken"


class SeriesTaken(Refusal):
    """Some bookings of a series can't be had, so none was made. `misses` names each start with the reasons."""

    slug = "series-taken"
    status = 409
    title = "Not all of these times can be booked"


class BelowSeatsSold(Refusal):
    """The new capacity holds fewer seats than are sold and kept. `bookings` names those that would lose theirs, the latest first."""

    slug = "below-seats-sold"
    status = 409
    title = "More seats are sold than there would be"


class StartClosed(Refusal):
    """A rule closes this start: hours, grid, notice, window. `reasons` names the rules."""

    slug = "start-closed"
    status = 422
    title = "That time can't be booked"


class CalendarUnknown(Refusal):
    """The resource's calendar can't be read at the moment, so nobody can say what is free."""

    slug = "calendar-unreachable"
    status = 503
    title = "The calendar can't be read at the moment"


class NoWaitlist(Refusal):
    """There is no waitlist for this, or no more room in it."""

    slug = "no-waitlist"
    status = 409
    title = "You can't wait for this"


class SeatFree(Refusal):
    """Nobody has to wait: it can simply be booked. `alternatives` holds starts that are open."""

    slug = "seat-free"
    status = 409
    title = "There is a seat free"


class AlreadyWaiting(Refusal):
    """The same client waits for the same thing."""

    slug = "already-waiting"
    status = 409
    title = "You are on this waitlist already"


class HoldLapsed(Refusal):
    """Seats were kept for a while; the while is over, and somebody else has them."""

    slug = "hold-lapsed"
    status = 409
    title = "Your seats are not kept any more"


class IllegalMove(Refusal):
    """The thing is not in a state from which this step can be taken."""

    slug = "illegal-state"
    status = 409
    title = "That can't be done any more"


class StillBooked(Refusal):
    """A client is to be forgotten who has bookings ahead, or waits. `bookings` and `waitlist` name them."""

    slug = "still-booked"
    status = 409
    title = "This client is still expected"


class ChoiceNotOffered(Refusal):
    """A conflict can't be resolved that way, or is resolved already. `choices` names those that there are."""

    slug = "choice-not-offered"
    status = 409
    title = "That is not among the choices"


class IdempotencyMismatch(Refusal):
    """The same Idempotency-Key came before with another body."""

    slug = "idempotency-key-reused"
    status = 422
    title = "This Idempotency-Key was used for another request"


class RequestInFlight(Refusal):
    """The same request, with the same Idempotency-Key, was still being answered when this one came."""

    slug = "request-in-flight"
    status = 409
    title = "This very request is being answered already"
    retry_after_s = 1


class RateLimited(Refusal):
    """One caller asks for more than their share. `free_in`: after so many milliseconds the same call is worth another try."""

    slug = "rate-limited"
    status = 429
    title = "Too many requests"

    def __init__(self, detail: str, *, free_in: int) -> None:
        self.retry_after_s = max(1, -(-free_in // 1000))
        super().__init__(f"{detail} Try again in {_in_words(self.retry_after_s)}.")


def _in_words(seconds: int) -> str:
    minutes = -(-seconds // 60)
    if seconds < 60:
        return "a second" if seconds == 1 else f"{seconds} seconds"
    return "a minute" if minutes == 1 else f"{minutes} minutes"


class TooManyHolds(RateLimited):
    """One caller keeps seats in more places than one may, and has finished none of them."""

    slug = "too-many-holds"
    title = "Seats are kept for you in too many places"


class Contended(Refusal):
    """Too many writers for one document; nothing was changed, the same call may be made again."""

    slug = "contended"
    status = 503
    title = "Too many people are booking this at the same moment"
