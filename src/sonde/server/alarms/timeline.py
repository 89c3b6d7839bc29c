"""What fired and recovered, as events of the store: for charts and timelines.

Rows that the store does not take now are kept, at most MOST_KEPT, and sent later; the same row sent twice is stored
once.
"""

from __future__ import annotations

import logging
import uuid
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from sonde.server.alarms.rules import unit
from sonde.server.alarms.telling import measures
from sonde.server.alarms.wording import shown
from sonde.server.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sonde.server.alarms.condition import Event
    from sonde.server.alarms.rules import Rule
    from sonde.server.alarms.standing_rows import Group
    from sonde.server.store.client import StoreClient

log = logging.getLogger(__name__)

MOST_KEPT = 2000
_NAMESPACE = uuid.UUID("5f3d7c52-8e5b-5d7a-9a53-0a6a7a5e0b1d")
_SEVERITIES = {"info": 9, "warning": 13, "critical": 21}
"""As in logs: OpenTelemetry's numbers for info, warn, fatal."""
_RECOVERED = 9


class Row(NamedTuple):
    """Of the table `events`."""

    id: str
    time_ms: int
    app: str
    service: str
    instance: str
    host: str
    severity: int
    title: str
    body: str
    keys: list[str]
    values: list[str]


class Timeline:
    """Rows wait in `add` and go to the store in `flush`. One thread at a time."""

    def __init__(self, store: StoreClient) -> None:
        """`store`: as the user who may write."""
        self._store = store
        self._waiting: deque[Row] = deque()
        self.written = 0
        self.dropped = 0

    @staticmethod
    def row(rule: Rule, group: Group, event: Event, at_s: int) -> Row:
        """It fired, or recovered."""
        said, document = dict(group.labels), rule.document
        attributes = {
            "alarm.event": event,
            "alarm.id": group.alarm_id or "",
            "alarm.rule_id": rule.id,
            "alarm.rule": document.name,
            "alarm.severity": document.severity,
            **{f"alarm.group.{name}": value for name, value in said.items()},
        }
        value = shown(group.value, unit(document.what)) or "-"
        return Row(
            id=str(uuid.uuid5(_NAMESPACE, f"{group.alarm_id}:{event}")),
            time_ms=at_s * 1000,
            app=rule.app,
            service=said.get("service", document.what.service),
            instance=said.get("instance", document.what.instance),
            host=said.get("host", document.what.host),
            severity=_SEVERITIES[document.severity] if event == "fired" else _RECOVERED,
            title=document.name,
            body=f"{measures(document.what)}: {value}",
            keys=list(attributes),
            values=list(attributes.values()),
        )

    def add(self, rows: Iterable[Row]) -> None:
        """To be written."""
        self._waiting.extend(rows)
        while len(self._waiting) > MOST_KEPT:
            self._waiting.popleft()
            self.dropped += 1

    def flush(self) -> None:
        """Everything that waits; what the store does not take now waits on."""
        if not self._waiting:
            return
        rows = list(self._waiting)
        try:
            self._store.command(
                """
                INSERT INTO events (id, time, app, service, instance, host, kind, severity, title, body, attributes)
                SELECT toUUID(e.1), fromUnixTimestamp64Milli(e.2, 'UTC'), e.3, e.4, e.5, e.6, 'alarm', e.7, e.8, e.9,
                    mapFromArrays(e.10, e.11)
                FROM (
                    SELECT arrayJoin({rows:Array(Tuple(String, Int64, String, String, String, String, UInt8, String,
                        String, Array(String), Array(String)))}) AS e
                )
                """,
                {"rows": [tuple(row) for row in rows]},
                settings={"insert_deduplication_token": f"alarms-{rows[0].id}-{rows[-1].id}-{len(rows)}"},
            )
        except StoreError as error:
            log.warning("alarms: %d events are not on the timeline yet: %s", len(rows), error)
            return
        self.written += len(rows)
        self._waiting.clear()
