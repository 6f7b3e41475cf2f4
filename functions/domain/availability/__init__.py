"""The one function that says what is free (law 2). Listing, booking, holding, moving and explaining all ask it.

`question` what is asked, `engine` the answer in bulk, `offers` who can serve it, `explanation` why a start is closed, `days` why a date is.
"""

from functions.domain.availability.days import DayClosed, why_days_are_closed
from functions.domain.availability.engine import open_starts
from functions.domain.availability.explanation import Reason, explain
from functions.domain.availability.offers import (
    ALTERNATIVES_REACH,
    Choice,
    Offer,
    choose,
    nearest_starts,
    offers,
    preferred,
)
from functions.domain.availability.question import TAKEN, ClientBooking, Closed, Question, ResourceState

__all__ = [
    "ALTERNATIVES_REACH",
    "TAKEN",
    "Choice",
    "ClientBooking",
    "Closed",
    "DayClosed",
    "Offer",
    "Question",
    "Reason",
    "ResourceState",
    "choose",
    "explain",
    "nearest_starts",
    "offers",
    "open_starts",
    "preferred",
    "why_days_are_closed",
]
