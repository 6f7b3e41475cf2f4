"""The mail sink: takes every mail the platform sends, keeps it, shows it, delivers nothing.

`python -m infra.local.mail --host 127.0.0.1 --port 8026 --smtp-port 8025 --data DIR`

SMTP (`--smtp-port`): plain SMTP without TLS or log-in, as `MAIL_URL=smtp://…` names it. A message is on disk before
it is answered with 250.

HTTP (`--port`):

* `GET /` the messages as a page, newest first.
* `GET /messages?to=ADDRESS&since=INSTANT&after=ID` JSON `{"messages": […]}`, oldest first. `to` matches an envelope
  recipient, whatever its case; `since` is an RFC 3339 instant (received then or later); `after` keeps the messages
  with a higher id. Each message has `id` (a rising integer), `received`, `from` and `to` (of the envelope), `subject`,
  `text`, `html`, `headers` (a list of `[name, value]`), `message_id`, `attachments` (`name`, `content_type`, `bytes`).
* `GET /messages/{id}/raw` the message as it came (RFC 5322).
* `DELETE /messages` forgets all messages; 204.
* `GET /healthz` 200.

Control, so that tests can show what a sender does about trouble:

* `POST /control/refuse {"count": 2, "code": 451, "stage": "data"}` answers the next messages with this code (4xx or
  5xx) after MAIL, RCPT or DATA (`mail`, `rcpt`, `data`). Nothing of them is kept.
* `POST /control/drop {"count": 1, "keep": true}` closes the connection after the message's last line, without an
  answer: with `keep` the message has been taken (an honest sender sends it again), without it has not.
* `GET /control` shows what is still to come; `DELETE /control` takes it all back.
"""
