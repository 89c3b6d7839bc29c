"""Jobs as rows of the metadata database. Each change and its entry in the audit are one transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import and_, delete, insert, or_, select, update

from sonde.server.accounts import audit, tables
from sonde.server.accounts.database import writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Engine

    from sonde.wire.control import Artifact

State = Literal["waiting", "running", "done", "failed", "cancelled"]
OPEN: tuple[State, ...] = ("waiting", "running")
MOST_FORGOTTEN = 500
_NAME_CHARS = 255

_jobs = tables.jobs.c
_artifacts = tables.artifacts.c
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class BadCursorError(Exception):
    """The text is no cursor of a list of jobs."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no result. `reason` is a word of docs/debugger.md."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class StoredArtifact:
    """A file that a job made and that is kept."""

    name: str
    media_type: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Job:
    """One command to one node. `document` is None in lists, and until there is one."""

    id: str
    app: str
    node: str
    host: str
    agent: str
    """Instance of the agent it was given to; empty: to none."""
    pid: int
    service: str
    instance: str
    tool: str
    options: dict[str, Any]
    seconds: float
    created_by: str
    created_at: datetime
    expires_at: datetime
    """From then on no agent begins it."""
    deadline_at: datetime
    """From then on it has failed, whatever the agent is about to say."""
    body: str
    """What is signed; empty: nothing, the program ran the tool by itself."""
    state: State = "waiting"
    started_at: datetime | None = None
    ended_at: datetime | None = None
    failure: Failure | None = None
    document: dict[str, Any] | None = None
    artifacts: tuple[StoredArtifact, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it may still come to something."""
        return self.state in OPEN


@dataclass(frozen=True, slots=True)
class JobFilter:
    """What a list is about; None: all. `start` belongs to it, `end` does not."""

    apps: tuple[str, ...] | None = None
    node: str | None = None
    pid: int | None = None
    instance: str | None = None
    service: str | None = None
    tool: str | None = None
    state: State | None = None
    start: datetime | None = None
    end: datetime | None = None


class Jobs:
    """Every method may block."""

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    def add(self, job: Job) -> None:
        """A new job."""
        values = {
            "id": job.id,
            "app_id": job.app,
            "node": job.node,
            "host": job.host,
            "agent": job.agent,
            "pid": job.pid,
            "service": job.service,
            "instance": job.instance,
            "tool": job.tool,
            "options": json.dumps(job.options),
            "seconds": job.seconds,
            "state": job.state,
            "created_by": job.created_by,
            "created_at": job.created_at,
            "expires_at": job.expires_at,
            "deadline_at": job.deadline_at,
            "started_at": job.started_at,
            "body": job.body,
        }
        with writing(self._engine) as connection:
            connection.execute(insert(tables.jobs).values(values))
            if job.body:  # nobody started the others from outside: their end is noted, and that they came from code
                self._note(connection, job, job.created_by, "job.start")

    def began(self, job: Job) -> Job:
        """Its tool runs."""
        began = replace(job, state="running", started_at=self._now())
        with writing(self._engine) as connection:
            changed = update(tables.jobs).where((_jobs.id == job.id) & (_jobs.state == "waiting"))
            connection.execute(changed.values(state=began.state, started_at=began.started_at))
        return began

    def cancel_asked(self, job: Job, who: str, how: str) -> None:
        """Somebody wants it to end: for the audit."""
        with writing(self._engine) as connection:
            self._note(connection, job, who, "job.cancel", how=how)

    def copy_refused(self, app: str, job_id: str, who: str, reason: str) -> None:
        """Somebody has brought the job to a host again, or to another one, which refused it: for the audit alone.

        Nothing, where the app has no such job.
        """
        with writing(self._engine) as connection:
            job = self._find(connection, job_id)
            if job is not None and job.app == app:
                self._note(connection, job, who, "job.copy_refused", reason=reason)

    def end(
        self,
        job: Job,
        state: State,
        who: str,
        *,
        failure: Failure | None = None,
        document: dict[str, Any] | None = None,
        artifacts: Sequence[Artifact] = (),
        what: str = "",
    ) -> Job:
        """It is over. Nothing changes where it was over before; then that is what comes back.

        `what`: the audit's word for it, where that is not the state.
        """
        stored = tuple(StoredArtifact(it["name"], it["media_type"], it["bytes"], it["sha256"]) for it in artifacts)
        ended = replace(
            job,
            state=state,
            ended_at=self._now(),
            failure=failure,
            document=document,
            artifacts=stored,
            service=_said(document, "service") or job.service,
            instance=_said(document, "instance") or job.instance,
        )
        values = {
            "service": ended.service,
            "instance": ended.instance,
            "state": state,
            "ended_at": ended.ended_at,
            "reason": failure.reason[:32] if failure else None,
            "message": failure.message if failure else None,
            "document": json.dumps(document, separators=(",", ":")) if document is not None else None,
        }
        with writing(self._engine) as connection:
            changed = update(tables.jobs).where((_jobs.id == job.id) & _jobs.state.in_(OPEN))
            if not connection.execute(changed.values(values)).rowcount:
                return self._find(connection, job.id) or ended
            for artifact in stored:
                connection.execute(
                    insert(tables.artifacts).values(
                        job_id=job.id,
                        name=artifact.name,
                        media_type=artifact.media_type,
                        bytes=artifact.bytes,
                        sha256=artifact.sha256,
                    )
                )
            why = {"reason": failure.reason, "message": failure.message[:500]} if failure else {}
            self._note(connection, job, who, what or f"job.{state}", **why)
        return ended

    def find(self, job_id: str) -> Job | None:
        """With its document."""
        with self._engine.connect() as connection:
            return self._find(connection, job_id)

    def open(self) -> list[Job]:
        """Those that have not ended."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(tables.jobs).where(_jobs.state.in_(OPEN))).all()
        return [_job(row._mapping, ()) for row in rows]  # noqa: SLF001 - its documented name

    def search(self, wanted: JobFilter, limit: int, cursor: str | None) -> tuple[list[Job], str | None]:
        """Newest first, without documents; and the cursor of what follows. Raises BadCursorError."""
        conditions = _conditions(wanted)
        if cursor:
            at, job_id = _parsed(cursor)
            conditions.append(or_(_jobs.created_at < at, and_(_jobs.created_at == at, _jobs.id < job_id)))
        columns = [column for column in tables.jobs.c if column.name not in {"document", "body"}]
        query = select(*columns).where(*conditions).order_by(_jobs.created_at.desc(), _jobs.id.desc()).limit(limit + 1)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
            files = self._files(connection, [row.id for row in rows[:limit]])
        found = [_job(row._mapping, files.get(row.id, ())) for row in rows[:limit]]  # noqa: SLF001 - its documented name
        last = found[-1] if len(rows) > limit else None
        return found, f"{(last.created_at - _EPOCH) // _MICROSECOND}-{last.id}" if last else None

    def forget(self, before: datetime) -> list[str]:
        """Remove ended jobs that were created before; at most MOST_FORGOTTEN, oldest first. Their ids."""
        old = select(_jobs.id).where((_jobs.created_at < before) & _jobs.state.not_in(OPEN))
        with writing(self._engine) as connection:
            ids = list(connection.execute(old.order_by(_jobs.created_at).limit(MOST_FORGOTTEN)).scalars())
            if ids:
                connection.execute(delete(tables.artifacts).where(_artifacts.job_id.in_(ids)))
                connection.execute(delete(tables.jobs).where(_jobs.id.in_(ids)))
        return ids

    def wanted(self, ids: Iterable[str]) -> set[str]:
        """Which of these jobs are open or have artifacts: their files are kept."""
        asked = list(ids)
        with self._engine.connect() as connection:
            open_ones = select(_jobs.id).where(_jobs.id.in_(asked) & _jobs.state.in_(OPEN))
            with_files = select(_artifacts.job_id).where(_artifacts.job_id.in_(asked))
            return {*connection.execute(open_ones).scalars(), *connection.execute(with_files).scalars()}

    def _find(self, connection: Connection, job_id: str) -> Job | None:
        row = connection.execute(select(tables.jobs).where(_jobs.id == job_id)).one_or_none()
        files = self._files(connection, [job_id])
        return _job(row._mapping, files.get(job_id, ())) if row else None  # noqa: SLF001 - its documented name

    @staticmethod
    def _files(connection: Connection, ids: list[str]) -> dict[str, tuple[StoredArtifact, ...]]:
        columns = (_artifacts.job_id, _artifacts.name, _artifacts.media_type, _artifacts.bytes, _artifacts.sha256)
        found: dict[str, tuple[StoredArtifact, ...]] = {}
        query = select(*columns).where(_artifacts.job_id.in_(ids)).order_by(_artifacts.name)
        for job_id, name, media_type, size, sha256 in connection.execute(query):
            found[job_id] = (*found.get(job_id, ()), StoredArtifact(name, media_type, size, sha256))
        return found

    def _note(self, connection: Connection, job: Job, who: str, what: str, **more: str) -> None:
        subject = {
            "app": job.app,
            "node": job.node,
            "pid": job.pid,
            "service": job.service,
            "tool": job.tool,
            "seconds": job.seconds,
        }
        detail = json.dumps({**subject, **more}, ensure_ascii=False)
        audit.record(connection, audit.AuditEntry(self._now(), who, what, job.id, detail))


def _job(row: Mapping[Any, Any], artifacts: tuple[StoredArtifact, ...]) -> Job:
    document = row.get("document")
    return Job(
        id=row["id"],
        app=row["app_id"],
        node=row["node"],
        host=row["host"],
        agent=row["agent"],
        pid=row["pid"],
        service=row["service"],
        instance=row["instance"],
        tool=row["tool"],
        options=json.loads(row["options"]),
        seconds=row["seconds"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        deadline_at=row["deadline_at"],
        body=row.get("body", ""),
        state=row["state"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        failure=Failure(row["reason"], row["message"] or "") if row["reason"] else None,
        document=json.loads(document) if document else None,
        artifacts=artifacts,
    )


def _said(document: dict[str, Any] | None, name: str) -> str:
    """What the process calls itself: it may know better than its agent, which it told when it had just been started."""
    said = (document or {}).get(name)
    return said if isinstance(said, str) and len(said) <= _NAME_CHARS and "\0" not in said else ""


def _conditions(wanted: JobFilter) -> list[ColumnElement[bool]]:
    equal = {
        _jobs.node: wanted.node,
        _jobs.pid: wanted.pid,
        _jobs.instance: wanted.instance,
        _jobs.service: wanted.service,
        _jobs.tool: wanted.tool,
        _jobs.state: wanted.state,
    }
    conditions = [column == value for column, value in equal.items() if value is not None]
    if wanted.apps is not None:
        conditions.append(_jobs.app_id.in_(wanted.apps))
    if wanted.start is not None:
        conditions.append(_jobs.created_at >= wanted.start)
    if wanted.end is not None:
        conditions.append(_jobs.created_at < wanted.end)
    return conditions


def _parsed(cursor: str) -> tuple[datetime, str]:
    micros, dash, job_id = cursor.partition("-")
    try:
        return _EPOCH + int(micros) * _MICROSECOND, job_id if dash else ""
    except (ValueError, OverflowError) as error:
        raise BadCursorError(cursor) from error
