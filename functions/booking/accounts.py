"""Accounts: the first set-up of one by whoever is signed in, and what its operators see and change of it."""

import secrets
from dataclasses import replace
from hashlib import sha256
from typing import Annotated, Any

from pydantic import Field

from functions.adapters.store.account import account_of
from functions.adapters.store.documents import ACCOUNT
from functions.adapters.store.store import Reader
from functions.booking.authority import signed_in_now
from functions.booking.fields import Instant, Line, Minutes, Request
from functions.booking.idempotency import answered_once
from functions.booking.routing import Answer, Call, Route
from functions.booking.waiting_rules import decided_anew
from functions.domain.configuration import Account
from functions.domain.decision import Decision, HistoryEntry, Ref, in_one_commit
from functions.domain.errors import IllegalMove
from functions.domain.hours import WeeklyHours
from functions.domain.instants import rfc3339_millis
from functions.domain.model import Model
from functions.domain.person import Person
from functions.domain.setting_up import USUAL_HOURS, FirstDetails, set_up
from functions.domain.zones import ZoneName


class FirstService(Request):
    name: Line = "Appointment"
    duration_minutes: Minutes = 30


class NewAccount(Request):
    """What a business says of itself first; all of it can be changed afterwards. `resource`: the name of the person, room or thing that is booked; yours,
    where nothing is said.
    """

    name: Line
    time_zone: ZoneName
    hours: Annotated[tuple[WeeklyHours, ...], Field(min_length=1, max_length=100)] = USUAL_HOURS
    resource: Line | None = None
    service: FirstService = FirstService()


class AccountChanges(Request):
    """What is not named stays as it is."""

    name: Line | None = None
    time_zone: ZoneName | None = None


class AccountAnswer(Model):
    id: str
    name: str
    time_zone: str
    created_at: Instant

    @classmethod
    def of(cls, account: Account) -> "AccountAnswer":
        return cls(
            id=account.id,
            name=account.name,
            time_zone=account.time_zone,
            created_at=rfc3339_millis(account.created_at),
        )


def create_account(call: Call) -> Answer:
    """Makes an account of one's own, with somebody to book and something to be booked for."""
    return Answer(body=create(call, call.body(NewAccount)), status=201)


def create(call: Call, body: NewAccount, *, form_key: str | None = None) -> AccountAnswer:
    """The account is the caller's from the commit in which it begins. The same Idempotency-Key, or `form_key`, of the same person is the same account."""
    known = call.signed_in
    details = FirstDetails(
        name=body.name,
        time_zone=body.time_zone,
        hours=body.hours,
        resource=body.resource or known.person.name or body.name,
        service=body.service.name,
        duration_minutes=body.service.duration_minutes,
    )
    account_id = _new_id(call, call.request.headers.get("Idempotency-Key") if form_key is None else form_key)

    def attempt(reader: Reader) -> Decision[AccountAnswer]:
        reader.load(ACCOUNT, Ref(Person, known.person.id))
        founder = signed_in_now(call, reader)
        if reader.get(ACCOUNT) is not None:
            raise IllegalMove("This account was made already.")
        decision = set_up(account_id, details, founder, now=call.now)
        return decision.with_answer(AccountAnswer.of(decision.answer))

    return answered_once(
        replace(call, ids={"account": account_id}),
        attempt,
        keep=lambda answer: answer.model_dump(mode="json"),
        repeat=AccountAnswer.model_validate,
        form_key=form_key,
    )


def _new_id(call: Call, key: str | None) -> str:
    """Random; or what follows from who asks and their key, because a stored answer is looked for below its account."""
    if not key:
        return secrets.token_hex(8)
    return sha256(f"account\0{call.signed_in.person.id}\0{key}".encode()).hexdigest()[:16]


def get_account(call: Call) -> Answer:
    """What the business says of itself."""
    return Answer(body=AccountAnswer.of(account_of(call.application.store.reader(call.account))))


def change_account(call: Call) -> Answer:
    """Changes what is named of the account."""
    body = call.body(AccountChanges)
    wanted = body.model_dump(exclude_none=True)

    def attempt(reader: Reader) -> Decision[AccountAnswer]:
        known = account_of(reader)
        changed = known.model_copy(update=wanted)
        if changed == known:
            return Decision(answer=AccountAnswer.of(known))
        before: dict[str, Any] = known.model_dump(mode="json", include=set(wanted))
        after: dict[str, Any] = changed.model_dump(mode="json", include=set(wanted))
        entry = HistoryEntry(what="account.changed", author=call.caller.author, before=before, after=after)
        answer = AccountAnswer.of(changed)
        decision = Decision(answer=answer, documents=(changed,), history=(entry,))
        if changed.time_zone == known.time_zone:
            return decision
        # Quiet hours are its wall times.
        return in_one_commit((decision, decided_anew(reader, call.application.store)), answer)

    return Answer(body=call.application.store.run(call.account, attempt))


_ACCOUNT = "/v1/accounts/<id:account>"

ROUTES = (
    Route(
        method="POST",
        path="/v1/accounts",
        handler=create_account,
        access="person",
        body=NewAccount,
        answer=AccountAnswer,
        status=201,
        refusals=(IllegalMove,),
        once=True,
    ),
    Route(method="GET", path=_ACCOUNT, handler=get_account, access="operator", answer=AccountAnswer),
    Route(
        method="PATCH",
        path=_ACCOUNT,
        handler=change_account,
        access="operator",
        permission="settings",
        body=AccountChanges,
        answer=AccountAnswer,
    ),
)
