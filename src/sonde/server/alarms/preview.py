"""What a message would look like: about two alarms that never were."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sonde.server.alarms.telling import Told
from sonde.server.alarms.wording import Message

if TYPE_CHECKING:
    from datetime import datetime

    from sonde.server.reports.alarms import AlarmNotifierDocument


def preview_message(notifier: AlarmNotifierDocument, app: str, now: datetime, console_url: str) -> Message:
    """One that fires, and one that is over."""
    started = (now - timedelta(minutes=7)).isoformat(timespec="seconds")
    slow = Told(
        event="fired",
        alarm_id="0" * 12,
        rule_id="0" * 12,
        rule="Checkout is slow",
        app=app,
        severity="critical",
        description="",
        group={"service": "checkout"},
        labels={"team": "payments"},
        measures="p95_ms",
        op=">",
        unit="ms",
        value=812.0,
        threshold=500.0,
        started_at=started,
    )
    failing = Told(
        event="recovered",
        alarm_id="1" * 12,
        rule_id="1" * 12,
        rule="Requests fail",
        app=app,
        severity="warning",
        description="",
        group={"service": "cart"},
        labels={},
        measures="error_rate",
        op=">",
        unit="ratio",
        value=0.004,
        threshold=0.05,
        started_at=started,
        ended_at=now.isoformat(timespec="seconds"),
        ended_by="recovered",
    )
    return Message(notifier.name, (slow, failing), notifier.language, console_url)
