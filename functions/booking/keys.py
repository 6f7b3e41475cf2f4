"""API keys of the account, for other programs."""

from typing import Annotated

from pydantic import Field

from functions.adapters.signing import secret_hash
from functions.adapters.store import queries
from functions.adapters.store.account import account_of
from functions.adapters.store.documents import ACCOUNT
from functions.adapters.store.store import Reader
from functions.booking.authority import authorised, may_now
from functions.booking.callers import new_key
from functions.booking.fields import Instant, Label, Request
from functions.booking.routing import Answer, Call, Route
from functions.domain.api_keys import make_key, revoke_key
from functions.domain.configuration import OperatorKey
from functions.domain.decision import Decision, Ref
from functions.domain.errors import IllegalMove, NotFound
from functions.domain.instants import rfc3339_millis
from functions.domain.model import Model
from functions.domain.permissions import Permission


class KeyBody(Request):
    """`name`: the program's, as the history will call it."""

    name: Label
    permissions: Annotated[frozenset[Permission], Field(min_length=1)]


class KeyAnswer(Model):
    """`made_by`: the id of the member or the key that made it. `api_key`: the key itself, only in the answer to the call that makes it."""

    id: str
    name: str
    permissions: list[Permission]
    created_at: Instant
    made_by: str | None = None
    api_key: str | None = None

    @classmethod
    def of(cls, key: OperatorKey, secret: str | None = None) -> "KeyAnswer":
        return cls(
            id=key.id,
            name=key.name,
            permissions=sorted(key.permissions),
            created_at=rfc3339_millis(key.created_at),
            made_by=key.made_by,
            api_key=secret,
        )


class KeyList(Model):
    keys: list[KeyAnswer]


def list_keys(call: Call) -> Answer:
    """The API keys that open this account, without their secrets."""
    found: list[OperatorKey] = queries.all_of(call.application.store, call.account, OperatorKey)
    return Answer(body=KeyList(keys=[KeyAnswer.of(each) for each in sorted(found, key=lambda each: each.created_at)]))


def create_key(call: Call) -> Answer:
    """Makes an API key for another program. It is shown in this answer and never again."""
    body, secret = call.body(KeyBody), new_key()
    key = OperatorKey(
        id=secret_hash(secret),
        name=body.name,
        created_at=call.now,
        made_by=call.caller.proof.holder,
        permissions=body.permissions,
    )

    def attempt(reader: Reader) -> Decision[OperatorKey]:
        account_of(reader)  # first, because all keys rest on it: no two are made past each other
        keys = queries.all_to_decide_on(reader, OperatorKey)
        return make_key(key, keys, may=may_now(call, reader), author=call.caller.author).resting_on(ACCOUNT)

    made = call.application.store.run(call.account, authorised(call, attempt))
    return Answer(body=KeyAnswer.of(made, secret), status=201)


def delete_key(call: Call) -> Answer:
    """Revokes an API key: from now on it opens nothing."""

    def attempt(reader: Reader) -> Decision[None]:
        key = reader.get(Ref(OperatorKey, call.ids["key"]))
        if key is None:
            raise NotFound("There is no such key.")
        return revoke_key(key, may=may_now(call, reader), author=call.caller.author)

    call.application.store.run(call.account, authorised(call, attempt))
    return Answer(status=204)


_KEYS = "/v1/accounts/<id:account>/keys"

ROUTES = (
    Route(method="GET", path=_KEYS, handler=list_keys, access="operator", permission="members", answer=KeyList),
    Route(
        method="POST",
        path=_KEYS,
        handler=create_key,
        access="operator",
        permission="members",
        body=KeyBody,
        answer=KeyAnswer,
        status=201,
        refusals=(IllegalMove,),
    ),
    Route(
        method="DELETE",
        path=f"{_KEYS}/<id:key>",
        handler=delete_key,
        access="operator",
        permission="members",
        status=204,
    ),
)
