"""Counts of spans that were not sampled: exact numbers, and durations in buckets.

A bucket is one of sixteen for each doubling: number n ends at 2^((n+1)/16) ns. Source: OpenTelemetry's exponential
histogram of scale 4, https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from sonde.probe.core.twin.real import RLock

if TYPE_CHECKING:
    from sonde.probe.core.twin.operation import Operation

SLOT_NS = 30_000_000_000
SATISFIED_NS, TOLERATED_NS = 500_000_000, 2_000_000_000
"""As rollup_30s counts them."""
MAX_TALLIES = 1024
BUCKETS = 640

Taken = tuple[str, int, bytes, bool, bool, int, int, int, int, int, int, int, int, int, dict[int, int]]
"""Name, kind, constants as encoded, is root, failed, status code, slot, count, sum, least and most of the durations,
satisfied, tolerating, start of the last one (Unix ns), spans by bucket."""


class Ended(NamedTuple):
    """What is known of an ended span when only its count is kept."""

    operation: Operation
    name: bytes | None
    start_unix_ns: int
    duration_ns: int
    status_code: int
    failed: bool
    is_root: bool


class _Tally:
    __slots__ = ("buckets", "count", "last", "least", "most", "satisfied", "sum", "tolerating")

    def __init__(self) -> None:
        self.count = self.sum = self.most = self.satisfied = self.tolerating = self.last = 0
        self.least = (1 << 64) - 1
        self.buckets: dict[int, int] = {}


_Key = tuple["Operation | None", bytes | None, int, int, int, bool, bool]

_lock = RLock()
_tallies: dict[_Key, _Tally] = {}


def tally(ended: Ended) -> None:
    """Count it; beyond MAX_TALLIES in its kind's overflow, under the name `(other)`."""
    operation, name, start, duration, status, failed, is_root = ended
    key: _Key = (operation, name, start // SLOT_NS, status, operation.kind, failed, is_root)
    with _lock:
        mine = _tallies.get(key)
        if mine is None:
            if len(_tallies) >= MAX_TALLIES:
                key = (None, None, start // SLOT_NS, 0, operation.kind, failed, is_root)
            mine = _tallies.setdefault(key, _Tally())
        mine.count += 1
        mine.sum += duration
        mine.least = min(mine.least, duration)
        mine.most = max(mine.most, duration)
        mine.last = max(mine.last, start)
        if not failed and duration <= SATISFIED_NS:
            mine.satisfied += 1
        elif not failed and duration <= TOLERATED_NS:
            mine.tolerating += 1
        bucket = _bucket(duration)
        mine.buckets[bucket] = mine.buckets.get(bucket, 0) + 1


def _bucket(ns: int) -> int:
    return min(math.floor(math.log2(max(ns, 1)) * 16), BUCKETS - 1)


def _written(name: bytes | None, operation: Operation | None) -> str:
    """The name as it would be written."""
    if name is not None:
        return name.decode()
    return operation.written_name() if operation is not None else "(other)"


def waits() -> bool:
    """Whether there is something to take."""
    return bool(_tallies)


def take_tallies() -> list[Taken]:
    """What was counted since the last time."""
    with _lock:
        out = list(_tallies.items())
        _tallies.clear()
    return [
        (
            _written(name, operation),
            kind,
            operation.all_constants if operation is not None else b"",
            is_root,
            failed,
            status,
            slot,
            found.count,
            found.sum,
            found.least,
            found.most,
            found.satisfied,
            found.tolerating,
            found.last,
            found.buckets,
        )
        for (operation, name, slot, status, kind, failed, is_root), found in out
    ]


def forget() -> None:
    """In a forked child: what was counted is the parent's."""
    global _lock  # noqa: PLW0603 - one per process, and this is another process
    _lock = RLock()
    _tallies.clear()
