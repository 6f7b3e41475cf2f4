"""`python -m functions.sync.reseal`: every connection of every account, sealed with the first of TOKEN_KEYS. After it the other keys can go.

It prints how many there were, and never a secret. With the settings of the sync function, in its environment; twice is harmless.
"""

import sys
from collections import Counter

from functions.adapters.composition import Application, application
from functions.adapters.resealing import reseal
from functions.adapters.store.across_accounts import all_connections
from functions.adapters.vault import CannotOpen


def reseal_all(application: Application) -> Counter[str]:
    """How many were `sealed anew`, were `current` or `empty` before, and `can not be opened` with any key that there is."""
    found: Counter[str] = Counter()
    for account, connection in all_connections(application.store):
        if not connection.secret:
            found["empty"] += 1
        elif application.vault.is_current(connection.secret):
            found["current"] += 1
        else:
            try:
                reseal(application.store, application.vault, account, connection.id)
                found["sealed anew"] += 1
            except CannotOpen:
                found["can not be opened"] += 1
    return found


def main() -> int:
    found = reseal_all(application())
    lost = found["can not be opened"]
    print(f"{found.total()} connections: {found['sealed anew']} sealed anew, {found['current']} were current.")  # noqa: T201
    if lost:
        print(f"{lost} can't be opened with any of TOKEN_KEYS. Their accounts have to be connected again.")  # noqa: T201
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
