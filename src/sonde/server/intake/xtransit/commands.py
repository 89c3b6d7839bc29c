"""Asking an agent to do something, and its answer.

A command is a line that the agent splits at each blank: there is no quoting, so nothing in it may have one. What takes
too long or ends with an error is never answered: the time-out here is the only one. Source: what xtransit 3.1.0 does.
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sonde.server.intake.xtransit.agents import LinkLostError
from sonde.server.nodejs import foreign_json
from sonde.server.nodejs.errors import AgentAwayError, BadWishError, NoAnswerError, RefusedByAgentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sonde.server.intake.xtransit.agents import Agent, Agents, Key
    from sonde.server.spool.spool import Sample

WITHIN_S = 15.0
UPLOAD_WITHIN_S = 1200.0
LATER_S = 2.0
"""How much longer than the agent we wait."""
MOST_PENDING = 4096
MOST_WAITING = 16
"""Commands of one agent that wait for their turn."""
_ONE_AT_A_TIME = frozenset({"xprofctl", "check_process_status"})
_BLANK = re.compile(r"\s")
_LONGEST_WORD = 4096


@dataclass(slots=True)
class _Pending:
    agent: Key
    answer: asyncio.Future[dict[str, Any]]


class Commands:
    """Used from one event loop."""

    def __init__(self, agents: Agents) -> None:
        self._agents = agents
        self._pending: dict[str, _Pending] = {}
        self._waiting: Counter[Key] = Counter()
        self._ended: Counter[tuple[str, str]] = Counter()

    async def run(self, app: str, name: str, *words: str, within_s: float = WITHIN_S) -> str:
        """What the command prints. Raises NodejsError of every kind but UploadError."""
        for word in words:
            if not word or _BLANK.search(word) or len(word) > _LONGEST_WORD:
                raise BadWishError(f"a command's argument may have no blanks, and this one has: {word[:200]!r}")
        agent = self._agents.connected(app, name)
        if agent is None:
            raise AgentAwayError(f"the agent {name} is not connected")
        if words[0] not in _ONE_AT_A_TIME:
            return await self._ask(agent, words, within_s)
        if self._waiting[agent.key] >= MOST_WAITING:
            raise NoAnswerError(f"{MOST_WAITING} commands wait for the agent {name}, which does one at a time")
        self._waiting[agent.key] += 1
        try:
            async with agent.one_at_a_time:
                return await self._ask(agent, words, within_s)
        finally:
            self._waiting[agent.key] -= 1
            if not self._waiting[agent.key]:
                del self._waiting[agent.key]

    async def run_json(self, app: str, name: str, *words: str, within_s: float = WITHIN_S) -> dict[str, Any]:
        """What the command prints, a JSON object. Raises likewise."""
        text = await self.run(app, name, *words, within_s=within_s)
        try:
            found = foreign_json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise RefusedByAgentError(f"{words[0]} answered what is no JSON object: {text[:200]!r}")
        return found

    def answered(self, agent: Key, trace: str, data: dict[str, Any]) -> None:
        """An agent has answered; nobody may be waiting any more, or never have been."""
        pending = self._pending.get(trace)
        if pending is None or pending.agent != agent or pending.answer.done():
            self._ended["any", "late"] += 1
            return
        pending.answer.set_result(data)

    def samples(self) -> Iterator[Sample]:
        """For /metrics."""
        yield "sonde_xtransit_commands_pending", {}, len(self._pending)
        for (command, how), count in self._ended.items():
            yield "sonde_xtransit_commands_total", {"command": command, "result": how}, count

    async def _ask(self, agent: Agent, words: tuple[str, ...], within_s: float) -> str:
        if agent.link is None:
            raise AgentAwayError(f"the agent {agent.name} is not connected any more")
        if len(self._pending) >= MOST_PENDING:
            raise NoAnswerError(f"{MOST_PENDING} commands are under way; come again")
        trace = str(uuid.uuid4())
        pending = _Pending(agent.key, asyncio.get_running_loop().create_future())
        command = {"command": " ".join(words), "expiredTime": int(within_s * 1000)}
        message = {"traceId": trace, "type": "exec_command", "data": command}
        self._pending[trace] = pending
        try:
            await agent.link.say(json.dumps(message, ensure_ascii=False, separators=(",", ":")))
            data = await asyncio.wait_for(pending.answer, within_s + LATER_S)
            printed = _printed(words[0], data)
        except TimeoutError:
            self._ended[words[0], "no_answer"] += 1
            raise NoAnswerError(f"the agent {agent.name} has not answered {words[0]} within {within_s:.0f} s") from None
        except LinkLostError:
            self._ended[words[0], "away"] += 1
            raise AgentAwayError(f"the agent {agent.name} is not connected any more") from None
        except RefusedByAgentError:
            self._ended[words[0], "refused"] += 1
            raise
        finally:
            del self._pending[trace]
        self._ended[words[0], "done"] += 1
        return printed


def _printed(command: str, data: dict[str, Any]) -> str:
    """Raises RefusedByAgentError. Agents before 2.0 print to both outputs."""
    if data.get("ok") is not True:
        raise RefusedByAgentError(f"{command}: {str(data.get('message') or 'refused')[:500]}")
    said = data.get("data")
    output = said.get("stdout") if isinstance(said, dict) else None
    if isinstance(output, str) and output.strip():
        return output
    error = said.get("stderr") if isinstance(said, dict) else None
    words = error.strip()[:500] if isinstance(error, str) else ""
    raise RefusedByAgentError(f"{command}: {words or 'it printed nothing'}")
