"""What the local platform must keep to itself, made once and kept between runs."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path

from pydantic import BaseModel, Field

from infra.local.private_file import write_private


def _key() -> str:
    """`kid:base64url-of-32-random-bytes`, the form SIGNING_KEYS and TOKEN_KEYS are lists of."""
    return f"local1:{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip('=')}"


class Credentials(BaseModel):
    """Generated secrets. `api_keys` holds the operator's key of each account that was bootstrapped here."""

    client_id: str = "booking-local.apps.googleusercontent.com"
    client_secret: str = Field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    signing_keys: str = Field(default_factory=_key, repr=False)
    token_keys: str = Field(default_factory=_key, repr=False)
    google_password: str = Field(default_factory=lambda: secrets.token_urlsafe(9), repr=False)
    api_keys: dict[str, str] = Field(default_factory=dict, repr=False)

    @classmethod
    def load(cls, directory: Path) -> Credentials:
        """The directory's credentials, made now if there are none."""
        file = _file(directory)
        if file.exists():
            return cls.model_validate_json(file.read_bytes())
        made = cls()
        made.save(directory)
        return made

    def save(self, directory: Path) -> None:
        write_private(_file(directory), self.model_dump_json(indent=2) + "\n")


def _file(directory: Path) -> Path:
    return directory / "secrets.json"
