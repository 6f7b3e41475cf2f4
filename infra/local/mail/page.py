"""One plain page with all messages, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from infra.local.mail.reading import ReadMessage

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; color: #1c1c1c }
article { border-top: 1px solid #999; padding: 1rem 0 }
h2 { margin: 0; font-size: 1.1rem }
p { margin: .25rem 0 }
pre { white-space: pre-wrap; font: inherit; background: #f4f4f4; padding: .75rem }
iframe { width: 100%; height: 20rem; border: 1px solid #999 }
"""


def page(messages: Sequence[ReadMessage]) -> str:
    count = (
        "no mail yet" if not messages else f"{len(messages)} message{'' if len(messages) == 1 else 's'}, newest first"
    )
    articles = "\n".join(_article(message) for message in messages)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Outgoing mail</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>Outgoing mail</h1><p>Nothing here leaves this machine: {count}.</p>\n{articles}"
        "</main></body></html>"
    )


def _article(message: ReadMessage) -> str:
    subject = escape(message.subject) or "(no subject)"
    parts = [
        f'<article id="message-{message.id}"><h2>{subject}</h2>',
        f"<p>From {escape(message.sender)} to {escape(', '.join(message.to))}, {escape(message.received)}.",
        f'<a href="/messages/{message.id}/raw">Raw message {message.id}</a></p>',
    ]
    if message.text is not None:
        parts.append(f"<pre>{escape(message.text)}</pre>")
    if message.html is not None:
        # An empty sandbox: whatever a template carries, it runs no script and loads no page here.
        parts.append(f'<iframe sandbox="" title="HTML part of: {subject}" srcdoc="{escape(message.html)}"></iframe>')
    if message.attachments:
        names = ", ".join(
            f"{escape(item.name)} ({escape(item.content_type)}, {item.bytes} bytes)" for item in message.attachments
        )
        parts.append(f"<p>Attached: {names}</p>")
    return "\n".join([*parts, "</article>"])
