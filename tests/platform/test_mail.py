"""The mail sink over its real wires: SMTP in, HTTP out."""

from __future__ import annotations

import smtplib
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from infra.local.configuration import Configuration
from infra.local.platform import Platform
from infra.local.ports import HOST, Ports
from infra.local.supervisor import PartFailed


class Sink:
    """A running sink and how to talk to it."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.smtp_port = platform.configuration.ports.smtp
        self.http = httpx.Client(base_url=platform.addresses.mail, trust_env=False)

    def send(self, message: EmailMessage, *, to: str = "ada@client.example") -> None:
        with smtplib.SMTP(HOST, self.smtp_port, timeout=10) as smtp:
            smtp.send_message(message, from_addr="bookings@studio-nord.example", to_addrs=[to])

    def messages(self, **query: str) -> list[dict]:
        return self.http.get("/messages", params=query).raise_for_status().json()["messages"]


def mail_platform(directory: Path, ports: Ports) -> Platform:
    return Platform(Configuration.from_environment({}, directory=directory, ports=ports), only=["mail"])


@pytest.fixture
def ports() -> Ports:
    return Ports.free()


@pytest.fixture
def sink(tmp_path: Path, ports: Ports) -> Iterator[Sink]:
    with mail_platform(tmp_path, ports) as platform:
        yield Sink(platform)


def confirmation(*, subject: str = "Your booking", message_id: str = "<booking-1@studio-nord.example>") -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = subject
    message["Message-ID"] = message_id
    message["To"] = "Ada Übel <ada@client.example>"
    message.set_content("Grüße aus dem Studio.\n")
    return message


def test_a_message_is_shown_with_its_envelope_text_and_headers(sink: Sink) -> None:
    sink.send(confirmation(subject="Buchung bestätigt"), to="ada@client.example")

    [message] = sink.messages()

    assert message["from"] == "bookings@studio-nord.example"
    assert message["to"] == ["ada@client.example"]
    assert message["subject"] == "Buchung bestätigt"
    assert message["text"] == "Grüße aus dem Studio.\n"
    assert message["message_id"] == "<booking-1@studio-nord.example>"
    assert ["Message-ID", "<booking-1@studio-nord.example>"] in message["headers"]
    assert message["attachments"] == []


def test_html_parts_and_attachments_are_listed(sink: Sink) -> None:
    message = confirmation()
    message.add_alternative("<p>Grüße</p>", subtype="html")
    message.add_attachment(b"BEGIN:VCALENDAR\r\n", maintype="text", subtype="calendar", filename="booking.ics")
    sink.send(message)

    [shown] = sink.messages()

    assert shown["html"].strip() == "<p>Grüße</p>"
    assert shown["attachments"] == [{"name": "booking.ics", "content_type": "text/calendar", "bytes": 17}]


def test_messages_can_be_asked_for_by_recipient_time_and_id(sink: Sink) -> None:
    sink.send(confirmation(subject="first"), to="ada@client.example")
    sink.send(confirmation(subject="second"), to="ben@client.example")
    first, second = sink.messages()

    assert [message["subject"] for message in sink.messages(to="BEN@client.example")] == ["second"]
    assert [message["subject"] for message in sink.messages(since=second["received"])] == ["second"]
    assert sink.messages(since=(datetime.now(UTC) + timedelta(hours=1)).isoformat()) == []
    assert [message["subject"] for message in sink.messages(after=str(first["id"]))] == ["second"]
    assert sink.http.get("/messages", params={"since": "yesterday"}).status_code == 400


def test_the_page_shows_the_text_and_runs_nothing_of_it(sink: Sink) -> None:
    message = confirmation(subject="<script>alert(1)</script>")
    message.add_alternative("<script>alert(2)</script>", subtype="html")
    message.add_attachment(b"x", maintype="application", subtype="pdf", filename="<b>.pdf")
    sink.send(message)

    page = sink.http.get("/").text

    assert "Grüße aus dem Studio." in page
    assert "&lt;b&gt;.pdf" in page
    assert "<script>" not in page
    assert 'sandbox=""' in page


def test_messages_survive_a_restart_and_ids_go_on(tmp_path: Path, ports: Ports) -> None:
    with mail_platform(tmp_path, ports) as platform:
        Sink(platform).send(confirmation(subject="before"))
    with mail_platform(tmp_path, ports) as platform:
        sink = Sink(platform)
        sink.send(confirmation(subject="after"))

        before, after = sink.messages()

    assert (before["subject"], after["subject"]) == ("before", "after")
    assert after["id"] > before["id"]


def test_delete_forgets_all_messages_but_gives_no_id_twice(sink: Sink) -> None:
    sink.send(confirmation())
    [forgotten] = sink.messages()
    assert sink.http.delete("/messages").status_code == 204
    assert sink.messages() == []

    sink.send(confirmation())

    assert sink.messages()[0]["id"] > forgotten["id"]


def test_the_raw_message_is_kept_as_it_came(sink: Sink) -> None:
    sink.send(confirmation())
    [message] = sink.messages()

    raw = sink.http.get(f"/messages/{message['id']}/raw").text

    assert "Message-ID: <booking-1@studio-nord.example>\r\n" in raw
    assert sink.http.get("/messages/999/raw").status_code == 404


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
def test_ordered_refusals_keep_nothing_and_then_mail_is_taken_again(sink: Sink, stage: str) -> None:
    sink.http.post("/control/refuse", json={"count": 2, "code": 451, "stage": stage}).raise_for_status()

    for _attempt in range(2):
        with pytest.raises(smtplib.SMTPException, match="451"):
            sink.send(confirmation())
    assert sink.messages() == []

    sink.send(confirmation())
    assert len(sink.messages()) == 1


def test_a_permanent_refusal_answers_with_its_code(sink: Sink) -> None:
    sink.http.post("/control/refuse", json={"code": 550, "stage": "rcpt"}).raise_for_status()

    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        sink.send(confirmation())

    assert refused.value.recipients["ada@client.example"][0] == 550


@pytest.mark.parametrize(("keep", "copies_after_retry"), [(True, 2), (False, 1)], ids=["taken", "not-taken"])
def test_a_dropped_connection_shows_at_least_once(sink: Sink, keep: bool, copies_after_retry: int) -> None:
    sink.http.post("/control/drop", json={"count": 1, "keep": keep}).raise_for_status()

    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        sink.send(confirmation())
    sink.send(confirmation())

    messages = sink.messages()
    assert len(messages) == copies_after_retry
    assert {message["message_id"] for message in messages} == {"<booking-1@studio-nord.example>"}


def test_ordered_trouble_can_be_seen_and_taken_back(sink: Sink) -> None:
    sink.http.post("/control/refuse", json={"count": 3, "code": 421}).raise_for_status()
    assert sink.http.get("/control").json()["refuse"] == {"count": 3, "code": 421, "stage": "data"}
    assert sink.http.post("/control/refuse", json={"code": 250}).status_code == 400

    assert sink.http.delete("/control").status_code == 204

    sink.send(confirmation())
    assert len(sink.messages()) == 1


@pytest.mark.parametrize("taken", ["mail", "smtp"])
def test_a_port_in_use_is_named_by_the_sink_itself(tmp_path: Path, ports: Ports, taken: str) -> None:
    platform = mail_platform(tmp_path, ports)
    with socket.socket() as listener:
        listener.bind((HOST, getattr(ports, taken)))
        listener.listen()

        with pytest.raises(
            PartFailed, match=rf"exit code 3(.|\n)*port {getattr(ports, taken)} is in use \(needed by mail\)"
        ):
            platform.supervisor.start()
