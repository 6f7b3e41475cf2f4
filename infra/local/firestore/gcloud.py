"""The gcloud SDK of this machine, which may hold the emulator or be able to install it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from infra.local.firestore.machine import Machine

COMPONENT = "cloud-firestore-emulator"


@dataclass(frozen=True, kw_only=True)
class Sdk:
    """``installs_components`` is False where gcloud came from a package manager, which then has to install them."""

    gcloud: Path
    root: Path
    installs_components: bool

    @property
    def component_directory(self) -> Path:
        return self.root / "platform" / COMPONENT

    @property
    def install_command(self) -> tuple[str, ...]:
        return (str(self.gcloud), "components", "install", COMPONENT, "--quiet")

    def component_version(self) -> str | None:
        """The version of the installed component, from the SDK's own records."""
        record = self.root / ".install" / f"{COMPONENT}.snapshot.json"
        try:
            components = json.loads(record.read_text())["components"]
            versions = [item["version"]["version_string"] for item in components if item["id"] == COMPONENT]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return str(versions[0]) if versions else None


def find_sdk(machine: Machine) -> Sdk | None:
    gcloud = machine.which("gcloud")
    if gcloud is None:
        return None
    root = gcloud.resolve().parent.parent
    return Sdk(gcloud=gcloud, root=root, installs_components=_installs_components(root))


def _installs_components(root: Path) -> bool:
    try:
        config = json.loads((root / "lib" / "googlecloudsdk" / "core" / "config.json").read_text())
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and not config.get("disable_updater", False)
