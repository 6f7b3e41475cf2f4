"""The application's side of OAuth: token, revoke, userinfo, keys, and the OpenID configuration."""

import base64
import binascii
import hmac
from typing import Any
from urllib.parse import unquote_plus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from infra.local.google.grants import InvalidGrant, Issued
from infra.local.google.html import Form, read_form
from infra.local.google.keys import ISSUER, access_token_hash
from infra.local.google.people import Person
from infra.local.google.world import World

Json = dict[str, Any]

_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class OAuthError(Exception):
    """An error of RFC 6749 section 5.2."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status

    def response(self) -> Response:
        headers = dict(_NO_STORE)
        if self.status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="https://accounts.google.com/"'
        content = {"error": self.error, "error_description": self.description}
        return JSONResponse(content, self.status, headers)


class TokenEndpoint:
    """The endpoints of one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def token(self, request: Request) -> Response:
        form = await read_form(request)
        user = self._world.grants.owner(form.get("refresh_token"))
        if (failed := self._failed("oauth.token", user)) is not None:
            return failed
        try:
            self._check_client(request, form)
            issued = self._issue(form)
            user = issued.email
            response: Response = JSONResponse(self._answer(issued), headers=_NO_STORE)
        except InvalidGrant as error:
            response = OAuthError("invalid_grant", str(error)).response()
        except OAuthError as error:
            response = error.response()
        self._world.commit()
        return self._logged(response, "oauth.token", user)

    async def revoke(self, request: Request) -> Response:
        form = await read_form(request)
        token = form.get("token") or request.query_params.get("token", "")
        if not token:
            return self._logged(OAuthError("invalid_request", "Missing token.").response(), "oauth.revoke", "")
        if (failed := self._failed("oauth.revoke", self._world.grants.owner(token))) is not None:
            return failed
        known = self._world.grants.revoke(token)
        self._world.commit()
        if not known:
            error = OAuthError("invalid_token", "Token expired or revoked")
            return self._logged(error.response(), "oauth.revoke", "")
        return self._logged(JSONResponse({}), "oauth.revoke", "")

    async def userinfo(self, request: Request) -> Response:
        text = request.headers.get("authorization", "").removeprefix("Bearer ")
        token = self._world.grants.find_access(text)
        person = self._world.people.find(token.email) if token is not None else None
        if person is None or person.suspended:
            return OAuthError("invalid_request", "Invalid Credentials", 401).response()
        return JSONResponse({"sub": person.sub, **_identity(person)})

    async def certificates(self, request: Request) -> Response:
        key = self._world.key
        return JSONResponse({key.kid: key.certificate}, headers={"Cache-Control": "public, max-age=3600"})

    async def jwk_set(self, request: Request) -> Response:
        return JSONResponse(self._world.key.jwk_set(), headers={"Cache-Control": "public, max-age=3600"})

    async def configuration(self, request: Request) -> Response:
        base = self._world.public_url
        return JSONResponse(
            {
                "issuer": ISSUER,
                "authorization_endpoint": f"{base}/o/oauth2/v2/auth",
                "token_endpoint": f"{base}/token",
                "userinfo_endpoint": f"{base}/oauth2/v3/userinfo",
                "revocation_endpoint": f"{base}/revoke",
                "jwks_uri": f"{base}/oauth2/v3/certs",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": ["openid", "email", "profile"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
                "code_challenge_methods_supported": ["plain", "S256"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
            }
        )

    def _failed(self, name: str, user: str) -> Response | None:
        """The answer in place of what was asked for, where a fault is ordered."""
        path = name.removeprefix("oauth.")
        fault = self._world.faults.take("before", http_method="POST", method_id=name, path=path, user=user)
        if fault is None:
            return None
        content = {"error": fault.reason, "error_description": fault.message}
        return self._logged(JSONResponse(content, fault.status, _NO_STORE), name, user)

    def _check_client(self, request: Request, form: Form) -> None:
        given_id, given_secret = form.get("client_id"), form.get("client_secret")
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                name, _, secret = base64.b64decode(value).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError) as error:
                raise OAuthError("invalid_client", "Malformed Authorization header.", 401) from error
            given_id, given_secret = unquote_plus(name), unquote_plus(secret)
        client = self._world.client
        if given_id != client.id:
            raise OAuthError("invalid_client", "The OAuth client was not found.", 401)
        if not hmac.compare_digest(given_secret.encode(), client.secret.encode()):
            raise OAuthError("invalid_client", "The provided client secret is invalid.", 401)

    def _issue(self, form: Form) -> Issued:
        grants, client = self._world.grants, self._world.client
        kind = form.get("grant_type")
        if kind == "authorization_code":
            if not form.get("code"):
                raise OAuthError("invalid_request", "Missing required parameter: code")
            issued = grants.redeem_code(
                form.get("code"),
                client_id=client.id,
                redirect_uri=form.get("redirect_uri"),
                verifier=form.get("code_verifier") or None,
            )
        elif kind == "refresh_token":
            if not form.get("refresh_token"):
                raise OAuthError("invalid_request", "Missing required parameter: refresh_token")
            issued = grants.refresh(
                form.get("refresh_token"), client_id=client.id, scopes=form.get("scope").split() or None
            )
        else:
            raise OAuthError("unsupported_grant_type", f"Invalid grant_type: {kind}")
        person = self._world.people.find(issued.email)
        if person is None or person.suspended:
            raise InvalidGrant("Account has been disabled.")
        return issued

    def _answer(self, issued: Issued) -> Json:
        answer: Json = {
            "access_token": issued.access_token,
            "expires_in": issued.expires_in,
            "scope": " ".join(issued.scopes),
            "token_type": "Bearer",
        }
        if issued.refresh_token is not None:
            answer["refresh_token"] = issued.refresh_token
        if issued.refresh_expires_in is not None:
            answer["refresh_token_expires_in"] = issued.refresh_expires_in
        if "openid" in issued.scopes:
            answer["id_token"] = self._id_token(issued)
        return answer

    def _id_token(self, issued: Issued) -> str:
        person = self._world.people.get(issued.email)
        now = int(self._world.clock.now().timestamp())
        claims: Json = {
            "iss": ISSUER,
            "azp": self._world.client.id,
            "aud": self._world.client.id,
            "sub": person.sub,
            **_identity(person),
            "at_hash": access_token_hash(issued.access_token),
            "iat": now,
            "exp": now + 3600,
        }
        if issued.nonce is not None:
            claims["nonce"] = issued.nonce
        return self._world.key.sign(claims)

    def _logged(self, response: Response, name: str, user: str) -> Response:
        self._world.journal.add(
            time=self._world.clock.timestamp(),
            method="POST",
            path="/" + name.removeprefix("oauth."),
            query=(),
            method_id=name,
            status=response.status_code,
            user=user,
        )
        return response


def _identity(person: Person) -> Json:
    given, _, family = person.name.partition(" ")
    claims: Json = {"email": person.email, "email_verified": True, "name": person.name, "given_name": given}
    return {**claims, "family_name": family} if family else claims
