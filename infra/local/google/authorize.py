"""The browser's side of OAuth: sign in, consent to all or a part, and back to the application with a code.

`GET /o/oauth2/v2/auth` checks the request and shows the sign-in page or, for who is signed in, the consent page. Both
are plain forms; their hidden fields name the request and carry a word that only this browser session knows.
"""

import hmac
import secrets
from dataclasses import dataclass, field
from html import escape
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from infra.local.google.grants import CODE_LIFETIME_SECONDS, Code
from infra.local.google.html import Form, checkbox, hidden, page, problem, read_form
from infra.local.google.html import field as input_field
from infra.local.google.people import Person
from infra.local.google.world import World

COOKIE = "standin_session"
# Granted without a question of their own, as with Google.
IDENTITY_SCOPES = frozenset(
    {
        "openid",
        "email",
        "profile",
        "https://www.googleapis.com/auth/userinfo.email",
        "https://www.googleapis.com/auth/userinfo.profile",
    }
)
_KEPT_REQUESTS = 500


@dataclass(frozen=True)
class Authorization:
    """A checked authorization request, until it is answered."""

    id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None
    nonce: str | None
    challenge: str | None
    challenge_method: str
    offline: bool
    prompts: frozenset[str]
    include_granted: bool
    login_hint: str


@dataclass
class Session:
    """One browser: who is signed in, and the word in its forms. Forgotten at a restart."""

    id: str
    csrf: str
    email: str | None = None
    requests: dict[str, Authorization] = field(default_factory=dict)


class RequestError(Exception):
    """A request that must not be answered by a redirect: shown on a page."""


class AuthorizePages:
    """The pages of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sessions: dict[str, Session] = {}

    def forget_session(self, email: str) -> None:
        for session in self._sessions.values():
            if session.email == email:
                session.email = None

    async def authorize(self, request: Request) -> Response:
        session = self._session(request)
        try:
            given = dict(request.query_params)
            client_redirect = self._check_client(given)
        except RequestError as error:
            return page("Access blocked", problem(str(error)), status=400)
        refusal = self._refusal(given)
        if refusal is not None:
            return _redirect(client_redirect, {"error": refusal, "state": given.get("state")})
        wanted = _authorization(given)
        session.requests[wanted.id] = wanted
        for old in list(session.requests)[:-_KEPT_REQUESTS]:
            del session.requests[old]
        return self._with_cookie(request, session, self._next(session, wanted))

    async def sign_in(self, request: Request) -> Response:
        session, wanted, form = await self._posted(request)
        if wanted is None:
            return _stale()
        person = self._world.people.sign_in(form.get("email"), form.get("password"))
        if person is None:
            text = "Wrong e-mail address or password."
            return self._sign_in_page(session, wanted, text=text, email=form.get("email"), status=401)
        session.email = person.email
        # A new word after signing in, so that one seen before is worth nothing.
        session.csrf = secrets.token_urlsafe(24)
        return RedirectResponse(f"/o/oauth2/consent?request={wanted.id}", status_code=303)

    async def show_consent(self, request: Request) -> Response:
        session = self._session(request)
        wanted = session.requests.get(request.query_params.get("request", ""))
        person = self._signed_in(session)
        if wanted is None:
            return _stale()
        if person is None:
            return self._sign_in_page(session, wanted)
        return self._consent_or_code(session, wanted, person)

    async def consent(self, request: Request) -> Response:
        session, wanted, form = await self._posted(request)
        person = self._signed_in(session)
        if wanted is None or person is None:
            return _stale()
        if form.get("decision") != "allow":
            session.requests.pop(wanted.id, None)
            return _redirect(wanted.redirect_uri, {"error": "access_denied", "state": wanted.state})
        ticked = set(form.all("scope"))
        granted = [scope for scope in wanted.scopes if scope in IDENTITY_SCOPES or scope in ticked]
        if not granted:
            session.requests.pop(wanted.id, None)
            return _redirect(wanted.redirect_uri, {"error": "access_denied", "state": wanted.state})
        return self._answer(session, wanted, person, granted, asked=True)

    # Steps

    def _next(self, session: Session, wanted: Authorization) -> Response:
        person = self._signed_in(session)
        hint = wanted.login_hint.lower()
        if person is not None and hint and hint not in (person.email, person.sub):
            person = None
        if "none" in wanted.prompts:
            return self._silently(session, wanted, person)
        if person is None or "select_account" in wanted.prompts or "login" in wanted.prompts:
            return self._sign_in_page(session, wanted)
        return self._consent_or_code(session, wanted, person)

    def _silently(self, session: Session, wanted: Authorization, person: Person | None) -> Response:
        if person is None:
            return _redirect(wanted.redirect_uri, {"error": "login_required", "state": wanted.state})
        if not set(wanted.scopes) <= self._granted(person):
            return _redirect(wanted.redirect_uri, {"error": "consent_required", "state": wanted.state})
        return self._answer(session, wanted, person, list(wanted.scopes), asked=False)

    def _consent_or_code(self, session: Session, wanted: Authorization, person: Person) -> Response:
        known = set(wanted.scopes) <= self._granted(person)
        if known and "consent" not in wanted.prompts:
            return self._answer(session, wanted, person, list(wanted.scopes), asked=False)
        return self._consent_page(session, wanted, person)

    def _granted(self, person: Person) -> set[str]:
        return set(self._world.grants.consented(person.email, self._world.client.id))

    def _answer(
        self, session: Session, wanted: Authorization, person: Person, granted: list[str], *, asked: bool
    ) -> Response:
        world = self._world
        first = not world.grants.consented(person.email, world.client.id)
        session.requests.pop(wanted.id, None)
        if asked:
            world.grants.consent(person.email, world.client.id, granted)
        scopes = list(granted)
        if wanted.include_granted:
            scopes += [s for s in world.grants.consented(person.email, world.client.id) if s not in scopes]
        code = world.grants.issue_code(
            Code(
                email=person.email,
                client_id=world.client.id,
                redirect_uri=wanted.redirect_uri,
                scopes=scopes,
                nonce=wanted.nonce,
                challenge=wanted.challenge,
                challenge_method=wanted.challenge_method,
                offline=wanted.offline,
                new_refresh_token=first or "consent" in wanted.prompts,
                expires=world.clock.now().timestamp() + CODE_LIFETIME_SECONDS,
            )
        )
        world.commit()
        return _redirect(wanted.redirect_uri, {"state": wanted.state, "code": code, "scope": " ".join(scopes)})

    # Checks

    def _check_client(self, given: dict[str, str]) -> str:
        if given.get("client_id") != self._world.client.id:
            raise RequestError("The OAuth client was not found. (Error 401: invalid_client)")
        redirect_uri = given.get("redirect_uri", "")
        if redirect_uri not in self._world.client.redirect_uris:
            raise RequestError(f"The redirect URI {redirect_uri} is not registered. (Error 400: redirect_uri_mismatch)")
        return redirect_uri

    def _refusal(self, given: dict[str, str]) -> str | None:
        if given.get("response_type") != "code":
            return "unsupported_response_type"
        scopes = given.get("scope", "").split()
        if not scopes or given.get("code_challenge_method", "plain") not in ("plain", "S256"):
            return "invalid_request"
        known = IDENTITY_SCOPES | self._world.discovery.scopes.keys()
        return None if set(scopes) <= known else "invalid_scope"

    # Pages

    def _sign_in_page(
        self, session: Session, wanted: Authorization, *, text: str = "", email: str = "", status: int = 200
    ) -> Response:
        body = (
            f"<p>to continue to <strong>{escape(_site(wanted.redirect_uri))}</strong></p>{problem(text)}"
            f'<form method="post" action="/o/oauth2/signin">{self._marks(session, wanted)}'
            + input_field(
                "E-mail address",
                "email",
                kind="email",
                value=email or wanted.login_hint,
                extra='required autocomplete="username"',
            )
            + input_field("Password", "password", kind="password", extra='required autocomplete="current-password"')
            + '<button type="submit">Sign in</button></form>'
        )
        return page("Sign in", body, status=status)

    def _consent_page(self, session: Session, wanted: Authorization, person: Person) -> Response:
        words = self._world.discovery.scopes
        asked = [scope for scope in wanted.scopes if scope not in IDENTITY_SCOPES]
        boxes = "".join(checkbox(words[scope], "scope", scope, checked=True) for scope in asked)
        body = (
            f"<p><strong>{escape(_site(wanted.redirect_uri))}</strong> wants access to the Google Account "
            f"<strong>{escape(person.email)}</strong>.</p>"
            f'<form method="post" action="/o/oauth2/consent">{self._marks(session, wanted)}'
            f"<fieldset><legend>Choose what it may do</legend>{boxes or 'See who you are.'}</fieldset>"
            '<button type="submit" name="decision" value="allow">Allow</button> '
            '<button type="submit" name="decision" value="deny" class="quiet">Cancel</button></form>'
        )
        return page("Grant access", body)

    def _marks(self, session: Session, wanted: Authorization) -> str:
        return hidden("request", wanted.id) + hidden("csrf", session.csrf)

    # Sessions

    def _session(self, request: Request) -> Session:
        session = self._sessions.get(request.cookies.get(COOKIE, ""))
        if session is None:
            session = Session(secrets.token_urlsafe(24), secrets.token_urlsafe(24))
            self._sessions[session.id] = session
        return session

    def _signed_in(self, session: Session) -> Person | None:
        person = self._world.people.find(session.email) if session.email else None
        return None if person is None or person.suspended else person

    def _with_cookie(self, request: Request, session: Session, response: Response) -> Response:
        if request.cookies.get(COOKIE) != session.id:
            response.set_cookie(COOKIE, session.id, httponly=True, samesite="lax", path="/o/oauth2")
        return response

    async def _posted(self, request: Request) -> tuple[Session, Authorization | None, Form]:
        session = self._session(request)
        form = await read_form(request)
        wanted = session.requests.get(form.get("request"))
        if not hmac.compare_digest(form.get("csrf").encode(), session.csrf.encode()):
            wanted = None
        return session, wanted, form


def _authorization(given: dict[str, str]) -> Authorization:
    return Authorization(
        id=secrets.token_urlsafe(16),
        redirect_uri=given["redirect_uri"],
        scopes=tuple(dict.fromkeys(given["scope"].split())),
        state=given.get("state"),
        nonce=given.get("nonce"),
        challenge=given.get("code_challenge"),
        challenge_method=given.get("code_challenge_method", "plain"),
        offline=given.get("access_type") == "offline",
        prompts=frozenset(given.get("prompt", "").split()),
        include_granted=given.get("include_granted_scopes") == "true",
        login_hint=given.get("login_hint", ""),
    )


def _redirect(uri: str, values: dict[str, str | None]) -> Response:
    query = urlencode({name: value for name, value in values.items() if value is not None})
    return RedirectResponse(f"{uri}{'&' if urlsplit(uri).query else '?'}{query}", status_code=302)


def _stale() -> Response:
    return page("Something went wrong", problem("This form is too old or not yours. Start again."), status=400)


def _site(redirect_uri: str) -> str:
    return urlsplit(redirect_uri).netloc
