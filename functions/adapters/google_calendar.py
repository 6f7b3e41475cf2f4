"""Google Calendar through google-api-python-client, as it must be used: a static discovery document, one HTTP object a thread and
connection, timeouts, pages asked for by hand.

Our tasks try again, not the libraries: what is sent goes out once. It goes out once more, over a new connection, where a kept one turns out to be closed (and
httplib2 does the same by itself, kept or not, where the other side hangs up without a word); so everything we send may be sent twice: own ids, etags, ids of
channels.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException, RemoteDisconnected
from typing import Any

import google_auth_httplib2
import httplib2
from google.auth.exceptions import RefreshError, TransportError
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from functions.adapters import oauth
from functions.adapters.google_errors import (
    AccessLost,
    GoogleError,
    Missing,
    OurMistake,
    PageExpired,
    Unavailable,
    error_of,
)
from functions.adapters.settings import Settings
from functions.domain.calendar import Bounds
from functions.domain.instants import minute_ceil, minute_floor, rfc3339
from functions.domain.intervals import Interval
from functions.domain.scopes import missing_permissions

TIMEOUT_S = 20
PAGE_SIZE = 250
# Who is told of a change is told by us (case 119); without the version a write would drop the event's meeting, ours or its owner's (case 118).
WRITE: Mapping[str, Any] = {"sendUpdates": "none", "conferenceDataVersion": 1}

# google-auth's own words for a grant that the person's organisation wants renewed (`invalid_rapt`): it does not pass Google's on.
_SIGN_IN_WANTED = "Reauthentication is needed"

Event = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class EventPage:
    """One page of a list. Exactly one of the tokens is set, or the page is not usable (case 51)."""

    events: tuple[Event, ...]
    next_page_token: str | None
    next_sync_token: str | None
    time_zone: str
    access_role: str


@dataclass(frozen=True, kw_only=True)
class WatchAnswer:
    resource: str
    expires_at: int | None  # milliseconds; Google may leave it out


# Which query a sync token belongs to; a change here makes every calendar list in full once (case 71).
LIST_FINGERPRINT = "events-v1:singleEvents=false"
# The query of calendars that give only free and busy: occurrences within bounds, in full each time, because a token's window would not slide (case 64).
BOUNDED_FINGERPRINT = "events-v1:singleEvents=true"


@dataclass(frozen=True, kw_only=True)
class Api:
    """The collections of the Calendar API, each asked for once: the library makes all methods of one anew whenever it is named, which takes 4 ms."""

    calendar_list: Any
    channels: Any
    events: Any
    freebusy: Any

    @classmethod
    def of(cls, service: Any) -> "Api":
        return cls(
            calendar_list=service.calendarList(),
            channels=service.channels(),
            events=service.events(),
            freebusy=service.freebusy(),
        )


class GoogleCalendar:
    """The calendars of one connection. Every method raises `GoogleError` and nothing else of the libraries'."""

    def __init__(self, api: Api, credentials: Credentials, *, settings: Settings, grant: str) -> None:
        self._api = api
        self._settings = settings
        self._credentials = credentials
        self._grant = grant
        self._threads = threading.local()

    def probe(self) -> tuple[str, ...]:
        """Whether the grant still holds, with every permission: Google is asked for another access token, also where we have one that may still be good. Its
        scopes, where Google says them.
        """
        try:
            granted = oauth.refresh(self._settings, refresh_token=self._credentials.refresh_token).scopes
        except oauth.GrantRefused as error:
            raise AccessLost(error.word, grant=self._grant) from error
        except oauth.OAuthUnavailable as error:
            raise Unavailable(str(error)) from error
        # None at all: as they were asked for (RFC 6749, section 5.1).
        if granted and missing_permissions(granted):
            raise AccessLost("insufficientPermissions", grant=self._grant, left=granted)
        return granted

    def calendar_list(self) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        page: str | None = None
        while True:
            answer = self._do(self._api.calendar_list.list(pageToken=page, showHidden=True))
            found += answer.get("items", ())
            page = answer.get("nextPageToken")
            if page is None:
                return found

    def lists_calendar(self, calendar: str) -> bool:
        """Whether the calendar is in the person's list. Our scopes allow no other question about a calendar that shows no events."""
        try:
            self._do(self._api.calendar_list.get(calendarId=calendar))
        except Missing:
            return False
        return True

    def events_page(
        self, calendar: str, *, sync_token: str | None, page_token: str | None, bounds: Bounds | None = None
    ) -> EventPage:
        """A page of the change feed, or of the full list where there is no token. The same query goes with every page of one list (case 40)."""
        window = {} if bounds is None else {"timeMin": rfc3339(bounds.start), "timeMax": rfc3339(bounds.end)}
        request = self._api.events.list(
            calendarId=calendar,
            syncToken=sync_token,
            pageToken=page_token,
            singleEvents=bounds is not None,
            maxResults=PAGE_SIZE,
            maxAttendees=1,
            **window,
        )
        try:
            answer = self._do(request)
        except OurMistake as error:
            if page_token is not None:
                raise PageExpired(error.reason) from error
            raise
        return EventPage(
            events=tuple(answer.get("items", ())),
            next_page_token=answer.get("nextPageToken"),
            next_sync_token=answer.get("nextSyncToken"),
            time_zone=answer.get("timeZone", "UTC"),
            access_role=answer.get("accessRole", ""),
        )

    def get(self, calendar: str, event: str) -> Event:
        return dict(self._do(self._api.events.get(calendarId=calendar, eventId=event)))

    def insert(self, calendar: str, body: Event) -> Event:
        return dict(self._do(self._api.events.insert(calendarId=calendar, body=body, **WRITE)))

    def patch(self, calendar: str, event: str, body: Event, *, etag: str | None) -> Event:
        request = self._api.events.patch(calendarId=calendar, eventId=event, body=body, **WRITE)
        return dict(self._do(request, etag=etag))

    def delete(self, calendar: str, event: str, *, etag: str | None) -> None:
        self._do(self._api.events.delete(calendarId=calendar, eventId=event, sendUpdates="none"), etag=etag)

    def busy(self, calendar: str, within: Interval) -> list[Interval]:
        """What is busy by Google's own account: minutes, rounded outward; `within` must be shorter than about three months.

        An error of the calendar's comes inside a 200 and without any busy time: that is unknown and never free, so it raises (case 157).
        """
        body = {"timeMin": rfc3339(within.start), "timeMax": rfc3339(within.end), "items": [{"id": calendar}]}
        answer = self._do(self._api.freebusy.query(body=body)).get("calendars", {}).get(calendar, {})
        errors = answer.get("errors") or ()
        if errors or "busy" not in answer:
            reason = errors[0].get("reason", "") if errors else "no answer"
            raise Missing(reason) if reason == "notFound" else Unavailable(reason)
        moments = [
            (datetime.fromisoformat(each["start"]), datetime.fromisoformat(each["end"])) for each in answer["busy"]
        ]
        return [Interval(minute_floor(start), minute_ceil(end)) for start, end in moments]

    def watch(self, calendar: str, *, channel: str, token: str, address: str) -> WatchAnswer:
        body = {"id": channel, "type": "web_hook", "address": address, "token": token}
        answer = self._do(self._api.events.watch(calendarId=calendar, body=body))
        expiration = answer.get("expiration")
        return WatchAnswer(resource=answer["resourceId"], expires_at=int(expiration) if expiration else None)

    def stop(self, *, channel: str, resource: str) -> None:
        self._do(self._api.channels.stop(body={"id": channel, "resourceId": resource}))

    def _do(self, request: Any, *, etag: str | None = None) -> Any:
        if etag is not None:
            request.headers["If-Match"] = etag
        http = self._http()
        kept = any(connection.sock is not None for connection in http.http.connections.values())
        with self._as_google_errors():
            try:
                return request.execute(http=http, num_retries=0)
            except (BrokenPipeError, ConnectionResetError, ConnectionAbortedError) as error:
                del self._threads.http
                if not kept or isinstance(error, RemoteDisconnected):  # the latter httplib2 has tried again
                    raise
                return request.execute(http=self._http(), num_retries=0)

    @contextmanager
    def _as_google_errors(self) -> Iterator[None]:
        try:
            yield
        except HttpError as error:
            raise self._of_this_grant(_google_error(error)) from error
        except RefreshError as error:
            raise self._of_this_grant(refresh_error(error)) from error
        except (TransportError, HTTPException, httplib2.HttpLib2Error, OSError) as error:
            raise Unavailable(type(error).__name__) from error

    def _of_this_grant(self, error: GoogleError) -> GoogleError:
        return AccessLost(error.reason, grant=self._grant) if isinstance(error, AccessLost) else error

    def _http(self) -> Any:
        """httplib2 is not thread-safe: sharing one object between threads has handed answers to the wrong caller."""
        if not hasattr(self._threads, "http"):
            self._threads.http = google_auth_httplib2.AuthorizedHttp(
                self._credentials, http=httplib2.Http(timeout=TIMEOUT_S)
            )
        return self._threads.http


def _google_error(error: HttpError) -> GoogleError:
    details = error.error_details if isinstance(error.error_details, list) else []
    reason = details[0].get("reason", "") if details and isinstance(details[0], dict) else ""
    retry_after = error.resp.get("retry-after")
    return error_of(error.resp.status, reason, float(retry_after) if retry_after and retry_after.isdecimal() else None)


def refresh_error(error: RefreshError) -> GoogleError:
    """Only `invalid_grant` means that the grant is gone; the rest may pass."""
    text, body = str(error.args[0]) if error.args else "", error.args[-1] if error.args else None
    if text.startswith(_SIGN_IN_WANTED):
        return AccessLost("invalid_rapt")
    if not isinstance(body, Mapping):
        return Unavailable("token refresh failed")
    word = oauth.refusal_of(body)
    return Unavailable(str(body.get("error"))) if word is None else AccessLost(word)


class Calendars:
    """Opens connections. The service object and each connection's credentials are made once a process; access tokens live in memory only."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._api: Api | None = None
        self._opened: dict[tuple[str, str], GoogleCalendar] = {}
        self._lock = threading.Lock()

    def open(self, connection: str, sealed: str, unseal: Callable[[], str]) -> GoogleCalendar:
        """The calendars of a connection; `sealed` tells whether its token is still the one that was opened before."""
        with self._lock:
            key = (connection, sealed)
            if key not in self._opened:
                self._opened = {k: v for k, v in self._opened.items() if k[0] != connection}
                self._opened[key] = GoogleCalendar(
                    self._built(), self._credentials(unseal()), settings=self._settings, grant=sealed
                )
            return self._opened[key]

    def _built(self) -> Api:
        if self._api is None:
            service = build(
                "calendar",
                "v3",
                http=httplib2.Http(timeout=TIMEOUT_S),
                static_discovery=True,
                cache_discovery=False,
                client_options={"api_endpoint": self._settings.calendar_endpoint},
            )
            self._api = Api.of(service)
        return self._api

    def _credentials(self, refresh_token: str) -> Credentials:
        return Credentials(
            token=None,
            refresh_token=refresh_token,
            token_uri=self._settings.oauth_token_url,
            client_id=self._settings.client_id,
            client_secret=self._settings.client_secret,
        )
