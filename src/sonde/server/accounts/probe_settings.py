"""What holds for a service instead of what its processes were configured with: how much of it is recorded."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from sonde.server.accounts import audit, tables
from sonde.server.accounts.database import until_it_holds, writing
from sonde.server.accounts.errors import TooManySettingsError
from sonde.server.accounts.recent import Recent
from sonde.wire.frames import MAX_SETTINGS_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Engine

CACHED_S = 1.0
CACHED_APPS = 1024

_columns = tables.probe_settings.c


@dataclass(frozen=True, slots=True)
class Sampling:
    """How much is recorded. None: as each process was configured."""

    rate: float | None = None
    slow_ms: float | None = None
    follows_parent: bool | None = None

    @property
    def on_the_wire(self) -> dict[str, float | bool]:
        """What is said, in the words of the probe's settings."""
        said = {"sampling_rate": self.rate, "slow_ms": self.slow_ms, "sampling_follows_parent": self.follows_parent}
        return {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Override:
    """What somebody said about a service."""

    sampling: Sampling
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True, slots=True)
class Document:
    """Everything that is said to the probes of an app, as JSON, and its name for those who have it already."""

    content: bytes
    etag: str

    @classmethod
    def of(cls, services: Iterable[tuple[str, Sampling]]) -> Document:
        """The same for the same sayings, in whatever order they come."""
        said = {name: sampling.on_the_wire for name, sampling in sorted(services, key=lambda service: service[0])}
        content = json.dumps({"services": said}, ensure_ascii=False, separators=(",", ":")).encode()
        return cls(content, f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"')


class ProbeSettings:
    """Says and unsays; a service need not have been seen. Every method may block, but `document` where it remembers."""

    def __init__(self, engine: Engine, now: Callable[[], datetime], seconds: Callable[[], float]) -> None:
        self._engine = engine
        self._now = now
        self._recent: Recent[str, Document] = Recent(CACHED_S, CACHED_APPS, seconds)

    def find(self, app_id: str, service: str) -> Override | None:
        """What was said about the service; None: nothing."""
        query = select(
            _columns.sampling_rate,
            _columns.slow_ms,
            _columns.follows_parent,
            _columns.changed_at,
            _columns.changed_by,
        ).where(_one(app_id, service))
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return Override(Sampling(*row[:3]), *row[3:]) if row else None

    def say(self, app_id: str, service: str, sampling: Sampling, who: str) -> Override:
        """From now on, in place of all that was said before. Raises TooManySettingsError, and IntegrityError for an app
        that is not there.
        """
        override = Override(sampling, self._now(), who[:128])
        until_it_holds(lambda: self._store(app_id, service, override))
        self._recent.forget(app_id)
        return override

    def _store(self, app_id: str, service: str, override: Override) -> None:
        values = {
            "sampling_rate": override.sampling.rate,
            "slow_ms": override.sampling.slow_ms,
            "follows_parent": override.sampling.follows_parent,
            "changed_at": override.changed_at,
            "changed_by": override.changed_by,
        }
        table = tables.probe_settings
        with writing(self._engine) as connection:
            if not connection.execute(update(table).where(_one(app_id, service)).values(values)).rowcount:
                connection.execute(insert(table).values(app_id=app_id, service=service, **values))
            if len(_document(connection, app_id).content) > MAX_SETTINGS_BYTES:
                raise TooManySettingsError(
                    f"probes take {MAX_SETTINGS_BYTES >> 10} KiB of settings, and this app's would be more; "
                    "reset a service that needs none"
                )
            detail = json.dumps({"service": service, **override.sampling.on_the_wire}, ensure_ascii=False)
            said = audit.AuditEntry(override.changed_at, override.changed_by, "sampling.set", app_id, detail)
            audit.record(connection, said)

    def unsay(self, app_id: str, service: str, who: str) -> bool:
        """Back to what each process was configured with. False where nothing was said."""
        with writing(self._engine) as connection:
            gone = connection.execute(delete(tables.probe_settings).where(_one(app_id, service))).rowcount
            if gone:
                detail = json.dumps({"service": service}, ensure_ascii=False)
                audit.record(connection, audit.AuditEntry(self._now(), who, "sampling.reset", app_id, detail))
        self._recent.forget(app_id)
        return bool(gone)

    def document(self, app_id: str) -> Document:
        """What the app's probes are told. Remembered for CACHED_S."""
        return self._recent.get(app_id, lambda: self._look_up(app_id))

    def remembers(self, app_id: str) -> bool:
        """Whether `document` would answer at once, without the database."""
        return self._recent.known(app_id)

    def _look_up(self, app_id: str) -> Document:
        with self._engine.connect() as connection:
            return _document(connection, app_id)


def _one(app_id: str, service: str) -> ColumnElement[bool]:
    return (_columns.app_id == app_id) & (_columns.service == service)


def _document(connection: Connection, app_id: str) -> Document:
    query = select(_columns.service, _columns.sampling_rate, _columns.slow_ms, _columns.follows_parent)
    rows = connection.execute(query.where(_columns.app_id == app_id))
    return Document.of((service, Sampling(*sampling)) for service, *sampling in rows)
