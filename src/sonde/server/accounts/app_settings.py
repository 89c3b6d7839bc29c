"""What the statistics of an app go by: its time zone, its thresholds, and how late its data may come."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from sonde.server.accounts import audit, tables
from sonde.server.accounts.database import until_it_holds, writing
from sonde.server.accounts.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlalchemy import Engine

CACHED_S = 1.0
LATE_MAX_S = 30 * 86_400
"""How late data may come where nobody says otherwise, and at most: later it opens partitions that are being dropped."""

_columns = tables.app_settings.c


@dataclass(frozen=True, slots=True)
class AppSettings:
    """`apdex_t_ms`: None stands for the server's setting of that name. Thresholds are durations in ms."""

    time_zone: str = "UTC"
    apdex_t_ms: float | None = None
    normal_ms: float = 100.0
    slow_ms: float = 200.0
    timeout_ms: float = 10_000.0
    late_max_s: int = LATE_MAX_S


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said about an app."""

    settings: AppSettings
    changed_at: datetime
    changed_by: str


class AppSettingsTable:
    """Says and looks up. Every method may block."""

    def __init__(self, engine: Engine, now: Callable[[], datetime], seconds: Callable[[], float]) -> None:
        self._engine = engine
        self._now = now
        self._recent: Recent[None, Mapping[str, Said]] = Recent(CACHED_S, 1, seconds)

    def all(self) -> Mapping[str, Said]:
        """By app, of those of which anything was said. Remembered for CACHED_S."""
        return self._recent.get(None, self._look_up)

    def late_max_s(self) -> Mapping[str, int]:
        """How late data may come, by app, where anything was said."""
        return {app: said.settings.late_max_s for app, said in self.all().items()}

    def of(self, app_id: str) -> AppSettings:
        """Those of an app; the defaults where nothing was said."""
        said = self.all().get(app_id)
        return said.settings if said else AppSettings()

    def say(self, app_id: str, settings: AppSettings, who: str) -> Said:
        """From now on, in place of all that was said before. Raises IntegrityError for an app that is not there."""
        said = Said(settings, self._now(), who[:128])
        until_it_holds(lambda: self._store(app_id, said))
        self._recent.forget(None)
        return said

    def _store(self, app_id: str, said: Said) -> None:
        values = {**asdict(said.settings), "changed_at": said.changed_at, "changed_by": said.changed_by}
        table = tables.app_settings
        with writing(self._engine) as connection:
            if not connection.execute(update(table).where(_columns.app_id == app_id).values(values)).rowcount:
                connection.execute(insert(table).values(app_id=app_id, **values))
            detail = json.dumps(asdict(said.settings), ensure_ascii=False)
            audit.record(connection, audit.AuditEntry(said.changed_at, said.changed_by, "app.settings", app_id, detail))

    def _look_up(self) -> Mapping[str, Said]:
        names = [field.name for field in fields(AppSettings)]
        query = select(_columns.app_id, *(_columns[name] for name in names), _columns.changed_at, _columns.changed_by)
        with self._engine.connect() as connection:
            return {
                app_id: Said(AppSettings(*settings), changed_at, changed_by)
                for app_id, *settings, changed_at, changed_by in connection.execute(query)
            }
