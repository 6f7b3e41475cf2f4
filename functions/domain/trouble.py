"""What Google's own words for a failure mean, said for the people who look after an account. The words themselves stay where programs look (`last_error`).

Each is a clause that may stand in brackets.
"""

from collections.abc import Mapping

_NO_ANSWER = "Google did not answer"
_SLOWER = "Google wants to be asked more slowly"
_FULL = "its usage limit at Google is reached"
_NO_ACCESS = "Google gives no access to it"
_GONE = "it does not exist any more in Google, or is not shared with us any more"

# Of a calendar that was read: by the kind of the error, which stands before its word.
_READING: Mapping[str, str] = {
    "AccessLost": _NO_ACCESS,
    "Forbidden": "Google does not let us read it",
    "Missing": "Google does not find it at the moment",
    "OurMistake": "Google does not understand what it is asked",
    "RateLimited": _SLOWER,
    "UsageLimit": _FULL,
    "Unavailable": _NO_ANSWER,
    "calendarGone": _GONE,
}
# Of what was to be written, deleted or ended there: by the word alone, which is all that is kept of it.
_WRITING: Mapping[str, str] = {
    "backendError": _NO_ANSWER,
    "internalError": _NO_ANSWER,
    "calendarGone": "the calendar does not exist any more in Google, or is not shared with us any more",
    "quotaExceeded": "the usage limit of the calendar is reached at Google",
    **dict.fromkeys(("rateLimitExceeded", "userRateLimitExceeded", "429"), _SLOWER),
    **dict.fromkeys(
        ("forbidden", "requiredAccessLevel", "forbiddenForNonOrganizer", "forbiddenForServiceAccounts", "403"),
        "Google does not let us change that",
    ),
    **dict.fromkeys(("notFound", "deleted", "404", "410"), "Google does not find it"),
    **dict.fromkeys(
        ("invalid_grant", "account_off", "invalid_rapt", "insufficientPermissions", "notACalendarUser"),
        "Google gives us no access any more",
    ),
    **dict.fromkeys(("authError", "not_connected", "token_key_missing", "401"), "Google gives us no access any more"),
}
_SERVERS_FAULT = frozenset(map(str, range(500, 600)))


def of_reading(error: str) -> str:
    """`error`: a calendar's, such as `Missing: notFound`."""
    return _READING.get(error.partition(":")[0], "it could not be read, and is tried again")


def of_writing(error: str) -> str:
    """`error`: an event's or an ending's, such as `requiredAccessLevel`. What nobody has foreseen is mostly the network's."""
    if error in _SERVERS_FAULT:
        return _NO_ANSWER
    return _WRITING.get(error, "it did not come through to Google, or Google did not take it")
