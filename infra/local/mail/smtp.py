"""The SMTP side: takes messages, or makes the trouble that was ordered."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

from aiosmtpd.smtp import SMTP, Envelope, Session

from infra.local.mail.store import MessageStore
from infra.local.mail.trouble import Stage, Trouble

log = logging.getLogger("mail")


class Receiver:
    """aiosmtpd's handler hooks. A message is stored before it is answered, so an accepted mail survives a crash."""

    def __init__(self, *, store: MessageStore, trouble: Trouble) -> None:
        self._store = store
        self._trouble = trouble

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, mail_options: list[str]
    ) -> str:
        code = self._trouble.next_refusal(Stage.MAIL)
        if code is not None:
            return _refused(code, f"from {address}")
        envelope.mail_from = address
        envelope.mail_options.extend(mail_options)
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        code = self._trouble.next_refusal(Stage.RCPT)
        if code is not None:
            return _refused(code, f"to {address}")
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(rcpt_options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        code = self._trouble.next_refusal(Stage.DATA)
        if code is not None:
            return _refused(code, f"to {', '.join(envelope.rcpt_tos)}")
        drop = self._trouble.next_drop()
        if drop is None or drop.keep:
            self._keep(envelope)
        if drop is not None:
            log.info("connection dropped as ordered; message %s", "kept" if drop.keep else "not kept")
            # The answer that aiosmtpd still writes goes nowhere: the peer sees what a server that died would show.
            if isinstance(server.transport, asyncio.Transport):
                server.transport.abort()
        return "250 OK"

    def _keep(self, envelope: Envelope) -> None:
        content = envelope.original_content or b""
        message_id = self._store.add(
            sender=envelope.mail_from or "",
            recipients=tuple(envelope.rcpt_tos),
            content=content,
            received=datetime.now(UTC),
        )
        log.info("message %d to %s, %d bytes", message_id, ", ".join(envelope.rcpt_tos), len(content))


def _refused(code: int, what: str) -> str:
    log.info("message %s refused with %d as ordered", what, code)
    return f"{code} refused as ordered by a test"
