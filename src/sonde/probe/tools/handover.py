"""What `sonde.profile` has found, on its way to the agent: after the run, in its thread, which nobody waits for.

A loop in the program must fill neither the agent nor the server: beyond MOST_A_MINUTE and MOST_AT_ONCE a result stays
where it is, and is counted.
"""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, Any

from sonde.probe.tools.link import AgentGoneError
from sonde.wire import tools

if TYPE_CHECKING:
    from sonde.probe.tools.link import Link

MOST_A_MINUTE = 30
MOST_AT_ONCE = 4
MINUTE_S = 60.0


class Turnstile:
    """Who may go now. Used by the threads of runs; what decides is one operation each, so it has no lock."""

    def __init__(self) -> None:
        self.kept_back = 0
        """Results that were one too many."""
        self._inside: dict[object, None] = {}
        self._times: deque[float] = deque([-MINUTE_S] * MOST_A_MINUTE, MOST_A_MINUTE)

    def enter(self, who: object) -> bool:
        """Whether `who` may; then `leave` follows."""
        now = monotonic()
        if len(self._inside) >= MOST_AT_ONCE or now - self._times[0] < MINUTE_S:
            self.kept_back += 1
            return False
        self._times.append(now)
        self._inside[who] = None
        return True

    def leave(self, who: object) -> None:
        """It has gone."""
        self._inside.pop(who, None)


def heard(command: dict[str, Any]) -> None:
    """The agent's word: it does not want it. Raises AgentGoneError."""
    if command.get("do") == "abort":
        raise AgentGoneError("the agent does not want the result")


def hand_over(link: Link, name: str, options: dict[str, Any], result: dict[str, Any], files: dict[str, bytes]) -> None:
    """`result` is the event that ended the run, `files` what it is about. Raises AgentGoneError."""
    document, run = result["document"], result["id"]
    facts = {
        "tool": document["tool"],
        "pid": document["pid"],
        "seconds": min(document["seconds"], tools.MAX_SECONDS),
        "manual": True,
        "name": name,
        "started_at": document["started_at"],
        "options": {
            key: value if isinstance(value, bool | int | float) else str(value) for key, value in options.items()
        },
    }
    link.reply({"id": run, "event": "started", **facts})
    for artifact in result["artifacts"]:
        whole = memoryview(files.get(artifact["name"], b""))
        for offset in range(0, len(whole), tools.MAX_PIECE_BYTES):
            link.piece(run, artifact["name"], offset, whole[offset : offset + tools.MAX_PIECE_BYTES])
    link.reply(result)
