"""The bodies that the control interface takes. What each field means is written in the package's docstring."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from infra.local.google.calendars import Kind

CALENDAR_SCOPES = [
    "openid",
    "https://www.googleapis.com/auth/userinfo.email",
    "https://www.googleapis.com/auth/calendar",
]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewUser(Body):
    email: str
    password: str
    name: str = "Somebody"
    time_zone: str = "Europe/Berlin"


class UserChange(Body):
    password: str | None = None
    suspended: bool | None = None
    calendar_service: bool | None = None
    time_zone: str | None = None


class NewGrant(Body):
    email: str
    scopes: list[str] = Field(default_factory=lambda: list(CALENDAR_SCOPES))


class WhichUser(Body):
    email: str | None = None


class Narrowing(Body):
    email: str
    scopes: list[str]


class Testing(Body):
    email: str
    on: bool


class TokenLifetime(Body):
    access_lifetime_seconds: int


class NewCalendar(Body):
    owner: str
    summary: str
    time_zone: str | None = None
    id: str | None = None
    kind: Kind = "normal"
    role: str = "owner"


class CalendarChange(Body):
    kind: Kind | None = None
    summary: str | None = None
    time_zone: str | None = None


class RoleChange(Body):
    email: str
    role: str
    listed: bool = True


class PushBehaviour(Body):
    calendar: str | None = None
    drop: float = Field(0, ge=0, le=1)
    duplicate: float = Field(0, ge=0, le=1)
    reorder: float = Field(0, ge=0, le=1)
    delay_ms: tuple[int, int] = (0, 0)
    hold_ms: int = 1000
    sync_before_answer: bool = False
    retry_base_ms: int = 500
    max_attempts: int = 8
    seed: int | None = None


class NewFault(Body):
    method: str = ""
    path: str = ""
    user: str = ""
    times: int = 1
    when: Literal["before", "after"] = "before"
    status: int = 503
    reason: str = "backendError"
    message: str = "Backend Error"
    retry_after: int | None = None
    drop: bool = False
    delay_ms: int = 0


class PagingChange(Body):
    calendar: str | None = None
    max_page: int | None = Field(None, ge=1)
    empty_every: int | None = Field(None, ge=2)


class Lag(Body):
    calendar: str | None = None
    lists: int = 1


class FreeBusyError(Body):
    calendar: str
    reason: Literal["notFound", "internalError", "tooManyCalendarsRequested", "groupTooBig"] | None = None


class Limit(Body):
    user: str | None = None
    per_minute: int | None
    status: Literal[403, 429] = 403
    reason: Literal["rateLimitExceeded", "userRateLimitExceeded"] = "rateLimitExceeded"


class UsageLimit(Body):
    user: str | None = None
    on: bool


class Conference(Body):
    delay_ms: int = 300
    fail: bool = False


class WhichCalendar(Body):
    calendar: str | None = None
