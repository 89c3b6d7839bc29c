"""What a change of a rule ends: its groups are forgotten, what fires is over, and who was told is told so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete

from sonde.server.accounts import tables
from sonde.server.alarms.standing_rows import end_interval, load
from sonde.server.alarms.telling import told_of
from sonde.server.alarms.waiting import enqueue

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from sonde.server.alarms.rules import Rule
    from sonde.server.reports.alarms import Ended


def end_rule(connection: Connection, rule: Rule, now: datetime, why: Ended) -> None:
    """In the transaction of the change."""
    groups = list(load(connection, [rule.id])[rule.id].values())
    for group in groups:
        if group.alarm_id:
            end_interval(connection, group.alarm_id, now, why)
    told = [told_of(rule, group, "recovered", now, why) for group in groups if group.told]
    enqueue(connection, rule, told, now)
    connection.execute(delete(tables.alarm_states).where(tables.alarm_states.c.rule_id == rule.id))
