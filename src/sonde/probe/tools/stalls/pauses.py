"""Pauses of the garbage collector that took long."""

from __future__ import annotations

from typing import NamedTuple

from sonde.probe.tools.places import Place, own_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Pause(NamedTuple):
    """One. The line is the one that had been reached when the collector thought it was time."""

    began_unix_ns: int
    duration_ns: int
    tid: int
    generation: int
    collected: int
    uncollectable: int
    trace_id: bytes
    span_id: bytes
    line: Place | None
    stack: tuple[Place, ...]
    """The outermost frame first."""


def paused(raw: tuple[Any, ...]) -> Pause:
    """Of a tuple of the native part, see _stalls.pyi."""
    began, duration, tid, generation, collected, uncollectable, trace_id, span_id, rows, numbers = raw
    places = [Place(*row) for row in rows]
    stack = tuple(places[at] for at in reversed(numbers))
    return Pause(began, duration, tid, generation, collected, uncollectable, trace_id, span_id, own_line(stack), stack)
