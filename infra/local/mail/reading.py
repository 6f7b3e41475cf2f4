"""A stored message as a person or a test reads it: decoded headers, text, and the names of what is attached."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.policy import default as internet_mail

from pydantic import BaseModel, Field

from infra.local.mail.store import StoredMessage


class Attachment(BaseModel):
    name: str
    content_type: str
    bytes: int


class ReadMessage(BaseModel):
    id: int
    received: str
    sender: str = Field(serialization_alias="from")
    to: tuple[str, ...]
    subject: str
    text: str | None
    html: str | None
    headers: tuple[tuple[str, str], ...]
    message_id: str | None
    attachments: tuple[Attachment, ...]


def read(stored: StoredMessage) -> ReadMessage:
    """Decode a message. A body that can't be decoded is shown as far as it can be, never refused."""
    message = message_from_bytes(stored.content, policy=internet_mail)
    assert isinstance(message, EmailMessage)
    return ReadMessage(
        id=stored.id,
        received=stored.received.isoformat().replace("+00:00", "Z"),
        sender=stored.sender,
        to=stored.recipients,
        subject=str(message.get("Subject", "")),
        text=_body(message, "plain"),
        html=_body(message, "html"),
        headers=tuple((name, str(value)) for name, value in message.items()),
        message_id=None if message["Message-ID"] is None else str(message["Message-ID"]).strip(),
        attachments=tuple(_attachment(part) for part in message.iter_attachments()),
    )


def _body(message: EmailMessage, subtype: str) -> str | None:
    part = message.get_body(preferencelist=(subtype,))
    return None if part is None else _decoded(part).replace("\r\n", "\n")


def _decoded(part: MIMEPart) -> str:
    try:
        return str(part.get_content())
    except LookupError:  # a charset nobody knows
        return _payload(part).decode("utf-8", errors="replace")


def _attachment(part: MIMEPart) -> Attachment:
    return Attachment(
        name=part.get_filename() or "(no name)",
        content_type=part.get_content_type(),
        bytes=len(_payload(part)),
    )


def _payload(part: MIMEPart) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else bytes(part)
