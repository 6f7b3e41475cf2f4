"""What a part of the platform is, to whoever starts and stops it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Part:
    """A program in the foreground that answers `GET {health}` with 200 once it is ready and stops on SIGTERM.

    `after` names parts that must be ready before this one is started; names that are not started at all don't count.
    Where a part finds out by itself what it is, its log says so after the words `described_by`. Parts of a lower
    `stop_stage` are stopped first. Times are seconds.
    """

    name: str
    about: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    address: str
    health: str
    described_by: str | None = None
    port_names: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    stop_stage: int = 0
    ready_within: float = 60
    stopped_within: float = 10
