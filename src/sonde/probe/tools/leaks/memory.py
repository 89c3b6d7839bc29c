"""Memory of the process, as the kernel counts it."""

from __future__ import annotations

import os

MOST_POINTS = 600
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Resident:
    """Readings of resident memory beside what the hooks know of: few enough to keep, and rarely, as each costs as
    much as a hundred allocations.
    """

    def __init__(self) -> None:
        self.points: list[tuple[int, int, int]] = []
        """(loop, resident bytes, bytes that judged loops keep)."""
        self._every_s = 0.05
        self._read_at = float("-inf")

    def note(self, loop: int, tracked: int, now: float) -> None:
        """Read it now, or pass over. `now`: a monotonic clock's."""
        if now - self._read_at < self._every_s:
            return
        self._read_at = now
        self.points.append((loop, resident(), tracked))
        if len(self.points) > MOST_POINTS:
            self.points = self.points[::2]
            self._every_s *= 2

    def unexplained(self) -> tuple[int, int] | None:
        """(growth of the process, growth of what is tracked) over the later half, where the first is far more."""
        half = self.points[len(self.points) // 2 :]
        if len(half) < 4:
            return None
        process, tracked = half[-1][1] - half[0][1], half[-1][2] - half[0][2]
        return (process, tracked) if process > max(8 << 20, 4 * max(tracked, 0)) else None


def resident() -> int:
    """Bytes; 0 where the kernel does not say."""
    try:
        with open("/proc/self/statm", "rb") as opened:  # noqa: PTH123 - read at each loop
            return int(opened.read().split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return 0
