"""The line of what the interpreter made from a dead object of the same type, for versions that do not tell of it.

Until 3.12 a dict, list, tuple or float is often made of one that was just freed: its memory was allocated by the line
that made the other. tracemalloc is told of such an object, so it is asked, for a few loops.
"""

from __future__ import annotations

import tracemalloc

from sonde.probe.tools.leaks.library import beginnings, is_library

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from sonde.probe.tools.leaks.ledger import Place

REUSED = frozenset(
    {
        "dict",
        "list",
        "tuple",
        "float",
        "slice",
        "builtin_function_or_method",
        "_contextvars.Context",
        "_asyncio.FutureIter",
    }
)
LOOPS = 10
"""That are looked at: they cost several times as much."""
_LEAST = 2
"""Of them, in which an object has to be seen at another line."""
_FRAMES = 10


class Confirmation:
    """Switched on by the first candidate, off when it has seen enough loops."""

    def __init__(self) -> None:
        self._first = self._last = 0
        self._ours = False
        self._said: dict[Place, dict[Place, set[int]]] = {}
        self.runs = False
        self.done = False

    def begin(self, last_begun: int) -> None:
        """Look at the loops after this one. If tracemalloc runs already, it is used, and left as it is."""
        if self.runs or self.done:
            return
        if not tracemalloc.is_tracing():
            tracemalloc.start(_FRAMES)
            self._ours = True
        self.runs = True
        self._first = last_begun + 1
        self._last = last_begun + LOOPS

    def wants(self, loop: int) -> bool:
        """Whether this loop's objects were all made while tracemalloc looked."""
        return self.runs and loop >= self._first

    def note(self, loop: int, seen: Place, right: Place) -> None:
        """Where the hooks saw an object made, and where tracemalloc did."""
        self._said.setdefault(seen, {}).setdefault(right, set()).add(loop)

    def judged(self, loop: int) -> bool:
        """One more loop; True where it was the last of them."""
        if not self.runs or loop < self._last:
            return False
        self.end()
        return True

    def others(self) -> Iterator[tuple[Place, list[Place]]]:
        """Places with those that they were taken for, the most frequent first."""
        for seen, places in self._said.items():
            often = [place for place in places if place != seen and len(places[place]) >= _LEAST]
            if often:
                yield seen, sorted(often, key=lambda place: -len(places[place]))

    @property
    def bounds(self) -> list[int]:
        """First loop that is looked at, and the one after the last."""
        return [self._first, self._last + 1]

    def end(self) -> None:
        """Leave tracemalloc as it was found."""
        self.done = self.done or self.runs
        self.runs = False
        ours, self._ours = self._ours, False
        if ours:
            tracemalloc.stop()


def made_at(made: Any) -> tuple[str, int] | None:
    """File and line of the application, else of the innermost frame; None where tracemalloc does not know."""
    trace = tracemalloc.get_object_traceback(made)
    if not trace:
        return None
    frame = trace[-1]
    if not frame.filename.startswith(beginnings()[0]):
        frame = next((frame for frame in reversed(trace) if not is_library(frame.filename)), frame)
    return frame.filename, frame.lineno
