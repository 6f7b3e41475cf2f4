"""Which web pages of other sites may call for an account, as operators see and set it."""

from functions.adapters.store.account import account_of
from functions.adapters.store.store import Reader
from functions.booking import cors
from functions.booking.routing import Answer, Call, Route
from functions.booking.schemas import OriginList
from functions.domain.decision import Decision, HistoryEntry


def get_origins(call: Call) -> Answer:
    """The web pages of other sites that may call what clients call."""
    account = account_of(call.application.store.reader(call.account))
    return Answer(body=OriginList(allowed_origins=account.allowed_origins))


def put_origins(call: Call) -> Answer:
    """Says which web pages of other sites may call what clients call."""
    origins = tuple(dict.fromkeys(call.body(OriginList).allowed_origins))

    def attempt(reader: Reader) -> Decision[tuple[str, ...]]:
        known = account_of(reader)
        if origins == known.allowed_origins:
            return Decision(answer=origins)
        entry = HistoryEntry(
            what="account.changed",
            author=call.caller.author,
            before={"allowed_origins": list(known.allowed_origins)},
            after={"allowed_origins": list(origins)},
        )
        changed = known.model_copy(update={"allowed_origins": origins})
        return Decision(answer=origins, documents=(changed,), history=(entry,))

    allowed = call.application.store.run(call.account, attempt)
    cors.remember(call.account, allowed, now=call.now)
    return Answer(body=OriginList(allowed_origins=allowed))


_ORIGINS = "/v1/accounts/<id:account>/origins"

ROUTES = (
    Route(method="GET", path=_ORIGINS, handler=get_origins, access="operator", answer=OriginList),
    Route(
        method="PUT",
        path=_ORIGINS,
        handler=put_origins,
        access="operator",
        permission="settings",
        body=OriginList,
        answer=OriginList,
    ),
)
