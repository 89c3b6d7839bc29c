"""The line of what the interpreter made from a dead object of the same type, for versions that do not tell of it.

Until 3.12 a dict, list, tuple or float is often made of one that was just freed: its memory was allocated by the line
that made the other. tracemalloc is told of such an object, so it is asked, for a few loops.
"""

from __future__ import annotations

import tracemalloc

from sonde.probe.tools.leaks.library import is_library

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from sonde.probe.tools.leaks.ledger import Place

REUSED = frozenset({"dict", "list", "tuple", "float", "slice", "Context", "builtin_function_or_method"})
LOOPS = 6
"""That are looked at: they cost several times as much."""
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

    def corrections(self) -> Iterator[tuple[Place, list[Place]]]:
        """Places that were never right, each with those that it stood for, the most frequent first."""
        for seen, places in self._said.items():
            often = sorted(
                (place for place in places if len(places[place]) >= LOOPS // 2), key=lambda p: -len(places[p])
            )
            if often and seen not in places:
                yield seen, often

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
    frame = next((frame for frame in reversed(trace) if not is_library(frame.filename)), trace[-1])
    return frame.filename, frame.lineno
