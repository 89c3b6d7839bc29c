"""Secrets that the server itself has to read again: AES-256-GCM under a key that the database does not have.

An app's secret signs what xtransit sends (HMAC), so unlike passwords and tokens its digest is not enough. Whoever
copies the database alone learns nothing; who copies the data folder has both.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sonde import settings

if TYPE_CHECKING:
    from pathlib import Path

KEY_BYTES = 32
_NONCE_BYTES = 12
_FORM = "v1:"


class UnsealError(Exception):
    """What was sealed cannot be read: it was sealed under another key, or changed."""


class Sealer:
    """Seals short texts. Thread-safe."""

    def __init__(self, key: bytes) -> None:
        """`key`: KEY_BYTES random bytes."""
        self._cipher = AESGCM(key)

    @classmethod
    def of(cls, values: settings.Settings, key_file: Path) -> Sealer:
        """With the key of these settings: SECRETS_KEY, else that of `key_file`, which is made where it is missing.

        Raises SettingError for a key that is none.
        """
        chosen = values[settings.SECRETS_KEY]
        if chosen:
            return cls(_decoded(chosen, "secrets_key"))
        return cls(_decoded(_kept(key_file), str(key_file)))

    def seal(self, text: str, bound_to: str) -> str:
        """`text`, readable with the key, and for the same `bound_to`: a row's secret is worth nothing in another."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, text.encode(), bound_to.encode())
        return _FORM + base64.b64encode(sealed).decode()

    def unseal(self, sealed: str, bound_to: str) -> str:
        """The text again. Raises UnsealError."""
        if not sealed.startswith(_FORM):
            raise UnsealError("sealed in a way that this program does not know")
        try:
            raw = base64.b64decode(sealed.removeprefix(_FORM), validate=True)
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], bound_to.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise UnsealError("sealed under another key, or changed") from error


def new_key() -> str:
    """A key as the setting and the file have it: base64."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _decoded(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise settings.SettingError(f"secrets_key: {where} holds no key; a key is {KEY_BYTES} random bytes in base64")
    return key


def _kept(path: Path) -> str:
    """The key in `path`, made now where there is none. Of programs that start at once, all see the same one."""
    try:
        if not path.exists():
            unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
            with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(new_key() + "\n")
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):  # what another one made meanwhile is as good, and in use
                os.link(unfinished, path)  # unlike a rename, replaces nothing
            unfinished.unlink()
        return path.read_text()
    except OSError as error:
        raise settings.SettingError(f"data: the key {path} cannot be kept: {error.strerror}") from None
