"""Refusals, in the words and the JSON shape of Google's APIs.

Reasons and status codes follow Google's "Handle API errors" guide for Calendar.
"""

from typing import Any


class ApiError(Exception):
    """A refused call: HTTP status, Google's reason, and a message for a person."""

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        *,
        domain: str = "global",
        location: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.domain = domain
        self.location = location
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        detail: dict[str, Any] = {"domain": self.domain, "reason": self.reason, "message": self.message}
        if self.location is not None:
            detail["locationType"] = "header" if self.status in (401, 412) else "parameter"
            detail["location"] = self.location
        return {"error": {"code": self.status, "message": self.message, "errors": [detail]}}


def not_found() -> ApiError:
    return ApiError(404, "notFound", "Not Found")


def invalid(message: str, *, location: str | None = None) -> ApiError:
    return ApiError(400, "invalid", message, location=location)


def required(message: str) -> ApiError:
    return ApiError(400, "required", message)


def invalid_parameter(name: str, message: str) -> ApiError:
    return ApiError(400, "invalidParameter", message, location=name)


def unauthorized() -> ApiError:
    return ApiError(
        401,
        "authError",
        "Invalid Credentials",
        location="Authorization",
        headers={"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'},
    )


def insufficient_scope() -> ApiError:
    return ApiError(403, "insufficientPermissions", "Request had insufficient authentication scopes.")


def access_level(needed: str) -> ApiError:
    return ApiError(
        403, "requiredAccessLevel", f"You need to have {needed} access to this calendar.", domain="calendar"
    )


def forbidden(message: str = "Forbidden") -> ApiError:
    return ApiError(403, "forbidden", message)


def for_non_organizer() -> ApiError:
    return ApiError(
        403,
        "forbiddenForNonOrganizer",
        "Shared properties can only be changed by the organizer of the event.",
        domain="calendar",
    )


def duplicate() -> ApiError:
    return ApiError(409, "duplicate", "The requested identifier already exists.")


def gone() -> ApiError:
    """The second delete, or a patch, of an event that is already deleted."""
    return ApiError(410, "deleted", "Resource has been deleted")


def full_sync_required() -> ApiError:
    return ApiError(
        410,
        "fullSyncRequired",
        "Sync token is no longer valid, a full sync is required.",
        domain="calendar",
        location="syncToken",
    )


def condition_not_met() -> ApiError:
    return ApiError(412, "conditionNotMet", "Precondition Failed", location="If-Match")


def time_range_empty() -> ApiError:
    return ApiError(400, "timeRangeEmpty", "The specified time range is empty.", domain="calendar")


def event_type_restriction(message: str) -> ApiError:
    return ApiError(400, "eventTypeRestriction", message, domain="calendar")


def not_implemented(what: str) -> ApiError:
    return ApiError(501, "notImplemented", f"The local stand-in does not do this: {what}.")
