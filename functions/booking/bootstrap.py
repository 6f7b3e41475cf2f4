"""Makes the first account of a deployment and an API key for its operator: `python -m functions.booking.bootstrap --account … --name … --time-zone …`.

Runs with the functions' own settings. Prints one line of JSON; the key is in it this once and stored as a hash only.
"""

import argparse
import json
import re
import sys

from functions.adapters.clock import now_millis
from functions.adapters.composition import application
from functions.adapters.signing import secret_hash
from functions.adapters.store.documents import ACCOUNT
from functions.adapters.store.store import Reader, Store
from functions.booking.callers import new_key
from functions.booking.routing import ID_PATTERN
from functions.domain.configuration import Account, OperatorKey
from functions.domain.decision import Author, Decision, HistoryEntry
from functions.domain.errors import IllegalMove, Invalid, Refusal


def bootstrap(store: Store, *, account: str, name: str, time_zone: str, may_exist: bool) -> str:
    """A new API key of the account. Raises `IllegalMove` where the account exists and may not, `Invalid` for its id."""
    if not re.fullmatch(ID_PATTERN, account):
        raise Invalid(
            "An account's id is made of letters, digits, - and _, 100 at most, and begins with a letter or digit."
        )
    key, now = new_key(), now_millis()

    def attempt(reader: Reader) -> Decision[str]:
        known = reader.get(ACCOUNT)
        if known is not None and not may_exist:
            raise IllegalMove(f"Account {account} exists. Use --new-key for another API key.")
        operator = OperatorKey(id=secret_hash(key), name="bootstrap", created_at=now)
        made = () if known else (Account(id=account, name=name, time_zone=time_zone, created_at=now),)
        author = Author(kind="system", name="bootstrap")
        entry = HistoryEntry(what="key.made" if known else "account.made", author=author)
        return Decision(answer=key, documents=(*made, operator), history=(entry,))

    return store.run(account, attempt)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m functions.booking.bootstrap", description=__doc__)
    parser.add_argument("--account", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--time-zone", required=True)
    parser.add_argument("--new-key", action="store_true", help="the account may exist: make another key for it")
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
    print(json.dumps({"account": given.account, "api_key": key}))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
