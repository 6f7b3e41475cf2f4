"""Refresh tokens at rest: AES-256-GCM, bound to the connection they belong to (law 12).

The ciphertext names its key, so keys can be rotated (see `resealing`); a token copied to another connection does not open there.
"""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from functions.adapters.settings import SecretKey

_NONCE_BYTES = 12  # NIST SP 800-38D


class CannotOpen(Exception):
    """The key that sealed this is gone, or it was sealed for another connection."""


@dataclass(frozen=True)
class Vault:
    keys: tuple[SecretKey, ...]

    def seal(self, secret: str, *, connection: str) -> str:
        key = self.keys[0]
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(key.bytes).encrypt(nonce, secret.encode(), connection.encode())
        return f"{key.id}:{urlsafe_b64encode(nonce + sealed).decode()}"

    def is_current(self, sealed: str) -> bool:
        """Whether it is sealed with the key that seals at present, so that the older ones are not needed for it."""
        return sealed.partition(":")[0] == self.keys[0].id

    def open(self, sealed: str, *, connection: str) -> str:
        """Raises `CannotOpen`."""
        key_id, _, encoded = sealed.partition(":")
        for key in self.keys:
            if key.id == key_id:
                try:
                    raw = urlsafe_b64decode(encoded)
                    return (
                        AESGCM(key.bytes).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], connection.encode()).decode()
                    )
                except (InvalidTag, ValueError):  # wrong connection, tampered with, or cut short
                    break
        raise CannotOpen(f"no key opens the token of connection {connection}")
