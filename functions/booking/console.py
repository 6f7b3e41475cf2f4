"""What who signs in sees first: who they are, and their accounts. The operator's console begins here."""

from markupsafe import Markup

from functions.adapters.signing import form_token
from functions.booking.cross_site import FORM_TOKEN
from functions.booking.me import accounts_of
from functions.booking.pages import page
from functions.booking.routing import Answer, Call, Route
from functions.booking.signing_in import HOME, must_sign_in


def show(call: Call) -> Answer:
    if call.caller.signed_in is None:
        return Answer(response=must_sign_in(HOME))
    accounts = Markup("").join(
        Markup("<li>{name} ({role})</li>").format(name=each.name, role=each.role) for each in accounts_of(call)
    )
    body = Markup("{who}<h2>Your accounts</h2><ul>{accounts}</ul>{leave}").format(
        who=_who(call), accounts=accounts, leave=_leave_forms(call)
    )
    return Answer(response=page("Bookings", body))


def _who(call: Call) -> Markup:
    return Markup("<p>Signed in as <strong>{}</strong></p>").format(call.signed_in.person.email)


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


ROUTES = (Route(method="GET", path=HOME, handler=show, access="page"),)
