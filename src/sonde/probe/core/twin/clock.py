"""Wall time that does not jump inside a span: the monotonic clock, anchored to the wall clock each second."""

from __future__ import annotations

from time import monotonic_ns, time_ns

ANCHOR_FOR_NS = 1_000_000_000
"""A step of the wall clock is followed within this time."""


class Clock:
    """Turns monotonic nanoseconds into Unix nanoseconds."""

    __slots__ = ("_anchored_ns", "_offset_ns")

    def __init__(self) -> None:
        self._anchored_ns = -ANCHOR_FOR_NS
        self._offset_ns = 0

    def unix_ns(self, monotonic: int) -> int:
        """Unix time of a moment that has just been."""
        if monotonic - self._anchored_ns >= ANCHOR_FOR_NS:
            self._offset_ns = time_ns() - monotonic_ns()
            self._anchored_ns = monotonic
        return monotonic + self._offset_ns
