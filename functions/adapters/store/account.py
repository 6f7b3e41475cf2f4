"""The account's own document, for what can't be without one."""

from functions.adapters.store.documents import ACCOUNT
from functions.adapters.store.store import Reader
from functions.domain.configuration import Account
from functions.domain.errors import NotFound


def account_of(reader: Reader) -> Account:
    """Raises `NotFound`."""
    account = reader.get(ACCOUNT)
    if account is None:
        raise NotFound("There is no such account.")
    return account
