"""What `make run` prints once everything answers: where to look, and a first booking to paste."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path

from infra.local.addresses import Addresses


def summary(addresses: Addresses, *, parts: Collection[str], directory: Path) -> str:
    """The addresses of these parts, one a line. Holds no secret: it names the file that does."""
    lines = ["", "Everything answers."]
    lines += [f"  {name:<24}{address}" for name, address in _addresses(addresses, parts)]
    lines += [f"  {'passwords, API key':<24}{directory / 'addresses.json'}"]
    if addresses.consent_url is not None:
        lines += [
            "",
            "No Google account is connected yet. Open this address within ten minutes and allow access:",
            f"  {addresses.consent_url}",
        ]
    if addresses.free_slot is not None:
        lines += ["", "A first booking:", first_booking(addresses)]
        lines += [f"  then see it at {page}" for page in _week_pages(addresses)]
    lines += ["", "Ctrl-C stops everything; data stay. The logs:", ""]
    return "\n".join(lines)


def first_booking(addresses: Addresses) -> str:
    """A curl command that books the free slot; pasted twice it books once (Idempotency-Key)."""
    slot = addresses.free_slot
    assert slot is not None
    body = {
        "service": slot.service,
        "start": slot.start,
        "client": {"name": "Ada Example", "email": "ada@client.example"},
    }
    return (
        f"  curl -s {addresses.booking}/v1/accounts/{addresses.account}/bookings \\\n"
        f"    -H 'Content-Type: application/json' -H 'Idempotency-Key: first-{slot.start}' \\\n"
        f"    -d '{json.dumps(body)}'"
    )


def _week_pages(addresses: Addresses) -> list[str]:
    slot = addresses.free_slot
    day = slot.start.partition("T")[0] if slot else ""
    return [f"{calendar.page}?week={day}" for calendar in addresses.calendars if calendar.resource == "anna"]


def _addresses(addresses: Addresses, parts: Collection[str]) -> Iterator[tuple[str, str]]:
    if "booking" in parts:
        account = f"/v1/accounts/{addresses.account}" if addresses.account else ""
        yield "booking API", addresses.booking + account
        yield "operators sign in", f"{addresses.booking}/console"
    for name, address in (("webhook", addresses.webhook), ("sync", addresses.sync)):
        if name in parts:
            yield name, address
    for calendar in addresses.calendars:
        yield f"{calendar.resource.capitalize()}'s calendar", calendar.page
    if addresses.google_user is not None:
        yield "Google demo user", f"{addresses.google_user.email} (password in the file below)"
    if "mail" in parts:
        yield "outgoing mail", addresses.mail
