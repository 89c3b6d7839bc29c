"""Silences: somebody knows, and need not be told."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from sonde.server.accounts import audit, tables
from sonde.server.accounts.credentials import new_id
from sonde.server.accounts.database import writing
from sonde.server.alarms.errors import TooManyError
from sonde.server.alarms.matching import takes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine

MOST_SILENCES = 500
"""Of one app, that are not over."""
KEPT = timedelta(days=1)
"""After it is over it is still shown for so long."""

_silences = tables.alarm_silences.c


@dataclass(frozen=True, slots=True)
class Silence:
    """Of an app. `rule`: a name, or empty for all of them."""

    id: str
    app: str
    rule: str
    group: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime
    comment: str
    created_at: datetime
    created_by: str

    def holds(self, now: datetime) -> bool:
        """At this time."""
        return self.starts_at <= now < self.ends_at

    def covers(self, app: str, rule: str, group: Mapping[str, str]) -> bool:
        """Whether it is about this."""
        return self.app == app and self.rule in {"", rule} and takes(self.group, group)


class SilenceBook:
    """Every method may block."""

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    def add(
        self,
        app: str,
        rule: str,
        group: Mapping[str, str],
        starts_at: datetime | None,
        ends_at: datetime,
        comment: str,
        who: str,
    ) -> Silence:
        """A new one. Raises TooManyError."""
        now = self._now()
        made = Silence(new_id(), app, rule, dict(group), starts_at or now, ends_at, comment, now, who[:128])
        with writing(self._engine) as connection:
            of_app = select(func.count()).select_from(tables.alarm_silences)
            counted = connection.execute(of_app.where((_silences.app_id == app) & (_silences.ends_at > now)))
            if counted.scalar_one() >= MOST_SILENCES:
                raise TooManyError(f"an app has at most {MOST_SILENCES} silences")
            connection.execute(
                insert(tables.alarm_silences).values(
                    id=made.id,
                    app_id=app,
                    rule=rule,
                    group_labels=json.dumps(made.group, ensure_ascii=False),
                    starts_at=made.starts_at,
                    ends_at=ends_at,
                    comment=comment,
                    created_at=now,
                    created_by=made.created_by,
                )
            )
            self._note(connection, made, who, "alarm_silence.create")
        return made

    def end(self, silence: Silence, who: str) -> None:
        """Now; it is as if it had been meant so."""
        now = self._now()
        with writing(self._engine) as connection:
            connection.execute(
                update(tables.alarm_silences)
                .where((_silences.id == silence.id) & (_silences.ends_at > now))
                .values(ends_at=now)
            )
            self._note(connection, silence, who, "alarm_silence.end")

    def find(self, silence_id: str) -> Silence | None:
        """The one of that id."""
        with self._engine.connect() as connection:
            row = connection.execute(select(tables.alarm_silences).where(_silences.id == silence_id)).one_or_none()
        return _silence(row) if row else None

    def all(self, apps: Sequence[str] | None) -> list[Silence]:
        """Those of these apps (None: all) that are not over for long, the last to end first."""
        query = select(tables.alarm_silences).where(_silences.ends_at > self._now() - KEPT)
        if apps is not None:
            query = query.where(_silences.app_id.in_(apps))
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(_silences.ends_at.desc(), _silences.id)).all()
        return [_silence(row) for row in rows]

    def forget(self, connection: Connection) -> None:
        """Those that nobody is shown any more."""
        connection.execute(delete(tables.alarm_silences).where(_silences.ends_at <= self._now() - KEPT))

    def _note(self, connection: Connection, silence: Silence, who: str, what: str) -> None:
        said = {"app": silence.app, "rule": silence.rule, "group": dict(silence.group), "comment": silence.comment}
        entry = audit.AuditEntry(self._now(), who, what, silence.id, json.dumps(said, ensure_ascii=False))
        audit.record(connection, entry)


def _silence(row: Any) -> Silence:
    return Silence(
        row.id,
        row.app_id,
        row.rule,
        json.loads(row.group_labels),
        row.starts_at,
        row.ends_at,
        row.comment,
        row.created_at,
        row.created_by,
    )
