"""The sync function, called directly by the booking function: for what a sale must wait for, and a queue might take too long over.

Who calls is proved by an ID token of this function's own service account, as the metadata server of every Google Cloud instance gives it; `GCE_METADATA_HOST`
names another one, as it does for Google's own libraries.
"""

import logging
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Lock

import requests

from functions.adapters.settings import Settings

log = logging.getLogger(__name__)

FOR_A_SALE = "sale"  # what such a pull says it is about
AT_ONCE = 8
_IDENTITY = "computeMetadata/v1/instance/service-accounts/default/identity"
_KEEP_MS = 45 * 60_000  # a token lives for an hour


class SyncFunction:
    """Shared by the threads of an instance."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._token: tuple[str, int] | None = None
        self._lock = Lock()

    def pull(self, account: str, calendars: Collection[str], *, within_s: float, now: int) -> None:
        """Has these calendars pulled, side by side; comes back when all have been, or after `within_s`.

        Never raises, and does not say what came of it: that stands in the calendars.
        """
        if not calendars or within_s <= 0:
            return
        pool = ThreadPoolExecutor(max_workers=min(AT_ONCE, len(calendars)))
        tries = [pool.submit(self._pull, account, calendar, within_s, now) for calendar in calendars]
        done, late = wait(tries, timeout=within_s)
        pool.shutdown(wait=False, cancel_futures=True)
        failed = [type(error).__name__ for each in done if (error := each.exception()) is not None]
        if failed or late:
            log.warning(
                "%d pulls for a sale came to nothing (%s), %d were too late", len(failed), set(failed), len(late)
            )

    def _pull(self, account: str, calendar: str, within_s: float, now: int) -> None:
        answer = requests.post(
            f"{self._settings.sync_url}/tasks/pull",
            json={"account": account, "subject": calendar, "about": FOR_A_SALE},
            headers={"Authorization": f"Bearer {self._identity(within_s, now)}"},
            timeout=within_s,
        )
        answer.raise_for_status()

    def _identity(self, within_s: float, now: int) -> str:
        with self._lock:
            if self._token is None or now >= self._token[1]:
                answer = requests.get(
                    f"http://{self._settings.metadata_host}/{_IDENTITY}",
                    params={"audience": self._settings.sync_url, "format": "full"},
                    headers={"Metadata-Flavor": "Google"},
                    timeout=within_s,
                )
                answer.raise_for_status()
                self._token = answer.text, now + _KEEP_MS
            return self._token[0]
