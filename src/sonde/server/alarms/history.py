"""What fires and what did: read by pages, acknowledged by people."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, delete, func, or_, select, update

from sonde.server.accounts import audit, tables
from sonde.server.accounts.database import writing
from sonde.server.alarms.condition import Standing
from sonde.server.alarms.cursors import cursor_of, parsed
from sonde.server.alarms.rules import unit
from sonde.server.insight.steps import SLOT_S
from sonde.server.reports.alarms import Alarm, AlarmInterval, AlarmRuleDocument

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Engine

KEPT = timedelta(days=400)
MOST_SHOWN = 1000
_STATE_ORDER = ("firing", "recovering", "suppressed", "pending", "no_data")
_SEVERITY_ORDER = ("critical", "warning", "info")

_states = tables.alarm_states.c
_rules = tables.alarm_rules.c
_intervals = tables.alarm_intervals.c


@dataclass(frozen=True, slots=True)
class IntervalFilter:
    """What a list is about; None: all. Of `start` to `end` any part counts."""

    apps: Sequence[str] | None = None
    rule_id: str | None = None
    severity: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    open: bool | None = None


class Counts(NamedTuple):
    """Groups by state; those that fire by severity."""

    by_state: dict[str, int]
    by_severity: dict[str, int]
    unacknowledged: int


class History:
    """Every method may block."""

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    def current(self, apps: Sequence[str] | None) -> list[Alarm]:
        """Groups of these apps (None: all) that are not just well: the worst first, the newest of them first."""
        acknowledged = (_intervals.acknowledged_at, _intervals.acknowledged_by, _intervals.note)
        query = (
            select(tables.alarm_states, _rules.app_id, _rules.document, *acknowledged)
            .join(tables.alarm_rules, _rules.id == _states.rule_id)
            .join(tables.alarm_intervals, _intervals.id == _states.alarm_id, isouter=True)
            .where(_states.state != "ok")
        )
        if apps is not None:
            query = query.where(_rules.app_id.in_(apps))
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        documents: dict[str, AlarmRuleDocument] = {}
        for row in rows:
            if row.rule_id not in documents:
                documents[row.rule_id] = AlarmRuleDocument.model_validate_json(row.document)
        found = [_alarm(row, documents[row.rule_id]) for row in rows]
        found.sort(key=lambda alarm: alarm.since, reverse=True)
        found.sort(key=lambda alarm: (_STATE_ORDER.index(alarm.state), _SEVERITY_ORDER.index(alarm.severity)))
        return found

    def counts(self, apps: Sequence[str] | None) -> Counts:
        """For the navigation."""
        by_state: dict[str, int] = {}
        by_severity: dict[str, int] = {}
        unacknowledged = 0
        for alarm in self.current(apps):
            by_state[alarm.state] = by_state.get(alarm.state, 0) + 1
            if alarm.state in {"firing", "recovering"}:
                by_severity[alarm.severity] = by_severity.get(alarm.severity, 0) + 1
                unacknowledged += alarm.acknowledged_at is None
        return Counts(by_state, by_severity, unacknowledged)

    def intervals(
        self, wanted: IntervalFilter, limit: int, cursor: str | None
    ) -> tuple[list[AlarmInterval], str | None]:
        """The newest first, and the cursor of what follows. Raises BadCursorError."""
        conditions = _conditions(wanted)
        if cursor:
            at, alarm_id = parsed(cursor)
            earlier = and_(_intervals.started_at == at, _intervals.id < alarm_id)
            conditions.append(or_(_intervals.started_at < at, earlier))
        query = select(tables.alarm_intervals).where(*conditions)
        query = query.order_by(_intervals.started_at.desc(), _intervals.id.desc()).limit(limit + 1)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        last = rows[limit - 1] if len(rows) > limit else None
        following = cursor_of(last.started_at, last.id) if last else None
        return [_interval(row) for row in rows[:limit]], following

    def find(self, alarm_id: str) -> AlarmInterval | None:
        """The one of that id."""
        with self._engine.connect() as connection:
            row = connection.execute(select(tables.alarm_intervals).where(_intervals.id == alarm_id)).one_or_none()
        return _interval(row) if row else None

    def acknowledge(self, alarm: AlarmInterval, note: str, who: str) -> None:
        """Somebody looks after it."""
        self._acknowledge(alarm, {"acknowledged_at": self._now(), "acknowledged_by": who[:128], "note": note}, who)

    def take_back(self, alarm: AlarmInterval, who: str) -> None:
        """Nobody does after all."""
        self._acknowledge(alarm, {"acknowledged_at": None, "acknowledged_by": "", "note": ""}, who)

    def _acknowledge(self, alarm: AlarmInterval, values: dict[str, Any], who: str) -> None:
        what = "alarm.acknowledge" if values["acknowledged_at"] else "alarm.unacknowledge"
        detail = json.dumps({"app": alarm.app, "rule": alarm.rule, "note": values["note"]}, ensure_ascii=False)
        with writing(self._engine) as connection:
            connection.execute(update(tables.alarm_intervals).where(_intervals.id == alarm.id).values(values))
            audit.record(connection, audit.AuditEntry(self._now(), who, what, alarm.id, detail))

    def forget(self) -> None:
        """What ended long ago."""
        with writing(self._engine) as connection:
            connection.execute(delete(tables.alarm_intervals).where(_intervals.ended_at < self._now() - KEPT))

    def open_count(self) -> int:
        """How much fires, of all apps."""
        query = select(func.count()).select_from(tables.alarm_states).where(_states.alarm_id.is_not(None))
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())


def _conditions(wanted: IntervalFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.apps is not None:
        conditions.append(_intervals.app_id.in_(wanted.apps))
    for column, value in ((_intervals.rule_id, wanted.rule_id), (_intervals.severity, wanted.severity)):
        if value is not None:
            conditions.append(column == value)
    if wanted.start is not None:
        conditions.append(or_(_intervals.ended_at.is_(None), _intervals.ended_at >= wanted.start))
    if wanted.end is not None:
        conditions.append(_intervals.started_at < wanted.end)
    if wanted.open is not None:
        conditions.append(_intervals.ended_at.is_(None) if wanted.open else _intervals.ended_at.is_not(None))
    return conditions


def _alarm(row: Any, document: AlarmRuleDocument) -> Alarm:
    standing = Standing(judgements=row.judgements)
    return Alarm(
        id=row.alarm_id,
        app=row.app_id,
        rule_id=row.rule_id,
        rule=document.name,
        description=document.description,
        severity=document.severity,
        labels=document.labels,
        group=json.loads(row.group_labels),
        what=document.what,
        op=document.condition.op,
        unit=unit(document.what),
        state="suppressed" if row.suppressed_by else row.state,
        suppressed_by=row.suppressed_by,
        since=row.since,
        started_at=row.started_at,
        value=row.value,
        threshold=row.threshold,
        peak=row.peak,
        breached_s=max(0, row.breached_slots - 1) * SLOT_S,
        for_s=document.condition.for_s,
        flap_score=round(standing.flap_score, 3),
        recent=json.loads(row.recent),
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by or "",
        note=row.note or "",
    )


def _interval(row: Any) -> AlarmInterval:
    return AlarmInterval(
        id=row.id,
        app=row.app_id,
        rule_id=row.rule_id,
        rule=row.rule,
        severity=row.severity,
        group=json.loads(row.group_labels),
        op=row.op,
        unit=row.unit,
        started_at=row.started_at,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
        value=row.value,
        threshold=row.threshold,
        peak=row.peak,
        flap_score=round(row.flap_score, 3),
        told=row.told,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        note=row.note,
    )
