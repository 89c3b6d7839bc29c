"""What is told of an alarm, whoever it is told to: it is kept with the message until that is delivered."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sonde.server.alarms.condition import FLAPS_FROM
from sonde.server.alarms.rules import FILTERS, unit
from sonde.server.alarms.standing_rows import at_s

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sonde.server.alarms.condition import Event
    from sonde.server.alarms.rules import Rule
    from sonde.server.alarms.standing_rows import Group
    from sonde.server.reports.alarms import AlarmWhat, Ended, Severity


@dataclass(frozen=True, slots=True)
class Told:
    """One alarm in a message. Times are RFC 3339; `ended_at` None: it fires."""

    event: Event
    alarm_id: str
    rule_id: str
    rule: str
    app: str
    severity: Severity
    description: str
    group: dict[str, str]
    labels: dict[str, str]
    measures: str
    op: str
    unit: str
    value: float | None
    threshold: float | None
    started_at: str
    ended_at: str | None = None
    ended_by: Ended | None = None
    flapping: bool = False
    reminder: bool = False
    """It was told before, and goes on."""
    now: str = ""
    """When it was told, or should have been."""


def told_of(
    rule: Rule, group: Group, event: Event, now: datetime, why: Ended | None = None, *, reminder: bool = False
) -> Told:
    """Of a group that fires or did."""
    document = rule.document
    return Told(
        event=event,
        alarm_id=group.alarm_id or "",
        rule_id=rule.id,
        rule=document.name,
        app=rule.app,
        severity=document.severity,
        description=document.description,
        group=dict(group.labels),
        labels=dict(document.labels),
        measures=measures(document.what),
        op=document.condition.op,
        unit=unit(document.what),
        value=group.value,
        threshold=group.threshold,
        started_at=at_s(group.started_s).isoformat(),
        ended_at=now.isoformat(timespec="seconds") if event == "recovered" else None,
        ended_by=why,
        flapping=group.standing.flap_score >= FLAPS_FROM,
        reminder=reminder,
        now=now.isoformat(timespec="seconds"),
    )


def measures(what: AlarmWhat) -> str:
    """What is measured, in the API's own words: `p95_ms of service checkout`."""
    name = what.statistic or what.figure or what.query or what.metric or what.kind
    if what.aggregate:
        name = f"{what.aggregate} of {name}"
    limits = [f"{field} {getattr(what, field)}" for field in FILTERS if getattr(what, field)]
    limits += [f"{key}={value}" for key, value in what.labels.items()]
    return f"{name} of {', '.join(limits)}" if limits else name


def dumped(alarms: Iterable[Told]) -> str:
    """For a column."""
    return json.dumps([asdict(told) for told in alarms], ensure_ascii=False)


def loaded(text: str) -> list[Told]:
    """Of a column."""
    rows: list[dict[str, Any]] = json.loads(text)
    return [Told(**row) for row in rows]


def title_of(alarms: Iterable[Told]) -> str:
    """For lists of messages; what is sent has one in its receiver's language."""
    names = list(dict.fromkeys(told.rule for told in alarms))
    return names[0] + (f" +{len(names) - 1}" if len(names) > 1 else "") if names else ""
