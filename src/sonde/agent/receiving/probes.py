"""Which probes are connected, and what they count: what they recorded, and what they lost and why."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sonde.agent.counters import Counters

MAX_REMEMBERED = 4096
MAX_COUNTERS = 64

_NAME = re.compile(r"[a-z][a-z_]{0,63}")
_PARTS_OF_SPANS = frozenset({"attributes", "events", "links"})
_NO_SUMS = frozenset({"rings"})


@dataclass(frozen=True, slots=True)
class Probe:
    """A process with a probe in it. `pid` and `uid` are the kernel's word, the rest its own; empty where not said."""

    pid: int
    uid: int
    service: str = ""
    instance: str = ""
    language: str = ""
    command: str = ""
    probe_version: str = ""
    native: bool | None = None
    """Whether its recorder is the native one; None where it has not said."""
    connected_at: float = 0.0
    """Seconds since the epoch."""
    token: str = field(default="", repr=False)
    """What it sends under; empty: the agent's own."""


class Probes:
    """Thread-safe: the receiver writes, the host's report reads."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._lock = threading.Lock()
        self._connected: dict[int, Probe] = {}  # by connection
        self._said: OrderedDict[int, dict[str, int]] = OrderedDict()  # by pid: the last word of each process

    def connected(self, connection: int, probe: Probe) -> None:
        """`connection` is any number that is its own for as long as it lasts. Said again when more is known."""
        with self._lock:
            self._connected[connection] = probe

    def gone(self, connection: int) -> None:
        """The connection has ended; one that never said hello may end, too."""
        with self._lock:
            self._connected.pop(connection, None)

    def by_pid(self) -> dict[int, Probe]:
        """One probe for each connected process, oldest connection first."""
        with self._lock:
            return {probe.pid: probe for probe in self._connected.values()}

    def counted(self, probe: Probe, totals: dict[str, int]) -> None:
        """A process says its counters since its start. Any connection of it may say so."""
        with self._lock:
            before = self._said.pop(probe.pid, {})
            self._said[probe.pid] = totals
            if len(self._said) > MAX_REMEMBERED:
                self._said.popitem(last=False)
        for name, total in totals.items():
            # Less than before: the pid belongs to a new process now.
            news = total - before.get(name, 0) if total >= before.get(name, 0) else total
            if news:
                metric, attributes = _metric(name)
                self._counters.add(metric, news, **attributes, **{"service.name": probe.service})


def counters_of(status: dict[str, object]) -> dict[str, int]:
    """The counters in a STATUS document; entries that are none are left out."""
    return {
        name: total
        for name, total in list(status.items())[:MAX_COUNTERS]
        if type(total) is int and 0 <= total < 1 << 63 and _NAME.fullmatch(name) and name not in _NO_SUMS
    }


def _metric(name: str) -> tuple[str, dict[str, str]]:
    """How a probe's counter is called among the metrics: spans dropped are one metric, by reason."""
    if name.startswith("dropped_"):
        what = name.removeprefix("dropped_")
        if what in _PARTS_OF_SPANS:
            return f"sonde.probe.{what}.dropped", {}
        return "sonde.probe.spans.dropped", {"reason": what}
    return f"sonde.probe.{name}", {}
