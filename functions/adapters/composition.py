"""The composition root: everything that touches the world is made here, once a process, at first use.

Lazily, because a cold start must not pay for a client that the request does not need: the webhook never loads Firestore, booking never the
Calendar client.
"""

import logging
import os
import sys
from functools import cache, cached_property
from typing import TYPE_CHECKING

from functions.adapters.settings import Settings, read_settings

if TYPE_CHECKING:
    from functions.adapters.certificates import Certificates
    from functions.adapters.google_calendar import Calendars
    from functions.adapters.store.store import Store
    from functions.adapters.sync_function import SyncFunction
    from functions.adapters.tasks import Tasks
    from functions.adapters.vault import Vault


class Application:
    """Settings and what is built from them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def tasks(self) -> "Tasks":
        from functions.adapters.tasks import Tasks

        return Tasks(self.settings)

    @cached_property
    def store(self) -> "Store":
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import firestore

        from functions.adapters.outbox import Dispatcher
        from functions.adapters.store.store import Store

        # The client finds the emulator by itself (FIRESTORE_EMULATOR_HOST); it then needs no credentials.
        credentials = AnonymousCredentials() if self.settings.firestore_emulator else None
        client = firestore.Client(project=self.settings.project, credentials=credentials)
        return Store(client, Dispatcher(self.tasks))

    @cached_property
    def vault(self) -> "Vault":
        from functions.adapters.vault import Vault

        return Vault(self.settings.token_keys)

    @cached_property
    def calendars(self) -> "Calendars":
        from functions.adapters.google_calendar import Calendars

        return Calendars(self.settings)

    @cached_property
    def sync_function(self) -> "SyncFunction":
        from functions.adapters.sync_function import SyncFunction

        return SyncFunction(self.settings)

    @cached_property
    def people_certificates(self) -> "Certificates":
        from functions.adapters.certificates import Certificates

        return Certificates(self.settings.oauth_certs_url)

    @cached_property
    def task_certificates(self) -> "Certificates":
        from functions.adapters.certificates import Certificates

        return Certificates(self.settings.tasks_certs_url)


@cache
def application() -> Application:
    """The application of this process. Raises `SettingError` at the first request where a setting is missing."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    return Application(read_settings(os.environ))
