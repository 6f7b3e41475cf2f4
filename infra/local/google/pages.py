"""Pages for a person: who and what is here, and one page per calendar to add, move and delete events.

Each action goes through the same code as the API, acting as the calendar's owner, so that etags, pushes and tombstones
are the same as if the person's own calendar program had done it.
"""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, time, timedelta
from html import escape
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from infra.local.google import errors
from infra.local.google.calendars import WRITER, Calendar, at_least
from infra.local.google.event_listing import Listing
from infra.local.google.event_query import read_query
from infra.local.google.event_times import wall, zone
from infra.local.google.event_view import View
from infra.local.google.event_writes import EventWriter
from infra.local.google.html import Form, checkbox, field, hidden, items, page, problem, read_form
from infra.local.google.world import World

Json = dict[str, Any]
Action = Callable[[EventWriter, Form], Json | None]

_PAGE_SIZE = 2500


class CalendarPages:
    """The pages of one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        return [
            Route("/", self.people),
            Route("/calendar/{id}", self.calendar),
            Route("/calendar/{id}/add", self._action(add_event), methods=["POST"]),
            Route("/calendar/{id}/move", self._action(move_event), methods=["POST"]),
            Route("/calendar/{id}/delete", self._action(delete_event), methods=["POST"]),
        ]

    async def people(self, request: Request) -> Response:
        sections = []
        for person in self._world.people:
            links = []
            for entry in self._world.lists.entries(person.email):
                calendar = self._world.calendars.find(entry.calendar_id)
                if calendar is not None and not entry.deleted:
                    role = calendar.role_of(person.email)
                    link = f'<a href="{_address(calendar)}">{escape(calendar.summary)}</a>'
                    links.append(f'{link} <span class="muted">{escape(role)}, {escape(calendar.time_zone)}</span>')
            title = f"{escape(person.name)} <span class='muted'>{escape(person.email)}</span>"
            sections.append(f"<section><h2>{title}</h2>{items(links)}</section>")
        return page("People and calendars", "".join(sections) or "<p>Nobody has an account here yet.</p>")

    async def calendar(self, request: Request) -> Response:
        calendar = self._world.calendars.find(request.path_params["id"])
        if calendar is None:
            return page("No such calendar", problem("There is no calendar under this address."), status=404)
        return self._calendar_page(calendar, _monday(request.query_params.get("week"), calendar))

    def _action(self, action: Action) -> Callable[[Request], Awaitable[Response]]:
        async def run(request: Request) -> Response:
            form = await read_form(request)
            calendar = self._world.calendars.find(request.path_params["id"])
            if calendar is None:
                return page("No such calendar", problem("There is no calendar under this address."), status=404)
            week = _monday(form.get("week") or form.get("start"), calendar)
            try:
                owner = self._world.people.get(calendar.owner)
                if not at_least(calendar.role_of(owner.email), WRITER):
                    raise errors.access_level("writer")
                action(EventWriter(self._world, calendar, owner), form)
            except errors.ApiError as error:
                return self._calendar_page(calendar, week, text=error.message, status=error.status)
            except ValueError as error:
                return self._calendar_page(calendar, week, text=f"Not a valid time: {error}", status=400)
            self._world.commit()
            return RedirectResponse(f"{_address(calendar)}?week={week.isoformat()}", status_code=303)

        return run

    def _calendar_page(self, calendar: Calendar, monday: date, *, text: str = "", status: int = 200) -> Response:
        days = []
        events = self._week(calendar, monday)
        for offset in range(7):
            day = monday + timedelta(days=offset)
            shown = [_event(calendar, event, monday) for event in events if _on(event, day)]
            heading = f"<h2>{day.strftime('%A')} <time datetime='{day}'>{day}</time></h2>"
            days.append(heading + ("".join(shown) or '<p class="muted">Nothing.</p>'))
        address = _address(calendar)
        before, after = monday - timedelta(days=7), monday + timedelta(days=7)
        navigation = (
            f'<nav aria-label="Weeks"><a href="{address}?week={before}">Week before</a> · '
            f'<a href="{address}?week={after}">Week after</a></nav>'
        )
        about = f'<p class="muted">{escape(calendar.id)} · times in {escape(calendar.time_zone)}</p>'
        return page(
            calendar.summary,
            about + problem(text) + navigation + _add_form(calendar, monday) + "".join(days),
            status=status,
        )

    def _week(self, calendar: Calendar, monday: date) -> list[Json]:
        start = datetime.combine(monday, time(), zone(calendar.time_zone))
        end = datetime.combine(monday + timedelta(days=7), time(), zone(calendar.time_zone))
        query = read_query(
            {
                "singleEvents": True,
                "timeMin": start.isoformat(),
                "timeMax": end.isoformat(),
                "maxResults": _PAGE_SIZE,
            },
            role="owner",
        )
        view = View(calendar=calendar, role="owner", email=calendar.owner, public_url=self._world.public_url)
        return [shown for _, shown in Listing(self._world, view, query).everything(None)]


def add_event(writer: EventWriter, form: Form) -> Json | None:
    """summary, start and end (`2027-03-01T10:00`, in the calendar's zone), all_day, weekly."""
    body: Json = {"summary": form.get("summary"), **_times(form, writer.calendar, all_day=bool(form.get("all_day")))}
    if form.get("weekly"):
        body["recurrence"] = ["RRULE:FREQ=WEEKLY"]
    return writer.insert(body).body


def move_event(writer: EventWriter, form: Form) -> Json | None:
    """event, start and end; bare dates for an all-day event, the last day included."""
    all_day = "T" not in form.get("start")
    times = _times(form, writer.calendar, all_day=all_day)
    # Null deletes what the other kind of time has.
    other: Json = {"dateTime": None, "timeZone": None} if all_day else {"date": None}
    return writer.patch(form.get("event"), {name: {**other, **value} for name, value in times.items()}).body


def delete_event(writer: EventWriter, form: Form) -> Json | None:
    writer.delete(form.get("event"))
    return None


def _times(form: Form, calendar: Calendar, *, all_day: bool) -> Json:
    start, end = datetime.fromisoformat(form.get("start")), datetime.fromisoformat(form.get("end"))
    if all_day:
        after = end.date() + timedelta(days=1)
        return {"start": {"date": start.date().isoformat()}, "end": {"date": after.isoformat()}}
    return {
        name: {"dateTime": moment.replace(tzinfo=None).isoformat(), "timeZone": calendar.time_zone}
        for name, moment in (("start", start), ("end", end))
    }


def _address(calendar: Calendar) -> str:
    return f"/calendar/{quote(calendar.id, safe='')}"


def _monday(text: str | None, calendar: Calendar) -> date:
    try:
        day = date.fromisoformat((text or "")[:10])
    except ValueError:
        day = datetime.now(zone(calendar.time_zone)).date()
    return day - timedelta(days=day.weekday())


def _on(event: Json, day: date) -> bool:
    start, end = _wall(event, "start"), _wall(event, "end")
    midnight = datetime.combine(day, time())
    return start < midnight + timedelta(days=1) and (end > midnight or start == end >= midnight)


def _wall(event: Json, name: str) -> datetime:
    value = event[name]
    if "date" in value:
        return wall(value)
    # The view has already written the offset of the calendar's zone.
    return datetime.fromisoformat(value["dateTime"]).replace(tzinfo=None)


def _event(calendar: Calendar, event: Json, monday: date) -> str:
    all_day = "date" in event["start"]
    start, end = _wall(event, "start"), _wall(event, "end")
    if all_day:
        end -= timedelta(days=1)
        when, kind, form = "all day", "date", "%Y-%m-%d"
    else:
        when, kind, form = f"{start:%H:%M} to {end:%H:%M}", "datetime-local", "%Y-%m-%dT%H:%M"
    title = escape(event.get("summary", "(no title)"))
    css = "free" if event.get("transparency") == "transparent" else ""
    marks = hidden("event", event["id"]) + hidden("week", monday.isoformat())
    address = _address(calendar)
    move = (
        f'<form method="post" action="{address}/move" class="row" aria-label="Move {title}">{marks}'
        + field("Start", "start", kind=kind, value=start.strftime(form), extra="required")
        + field("End", "end", kind=kind, value=end.strftime(form), extra="required")
        + '<button type="submit">Move</button></form>'
    )
    delete = _delete_form(address, marks, "Delete", title)
    if "recurringEventId" in event:
        series = hidden("event", event["recurringEventId"]) + hidden("week", monday.isoformat())
        delete += _delete_form(address, series, "Delete the whole series", title)
    return (
        f'<article class="{css}"><strong>{title}</strong> <span class="muted">{when}</span>'
        f'<div class="row">{move}{delete}</div></article>'
    )


def _delete_form(address: str, marks: str, word: str, title: str) -> str:
    return (
        f'<form method="post" action="{address}/delete">{marks}'
        f'<button type="submit" class="quiet" aria-label="{word}: {title}">{word}</button></form>'
    )


def _add_form(calendar: Calendar, monday: date) -> str:
    start = datetime.combine(monday, time(10))
    return (
        f'<form method="post" action="{_address(calendar)}/add"><fieldset><legend>Add an event</legend>'
        '<div class="row">'
        + field("Title", "summary", extra="required")
        + field("Start", "start", kind="datetime-local", value=start.strftime("%Y-%m-%dT%H:%M"), extra="required")
        + field(
            "End",
            "end",
            kind="datetime-local",
            value=(start + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M"),
            extra="required",
        )
        + checkbox("All day", "all_day", "1")
        + checkbox("Every week", "weekly", "1")
        + '<button type="submit">Add</button></div></fieldset></form>'
    )
