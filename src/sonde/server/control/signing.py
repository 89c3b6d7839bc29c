"""The key that jobs are signed with, made at the first start and kept in the metadata database: every web process signs
alike, and agents go on trusting a server that moved.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from sonde.server.accounts import audit, tables
from sonde.server.accounts.database import writing

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Engine

NAME = "jobs"

_columns = tables.signing_keys.c


class Signer:
    """Ed25519. Thread-safe."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public_key = base64.b64encode(key.public_key().public_bytes_raw()).decode()
        """As agents pin it."""

    def sign(self, body: str) -> str:
        """The signature over the bytes of `body`, in base64."""
        return base64.b64encode(self._key.sign(body.encode())).decode()


def signer_of(engine: Engine, now: Callable[[], datetime]) -> Signer:
    """That of this database; its key is made if need be, once, whoever comes first. Blocks."""
    kept = _kept(engine)
    if kept is None:
        made = base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode()
        try:
            with writing(engine) as connection:
                connection.execute(insert(tables.signing_keys).values(name=NAME, private_key=made, created_at=now()))
                audit.record(connection, audit.AuditEntry(now(), "first start", "signing_key.create", NAME, ""))
        except IntegrityError:  # another process was quicker: its key is the one
            made = _kept(engine) or made
        kept = made
    return Signer(Ed25519PrivateKey.from_private_bytes(base64.b64decode(kept)))


def _kept(engine: Engine) -> str | None:
    with engine.connect() as connection:
        key: str | None = connection.execute(
            select(_columns.private_key).where(_columns.name == NAME)
        ).scalar_one_or_none()
    return key
