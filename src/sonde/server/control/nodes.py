"""Which agents are there, and the processes each of them sees."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sonde.server.control.link import Link
    from sonde.wire.control import Hello, Process, ServerMessage

REMEMBERED_S = 600.0
"""How long the processes of an agent that is gone are shown, as not connected."""
MAX_AGENTS = 4096


@dataclass(eq=False, slots=True)
class Agent:
    """An agent's process. A host may have several: its own, and those that `sonde run` starts."""

    app: str
    node: str
    host: str
    instance: str
    version: str
    capabilities: list[str]
    link: Link | None
    """None while it is not connected."""
    left_at: float = 0.0
    processes: dict[int, Process] = field(default_factory=dict)

    @property
    def connected(self) -> bool:
        """Whether it can be told something."""
        return self.link is not None

    def say(self, message: ServerMessage) -> None:
        """One that is not connected hears it when it is back, in another way."""
        if self.link is not None:
            self.link.say(message)


class Nodes:
    """Used from one event loop. `seconds` is a clock that never goes back."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._agents: dict[tuple[str, str], Agent] = {}  # by app and instance

    def joined(self, app: str, hello: Hello, link: Link) -> tuple[Agent, Link | None]:
        """The agent behind a new connection; and the connection that it stands in place of, where there is one."""
        key = app, hello["instance"]
        agent = self._agents.get(key)
        before = agent.link if agent else None
        if agent is None or agent.node != hello["node"]:
            agent = Agent(app, hello["node"], hello["host"], hello["instance"], "", [], None)
            self._make_room(agent)
            self._agents[key] = agent
        agent.host, agent.version, agent.capabilities = hello["host"], hello["agent_version"], hello["capabilities"]
        agent.link = link
        return agent, before

    def left(self, agent: Agent, link: Link) -> None:
        """The connection has ended; it may have been replaced before."""
        if agent.link is link:
            agent.link, agent.left_at = None, self._seconds()

    def agents(self) -> Iterator[Agent]:
        """All, also those that left a while ago."""
        self._forget()
        return iter(list(self._agents.values()))

    def connected(self, app: str, instance: str) -> Agent | None:
        """That agent, if it is connected."""
        agent = self._agents.get((app, instance))
        return agent if agent and agent.connected else None

    def carrier(self, app: str, node: str, pid: int) -> Agent | None:
        """The agent to give a command for this process to: a connected one that sees it, if there is one; else one of
        the node, connected rather than not.
        """
        mine = [agent for agent in self._agents.values() if (agent.app, agent.node) == (app, node)]
        return max(mine, key=lambda agent: (agent.connected, pid in agent.processes), default=None)

    def samples(self) -> Iterator[tuple[str, dict[str, str], float]]:
        """For /metrics."""
        self._forget()
        connected = [agent for agent in self._agents.values() if agent.connected]
        yield "sonde_agents_connected", {}, len(connected)
        yield "sonde_processes_connected", {}, sum(len(agent.processes) for agent in connected)

    def _make_room(self, newcomer: Agent) -> None:
        """Forget the agents that this one comes in place of, and where there are too many the one that left first."""
        gone = [(key, agent) for key, agent in self._agents.items() if not agent.connected]
        for key, agent in gone:
            if (agent.app, agent.node) == (newcomer.app, newcomer.node):
                del self._agents[key]
        if len(self._agents) >= MAX_AGENTS:
            left = [key for key, agent in self._agents.items() if not agent.connected]
            for key in sorted(left, key=lambda key: self._agents[key].left_at)[:1]:
                del self._agents[key]

    def _forget(self) -> None:
        too_old = self._seconds() - REMEMBERED_S
        for key, agent in list(self._agents.items()):
            if not agent.connected and agent.left_at < too_old:
                del self._agents[key]


def described(agent: Agent, process: Process) -> dict[str, Any]:
    """A process as the API shows it."""
    return {
        "app": agent.app,
        "node": agent.node,
        "host": agent.host,
        "node_connected": agent.connected,
        **{name: value for name, value in process.items() if name != "uid"},
    }
