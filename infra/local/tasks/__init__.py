"""A local Cloud Tasks that the real client library talks to, the Cloud Scheduler jobs of one target, and an instance's identity.

`python -m infra.local.tasks --host 127.0.0.1 --port 8086 --http-port 8087 --data DIR
[--scheduler-target URL] [--service-account EMAIL] [--instance-account EMAIL]`

Runs in the foreground until SIGTERM or SIGINT (exit 0). A port in use: exit 3; a data directory in use: exit 1. A port of 0 lets
the system choose; the line `Cloud Tasks ready: gRPC on port N, http on port M` says which. The client:

    transport = CloudTasksGrpcTransport(channel=grpc.insecure_channel("127.0.0.1:8086"))
    client = tasks_v2.CloudTasksClient(transport=transport)

What it does, with the codes and messages of the real service

* Queues: create, get, list (paged), update (with its mask; creates what is missing), delete (the name stays taken for 3 days),
  pause, resume, purge. Any project and location; they share nothing.
* Tasks with an HTTP target: create, get, list (paged), delete, run. A name given by the caller stays taken while the task exists
  and 24 hours after it was done, given up, deleted or purged. BASIC views leave the body out.
* Delivery: at `schedule_time`, within the queue's rate (a token bucket) and concurrency; the handler gets the task's method,
  headers and body, `X-CloudTasks-*` headers and an OIDC token. 2xx is success; anything else, no answer, or no answer within
  `dispatch_deadline` is tried again with the queue's backoff until `max_attempts` and `max_retry_duration` are both reached.
  On 429 and 503 `Retry-After` makes the wait longer. Redirects are not followed. A run task ignores pause, rate and concurrency.
* State is kept in --data: queues, tasks, taken names, the signing key. A delivery that a stop or crash cut off is made again.
* OIDC: RS256 JWTs with Google's claims, one hour long; deliveries to one audience share a token for some minutes.
  `GET /oauth2/v1/certs` serves {key id: x509 PEM} for `google.oauth2.id_token.verify_token(…, certs_url=…)`.
* Metadata: `GET /computeMetadata/v1/instance/service-accounts/default/identity?audience=&format=full`, with the header
  `Metadata-Flavor: Google`, answers an ID token of the instance's service account (GCE_METADATA_HOST points libraries here). Of
  the metadata server there is nothing else; the e-mail is in the token whatever `format` says.
* Schedules, with --scheduler-target: POST {URL}/schedule/minute, /quarter and /daily every 60, 900 and 86,400 seconds from the
  start on, with an OIDC token for audience URL. A failure is one log line; the next tick tries again.

What it refuses (UNIMPLEMENTED)

App Engine targets and routing, queue-level HTTP targets, task-level retry settings, OAuth tokens, list filters, batch calls, IAM,
CMEK, locations. Not modelled: slow start and throttling of a whole queue after errors, permissions, quotas. Tasks are limited to
the documented 100 KB (the real service was seen to take more).

Control over HTTP, JSON both ways

`prefix`, wherever it is taken, is the beginning of full queue names by whole segments (`projects/p`, or a whole queue name);
left out, it means every queue. POST calls take it in the body, GET and DELETE in the query. Bad input: 400 {"error"}.

* `GET /healthz` 200 when ready.
* `GET /control/queues?prefix=` {"queues": {name: {"paused", "pending", "scheduled", "running", "done", "failed"}}}: pending is due
  and not begun, scheduled is due later, done and failed (given up) count since the start or the last reset.
* `GET /control/log?since=N&prefix=` {"deliveries": [{"number", "queue", "task", "method", "url", "body", "attempt" (1 is the first), "due",
  "at", "finished_at" (epoch seconds), "status", "error", "answer_lost", "result" (done, retry, failed, copy, discarded),
  "retry_in"}], "last": N}: finished deliveries numbered above `since`; the last 50,000 are kept, in memory.
* `GET /control/idle?timeout=30&within=0&prefix=` waits until nothing runs and nothing is due within the next `within` seconds
  (tasks of paused queues do not count): 200 {"idle": true}, or 504 {"idle": false} after `timeout` seconds.
* `POST /control/flush` {"prefix"}: what waits (scheduled, in backoff, delayed) is due now; rates, concurrency and pauses hold. 204.
* `POST /control/reset` {"prefix"}: forgets tasks, taken names, log, counts and delivery orders; queues stay. 204.
* `POST /control/delivery` orders faults: {"prefix", "seed", "duplicate_probability", "duplicate_count" (1 or 2 extra deliveries),
  "delay_seconds": [shortest, longest], "reorder", "lose_first_answer_probability"}. The longest matching prefix decides; a second
  order for a prefix replaces the first. With a seed, what happens to an attempt depends on its task's name and number alone.
  Copies come beside or after the attempt they repeat, whatever came of it. `GET` shows the orders, `DELETE ?prefix=` withdraws them.
* `POST /control/schedule/{minute|quarter|daily}` fires a schedule now: 200 {"status": the target's}, 502 {"status": null, "error"}.
* `POST /control/oidc` {"audience", "email"?, "lifetime"? (seconds; negative: expired), "email_verified"?} → {"token"}.
"""
