"""Which agents are there, and what is known of each: by app and the name that the agent gives itself."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from sonde.server.spool.spool import Sample

STALE_S = 300.0
"""An agent whose last heartbeat is older is not counted as there, connected or not."""
MOST_AGENTS = 8192
"""Known ones, connected or not; of those that are not, the one that left first is forgotten."""
MOST_COMMANDS = 256
"""Command lines of processes remembered of an agent."""
Key = tuple[str, str]
"""App and agent."""


class Link(Protocol):
    """A connection, as others see it."""

    client: str
    upload_host: str
    """Host by which the agent reached us: how it can send files, too. May be empty."""

    async def say(self, text: str) -> None:
        """Send a message. Raises LinkLostError."""

    def end(self, reason: str) -> None:
        """Close it."""


class LinkLostError(Exception):
    """The connection is over."""


@dataclass(eq=False, slots=True)
class Agent:
    """An agent, there or not."""

    app: str
    app_name: str
    name: str
    link: Link | None = None
    connected_at: datetime | None = None
    last_seen: datetime | None = None
    heard_at_s: float = 0.0
    """Of the last heartbeat, on a clock that never goes back."""
    clock_offset_ms: float | None = None
    version: str = ""
    commands: dict[int, str] = field(default_factory=dict)
    """Command lines by pid."""
    reported_at_ms: float = 0.0
    """Of the processes' figures before, on the agent's clock."""
    sampled_at_ms: dict[tuple[int, int], float] = field(default_factory=dict)
    """Of each thread's last sample, by pid and thread id."""
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)
    """The agent's helpers share one socket to the processes: of two at once one fails."""

    @property
    def key(self) -> Key:
        """What it is known by."""
        return self.app, self.name


class Agents:
    """Used from one event loop. `seconds` is a clock that never goes back."""

    def __init__(self, now: Callable[[], datetime], seconds: Callable[[], float]) -> None:
        self._now = now
        self._seconds = seconds
        self._agents: OrderedDict[Key, Agent] = OrderedDict()

    def heartbeat(
        self, app: str, app_name: str, name: str, link: Link, clock_offset_ms: float
    ) -> tuple[Agent, Link | None]:
        """It is there; and the connection whose place this one takes, where it had another."""
        agent = self._agents.get((app, name))
        if agent is None:
            agent = Agent(app, app_name, name)
            self._agents[agent.key] = agent
            self._make_room()
        before = agent.link
        if before is not link:
            agent.link, agent.connected_at = link, self._now()
        agent.app_name = app_name
        agent.last_seen, agent.heard_at_s, agent.clock_offset_ms = self._now(), self._seconds(), clock_offset_ms
        return agent, before if before is not link else None

    def left(self, agent: Agent, link: Link) -> None:
        """A connection is over; the agent may have a newer one."""
        if agent.link is link:
            agent.link = None

    def find(self, app: str, name: str) -> Agent | None:
        """That agent, there or not."""
        return self._agents.get((app, name))

    def connected(self, app: str, name: str) -> Agent | None:
        """That agent, if it is there."""
        agent = self._agents.get((app, name))
        return agent if agent is not None and self.is_there(agent) else None

    def is_there(self, agent: Agent) -> bool:
        """Whether it can be asked something."""
        return agent.link is not None and self._seconds() - agent.heard_at_s < STALE_S

    def all(self) -> list[Agent]:
        """Those that are known."""
        return list(self._agents.values())

    def samples(self) -> Iterator[Sample]:
        """For /metrics."""
        agents = self.all()
        yield "sonde_xtransit_agents", {"state": "connected"}, sum(map(self.is_there, agents))
        yield "sonde_xtransit_agents", {"state": "known"}, len(agents)

    def _make_room(self) -> None:
        if len(self._agents) <= MOST_AGENTS:
            return
        gone = [agent for agent in self._agents.values() if agent.link is None]
        for agent in sorted(gone, key=lambda agent: agent.heard_at_s)[:1]:
            del self._agents[agent.key]
