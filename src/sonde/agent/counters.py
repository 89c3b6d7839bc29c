"""What the agent did and what it lost, and why: sums since its start, reported as metrics of its own."""

from __future__ import annotations

import threading
from typing import NamedTuple

MAX_SERIES = 1000
"""Attribute values may come from outside (service names, user ids): past this, new series join `OVERFLOW`."""

OVERFLOW = "sonde.agent.series.overflow"


class Count(NamedTuple):
    """One sum. `attributes` are (key, value) pairs in order of their keys."""

    name: str
    attributes: tuple[tuple[str, str], ...]
    total: int


class Counters:
    """Sums by name and attributes. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals: dict[tuple[str, tuple[tuple[str, str], ...]], int] = {}

    def add(self, name: str, amount: int = 1, /, **attributes: str) -> None:
        """Raise the sum of `name` with these attributes."""
        series = (name, tuple(sorted(attributes.items())))
        with self._lock:
            if series not in self._totals and len(self._totals) >= MAX_SERIES:
                series = (OVERFLOW, ())
            self._totals[series] = self._totals.get(series, 0) + amount

    def total(self, name: str, /, **attributes: str) -> int:
        """The sum over every series of `name` that has these attributes; 0 where there is none."""
        wanted = set(attributes.items())
        return sum(count.total for count in self.snapshot() if count.name == name and wanted <= set(count.attributes))

    def snapshot(self) -> list[Count]:
        """Every series, by name and attributes."""
        with self._lock:
            totals = list(self._totals.items())
        return sorted(Count(name, attributes, total) for (name, attributes), total in totals)
