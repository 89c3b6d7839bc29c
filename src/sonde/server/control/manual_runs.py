"""Runs of tools that programs began themselves: how many of them are taken, and the jobs that they are."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from sonde.server.control.jobs import Job
from sonde.server.control.open_jobs import SILENT_FOR
from sonde.wire.control import parsed_moment

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sonde.server.control.nodes import Agent
    from sonde.wire.control import Manual

MOST = 60
"""Runs of one node within a minute."""
WITHIN_S = 60.0


class ManualRuns:
    """`seconds` is a clock that never goes back."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._taken_at: dict[tuple[str, str], deque[float]] = {}  # by app and node
        self.refused = 0

    def take(self, agent: Agent, *, has_room: bool) -> bool:
        """Whether one more of that node's may come now; counts it, either way. `has_room`: for another job of it."""
        now, key = self._seconds(), (agent.app, agent.node)
        self._taken_at = {it: times for it, times in self._taken_at.items() if now - times[-1] < WITHIN_S}
        times = self._taken_at.get(key, deque(maxlen=MOST))
        if not has_room or (len(times) == MOST and now - times[0] < WITHIN_S):
            self.refused += 1
            return False
        times.append(now)
        self._taken_at[key] = times
        return True


def job_of(agent: Agent, message: Manual, now: datetime) -> Job:
    """A job of the channel's app, whatever the agent says. Raises MessageError."""
    return Job(
        id=message["job"],
        app=agent.app,
        node=agent.node,
        host=agent.host,
        agent=agent.instance,
        pid=message["pid"],
        service=message["service"],
        instance=message["instance"],
        tool=message["tool"],
        options=message["options"],
        seconds=message["seconds"],
        created_by=f"code: {message['name']}"[:128],
        created_at=now,
        expires_at=now,
        deadline_at=now + SILENT_FOR,
        body="",
        state="running",
        started_at=parsed_moment(message["started_at"]),
    )
