"""What every handler of this function works with: one task's account and subject, and the ways to the outside."""

from contextlib import suppress
from dataclasses import dataclass

from functions.adapters.clock import now_millis
from functions.adapters.composition import Application
from functions.adapters.google_calendar import GoogleCalendar
from functions.adapters.google_errors import AccessLost
from functions.adapters.resealing import reseal
from functions.adapters.store.store import Store
from functions.adapters.vault import CannotOpen
from functions.domain.calendar import Connection
from functions.domain.decision import Ref
from functions.domain.errors import Refusal
from functions.domain.instants import Millis
from functions.domain.polling import PollIntervals


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

    @property
    def poll_intervals(self) -> PollIntervals:
        settings = self.application.settings
        return PollIntervals(
            watched=settings.poll_watched_seconds * 1000, unwatched=settings.poll_unwatched_seconds * 1000
        )

    def google(self, connection_id: str, *, lost_too: bool = False) -> GoogleCalendar:
        """The calendars of a connection. Raises `AccessLost` where it is not active or its token can't be opened.

        `lost_too`: also of one that was lost, to see whether somebody has mended it in Google.
        """
        connection = self.store.get(self.account, Ref(Connection, connection_id))
        usable = ("active", "needs_reconnect") if lost_too else ("active",)
        if connection is None or connection.status not in usable:
            raise AccessLost("not_connected")
        return self.opened(connection)

    def opened(self, connection: Connection) -> GoogleCalendar:
        """The calendars of a connection, whatever state it is in. Raises `AccessLost` where its token can't be opened."""

        secret = self._sealed_anew(connection)

        def unseal() -> str:
            try:
                return self.application.vault.open(secret, connection=connection.id)
            except CannotOpen:
                raise AccessLost("token_key_missing", grant=secret) from None

        return self.application.calendars.open(connection.id, secret, unseal)

    def _sealed_anew(self, connection: Connection) -> str:
        """Its secret, under the present key: where keys have been rotated, whatever is in use moves over by itself."""
        application = self.application
        if application.vault.is_current(connection.secret):
            return connection.secret
        with suppress(
            CannotOpen, Refusal
        ):  # without a key it is lost, as `google` says; contended, it is for the next one to do
            anew = reseal(self.store, application.vault, self.account, connection.id)
            return connection.secret if anew is None else anew.secret
        return connection.secret
