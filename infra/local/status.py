"""`python -m infra.local status`: what runs, and whether it answers."""

from __future__ import annotations

from pathlib import Path

from infra.local.addresses import NotRunning, running_addresses
from infra.local.health import answers


def status(directory: Path) -> bool:
    """Print a line a part; returns whether a platform runs and all its HTTP parts answer."""
    try:
        addresses = running_addresses(directory)
    except NotRunning as error:
        print(error)
        return False
    parts = {
        "booking": f"{addresses.booking}/healthz",
        "webhook": f"{addresses.webhook}/healthz",
        "sync": f"{addresses.sync}/healthz",
        "tasks": f"{addresses.tasks_http}/healthz",
        "mail": f"{addresses.mail}/healthz",
        "firestore": f"http://{addresses.firestore}/",
    }
    if addresses.stand_in:
        parts["google"] = f"{addresses.google}/healthz"
    states = {name: answers(url) for name, url in parts.items()}
    for name, ready in states.items():
        print(f"{name:<10} {'answers' if ready else 'does not answer':<16} {parts[name]}")
    print(f"launcher   pid {addresses.pid}, data in {directory}")
    return all(states.values())
