"""The queue of messages: rows, so that a restart goes on with it. What is enqueued is delivered at least once: a
message whose answer was lost with the process is sent again.

Alarms of the same `group_s` go into one message. Of a notifier at most MOST_WAITING messages wait; more push out the
oldest, which is kept as `dropped`, with the reason.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update

from sonde.server.accounts import tables
from sonde.server.accounts.credentials import new_id
from sonde.server.alarms.telling import dumped, loaded, title_of
from sonde.server.reports.alarms import AlarmNotifierDocument

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from sonde.server.alarms.rules import Rule
    from sonde.server.alarms.telling import Told

MOST_ALARMS = 50
"""In one message."""
MOST_WAITING = 500
FULL = "dropped: more messages waited than are kept"

_deliveries = tables.alarm_deliveries.c
_notifiers = tables.alarm_notifiers.c


def enqueue(connection: Connection, rule: Rule, told: Sequence[Told], now: datetime) -> None:
    """Tell those whom the rule names, in the transaction of what happened."""
    if not told or not rule.document.notify:
        return
    rows = connection.execute(
        select(_notifiers.id, _notifiers.document).where(
            (_notifiers.app_id == rule.app) & _notifiers.name.in_(rule.document.notify)
        )
    ).all()
    for notifier_id, text in rows:
        document = AlarmNotifierDocument.model_validate_json(text)
        if document.enabled:
            _add(connection, rule.app, notifier_id, document.group_s, list(told), now)


def _add(connection: Connection, app: str, notifier_id: str, group_s: int, told: list[Told], now: datetime) -> None:
    """Into the message that still gathers, else into a new one."""
    gathering = connection.execute(
        select(_deliveries.id, _deliveries.message, _deliveries.alarms)
        .where(
            (_deliveries.notifier_id == notifier_id)
            & (_deliveries.state == "waiting")
            & (_deliveries.attempts == 0)
            & (_deliveries.next_at > now)
            & (_deliveries.alarms + len(told) <= MOST_ALARMS)
        )
        .limit(1)
    ).one_or_none()
    if gathering is not None:
        together = [*loaded(gathering.message), *told]
        connection.execute(
            update(tables.alarm_deliveries)
            .where(_deliveries.id == gathering.id)
            .values(message=dumped(together), title=title_of(together), alarms=len(together))
        )
        return
    for at in range(0, len(told), MOST_ALARMS):
        some = told[at : at + MOST_ALARMS]
        _make_room(connection, notifier_id, now)
        connection.execute(
            insert(tables.alarm_deliveries).values(
                id=new_id(),
                app_id=app,
                notifier_id=notifier_id,
                state="waiting",
                title=title_of(some),
                alarms=len(some),
                message=dumped(some),
                attempts=0,
                created_at=now,
                next_at=now + timedelta(seconds=group_s),
                answer="",
            )
        )


def _make_room(connection: Connection, notifier_id: str, now: datetime) -> None:
    of_notifier = (_deliveries.notifier_id == notifier_id) & (_deliveries.state == "waiting")
    waiting = connection.execute(
        select(func.count()).select_from(tables.alarm_deliveries).where(of_notifier)
    ).scalar_one()
    if waiting < MOST_WAITING:
        return
    oldest = select(_deliveries.id).where(of_notifier).order_by(_deliveries.created_at, _deliveries.id)
    ids = connection.execute(oldest.limit(waiting - MOST_WAITING + 1)).scalars().all()
    _end(connection, ids, now)


def _end(connection: Connection, ids: Iterable[str], now: datetime) -> None:
    connection.execute(
        update(tables.alarm_deliveries)
        .where(_deliveries.id.in_(list(ids)))
        .values(state="dropped", ended_at=now, next_at=None, answer=FULL)
    )
