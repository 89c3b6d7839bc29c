"""The states of groups as rows, so that a restart goes on where it was; and what fired, as intervals.

A group that is well has no row. Of a row only what changed is written.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import bindparam, delete, insert, select, update

from sonde.server.accounts import tables
from sonde.server.alarms.condition import Standing
from sonde.server.alarms.matching import labels_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from sonde.server.alarms.condition import Judged
    from sonde.server.alarms.matching import Labels
    from sonde.server.alarms.rules import Rule
    from sonde.server.reports.alarms import Ended, SuppressedBy

RECENT = 40
"""Values that are kept of what is not well: twenty minutes of them."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_states = tables.alarm_states.c
_intervals = tables.alarm_intervals.c


@dataclass(slots=True)
class Group:
    """A group of a rule. `alarm_id`, `started_s` and `told_s` are of what fires; `told`: somebody was."""

    labels: Labels
    standing: Standing = field(default_factory=Standing)
    value: float | None = None
    threshold: float | None = None
    recent: list[float | None] = field(default_factory=list)
    alarm_id: str | None = None
    started_s: int = 0
    suppressed_by: SuppressedBy = ""
    told: bool = False
    told_s: int = 0
    """When it was last told."""
    stored: bool = False
    """There is a row of it."""

    def note(self, value: float | None, threshold: float | None) -> None:
        """The newest sample."""
        self.value, self.threshold = value, threshold
        self.recent.append(value)
        del self.recent[:-RECENT]


def at_s(seconds: int) -> datetime:
    """A time, from seconds since the epoch."""
    return _EPOCH + timedelta(seconds=seconds)


def seconds_of(time: datetime) -> int:
    """Whole seconds since the epoch."""
    return (time - _EPOCH) // timedelta(seconds=1)


def key_of(labels: Labels) -> str:
    """Of a row: as long as a column of a key may be."""
    return hashlib.sha256(json.dumps(labels).encode()).hexdigest()


def load(connection: Connection, rule_ids: Sequence[str]) -> dict[str, dict[Labels, Group]]:
    """The groups of these rules that have rows, by rule."""
    found: dict[str, dict[Labels, Group]] = {rule_id: {} for rule_id in rule_ids}
    for at in range(0, len(rule_ids), 500):
        some = rule_ids[at : at + 500]
        for row in connection.execute(select(tables.alarm_states).where(_states.rule_id.in_(some))):
            group = _group(row)
            found[row.rule_id][group.labels] = group
    return found


def store(connection: Connection, changed: Iterable[tuple[str, Group]]) -> None:
    """Write groups, each with the id of its rule; those that nobody would miss lose their row."""
    made: list[dict[str, Any]] = []
    written: list[dict[str, Any]] = []
    gone: list[dict[str, Any]] = []
    for rule_id, group in changed:
        key = {"row_rule": rule_id, "row_key": key_of(group.labels)}
        if group.standing.is_forgettable:
            if group.stored:
                gone.append(key)
        elif group.stored:
            written.append(key | _values(group))
        else:
            made.append({"rule_id": rule_id, "group_key": key["row_key"]} | _values(group))
        group.stored = not group.standing.is_forgettable
    this_row = (_states.rule_id == bindparam("row_rule")) & (_states.group_key == bindparam("row_key"))
    if made:
        connection.execute(insert(tables.alarm_states), made)
    if written:
        names = [name for name in _values(Group(())) if name != "group_labels"]
        values: dict[str, Any] = {name: bindparam(name) for name in names}
        rows = [{name: row[name] for name in (*names, "row_rule", "row_key")} for row in written]
        connection.execute(update(tables.alarm_states).where(this_row).values(values), rows)
    if gone:
        connection.execute(delete(tables.alarm_states).where(this_row), gone)


def _values(group: Group) -> dict[str, Any]:
    standing = group.standing
    return {
        "group_labels": json.dumps(dict(group.labels), ensure_ascii=False),
        "state": standing.state,
        "since": at_s(standing.since_s),
        "breached_slots": standing.breached,
        "calm_slots": standing.calm,
        "judgements": standing.judgements,
        "value": group.value,
        "threshold": group.threshold,
        "peak": standing.peak,
        "recent": json.dumps(group.recent),
        "alarm_id": group.alarm_id,
        "started_at": at_s(group.started_s) if group.started_s else None,
        "suppressed_by": group.suppressed_by,
        "told": group.told,
        "told_at": at_s(group.told_s) if group.told_s else None,
    }


def _group(row: Any) -> Group:
    standing = Standing(
        state=cast("Judged", row.state),
        since_s=seconds_of(row.since),
        breached=row.breached_slots,
        calm=row.calm_slots,
        judgements=row.judgements,
        peak=row.peak,
    )
    return Group(
        labels=labels_of(json.loads(row.group_labels)),
        standing=standing,
        value=row.value,
        threshold=row.threshold,
        recent=json.loads(row.recent),
        alarm_id=row.alarm_id,
        started_s=seconds_of(row.started_at) if row.started_at else 0,
        suppressed_by=cast("SuppressedBy", row.suppressed_by),
        told=row.told,
        told_s=seconds_of(row.told_at or row.started_at) if row.told and row.started_at else 0,
        stored=True,
    )


def begin_interval(connection: Connection, rule: Rule, unit: str, group: Group) -> None:
    """It fires."""
    connection.execute(
        insert(tables.alarm_intervals).values(
            id=group.alarm_id,
            app_id=rule.app,
            rule_id=rule.id,
            rule=rule.document.name,
            severity=rule.document.severity,
            group_labels=json.dumps(dict(group.labels), ensure_ascii=False),
            op=rule.document.condition.op,
            unit=unit,
            started_at=at_s(group.started_s),
            value=group.value,
            threshold=group.threshold,
            peak=group.standing.peak,
            flap_score=group.standing.flap_score,
            told=group.told,
            acknowledged_by="",
            note="",
        )
    )


def update_interval(connection: Connection, group: Group) -> None:
    """What is known of it by now."""
    connection.execute(
        update(tables.alarm_intervals)
        .where(_intervals.id == group.alarm_id)
        .values(peak=group.standing.peak, told=group.told, flap_score=group.standing.flap_score)
    )


def is_acknowledged(connection: Connection, alarm_id: str) -> bool:
    """Whether somebody looks after it."""
    of = select(_intervals.acknowledged_at).where(_intervals.id == alarm_id)
    return connection.execute(of).scalar_one_or_none() is not None


def end_interval(connection: Connection, alarm_id: str, ended_at: datetime, why: Ended) -> None:
    """It is over."""
    connection.execute(
        update(tables.alarm_intervals)
        .where((_intervals.id == alarm_id) & _intervals.ended_at.is_(None))
        .values(ended_at=ended_at, ended_by=why)
    )
