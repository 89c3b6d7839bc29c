"""Messages and how delivering them went, for pages; and what came of tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, insert, or_, select

from sonde.server.accounts import audit, tables
from sonde.server.accounts.credentials import new_id
from sonde.server.accounts.database import writing
from sonde.server.alarms.cursors import cursor_of, parsed
from sonde.server.reports.alarms import AlarmDelivery

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Engine

    from sonde.server.alarms.channels.speaking import Outcome
    from sonde.server.alarms.notifier_book import Notifier

_deliveries = tables.alarm_deliveries.c
_notifiers = tables.alarm_notifiers.c


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """What a list is about; None: all."""

    apps: Sequence[str] | None = None
    notifier_id: str | None = None
    state: str | None = None


class DeliveryList:
    """Every method may block."""

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    def search(self, wanted: DeliveryFilter, limit: int, cursor: str | None) -> tuple[list[AlarmDelivery], str | None]:
        """The newest first, and the cursor of what follows. Raises BadCursorError."""
        columns = [column for column in tables.alarm_deliveries.c if column.name != "message"]
        query = select(*columns, _notifiers.name.label("notifier")).join(
            tables.alarm_notifiers, _notifiers.id == _deliveries.notifier_id
        )
        if wanted.apps is not None:
            query = query.where(_deliveries.app_id.in_(wanted.apps))
        if wanted.notifier_id is not None:
            query = query.where(_deliveries.notifier_id == wanted.notifier_id)
        if wanted.state is not None:
            query = query.where(_deliveries.state == wanted.state)
        if cursor:
            at, row_id = parsed(cursor)
            earlier = and_(_deliveries.created_at == at, _deliveries.id < row_id)
            query = query.where(or_(_deliveries.created_at < at, earlier))
        query = query.order_by(_deliveries.created_at.desc(), _deliveries.id.desc()).limit(limit + 1)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        last = rows[limit - 1] if len(rows) > limit else None
        found = [
            AlarmDelivery(
                id=row.id,
                app=row.app_id,
                notifier_id=row.notifier_id,
                notifier=row.notifier,
                state=row.state,
                title=row.title,
                alarms=row.alarms,
                attempts=row.attempts,
                created_at=row.created_at,
                next_at=row.next_at,
                ended_at=row.ended_at,
                answer=row.answer,
            )
            for row in rows[:limit]
        ]
        return found, cursor_of(last.created_at, last.id) if last else None

    def note_test(self, notifier: Notifier, outcome: Outcome, who: str) -> None:
        """A message without alarms, which was sent once."""
        now = self._now()
        with writing(self._engine) as connection:
            connection.execute(
                insert(tables.alarm_deliveries).values(
                    id=new_id(),
                    app_id=notifier.app,
                    notifier_id=notifier.id,
                    state="sent" if outcome.delivered else "failed",
                    title="",
                    alarms=0,
                    message="[]",
                    attempts=1,
                    created_at=now,
                    ended_at=now,
                    answer=outcome.answer,
                )
            )
            audit.record(
                connection, audit.AuditEntry(now, who, "alarm_notifier.test", notifier.id, notifier.document.name)
            )
