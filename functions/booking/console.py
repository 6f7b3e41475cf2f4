"""What who signs in sees first: who they are, their accounts, and the set-up of one. The operator's console begins here."""

import secrets
from collections.abc import Sequence
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from markupsafe import Markup
from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from functions.adapters.signing import form_token
from functions.adapters.store import queries
from functions.booking.accounts import NewAccount, create
from functions.booking.cross_site import FORM_TOKEN
from functions.booking.me import Membership, accounts_of
from functions.booking.pages import page, problems, redirect
from functions.booking.routing import Answer, Call, Route
from functions.booking.signing_in import HOME, must_sign_in
from functions.domain.calendar import Calendar
from functions.domain.configuration import Resource
from functions.domain.errors import IdempotencyMismatch, Refusal, RequestInFlight
from functions.domain.setting_up import USUAL_HOURS

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SET_UP = f"{HOME}/accounts"
_FIRST = Markup("<h2>Set up your business</h2>")
_ONCE = "once"  # of a form, each time that it is shown, another one

# The zone of the browser, where the form still names none; connecting a Google account, and using a calendar of it, by the very calls that other programs make.
_SCRIPT = """
for (const zone of document.querySelectorAll("select[data-unset]"))
  zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || zone.value;
for (const button of document.querySelectorAll("button[data-connect]"))
  button.addEventListener("click", async () => {
    const answer = await fetch(`/v1/accounts/${button.dataset.connect}/connections`, {
      method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({return_to: location.href})
    });
    const body = await answer.json();
    if (answer.ok) location.assign(body.consent_url); else alert(body.detail);
  });
for (const button of document.querySelectorAll("button[data-calendar]"))
  button.addEventListener("click", async () => {
    const {account, calendar, resource, written} = button.dataset;
    const body = {blocks: [resource], destination_for: written ? [resource] : []};
    const answer = await fetch(`/v1/accounts/${account}/calendars/${calendar}`, {
      method: "PUT", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)
    });
    if (answer.ok) location.reload(); else alert((await answer.json()).detail);
  });
"""


def show(call: Call) -> Answer:
    """Who is signed in, and their accounts; or the form of a first one."""
    if call.caller.signed_in is None:
        return Answer(response=must_sign_in(HOME))
    accounts = accounts_of(call)
    form = _set_up_form(call, MultiDict(), errors=())
    listed = Markup("<h2>Your accounts</h2><ul>{}</ul>").format(
        Markup("").join(_account(call, each) for each in accounts)
    )
    more = Markup("<details><summary>Another account</summary>{}</details>").format(form)
    return _page(call, listed + more if accounts else _FIRST + form)


def set_up(call: Call) -> Answer:
    """From the form. What is wrong with it is said above it, and what was filled in stays. Pressed twice, it makes one account."""
    if call.caller.signed_in is None:
        return Answer(response=must_sign_in(HOME))
    given = call.request.form
    try:
        create(call, NewAccount.model_validate(_from_form(given)), form_key=given.get(_ONCE, ""))
    except ValidationError as error:
        wrong = tuple(f"{_field(item['loc'])}: {item['msg']}" for item in error.errors(include_input=False))
    except RequestInFlight:
        return Answer(response=redirect(HOME))  # the same form has made the account while this one came
    except IdempotencyMismatch:
        wrong = ("This form has made an account already. Send it again for another one.",)
    except Refusal as refusal:
        wrong = (refusal.detail,)
    else:
        return Answer(response=redirect(HOME))
    return _page(call, _FIRST + _set_up_form(call, given, errors=wrong), status=422)


def _from_form(given: MultiDict[str, str]) -> dict[str, Any]:
    return {
        "name": given.get("name", ""),
        "time_zone": given.get("time_zone", ""),
        "hours": [{"days": given.getlist("days"), "start": given.get("start", ""), "end": given.get("end", "")}],
        "service": {"name": given.get("service", ""), "duration_minutes": given.get("duration_minutes", "")},
    }


def _field(place: tuple[int | str, ...]) -> str:
    return " ".join(str(part).replace("_", " ") for part in place if not isinstance(part, int))


def _page(call: Call, body: Markup, *, status: int = 200) -> Answer:
    who = Markup("<p>Signed in as <strong>{}</strong></p>").format(call.signed_in.person.email)
    whole = who + body + Markup("<h2>Sign out</h2>") + _leave_forms(call)
    # Who is signed in no more is led to Google by the form that they send.
    leads_to = (call.application.settings.oauth_authorize_url,)
    return Answer(response=page("Bookings", whole, status=status, script=_SCRIPT, leads_to=leads_to))


def _account(call: Call, account: Membership) -> Markup:
    connect: Markup | str = ""
    if "connections" in account.permissions:
        connect = Markup(' <button class="quiet" data-connect="{}">Connect a Google calendar</button>').format(
            account.id
        ) + _calendars(call, account.id)
    return Markup("<li>{name}, as {role}{connect}</li>").format(name=account.name, role=account.role, connect=connect)


def _calendars(call: Call, account: str) -> Markup:
    """Those that the account reaches, and what they do; not those of a connection that was ended. Where there is one resource only, there is no question
    whose time one of them is.
    """
    store = call.application.store
    calendars: list[Calendar] = queries.all_of(store, account, Calendar)
    resources = queries.resources(store, account)
    ended = {each.id for each in queries.connections(store, account) if each.status == "disconnected"}
    shown = sorted(
        (each for each in calendars if each.state == "active" and each.connection not in ended),
        key=lambda each: (not each.primary, each.summary),
    )
    whose = resources[0] if len(resources) == 1 else None
    lines = Markup("").join(
        Markup("<li>{}: {}</li>").format(each.summary, _use(each, account, resources, whose)) for each in shown
    )
    return Markup("<ul>{}</ul>").format(lines) if shown else Markup("")


def _use(calendar: Calendar, account: str, resources: Sequence[Resource], whose: Resource | None) -> Markup:
    names = {each.id: each.name for each in resources}
    does = []
    if calendar.resources:
        does.append(f"closes the time of {', '.join(names.get(each, each) for each in calendar.resources)}")
    if calendar.destination_for:
        does.append(f"gets the bookings of {', '.join(names.get(each, each) for each in calendar.destination_for)}")
    if does or whose is None:
        return Markup("{}").format(" and ".join(does) or "not used")
    return Markup(
        'not used <button class="quiet" data-account="{account}" data-calendar="{calendar}" data-resource="{resource}"{written}>'
        "Use {summary} for {name}</button>"
    ).format(
        account=account,
        calendar=calendar.id,
        resource=whose.id,
        summary=calendar.summary,
        name=whose.name,
        written=Markup(' data-written="yes"') if calendar.can_write else "",
    )


def _set_up_form(call: Call, given: MultiDict[str, str], *, errors: tuple[str, ...]) -> Markup:
    usual = USUAL_HOURS[0]
    days = given.getlist("days") or [str(day) for day in usual.days]
    return Markup(
        '{errors}<form method="post" action="{action}">{token}'
        '<input type="hidden" name="{once}" value="{key}" autocomplete="off">'
        '<label>Name of the business <input name="name" required maxlength="200" value="{name}"></label>'
        '<label>Time zone <select name="time_zone"{unset}>{zones}</select></label>'
        "<fieldset><legend>Open</legend>{days}"
        '<label>from <input type="time" name="start" required value="{start}"></label>'
        '<label>to <input type="time" name="end" required value="{end}"></label></fieldset>'
        '<label>What can be booked first <input name="service" required maxlength="200" value="{service}"></label>'
        '<label>How many minutes it takes <input type="number" name="duration_minutes" required min="1" value="{minutes}"></label>'
        "<button>Set up</button></form>"
    ).format(
        errors=problems(*errors),
        action=_SET_UP,
        token=token_field(call),
        once=_ONCE,
        key=secrets.token_urlsafe(16),
        name=given.get("name", ""),
        unset="" if given.get("time_zone") else Markup(" data-unset"),
        zones=_zones(given.get("time_zone") or "UTC"),
        days=Markup("").join(_day(number, name, days) for number, name in enumerate(_DAYS, start=1)),
        start=given.get("start") or usual.start,
        end=given.get("end") or usual.end,
        service=given.get("service") or "Appointment",
        minutes=given.get("duration_minutes") or "30",
    )


def _day(number: int, name: str, chosen: list[str]) -> Markup:
    mark = Markup(" checked") if str(number) in chosen else ""
    return Markup('<label class="check"><input type="checkbox" name="days" value="{}"{}> {}</label>').format(
        number, mark, name
    )


def _zones(chosen: str) -> Markup:
    return Markup("").join(
        Markup('<option value="{0}"{1}>{0}</option>').format(name, Markup(" selected") if name == chosen else "")
        for name in _zone_names()
    )


@cache
def _zone_names() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))


def token_field(call: Call) -> Markup:
    """For every form of ours that changes anything."""
    token = form_token(call.application.settings.signing_keys[0], call.signed_in.browser)
    return Markup('<input type="hidden" name="{}" value="{}">').format(FORM_TOKEN, token)


def _leave_forms(call: Call) -> Markup:
    return Markup(
        '<form method="post" action="/signout">{token}<button class="quiet">Sign out</button></form>'
        '<form method="post" action="/signout">{token}<input type="hidden" name="everywhere" value="yes">'
        '<button class="quiet">Sign out everywhere</button></form>'
    ).format(token=token_field(call))


ROUTES = (
    Route(method="GET", path=HOME, handler=show, access="page"),
    Route(method="POST", path=_SET_UP, handler=set_up, access="page"),
)
