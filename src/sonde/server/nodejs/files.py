"""Profiles, snapshots, reports and cores as rows of the metadata database, from the wish for one to the stored file.

creating ──▶ on_agent ──▶ transferring ──▶ stored
   └──▶ failed     ▲           │  (not done: back, with the reason in `message`)
                   └───────────┘
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from sonde.server.accounts import audit, tables
from sonde.server.accounts.database import writing
from sonde.server.reports.nodejs import NodejsFile, NodejsFilePart

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Engine, Row

    from sonde.server.reports.nodejs import FileKind, FileState

MOST_FILES = 10_000
"""Of one app; who wants more deletes some."""
LONGEST_NOTE = 4000
LONGEST_MESSAGE = 1000
_files = tables.nodejs_files.c


class TooManyFilesError(Exception):
    """An app has MOST_FILES files."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stored file. `storage` is its name in the folder."""

    name: str
    storage: str
    bytes: int
    plain_bytes: int


@dataclass(frozen=True, slots=True)
class File:
    """A row. `token`: what the agent signs its upload with, while it is to send one."""

    id: int
    app: str
    agent: str
    pid: int
    kind: FileKind
    path: str
    executable_path: str
    state: FileState
    message: str
    token: str
    transfers: int
    """How often it was asked for."""
    fetch: bool
    """To be fetched as soon as it is there."""
    duration_s: float
    created_at: datetime
    created_by: str
    ends_at: datetime | None
    stopped: bool
    favourite: bool
    note: str
    parts: tuple[Part, ...]
    stored_at: datetime | None

    def report(self, now: datetime) -> NodejsFile:
        """As the API shows it."""
        recording = self.ends_at is not None and not self.stopped and now < self.ends_at
        return NodejsFile(
            id=self.id,
            app=self.app,
            agent=self.agent,
            pid=self.pid,
            kind=self.kind,
            path=self.path,
            executable_path=self.executable_path,
            state=self.state,
            message=self.message,
            running=self.state == "creating" and recording,
            duration_s=self.duration_s,
            created_at=self.created_at,
            ends_at=self.ends_at,
            created_by=self.created_by,
            favourite=self.favourite,
            note=self.note,
            parts=[NodejsFilePart(name=it.name, bytes=it.bytes, plain_bytes=it.plain_bytes) for it in self.parts],
            stored_at=self.stored_at,
        )


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that an agent is about to make, or has."""

    app: str
    agent: str
    pid: int
    kind: FileKind
    path: str
    executable_path: str
    duration_s: float
    fetch: bool
    state: FileState = "creating"


@dataclass(frozen=True, slots=True)
class FileFilter:
    """What a list is about; None: all."""

    apps: tuple[str, ...] | None = None
    agent: str | None = None
    pid: int | None = None
    kind: str | None = None
    favourite: bool | None = None


class Files:
    """Every method may block."""

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    def add(self, new: NewFile, who: str) -> File:
        """A row. Raises TooManyFilesError."""
        now = self._now()
        timed = new.kind in {"cpuprofile", "heapprofile", "gcprofile"}
        values: dict[str, Any] = {
            "app_id": new.app,
            "agent": new.agent,
            "pid": new.pid,
            "kind": new.kind,
            "path": new.path,
            "path_digest": digest_of(new.path),
            "executable_path": new.executable_path,
            "state": new.state,
            "message": "",
            "token": "",
            "transfers": 0,
            "fetch": new.fetch,
            "duration_s": new.duration_s,
            "created_at": now,
            "created_by": who[:128],
            "ends_at": now + timedelta(seconds=new.duration_s) if timed else None,
            "stopped": False,
            "favourite": False,
            "note": "",
            "parts": "[]",
            "stored_at": None,
        }
        with writing(self._engine) as connection:
            query = select(_files.id).where(_files.app_id == new.app).order_by(_files.id.desc())
            if connection.execute(query.offset(MOST_FILES - 1).limit(1)).first() is not None:
                raise TooManyFilesError
            made = connection.execute(insert(tables.nodejs_files).values(values)).inserted_primary_key
            detail = {"agent": new.agent, "pid": new.pid, "kind": new.kind, "path": new.path}
            self._note(connection, who, f"nodejs.{new.kind}", new.app, detail)
        assert made is not None  # noqa: S101 - the table makes one
        found = self.find(int(made[0]))
        assert found is not None  # noqa: S101 - just made
        return found

    def find(self, file_id: int) -> File | None:
        """That file."""
        with self._engine.connect() as connection:
            row = connection.execute(select(tables.nodejs_files).where(_files.id == file_id)).one_or_none()
        return _file(row) if row is not None else None

    def search(self, wanted: FileFilter, limit: int, before: int | None) -> tuple[list[File], int | None]:
        """Newest first; and the id that the next page goes on before."""
        query = select(tables.nodejs_files).order_by(_files.id.desc()).limit(limit + 1)
        for condition in _conditions(wanted):
            query = query.where(condition)
        if before is not None:
            query = query.where(_files.id < before)
        with self._engine.connect() as connection:
            found = [_file(row) for row in connection.execute(query)]
        return found[:limit], found[limit - 1].id if len(found) > limit else None

    def open_ones(self) -> list[File]:
        """Those that are being made or sent, the oldest first."""
        query = select(tables.nodejs_files).where(_files.state.in_(["creating", "transferring"])).order_by(_files.id)
        with self._engine.connect() as connection:
            return [_file(row) for row in connection.execute(query.limit(MOST_FILES))]

    def creating(self, app: str, agent: str, path: str) -> File | None:
        """The file that an agent was asked for and that shall be at `path`."""
        query = select(tables.nodejs_files).where(
            (_files.path_digest == digest_of(path))
            & (_files.app_id == app)
            & (_files.agent == agent)
            & (_files.state == "creating")
        )
        with self._engine.connect() as connection:
            row = connection.execute(query.order_by(_files.id.desc())).first()
        return _file(row) if row is not None else None

    def of_recording(self, app: str, agent: str, pid: int, kind: str) -> File | None:
        """The newest file of that kind that a process is recording."""
        query = select(tables.nodejs_files).where(
            (_files.app_id == app)
            & (_files.agent == agent)
            & (_files.pid == pid)
            & (_files.kind == kind)
            & (_files.state == "creating")
        )
        with self._engine.connect() as connection:
            row = connection.execute(query.order_by(_files.id.desc())).first()
        return _file(row) if row is not None else None

    def move(self, file_id: int, before: FileState, after: FileState, **more: Any) -> bool:
        """From one state to another; False, and nothing changed, where it was in none such."""
        if "message" in more:
            more["message"] = more["message"][:LONGEST_MESSAGE]
        with writing(self._engine) as connection:
            changed = update(tables.nodejs_files).where((_files.id == file_id) & (_files.state == before))
            return bool(connection.execute(changed.values(state=after, **more)).rowcount)

    def stop_recording(self, file: File, who: str) -> None:
        """Somebody ended it early."""
        with writing(self._engine) as connection:
            connection.execute(update(tables.nodejs_files).where(_files.id == file.id).values(stopped=True))
            self._note(connection, who, f"nodejs.{file.kind}.stop", file.app, {"agent": file.agent, "file": file.id})

    def note_transfer(self, file: File, who: str) -> None:
        """For the audit."""
        with writing(self._engine) as connection:
            self._note(connection, who, "nodejs.transfer", file.app, {"agent": file.agent, "path": file.path})

    def note_raw(self, file: File, who: str) -> None:
        """For the audit: somebody sees a report with its secrets."""
        with writing(self._engine) as connection:
            self._note(connection, who, "nodejs.diag.raw", file.app, {"agent": file.agent, "file": file.id})

    def note_config(self, app: str, agent: str, pid: int, changed: dict[str, Any], who: str) -> None:
        """For the audit."""
        with writing(self._engine) as connection:
            self._note(connection, who, "nodejs.config", app, {"agent": agent, "pid": pid, "config": changed})

    def keep(self, file_id: int, parts: Sequence[Part]) -> tuple[Part, ...] | None:
        """What was uploaded takes the place of what was there, which comes back. None: nobody wants it any more."""
        written = json.dumps([[it.name, it.storage, it.bytes, it.plain_bytes] for it in parts])
        mine = (_files.id == file_id) & (_files.state == "transferring")
        with writing(self._engine) as connection:
            before = connection.execute(select(_files.parts).where(mine)).scalar_one_or_none()
            if before is None:
                return None
            values = {"parts": written, "token": "", "stored_at": self._now()}
            connection.execute(update(tables.nodejs_files).where(mine).values(values))
        return _parts(before)

    def mark(self, file_id: int, favourite: bool | None, note: str | None) -> None:
        """Favourite and note; None: as it was."""
        values = {name: value for name, value in (("favourite", favourite), ("note", note)) if value is not None}
        if values:
            with writing(self._engine) as connection:
                connection.execute(update(tables.nodejs_files).where(_files.id == file_id).values(values))

    def remove(self, file: File, who: str) -> None:
        """The row."""
        with writing(self._engine) as connection:
            connection.execute(delete(tables.nodejs_files).where(_files.id == file.id))
            self._note(connection, who, "nodejs.delete", file.app, {"agent": file.agent, "path": file.path})

    def wanted(self) -> set[str]:
        """Names of all stored files."""
        with self._engine.connect() as connection:
            return {
                part.storage for text in connection.execute(select(_files.parts)).scalars() for part in _parts(text)
            }

    def _note(self, connection: Connection, who: str, what: str, app: str, detail: dict[str, Any]) -> None:
        text = json.dumps(detail, ensure_ascii=False)
        audit.record(connection, audit.AuditEntry(self._now(), who, what, app, text))


def digest_of(path: str) -> str:
    """What a path is looked up by: it may be longer than an index takes."""
    return hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()


def _conditions(wanted: FileFilter) -> list[ColumnElement[bool]]:
    pairs = (
        (_files.agent, wanted.agent),
        (_files.pid, wanted.pid),
        (_files.kind, wanted.kind),
        (_files.favourite, wanted.favourite),
    )
    conditions = [column == value for column, value in pairs if value is not None]
    return conditions if wanted.apps is None else [*conditions, _files.app_id.in_(wanted.apps)]


def _parts(text: str) -> tuple[Part, ...]:
    return tuple(Part(*it) for it in json.loads(text))


def _file(row: Row[Any]) -> File:
    return File(
        id=row.id,
        app=row.app_id,
        agent=row.agent,
        pid=row.pid,
        kind=row.kind,
        path=row.path,
        executable_path=row.executable_path,
        state=row.state,
        message=row.message,
        token=row.token,
        transfers=row.transfers,
        fetch=row.fetch,
        duration_s=row.duration_s,
        created_at=row.created_at.astimezone(UTC),
        created_by=row.created_by,
        ends_at=row.ends_at,
        stopped=row.stopped,
        favourite=row.favourite,
        note=row.note,
        parts=_parts(row.parts),
        stored_at=row.stored_at,
    )
