"""The official emulator's jars: where they may lie, which version each is, which Java it needs."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from infra.local.firestore.gcloud import COMPONENT, Sdk
from infra.local.firestore.machine import Machine

Version = tuple[int, ...]

_MAIN_CLASS = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
_NAME = re.compile(rf"{COMPONENT}-v?(\d+(?:\.\d+)*)\.jar")
_CLASS_FILE_OF_JAVA_1 = 44  # class file major version 55 is Java 11: JVM specification, table 4.1-A
_NEEDS_JAVA_21: Version = (1, 20)
_OLDEST_JAVA = 11


@dataclass(frozen=True, kw_only=True)
class Jar:
    """An emulator that is on this machine. ``java_needed`` is the lowest major version of Java it runs on."""

    path: Path
    version: Version | None
    source: str
    java_needed: int
    main_class: str = _MAIN_CLASS

    @property
    def version_text(self) -> str:
        return ".".join(map(str, self.version)) if self.version else "of unknown version"


def find_jars(machine: Machine, sdk: Sdk | None) -> list[Jar]:
    """Every usable jar, the one to prefer first: the SDK's component, then the cached ones, newest version first."""
    jars = [] if sdk is None else _sdk_jars(sdk)
    cached = [
        *_cached_jars(machine.firebase_cache, "firebase-tools' cache"),
        *_cached_jars(machine.cache, "an earlier download"),
    ]
    return jars + sorted(cached, key=lambda jar: jar.version or (), reverse=True)


def read_jar(path: Path, *, version: Version | None, source: str) -> Jar | None:
    """The jar at ``path``, or None where there is no file or it is not a whole emulator."""
    try:
        with zipfile.ZipFile(path) as archive:
            main_class = _main_class(archive)
            needed = _class_file_java(archive, main_class)
    except (OSError, KeyError, zipfile.BadZipFile):
        return None
    if version is not None and version >= _NEEDS_JAVA_21:
        needed = max(needed, 21)  # what Google asks for, whatever the classes were compiled for
    return Jar(path=path, version=version, source=source, java_needed=max(needed, _OLDEST_JAVA), main_class=main_class)


def parse_version(text: str | None) -> Version | None:
    return tuple(map(int, text.split("."))) if text and re.fullmatch(r"\d+(\.\d+)*", text) else None


def _sdk_jars(sdk: Sdk) -> list[Jar]:
    jar = read_jar(
        sdk.component_directory / f"{COMPONENT}.jar",
        version=parse_version(sdk.component_version()),
        source="the gcloud SDK",
    )
    return [] if jar is None else [jar]


def _cached_jars(directory: Path, source: str) -> list[Jar]:
    if not directory.is_dir():
        return []
    named = [(path, match.group(1)) for path in directory.iterdir() if (match := _NAME.fullmatch(path.name))]
    jars = [read_jar(path, version=parse_version(version), source=source) for path, version in named]
    return [jar for jar in jars if jar is not None]


def _main_class(archive: zipfile.ZipFile) -> str:
    """From the manifest; the SDK's jar has none there, and its own start script names this class."""
    manifest = archive.read("META-INF/MANIFEST.MF").decode(errors="replace")
    match = re.search(r"^Main-Class: *(\S+)", manifest, re.MULTILINE)
    return match.group(1) if match else _MAIN_CLASS


def _class_file_java(archive: zipfile.ZipFile, main_class: str) -> int:
    with archive.open(main_class.replace(".", "/") + ".class") as class_file:
        return int.from_bytes(class_file.read(8)[6:], "big") - _CLASS_FILE_OF_JAVA_1
