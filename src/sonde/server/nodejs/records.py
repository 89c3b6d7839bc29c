"""What agents tell of packages and core files, as rows of the metadata database: the latest of each, bounded."""

from __future__ import annotations

import asyncio
import hashlib
import json
import zlib
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from sonde.server.accounts import tables
from sonde.server.accounts.database import until_it_holds, writing
from sonde.server.nodejs import packages

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Engine, Table

    from sonde.server.api.workers import Workers

MOST_FILES = 100
"""package.json files of one agent."""
MOST_CORES = 500
MOST_ROWS = 1000
LONGEST_PATH = 4096

_packages, _cores = tables.nodejs_packages.c, tables.nodejs_cores.c


@dataclass(frozen=True, slots=True)
class PackageFile:
    """A package.json as last received. `document`: see `packages.Package.document`."""

    agent: str
    file: str
    document: dict[str, Any]
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Core:
    """A core file on an agent's host."""

    agent: str
    core_path: str
    executable_path: str
    node_version: str
    first_seen: datetime
    last_seen: datetime


class Records:
    """Writes from the event loop through `workers`; what is read, blocks."""

    def __init__(self, engine: Engine, workers: Workers, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._workers = workers
        self._now = now
        self._in_turn = asyncio.Lock()
        """What came first is written first: of two logs of one file the later one is to stay."""

    async def packages(self, app: str, agent: str, said: object) -> None:
        """Keep the files of one log."""
        for entry in said[:MOST_FILES] if isinstance(said, list) else ():
            name, pkg = (entry.get("name"), entry.get("pkg")) if isinstance(entry, dict) else (None, None)
            if isinstance(name, str) and isinstance(pkg, str) and 0 < len(name) <= LONGEST_PATH:
                lock = entry.get("lock") if isinstance(entry.get("lock"), str) else None
                async with self._in_turn:
                    await self._workers(self._keep_package, app, agent, _text(name, LONGEST_PATH), pkg, lock)

    async def cores(self, app: str, agent: str, said: object) -> None:
        """Keep the core files of one log; the same one may come again."""
        found = [entry for entry in said[:MOST_CORES] if isinstance(entry, dict)] if isinstance(said, list) else []
        if found:
            async with self._in_turn:
                await self._workers(self._keep_cores, app, agent, found)

    def package_files(self, app: str, agent: str) -> list[PackageFile]:
        """Those of an agent, by file."""
        query = select(_packages.agent, _packages.file, _packages.document, _packages.received_at)
        query = query.where((_packages.app_id == app) & (_packages.agent == agent)).limit(MOST_ROWS)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return sorted(
            (PackageFile(row.agent, row.file, _unpacked(row.document), row.received_at) for row in rows),
            key=lambda found: found.file,
        )

    def core_files(self, app: str, agent: str) -> list[Core]:
        """Those of an agent, the newest first."""
        query = select(
            _cores.agent,
            _cores.core_path,
            _cores.executable_path,
            _cores.node_version,
            _cores.first_seen,
            _cores.last_seen,
        ).where((_cores.app_id == app) & (_cores.agent == agent))
        with self._engine.connect() as connection:
            return [Core(*row) for row in connection.execute(query.order_by(_cores.first_seen.desc()).limit(MOST_ROWS))]

    def _keep_package(self, app: str, agent: str, file: str, pkg: str, lock: str | None) -> None:
        content = _digest(f"{pkg}\0{lock}")
        mine = (_packages.app_id == app) & (_packages.agent == agent) & (_packages.file_digest == _digest(file))
        with self._engine.connect() as connection:
            known = connection.execute(select(_packages.content_digest).where(mine)).scalar_one_or_none()
        values: dict[str, Any] = {"received_at": self._now(), "content_digest": content}
        if known != content:
            values["document"] = _packed(packages.read(pkg, lock).document())
        key = {"app_id": app, "agent": agent, "file_digest": _digest(file), "file": file}

        def store() -> None:
            with writing(self._engine) as connection:
                if connection.execute(update(tables.nodejs_packages).where(mine).values(values)).rowcount:
                    return
                new = (
                    values
                    if "document" in values
                    else {**values, "document": _packed(packages.read(pkg, lock).document())}
                )
                connection.execute(insert(tables.nodejs_packages).values(**key, **new))
                of_agent = (_packages.app_id == app) & (_packages.agent == agent)
                _forget(connection, tables.nodejs_packages, of_agent, "file_digest", "received_at", MOST_FILES)

        until_it_holds(store)

    def _keep_cores(self, app: str, agent: str, found: Sequence[dict[str, Any]]) -> None:
        for entry in found:
            core, executable, version = (entry.get(key) for key in ("core_path", "executable_path", "node_version"))
            if isinstance(core, str) and 0 < len(core) <= LONGEST_PATH:
                self._keep_core(
                    app, agent, _text(core, LONGEST_PATH), _text(executable, LONGEST_PATH), _text(version, 64)
                )

    def _keep_core(self, app: str, agent: str, core: str, executable: str, version: str) -> None:
        digest, now = _digest(core), self._now()
        mine = (_cores.app_id == app) & (_cores.agent == agent) & (_cores.path_digest == digest)
        values = {"executable_path": executable, "node_version": version, "last_seen": now}
        key = {"app_id": app, "agent": agent, "path_digest": digest, "core_path": core, "first_seen": now}

        def store() -> None:
            with writing(self._engine) as connection:
                if not connection.execute(update(tables.nodejs_cores).where(mine).values(values)).rowcount:
                    connection.execute(insert(tables.nodejs_cores).values(**key, **values))
                    of_agent = (_cores.app_id == app) & (_cores.agent == agent)
                    _forget(connection, tables.nodejs_cores, of_agent, "path_digest", "last_seen", MOST_CORES)

        until_it_holds(store)


def _forget(connection: Connection, table: Table, of_agent: ColumnElement[bool], key: str, by: str, most: int) -> None:
    """Of more than `most` rows of an agent, those that were told of longest ago."""
    count = connection.execute(select(func.count()).select_from(table).where(of_agent)).scalar_one()
    if count <= most:
        return
    oldest = select(table.c[key]).where(of_agent).order_by(table.c[by]).limit(count - most)
    keys = connection.execute(oldest).scalars().all()
    connection.execute(delete(table).where(of_agent & table.c[key].in_(keys)))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _text(value: object, most: int) -> str:
    return value[:most].replace("\0", "?") if isinstance(value, str) else ""


def _packed(document: dict[str, Any]) -> str:
    """Lock files repeat themselves: a twentieth of the text."""
    return b64encode(zlib.compress(json.dumps(document, separators=(",", ":")).encode())).decode()


def _unpacked(packed: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(zlib.decompress(b64decode(packed)))
    return found
