"""What an older key has sealed, sealed anew with the present one: when it is used, and all of it on demand, so that the older key can go."""

from functions.adapters.store.store import Reader, Store
from functions.adapters.vault import Vault
from functions.domain.calendar import Connection
from functions.domain.decision import Decision, Ref


def reseal(store: Store, vault: Vault, account: str, connection_id: str) -> Connection | None:
    """The connection, with its secret under the present key. A secret that somebody replaces meanwhile is not put back. Raises `CannotOpen`."""

    def attempt(reader: Reader) -> Decision[Connection | None]:
        connection = reader.get(Ref(Connection, connection_id))
        if connection is None or not connection.secret or vault.is_current(connection.secret):
            return Decision(answer=connection)
        secret = vault.seal(vault.open(connection.secret, connection=connection.id), connection=connection.id)
        anew = connection.model_copy(update={"secret": secret})
        return Decision(answer=anew, documents=(anew,))

    return store.run(account, attempt)
