"""Random credentials: how they look, and what is kept of them.

A credential is `<prefix><43 characters>`, 256 random bits. The prefix tells a reader (and a scanner for leaked secrets)
what was found. Only the SHA-256 is stored: it takes no salt or stretching to protect 256 random bits, and a lookup by
digest leaks nothing about the credential through its timing.
"""

from __future__ import annotations

import hashlib
import secrets

APP_TOKEN = "sonde_app_"  # noqa: S105 - a prefix
API_TOKEN = "sonde_api_"  # noqa: S105 - a prefix
APP_SECRET = "sonde_secret_"  # noqa: S105 - a prefix
SESSION = "sonde_session_"

_RANDOM_BYTES = 32
_RANDOM_CHARS = 43


def new_credential(prefix: str) -> str:
    """A credential nobody has seen before."""
    return prefix + secrets.token_urlsafe(_RANDOM_BYTES)


def looks_like(prefix: str, credential: str) -> bool:
    """Whether it is worth a look into the database."""
    return credential.startswith(prefix) and len(credential) == len(prefix) + _RANDOM_CHARS


def digest(credential: str) -> str:
    """What is stored, in hex."""
    return hashlib.sha256(credential.encode("utf-8", "surrogatepass")).hexdigest()


def new_id() -> str:
    """A row's id: 12 hex digits, short enough to read out."""
    return secrets.token_hex(6)
