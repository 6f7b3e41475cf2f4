"""The control interface for tests and demos. What each address does is written in the package's docstring."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, TypeVar

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.google import errors
from infra.local.google.calendars import Calendar
from infra.local.google.control_bodies import (
    Body,
    CalendarChange,
    Conference,
    FreeBusyError,
    Lag,
    Limit,
    Narrowing,
    NewCalendar,
    NewFault,
    NewGrant,
    NewUser,
    PagingChange,
    PushBehaviour,
    RoleChange,
    Testing,
    TokenLifetime,
    UsageLimit,
    UserChange,
    WhichCalendar,
    WhichUser,
)
from infra.local.google.control_events import EventControl
from infra.local.google.faults import Fault, Paging, RateLimit
from infra.local.google.people import check_zone
from infra.local.google.push import Behaviour, message_json, now_ms
from infra.local.google.watching import channel_json
from infra.local.google.world import World

Json = dict[str, Any]
Endpoint = Callable[[Request], Awaitable[Json | list[Json] | None]]

AnyBody = TypeVar("AnyBody", bound=Body)


class Control:
    """The control endpoints of one world. `on_user` is told of people whose sign-in must end."""

    def __init__(self, world: World, *, end_sessions: Callable[[str], None]) -> None:
        self._world = world
        self._end_sessions = end_sessions

    def routes(self) -> list[Route]:
        events = EventControl(self._world)
        table: list[tuple[str, str, Endpoint]] = [
            ("GET", "users", self.users),
            ("POST", "users", self.create_user),
            ("PATCH", "users/{email}", self.change_user),
            ("POST", "grants", self.create_grant),
            ("POST", "grants/expire", self.expire_access),
            ("POST", "grants/revoke", self.revoke),
            ("POST", "grants/narrow", self.narrow),
            ("POST", "grants/run-out", self.run_out),
            ("PUT", "testing", self.set_testing),
            ("PUT", "tokens", self.set_lifetime),
            ("POST", "calendars", self.create_calendar),
            ("PATCH", "calendars/{id}", self.change_calendar),
            ("DELETE", "calendars/{id}", self.delete_calendar),
            ("PUT", "calendars/{id}/roles", self.set_role),
            ("POST", "calendars/{id}/expire-sync-tokens", self.expire_sync_tokens),
            ("POST", "calendar-lists/{email}/expire-sync-tokens", self.expire_list_tokens),
            ("POST", "calendars/{id}/events", events.add_raw),
            ("POST", "calendars/{id}/fill", events.fill),
            ("POST", "calendars/{id}/forget-deleted", events.forget_deleted),
            ("PUT", "push", self.set_push),
            ("GET", "pushes", self.pushes),
            ("GET", "pushes/idle", self.pushes_idle),
            ("GET", "channels", self.channels),
            ("POST", "channels/expire", self.expire_channels),
            ("GET", "faults", self.faults),
            ("POST", "faults", self.add_fault),
            ("DELETE", "faults", self.clear_faults),
            ("PUT", "paging", self.set_paging),
            ("PUT", "lag", self.set_lag),
            ("PUT", "freebusy", self.set_freebusy),
            ("PUT", "limits", self.set_limit),
            ("PUT", "usage-limit", self.set_usage_limit),
            ("PUT", "conference", self.set_conference),
            ("GET", "calls", self.calls),
            ("GET", "mismatches", self.mismatches),
            ("DELETE", "mismatches", self.clear_mismatches),
            ("POST", "reset", self.reset),
        ]
        return [Route(f"/control/{path}", self._guard(end), methods=[method]) for method, path, end in table]

    def _guard(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        async def run(request: Request) -> Response:
            try:
                result = await endpoint(request)
            except errors.ApiError as error:
                return JSONResponse(error.body(), error.status)
            except (ValidationError, ValueError) as error:
                return JSONResponse(errors.invalid(str(error)).body(), 400)
            self._world.commit()
            return Response(status_code=204) if result is None else JSONResponse(result)

        return run

    def _calendar(self, request: Request) -> Calendar:
        return self._world.calendars.get(request.path_params["id"])

    # People and grants

    async def users(self, request: Request) -> Json:
        return {
            "users": [
                {"email": p.email, "name": p.name, "sub": p.sub, "time_zone": p.time_zone, "suspended": p.suspended}
                for p in self._world.people
            ]
        }

    async def create_user(self, request: Request) -> Json:
        body = await read(request, NewUser)
        person = self._world.add_person(
            email=body.email, password=body.password, name=body.name, time_zone=body.time_zone
        )
        return {"email": person.email, "sub": person.sub, "calendar": person.email}

    async def change_user(self, request: Request) -> None:
        body = await read(request, UserChange)
        person = self._world.people.get(request.path_params["email"])
        if body.password is not None:
            self._world.people.set_password(person, body.password)
            self._end_sessions(person.email)
        if body.suspended is not None:
            person.suspended = body.suspended
        if body.calendar_service is not None:
            person.calendar_service = body.calendar_service
        if body.time_zone is not None:
            person.time_zone = check_zone(body.time_zone)
            person.settings_version = self._world.clock.next_version()
            self._world.touch("settings", person.email)
        self._world.people.save(person)

    async def create_grant(self, request: Request) -> Json:
        body = await read(request, NewGrant)
        world, client_id = self._world, self._world.client.id
        person = world.people.get(body.email)
        world.grants.consent(person.email, client_id, body.scopes)
        token = world.grants.issue_refresh(person.email, client_id, body.scopes)
        return {"email": person.email, "sub": person.sub, "refresh_token": token, "scopes": body.scopes}

    async def expire_access(self, request: Request) -> Json:
        body = await read(request, WhichUser)
        return {"expired": self._world.grants.expire_access(body.email)}

    async def revoke(self, request: Request) -> None:
        body = await read(request, WhichUser)
        self._world.grants.revoke_grant(self._world.people.get(body.email or "").email)

    async def narrow(self, request: Request) -> None:
        body = await read(request, Narrowing)
        self._world.grants.narrow(self._world.people.get(body.email).email, body.scopes)

    async def run_out(self, request: Request) -> None:
        body = await read(request, WhichUser)
        self._world.grants.run_out(self._world.people.get(body.email or "").email)

    async def set_testing(self, request: Request) -> None:
        body = await read(request, Testing)
        testers = self._world.grants.testers
        (testers.add if body.on else testers.discard)(self._world.people.get(body.email).email)

    async def set_lifetime(self, request: Request) -> None:
        body = await read(request, TokenLifetime)
        self._world.grants.access_lifetime_seconds = body.access_lifetime_seconds

    # Calendars

    async def create_calendar(self, request: Request) -> Json:
        body = await read(request, NewCalendar)
        if body.time_zone is not None:
            check_zone(body.time_zone)
        calendar = self._world.add_calendar(
            owner=self._world.people.get(body.owner),
            summary=body.summary,
            time_zone=body.time_zone,
            calendar_id=body.id,
            kind=body.kind,
            role=body.role,
        )
        return {"id": calendar.id}

    async def change_calendar(self, request: Request) -> None:
        body = await read(request, CalendarChange)
        calendar = self._calendar(request)
        calendar.kind = body.kind or calendar.kind
        calendar.summary = body.summary or calendar.summary
        if body.time_zone is not None:
            calendar.time_zone = check_zone(body.time_zone)
            self._world.events(calendar).reindex()
        self._world.calendars.changed(calendar)

    async def delete_calendar(self, request: Request) -> None:
        self._world.delete_calendar(self._calendar(request))

    async def set_role(self, request: Request) -> None:
        body = await read(request, RoleChange)
        calendar = self._calendar(request)
        person = self._world.people.get(body.email)
        self._world.give_role(calendar, {"type": "user", "value": person.email}, body.role)
        if body.listed and body.role != "none" and not self._world.lists.find(person.email, calendar.id):
            self._world.list_calendar(person.email, calendar.id)

    async def expire_sync_tokens(self, request: Request) -> None:
        calendar = self._calendar(request)
        calendar.token_epoch += 1
        self._world.calendars.save(calendar)

    async def expire_list_tokens(self, request: Request) -> None:
        person = self._world.people.get(request.path_params["email"])
        self._world.list_tokens_from[person.email] = self._world.clock.next_version()

    # Pushes

    async def set_push(self, request: Request) -> None:
        body = await read(request, PushBehaviour)
        behaviour = Behaviour(**body.model_dump(exclude={"calendar", "seed"}))
        pusher = self._world.pusher
        if body.seed is not None:
            pusher.seed(body.seed)
        if body.calendar is None:
            pusher.default = behaviour
        else:
            pusher.by_target[body.calendar] = behaviour

    async def pushes(self, request: Request) -> Json:
        since = int(request.query_params.get("since", "0"))
        return {"pushes": [message_json(message) for message in self._world.pusher.log if message.seq > since]}

    async def pushes_idle(self, request: Request) -> Json:
        target = request.query_params.get("calendar")
        idle = await self._world.pusher.wait_idle(float(request.query_params.get("timeout", "10")), target)
        return {"idle": idle, "in_flight": self._world.pusher.in_flight(target)}

    async def channels(self, request: Request) -> Json:
        now = now_ms()
        return {
            "channels": [
                {
                    **{name: value for name, value in channel_json(channel).items() if name != "token"},
                    "kind": channel.kind,
                    "target": channel.target,
                    "user": channel.email,
                    "address": channel.address,
                    "live": not channel.stopped and channel.expiration_ms > now,
                }
                for channel in self._world.channels.all()
            ]
        }

    async def expire_channels(self, request: Request) -> Json:
        body = await read(request, WhichCalendar)
        channels = [c for c in self._world.channels.all() if body.calendar in (None, c.target)]
        return {"expired": self._world.channels.expire(channels, now_ms())}

    # Trouble

    async def faults(self, request: Request) -> Json:
        return {"faults": [asdict(fault) for fault in self._world.faults.ordered]}

    async def add_fault(self, request: Request) -> None:
        body = await read(request, NewFault)
        self._world.faults.ordered.append(Fault(**body.model_dump()))

    async def clear_faults(self, request: Request) -> None:
        self._world.faults.reset()
        self._world.freebusy_errors.clear()

    async def set_paging(self, request: Request) -> None:
        body = await read(request, PagingChange)
        self._world.faults.set_paging(body.calendar or "*", Paging(body.max_page, body.empty_every))

    async def set_lag(self, request: Request) -> None:
        body = await read(request, Lag)
        self._world.faults.lag[body.calendar or "*"] = body.lists

    async def set_freebusy(self, request: Request) -> None:
        body = await read(request, FreeBusyError)
        self._world.freebusy_errors.pop(body.calendar, None)
        if body.reason is not None:
            self._world.freebusy_errors[body.calendar] = body.reason

    async def set_limit(self, request: Request) -> None:
        body = await read(request, Limit)
        self._world.faults.limits.pop(body.user or "*", None)
        if body.per_minute is not None:
            self._world.faults.limits[body.user or "*"] = RateLimit(body.per_minute, body.status, body.reason)

    async def set_usage_limit(self, request: Request) -> None:
        body = await read(request, UsageLimit)
        (self._world.faults.usage_limited.add if body.on else self._world.faults.usage_limited.discard)(
            body.user or "*"
        )

    async def set_conference(self, request: Request) -> None:
        body = await read(request, Conference)
        self._world.conference.delay_ms = body.delay_ms
        self._world.conference.fail = body.fail

    # Looking on

    async def calls(self, request: Request) -> Json:
        return self._world.journal.since(int(request.query_params.get("since", "0")))

    async def mismatches(self, request: Request) -> Json:
        return {"mismatches": [asdict(mismatch) for mismatch in self._world.journal.mismatches]}

    async def clear_mismatches(self, request: Request) -> None:
        self._world.journal.mismatches.clear()

    async def reset(self, request: Request) -> None:
        body = await read(request, WhichUser)
        if body.email is None:
            for person in self._world.people:
                self._end_sessions(person.email)
            self._world.reset()
            return
        person = self._world.people.get(body.email)
        self._end_sessions(person.email)
        self._world.forget_person(person)


async def read(request: Request, model: type[AnyBody]) -> AnyBody:
    """The JSON body as a model; an empty body is an empty object."""
    return model.model_validate_json(await request.body() or b"{}")
