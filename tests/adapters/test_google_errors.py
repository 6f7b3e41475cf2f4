"""Google's answers in one table: section 1.4 of the contract notes, reason by reason."""

import pytest

from functions.adapters import google_errors as errors
from functions.adapters.google_errors import GoogleError, error_of

ANSWERS = [
    (400, "badRequest", errors.OurMistake),
    (400, "invalid", errors.OurMistake),
    (400, "timeRangeEmpty", errors.OurMistake),
    (400, "channelIdNotUnique", errors.OurMistake),
    (400, "pushNotSupportedForRequestedResource", errors.NotPushable),  # case 24
    (401, "authError", errors.AccessLost),
    (403, "userRateLimitExceeded", errors.RateLimited),  # case 68
    (403, "rateLimitExceeded", errors.RateLimited),
    (429, "rateLimitExceeded", errors.RateLimited),
    (429, "", errors.RateLimited),
    (403, "quotaExceeded", errors.UsageLimit),  # case 69
    (403, "insufficientPermissions", errors.AccessLost),  # case 81
    (403, "notACalendarUser", errors.AccessLost),  # case 85
    (403, "accessNotConfigured", errors.Unavailable),
    (403, "requiredAccessLevel", errors.Forbidden),  # case 74
    (403, "forbidden", errors.Forbidden),
    (403, "forbiddenForNonOrganizer", errors.Forbidden),
    (403, "forbiddenForServiceAccounts", errors.Forbidden),
    (403, "", errors.Forbidden),
    (404, "notFound", errors.Missing),  # cases 38 and 72
    (409, "duplicate", errors.Duplicate),  # case 92
    (409, "conflict", errors.Duplicate),
    (410, "deleted", errors.AlreadyGone),  # case 115
    (410, "fullSyncRequired", errors.TokenExpired),  # case 45
    (410, "updatedMinTooLongAgo", errors.TokenExpired),
    (410, "", errors.TokenExpired),
    (412, "conditionNotMet", errors.Changed),  # case 96
    (500, "backendError", errors.Unavailable),
    (502, "", errors.Unavailable),
    (503, "backendError", errors.Unavailable),
    (504, "rateLimitExceeded", errors.Unavailable),
    (405, "", errors.OurMistake),
    (418, "teapot", errors.OurMistake),
]


@pytest.mark.parametrize(("status", "reason", "error"), ANSWERS)
def test_an_answer_means_one_error(status: int, reason: str, error: type[GoogleError]) -> None:
    found = error_of(status, reason)
    assert type(found) is error
    assert found.reason == (reason or str(status))
    assert str(found) == found.reason


@pytest.mark.parametrize(("status", "reason"), [(403, "rateLimitExceeded"), (429, ""), (503, "backendError")])
def test_how_long_to_wait_is_passed_on(status: int, reason: str) -> None:
    assert error_of(status, reason, 12.5).retry_after_s == 12.5
    assert error_of(status, reason).retry_after_s is None


def test_every_error_is_one_of_the_tree() -> None:
    named = {each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, GoogleError)}
    made = {error for _, _, error in ANSWERS}
    # A page token's end is told from other bad requests by the call that was made, not by the answer.
    assert named - made == {GoogleError, errors.PageExpired}
