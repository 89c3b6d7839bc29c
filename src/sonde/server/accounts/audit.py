"""The record of changes: who did what to whom, when. Rows are only ever added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from sonde.server.accounts import tables

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Engine


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One row. `who` is `user:<name>`, `token:<id>` or `cli:<login of the operating system>`."""

    at: datetime
    who: str
    what: str
    subject: str
    detail: str


def record(connection: Connection, entry: AuditEntry) -> None:
    """Add `entry` in the transaction of the change it speaks of: both are there, or neither."""
    connection.execute(
        insert(tables.audit).values(
            at=entry.at, who=entry.who[:128], what=entry.what, subject=entry.subject[:128], detail=entry.detail
        )
    )


def latest(engine: Engine, limit: int) -> list[AuditEntry]:
    """The newest entries, newest first."""
    rows = tables.audit.c
    query = (
        select(rows.at, rows.who, rows.what, rows.subject, rows.detail)
        .order_by(rows.at.desc(), rows.id.desc())
        .limit(limit)
    )
    with engine.connect() as connection:
        return [AuditEntry(*row) for row in connection.execute(query)]
