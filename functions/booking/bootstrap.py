"""Makes an account from the command line, with an API key: `python -m functions.booking.bootstrap --account … --name … --time-zone … [--owner …]`.

Runs with the functions' own settings. Prints one line of JSON; the key is in it this once and stored as a hash only. Who is to be the owner is invited, by
mail and by the address that is printed too, and signs in with Google to accept. (Everybody else makes an account by signing in.)
"""

import argparse
import json
import re
import sys

from pydantic import TypeAdapter

from functions.adapters.clock import now_millis
from functions.adapters.composition import Application, application
from functions.adapters.signing import invitation_token, secret_hash
from functions.adapters.store import queries
from functions.adapters.store.account import account_of
from functions.adapters.store.documents import ACCOUNT
from functions.adapters.store.store import Reader, Store
from functions.booking.callers import new_key
from functions.booking.fields import Email
from functions.booking.invitations import new_invitation
from functions.booking.routing import ID_PATTERN
from functions.domain.api_keys import free_name, make_key
from functions.domain.configuration import Account, OperatorKey
from functions.domain.decision import Author, Decision, HistoryEntry, in_one_commit
from functions.domain.errors import IllegalMove, Invalid, Refusal
from functions.domain.invitation import Invitation, invite
from functions.domain.membership import Member
from functions.domain.permissions import EVERYTHING

AUTHOR = Author(kind="system", name="bootstrap")


def bootstrap(store: Store, *, account: str, name: str, time_zone: str, may_exist: bool) -> str:
    """A new API key of the account. Raises `IllegalMove` where the account exists and may not, or has too many keys, and `Invalid` for its id."""
    if not re.fullmatch(ID_PATTERN, account):
        raise Invalid(
            "An account's id is made of letters, digits, - and _, 100 at most, and begins with a letter or digit."
        )
    key, now = new_key(), now_millis()

    def attempt(reader: Reader) -> Decision[str]:
        known = reader.get(ACCOUNT)
        if known is not None and not may_exist:
            raise IllegalMove(f"Account {account} exists. Use --new-key for another API key.")
        keys = queries.all_to_decide_on(reader, OperatorKey)
        operator = OperatorKey(id=secret_hash(key), name=free_name(AUTHOR.name, keys), created_at=now)
        made = make_key(operator, keys, may=EVERYTHING, author=AUTHOR).with_answer(key)
        if known is not None:
            return made.resting_on(ACCOUNT)
        new = Account(id=account, name=name, time_zone=time_zone, created_at=now)
        entry = HistoryEntry(what="account.made", author=AUTHOR, after={"name": name, "time_zone": time_zone})
        return in_one_commit((Decision(answer=new, documents=(new,), history=(entry,)), made), key)

    return store.run(account, attempt)


def invite_owner(application: Application, *, account: str, email: str) -> str:
    """The address at which they accept. Raises `IllegalMove` where they belong to the account already."""
    settings, key = application.settings, application.settings.signing_keys[0]
    new = new_invitation(key, account, email, "owner")

    def attempt(reader: Reader) -> Decision[str]:
        account_of(reader)
        decision = invite(
            new,
            queries.all_to_decide_on(reader, Member),
            queries.all_to_decide_on(reader, Invitation),
            may=EVERYTHING,
            now=now_millis(),
            author=AUTHOR,
        )
        address = f"{settings.booking_url}/invitation#{invitation_token(key, account, new.id)}"
        return decision.with_answer(address).resting_on(ACCOUNT)

    return application.store.run(account, attempt)


def email(text: str) -> str:
    address: str = TypeAdapter(Email).validate_python(text)
    return address


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m functions.booking.bootstrap", description=__doc__)
    parser.add_argument("--account", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--time-zone", required=True)
    parser.add_argument("--new-key", action="store_true", help="the account may exist: make another key for it")
    parser.add_argument("--owner", type=email, metavar="E-MAIL", help="who is invited to be the account's owner")
    given = parser.parse_args()
    try:
        key = bootstrap(
            application().store,
            account=given.account,
            name=given.name,
            time_zone=given.time_zone,
            may_exist=given.new_key,
        )
    except Refusal as error:
        print(error.detail, file=sys.stderr)  # noqa: T201
        return 1
    made, complaint = {"account": given.account, "api_key": key}, ""
    try:
        if given.owner:
            made["invitation"] = invite_owner(application(), account=given.account, email=given.owner)
    except Refusal as error:  # the key is made, and would be lost
        complaint = error.detail
    print(json.dumps(made))  # noqa: T201
    print(complaint, end="", file=sys.stderr)  # noqa: T201
    return 1 if complaint else 0


if __name__ == "__main__":
    sys.exit(main())
