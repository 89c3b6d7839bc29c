"""Dashboards that people made, in the metadata."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from sonde.server.accounts import audit, tables
from sonde.server.accounts.credentials import new_id
from sonde.server.accounts.database import writing
from sonde.server.reports.dashboards import DashboardDocument

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Engine, Row, Select

MOST_OF_AN_APP = 500

_columns = tables.dashboards.c


class ChangedMeanwhileError(Exception):
    """Somebody else saved another version."""


class TooManyDashboardsError(Exception):
    """The app has as many as it may have."""


@dataclass(frozen=True, slots=True)
class KeptDashboard:
    """One of them."""

    id: str
    app: str
    version: int
    document: DashboardDocument
    changed_at: datetime
    changed_by: str


class KeptDashboards:
    """Makes, finds, saves and deletes; every method may block."""

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    def all(self, apps: Sequence[str] | None) -> list[KeptDashboard]:
        """Those of these apps, None: of all, the last changed first."""
        query = _query().order_by(_columns.changed_at.desc(), _columns.id)
        if apps is not None:
            query = query.where(_columns.app_id.in_(apps))
        with self._engine.connect() as connection:
            return [_of(row) for row in connection.execute(query)]

    def find(self, dashboard_id: str) -> KeptDashboard | None:
        """None: there is none, or not any more."""
        query = _query().where(_columns.id == dashboard_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return _of(row) if row else None

    def create(self, app: str, document: DashboardDocument, who: str) -> KeptDashboard:
        """A new one. Raises TooManyDashboardsError, and IntegrityError for an app that is not there."""
        made = KeptDashboard(new_id(), app, 1, document, self._now(), who[:128])
        with writing(self._engine) as connection:
            there = connection.execute(select(func.count()).where(_columns.app_id == app)).scalar_one()
            if there >= MOST_OF_AN_APP:
                raise TooManyDashboardsError(f"an app has at most {MOST_OF_AN_APP} dashboards")
            connection.execute(
                insert(tables.dashboards).values(
                    id=made.id,
                    app_id=app,
                    version=1,
                    document=document.model_dump_json(),
                    changed_at=made.changed_at,
                    changed_by=made.changed_by,
                )
            )
            audit.record(connection, self._entry(made, "dashboard.create"))
        return made

    def save(self, known: KeptDashboard, document: DashboardDocument, who: str) -> KeptDashboard:
        """In place of `known`. Raises ChangedMeanwhileError where that is not the last version any more."""
        saved = KeptDashboard(known.id, known.app, known.version + 1, document, self._now(), who[:128])
        with writing(self._engine) as connection:
            change = (
                update(tables.dashboards)
                .where(_columns.id == known.id, _columns.version == known.version)
                .values(
                    version=saved.version,
                    document=document.model_dump_json(),
                    changed_at=saved.changed_at,
                    changed_by=saved.changed_by,
                )
            )
            if not connection.execute(change).rowcount:
                raise ChangedMeanwhileError("somebody else saved it meanwhile; look at theirs, then save again")
            audit.record(connection, self._entry(saved, "dashboard.save"))
        return saved

    def delete(self, known: KeptDashboard, who: str) -> None:
        """With all links to it. It is no error when it is gone already."""
        with writing(self._engine) as connection:
            if connection.execute(delete(tables.dashboards).where(_columns.id == known.id)).rowcount:
                entry = audit.AuditEntry(self._now(), who, "dashboard.delete", known.id, known.document.title)
                audit.record(connection, entry)

    def _entry(self, dashboard: KeptDashboard, what: str) -> audit.AuditEntry:
        title = dashboard.document.title
        return audit.AuditEntry(dashboard.changed_at, dashboard.changed_by, what, dashboard.id, title)


def _query() -> Select[Any]:
    return select(
        _columns.id, _columns.app_id, _columns.version, _columns.document, _columns.changed_at, _columns.changed_by
    )


def _of(row: Row[Any]) -> KeptDashboard:
    document = DashboardDocument.model_validate_json(row.document)
    return KeptDashboard(row.id, row.app_id, row.version, document, row.changed_at, row.changed_by)
