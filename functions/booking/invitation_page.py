"""Where the address in the mail of an invitation leads. Its token is behind the #, which no browser sends and no log holds: a script puts it into the form,
and keeps it while its reader is away to sign in.
"""

from markupsafe import Markup

from functions.booking.console import token_field
from functions.booking.invitations import join
from functions.booking.pages import page, problems, redirect
from functions.booking.routing import Answer, Call, Route
from functions.booking.signing_in import HOME, must_sign_in
from functions.domain.errors import Refusal

_PATH = "/invitation"
_SCRIPT = """
if (location.hash.length > 1) {
  sessionStorage.setItem("invitation", location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
}
for (const field of document.querySelectorAll("input[name=token]"))
  field.value = sessionStorage.getItem("invitation") || field.value;
"""


def show(call: Call) -> Answer:
    """What an invitation needs: to be signed in, and then to be accepted."""
    if call.caller.signed_in is not None:
        return _form(call)
    body = Markup(
        "<p>Sign in with a Google account that has the address to which the invitation was sent.</p>"
        '<p><a class="button" href="/signin?return_to={}">Sign in with Google</a></p>'
    ).format(_PATH)
    return Answer(response=page("You are invited", body, script=_SCRIPT))


def accept(call: Call) -> Answer:
    """From the form."""
    if call.caller.signed_in is None:
        return Answer(response=must_sign_in(_PATH))
    try:
        join(call, call.request.form.get("token", ""))
    except Refusal as refusal:
        return _form(call, refusal.detail, status=refusal.status)
    return Answer(response=redirect(HOME))


def _form(call: Call, *wrong: str, status: int = 200) -> Answer:
    body = Markup(
        '{problems}<p>Signed in as <strong>{email}</strong></p><form method="post" action="{path}">{token}'
        '<label>Invitation (what stands behind the # in the mail) <input name="token" required maxlength="300" autocomplete="off"></label>'
        "<button>Join</button></form>"
    ).format(
        problems=problems(*wrong),
        email=call.signed_in.person.email,
        path=_PATH,
        token=token_field(call),
    )
    # Who is signed in no more is led to Google by the form that they send.
    leads_to = (call.application.settings.oauth_authorize_url,)
    return Answer(response=page("You are invited", body, status=status, script=_SCRIPT, leads_to=leads_to))


ROUTES = (
    Route(method="GET", path=_PATH, handler=show, access="page"),
    Route(method="POST", path=_PATH, handler=accept, access="page"),
)
