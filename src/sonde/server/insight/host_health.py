"""What the state of a host's agent is: well, with a wrong clock, or silent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sonde.server.reports.nodes import NodeAgent

if TYPE_CHECKING:
    from collections.abc import Mapping

OFFSET = "sonde.agent.clock.offset_s"
"""Resource attribute of an agent: seconds by which its clock is ahead of ours."""
WRONG_FROM_S = 5.0
"""A clock that is off by less is right: it is known to a second, and nobody sees the difference on a chart."""
SILENT_AFTER = timedelta(seconds=90)
"""Agents report each 10 s, some each minute."""


def agent_health(
    facts: Mapping[str, str], last_seen: datetime, now: datetime, *, queue_bytes: int | None, queue_batches: int | None
) -> NodeAgent:
    """`facts`: resource attributes; both times are of the server's clock, so a wrong clock looks like no absence."""
    offset_s = _number(facts.get(OFFSET, ""))
    silent = now - last_seen > SILENT_AFTER
    wrong = offset_s is not None and abs(offset_s) >= WRONG_FROM_S
    return NodeAgent(
        state="silent" if silent else "clock" if wrong else "ok",
        version=facts.get("service.version", ""),
        last_seen=last_seen,
        clock_offset_s=offset_s,
        queue_bytes=queue_bytes,
        queue_batches=queue_batches,
    )


def _number(text: str) -> float | None:
    """It comes from outside: what is no number, or none of these times, is not there."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e12 else None
