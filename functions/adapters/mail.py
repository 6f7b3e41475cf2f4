"""Outgoing mail over SMTP: the standard library speaks it, the settings say to whom."""

import smtplib
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

TIMEOUT_S = 15.0


class MailFailed(Exception):
    """The server did not take the message; it should be tried again."""


def send(message: EmailMessage, mail_url: str) -> None:
    """Sends through `smtp://[user:password@]host[:port]` or `smtps://…`. Raises `MailFailed`."""
    url = urlsplit(mail_url)
    secure = url.scheme == "smtps"
    connect = smtplib.SMTP_SSL if secure else smtplib.SMTP
    try:
        with connect(url.hostname or "localhost", url.port or (465 if secure else 25), timeout=TIMEOUT_S) as server:
            if url.username:
                if not secure:
                    server.starttls()
                server.login(unquote(url.username), unquote(url.password or ""))
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise MailFailed(type(error).__name__) from error
