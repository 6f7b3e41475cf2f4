"""Stopping process groups in order, without leaving anyone behind.

Every part leads a process group of its own, so that what it starts (gunicorn's workers, a Java machine) can be reached
after the part itself is gone. The launcher and its guardian stop groups by the same code.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.02

_PROC = Path("/proc")


@dataclass(frozen=True, kw_only=True)
class Group:
    """A process group, named by its leader's pid. Groups of a lower `stage` are stopped first; each has `grace` seconds
    between SIGTERM and SIGKILL."""

    pgid: int
    stage: int
    grace: float


def stop(groups: Sequence[Group], *, reap: Callable[[], None] = lambda: None) -> list[Group]:
    """Stop the groups, stage by stage: SIGTERM to the leader, then SIGKILL to whoever is left when its grace is over.

    `reap` collects the caller's own dead children while this waits. Returns the groups that had to be killed.
    """
    killed: list[Group] = []
    for stage in sorted({group.stage for group in groups}):
        members = [group for group in groups if group.stage == stage]
        started = time.monotonic()
        for group in members:
            _terminate(group.pgid)
        for group in members:
            if not _gone_by(started + group.grace, group.pgid, reap):
                killed.append(group)
                _signal_group(group.pgid, signal.SIGKILL)
                _gone_by(time.monotonic() + 5, group.pgid, reap)
    return killed


def alive(pgid: int) -> bool:
    """Whether the group has a member that still runs. A zombie does not: in a container without an init nobody may ever
    collect it."""
    try:
        os.killpg(pgid, 0)
    except (ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
        return False
    if not _PROC.joinpath("self", "stat").exists():
        return True
    return any(_runs_in(stat, pgid) for stat in _PROC.glob("[0-9]*/stat"))


def _runs_in(stat: Path, pgid: int) -> bool:
    try:
        text = stat.read_text()
    except OSError:  # it ended between the listing and the reading
        return False
    # pid (comm) state ppid pgrp …; comm may itself hold brackets and spaces: proc(5)
    state, _parent, group, *_rest = text.rpartition(")")[2].split()
    return int(group) == pgid and state not in "ZX"


def _terminate(pgid: int) -> None:
    """Ask the leader alone: it knows in which order its own children must end. Without a leader, ask them all."""
    try:
        leads = os.getpgid(pgid) == pgid
    except ProcessLookupError:
        leads = False
    if leads and _leader_runs(pgid):
        os.kill(pgid, signal.SIGTERM)
    else:
        _signal_group(pgid, signal.SIGTERM)


def _leader_runs(pid: int) -> bool:
    stat = _PROC / str(pid) / "stat"
    return not stat.exists() or _runs_in(stat, pid)


def _signal_group(pgid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pgid, number)
    except (ProcessLookupError, PermissionError):
        return


def _gone_by(deadline: float, pgid: int, reap: Callable[[], None]) -> bool:
    while True:
        reap()
        if not alive(pgid):
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_SECONDS)
