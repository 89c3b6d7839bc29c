"""How long requests took, in buckets with fixed bounds: counts that add up over any time, process and endpoint.

The bounds are those of `sonde_bucket` in store/schema/010_values.sql, for ever: numbers of buckets are what is stored.
Bucket n holds durations longer than bound n-1 and no longer than bound n; the last one is open. Counts are exact at the
bounds; in between they are estimated as if the requests of a bucket were spread evenly over it.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BOUNDS_MS = (
    *(1, 2, 5, 10, 20, 25, 50, 75, 100, 150, 200, 250, 300, 400, 500, 600, 750, 800),
    *(1000, 1200, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 8000),
    *(10_000, 12_000, 15_000, 20_000, 30_000, 40_000, 60_000, 120_000),
)
WELL_KNOWN_MS = (5, 10, 50, 100, 200, 500, 1000)
"""Bounds of the histogram that people know; all of them are among BOUNDS_MS."""
FAILED = 64
"""Added to a bucket's number where the requests failed."""
LARGEST_MS = BOUNDS_MS[-1]
_BUCKETS = len(BOUNDS_MS) + 1


def bucket(duration_ns: int, *, failed: bool) -> int:
    """The number that is stored for a request; the store's `sonde_bucket` says the same."""
    return bisect_left(BOUNDS_MS, duration_ns / 1e6) + (FAILED if failed else 0)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Requests by bucket: those without error, and those with."""

    succeeded: Sequence[int]
    failed: Sequence[int]

    @classmethod
    def of(cls, stored: Mapping[int, int]) -> Histogram:
        """From counts by number, as the store keeps them."""
        return cls(
            [stored.get(number, 0) for number in range(_BUCKETS)],
            [stored.get(number + FAILED, 0) for number in range(_BUCKETS)],
        )

    @property
    def requests(self) -> int:
        """How many requests are in it."""
        return sum(self.succeeded) + sum(self.failed)

    def good_within(self, ms: float) -> int:
        """Requests without error that took no longer."""
        return _within(self.succeeded, ms)

    def within(self, ms: float) -> int:
        """Requests that took no longer."""
        return _within([good + bad for good, bad in zip(self.succeeded, self.failed, strict=True)], ms)

    def apdex_points(self, t_ms: float) -> float:
        """One for each request that satisfied, half of one for each that was tolerated."""
        satisfied = self.good_within(t_ms)
        return satisfied + (self.good_within(4 * t_ms) - satisfied) / 2

    def between(self, bounds_ms: Sequence[float]) -> list[tuple[float, float | None, int, int]]:
        """(above ms, up to ms, requests, errors) between these bounds, which are some of BOUNDS_MS."""
        good, bad = ([0, *accumulate(counts)] for counts in (self.succeeded, self.failed))
        edges = [0, *(bisect_left(BOUNDS_MS, bound) + 1 for bound in bounds_ms), _BUCKETS]
        return [
            (above, up_to, good[last] - good[first] + bad[last] - bad[first], bad[last] - bad[first])
            for above, up_to, first, last in zip(
                [0, *bounds_ms], [*bounds_ms, None], edges[:-1], edges[1:], strict=True
            )
        ]


def whole_numbers(shares: Mapping[int, float], requests: int) -> dict[int, int]:
    """Counts by number from parts of requests, rounded so that none gets lost: together they are `requests`, or as many
    as are known.
    """
    together = sum(shares.values())
    wanted = requests if abs(together - requests) < 1 else round(together)
    found = {number: int(share) for number, share in shares.items()}
    left = wanted - sum(found.values())
    for number in sorted(shares, key=lambda number: (found[number] - shares[number], number))[: max(left, 0)]:
        found[number] += 1
    return found


def is_exact(ms: float) -> bool:
    """Whether requests within `ms` are counted and not estimated."""
    return ms in BOUNDS_MS


def _within(counts: Sequence[int], ms: float) -> int:
    number = bisect_left(BOUNDS_MS, ms)
    if number >= len(BOUNDS_MS):
        return sum(counts)
    low, high = ([0, *BOUNDS_MS][number], BOUNDS_MS[number])
    return sum(counts[:number]) + round(counts[number] * (ms - low) / (high - low))
