"""The longest of many, in memory that has an end."""

from __future__ import annotations

import heapq
from itertools import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Longest:
    """The longest of many, at most `room`."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._order = count()
        self._heap: list[tuple[int, int, Any]] = []
        self.count = 0

    def add(self, ns: int, one: Any) -> None:
        """Keep it, if it is among them."""
        self.count += 1
        push = heapq.heappush if len(self._heap) < self._room else heapq.heappushpop
        push(self._heap, (ns, -next(self._order), one))

    def all(self) -> list[Any]:
        """The longest first."""
        return [one for _, _, one in sorted(self._heap, key=lambda item: item[:2], reverse=True)]
