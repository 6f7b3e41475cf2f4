"""The ports of the one-machine platform: fixed defaults, each of which can be moved."""

from __future__ import annotations

import errno
import random
import socket
from collections.abc import Mapping
from dataclasses import dataclass, fields

HOST = "127.0.0.1"

# Below the ranges that Linux (32768) and macOS (49152) take ports for outgoing connections from: a port chosen here
# is not taken by a chance connection before the part listens on it.
_CHOSEN_FROM = range(20_000, 32_000)


class PortInUse(Exception):
    """Ports that a part needs and somebody else has; the message names each with its part and how to move it."""


@dataclass(frozen=True, kw_only=True)
class Ports:
    """One TCP port for each address of the platform, all on loopback."""

    booking: int = 8080
    webhook: int = 8081
    sync: int = 8082
    google: int = 8085
    tasks: int = 8086
    tasks_http: int = 8087
    firestore: int = 8088
    smtp: int = 8025
    mail: int = 8026

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(field.name for field in fields(cls))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Ports:
        """The defaults, moved by `LOCAL_PORT_BOOKING` and so on.

        Raises ValueError with the variable's name where the value is no port.
        """
        moved = {
            name: _port(variable(name), environment[variable(name)])
            for name in cls.names()
            if variable(name) in environment
        }
        return cls(**moved)

    @classmethod
    def free(cls) -> Ports:
        """Ports that nobody listens on now, for tests."""
        candidates = (port for port in random.sample(_CHOSEN_FROM, len(_CHOSEN_FROM)) if not in_use(port))
        return cls(**{name: next(candidates) for name in cls.names()})


def flag(name: str) -> str:
    """The command-line option that moves a port."""
    return "--port-" + name.replace("_", "-")


def variable(name: str) -> str:
    """The environment variable that moves a port."""
    return "LOCAL_PORT_" + name.upper()


def in_use(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the parts do: an earlier run's closed connections in TIME_WAIT are no reason to refuse.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True
            raise
    return False


def check_free(ports: Ports, *, needed: Mapping[str, str]) -> None:
    """Raise PortInUse if any needed port is taken. `needed` maps a port's name to the part that needs it."""
    taken = [
        f"port {getattr(ports, name)} is in use (needed by {part}); move it with {flag(name)} N or {variable(name)}=N"
        for name, part in needed.items()
        if in_use(getattr(ports, name))
    ]
    if taken:
        raise PortInUse("\n".join(taken))


def _port(name: str, text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ValueError(f"{name}={text} is not a port (1 to 65535)")
    return int(text)
