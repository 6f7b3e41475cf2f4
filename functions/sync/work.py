"""What every handler of this function works with: one task's account and subject, and the ways to the outside."""

from dataclasses import dataclass

from functions.adapters.clock import now_millis
from functions.adapters.composition import Application
from functions.adapters.google_calendar import GoogleCalendar
from functions.adapters.google_errors import AccessLost
from functions.adapters.store.store import Store
from functions.adapters.vault import CannotOpen
from functions.domain.calendar import Connection
from functions.domain.connecting import may_mend_itself
from functions.domain.decision import Ref
from functions.domain.instants import Millis


class TryLater(Exception):
    """The task should come again; nothing is lost by waiting."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """`channel` and `resource`: Google's ids of the channel whose notification asked for the work, where one did."""

    application: Application
    account: str
    subject: str
    about: str | None = None
    outbox: str | None = None
    channel: str | None = None
    resource: str | None = None

    @property
    def store(self) -> Store:
        return self.application.store

    def now(self) -> Millis:
        return now_millis()

    def google(self, connection_id: str, *, lost_too: bool = False) -> GoogleCalendar:
        """The calendars of a connection. Raises `AccessLost` where it is not active or its token can't be opened.

        `lost_too`: also of one that was lost and may have mended itself, to see whether it has.
        """
        connection = self.store.get(self.account, Ref(Connection, connection_id))
        if connection is None or not (connection.status == "active" or (lost_too and may_mend_itself(connection))):
            raise AccessLost("not_connected")
        return self.opened(connection)

    def opened(self, connection: Connection) -> GoogleCalendar:
        """The calendars of a connection, whatever state it is in. Raises `AccessLost` where its token can't be opened."""

        def unseal() -> str:
            try:
                return self.application.vault.open(connection.secret, connection=connection.id)
            except CannotOpen:
                raise AccessLost("token_key_missing") from None

        return self.application.calendars.open(connection.id, connection.secret, unseal)
