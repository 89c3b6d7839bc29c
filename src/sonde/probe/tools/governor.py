"""What may run in this process, and for how long: one heavy tool at a time, memory before it starts, CPU while it runs.

It has no lock, and needs none: what decides is one operation on a dict. So a forked child has nothing to repair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe.tools.headroom import headroom_bytes
from sonde.probe.tools.tool import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sonde.probe.tools.tool import Tool

MAX_RUNS = 8
"""At the same time, light ones and questions included."""
CPU_SHARE = 0.2
"""Of one core, where a tool does not say otherwise by `cpu_share`."""
HEAVY_CPU_SHARE = 1.0
SETTLES_WITHIN_S = 2.0
"""A tool that works most when it starts is not ended for that."""
SPARE_BYTES = 64 << 20
"""Left to the application, whatever a tool needs."""
_HEAVY = "heavy"


class Governor:
    """There is one in a process; a child after a fork has another. A run is any object; as a text, it is its name."""

    def __init__(self, headroom: Callable[[], int | None] = headroom_bytes) -> None:
        self._headroom = headroom
        self._places: dict[int | str, object] = {}  # a place, and the run that has it
        self._tools: dict[object, str] = {}  # what each admitted run runs

    def enter(self, run: object) -> None:
        """A run of any kind begins. Raises ToolError."""
        if not any(self._places.setdefault(place, run) is run for place in range(MAX_RUNS)):
            raise ToolError("busy", f"{MAX_RUNS} runs are under way in this process; wait for one to end")

    def admit(self, run: object, tool: type[Tool], options: Mapping[str, Any]) -> None:
        """The run may start its tool, until `leave`. Raises ToolError: `busy`, `no_memory`."""
        if tool.heavy and (holder := self._places.setdefault(_HEAVY, run)) is not run:
            raise ToolError("busy", f"another heavy tool runs in this process, run {holder}: one at a time")
        needs = getattr(tool, "needs_bytes", None)
        if needs is not None:
            need, left = int(needs(options)), self._headroom()
            if left is not None and need + SPARE_BYTES > left:
                raise ToolError(
                    "no_memory",
                    f"{tool.name} needs about {_mib(need)} and the process may take {_mib(left)} more, of which "
                    f"{_mib(SPARE_BYTES)} are left alone",
                )
        self._tools[run] = tool.name

    def running(self) -> set[str]:
        """Names of the tools that are admitted."""
        return set(self._tools.values())

    def leave(self, run: object) -> None:
        """The run is over."""
        self._tools.pop(run, None)
        for place, holder in list(self._places.items()):
            if holder is run:
                del self._places[place]

    @staticmethod
    def overspent(tool: Tool, seconds: float) -> str:
        """Why the tool has to end now, for the notes; empty: it may go on."""
        share = float(getattr(tool, "cpu_share", HEAVY_CPU_SHARE if tool.heavy else CPU_SHARE))
        used_s = tool.cpu_s()
        if used_s <= share * max(seconds, SETTLES_WITHIN_S):
            return ""
        return (
            f"Ended after {seconds:.1f} s: the tool itself had used {used_s:.1f} s of CPU, and may use {share:.0%} of "
            "a core."
        )


def _mib(size: int) -> str:
    return f"{size / (1 << 20):.0f} MiB"
