"""A local stand-in for Google accounts, OAuth consent and Calendar v3 with push.

It speaks Google's wire protocol, so that the real google-api-python-client and google-auth are always in use. It
refuses what Google refuses, and answers 501 to what it does not do. Every request and answer of the Calendar API is held
against the discovery document that ships inside google-api-python-client.

    GOOGLE_CLIENT_SECRET=… python -m infra.local.google --host 127.0.0.1 --port 8085 --data DIR \\
        --client-id ID --client-secret-env GOOGLE_CLIENT_SECRET --redirect-uri URL [--redirect-uri URL …]

Calendar API below `/calendar/v3/` (batches at `/batch/calendar/v3`), OAuth at `/o/oauth2/v2/auth`, `/token`, `/revoke`,
`/oauth2/v1/certs`, `/oauth2/v3/certs`, `/oauth2/v3/userinfo`, `/.well-known/openid-configuration`; pages for a person at
`/` and `/calendar/{id}`; readiness at `/healthz`. `driver.py` starts it from a program.

Pages: `POST /calendar/{id}/add` (summary, start, end as `2027-03-01T10:00` in the calendar's zone, all_day, weekly),
`POST /calendar/{id}/move` (event, start, end; bare dates for all-day, the last day included), `POST
/calendar/{id}/delete` (event). Consent: the boxes are named `scope`, are ticked at first, and carry the scope as value;
the buttons are named `decision` with `allow` or `deny`.

Control, JSON, for tests and demos. Errors have Google's shape; success without an answer is 204. `calendar` and `user`
may be left out where marked with ?, and then mean all.

    GET    /control/users
    POST   /control/users            email, password, name?, time_zone?       a person and their primary calendar
    PATCH  /control/users/{email}    password?, suspended?, calendar_service?, time_zone?
    POST   /control/grants           email, scopes?      → refresh_token; as if the person had consented
    POST   /control/grants/expire    email?              access tokens worthless now
    POST   /control/grants/revoke    email               all that the person granted: invalid_grant from now on
    POST   /control/grants/narrow    email, scopes       no more than these is left of what the person granted
    POST   /control/grants/run-out   email               the days of what was granted for a time are over
    PUT    /control/testing          email, on           to this person the app is in testing: what they grant from now on ends
                                                         after 7 days, and token answers say so (refresh_token_expires_in)
    PUT    /control/tokens           access_lifetime_seconds
    POST   /control/calendars        owner, summary, time_zone?, id?, kind? (normal, generated, unwatchable), role?
    PATCH  /control/calendars/{id}   kind?, summary?, time_zone?
    DELETE /control/calendars/{id}
    PUT    /control/calendars/{id}/roles                 email, role (none takes it away), listed? (default true)
    POST   /control/calendars/{id}/expire-sync-tokens    410 fullSyncRequired for every token of its events
    POST   /control/calendar-lists/{email}/expire-sync-tokens
    POST   /control/calendars/{id}/events                event, as? ("event": sound; else kept malformed as given)
    POST   /control/calendars/{id}/fill                  count, start, minutes?, step_minutes?, prefix?
    POST   /control/calendars/{id}/forget-deleted        tombstones disappear, as after some weeks
    PUT    /control/push             calendar?, drop, duplicate, reorder (chances), delay_ms [from, to], seed?,
                                     hold_ms (for a message to be overtaken), sync_before_answer, retry_base_ms, max_attempts; what is left out is the default
    GET    /control/pushes?since=    every message: channel_id, target, state, number, outcome (pending, delivered,
                                     dropped, failed), status, attempts, …
    GET    /control/pushes/idle?timeout=&calendar?=      waits until none is in flight → idle, in_flight
    GET    /control/channels
    POST   /control/channels/expire  calendar?
    GET    /control/faults
    POST   /control/faults           method? (POST, or events.insert, oauth.token, oauth.revoke), path? (regular expression
                                     below /calendar/v3/), user?, times?, when? (before or after the effect), status?, reason?,
                                     message?, retry_after?, drop? (close the connection instead), delay_ms?
    DELETE /control/faults           also ends limits, odd paging, lag and errors of freebusy
    PUT    /control/paging           calendar?, max_page?, empty_every? (from 2; pages 1, 1+n, … are empty). The calendar
                                     `calendarList` means the lists of calendars (max_page only)
    PUT    /control/lag              calendar?, lists    so many incremental lists after a change show nothing
    PUT    /control/freebusy         calendar (as asked for), reason? (none: ends it)
    PUT    /control/limits           user?, per_minute (null ends it), status? (403, 429), reason?
    PUT    /control/usage-limit      user?, on           writes answer 403 quotaExceeded
    PUT    /control/conference       delay_ms, fail
    GET    /control/calls?since=     calls (method, path, query, id, status, user, note), counts by method, last
    GET    /control/mismatches       differences from the discovery document
    DELETE /control/mismatches
    POST   /control/reset            email? (one person with all they own; else everything but the signing key)

Not as Google, on purpose: sync tokens used with another query are 400 (Google promises nothing); lists show tombstones
with their id and status alone; plain http push addresses are let through to this machine; a password change ends
sign-ins but no grants; no mail is ever sent.
"""
