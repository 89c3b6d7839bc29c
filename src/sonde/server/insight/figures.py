"""What a number of requests amounts to: rates, Apdex, milliseconds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sonde.server.insight.duration_steps import at_rank_ns
from sonde.server.reports.services import Figures, Point

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sonde.server.insight.steps import Steps

QUANTILES = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Sums:
    """Merged counters of some requests, as the store keeps them. Durations in ns; `quantiles`: those of QUANTILES."""

    requests: int = 0
    errors: int = 0
    sum_ns: int = 0
    max_ns: int = 0
    satisfied: int = 0
    tolerating: int = 0
    quantiles: Sequence[float] = (math.nan, math.nan, math.nan)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Sums:
        """From a row of a query that selects columns of these names."""
        return cls(**{name: row[name] for name in cls.__slots__})

    @property
    def success_rate(self) -> float | None:
        """Share of the requests without error."""
        return 1 - self.errors / self.requests if self.requests else None

    @property
    def apdex(self) -> float | None:
        """(satisfied + tolerating / 2) / all, http://www.apdex.org; a failed request satisfies nobody."""
        return (self.satisfied + self.tolerating / 2) / self.requests if self.requests else None

    @property
    def average_ms(self) -> float | None:
        """Mean duration."""
        return self.sum_ns / self.requests / 1e6 if self.requests else None

    @property
    def longest_ms(self) -> float | None:
        """The longest duration."""
        return self.max_ns / 1e6 if self.requests else None

    def percentile_ms(self, number: int) -> float | None:
        """The `number`th of QUANTILES."""
        if not self.requests or not math.isfinite(self.quantiles[number]):
            return None
        return at_rank_ns(self.quantiles[number], QUANTILES[number], self.requests, self.max_ns) / 1e6


def figures(sums: Sums, seconds: float, apdex: float | None = None) -> dict[str, Any]:
    """Fields of `Figures` for requests of a span of time that long. `apdex` replaces that of the stored counts."""
    return {
        "requests": sums.requests,
        "errors": sums.errors,
        "success_rate": sums.success_rate,
        "requests_per_s": sums.requests / seconds,
        "average_ms": sums.average_ms,
        "max_ms": sums.longest_ms,
        "p50_ms": sums.percentile_ms(0),
        "p95_ms": sums.percentile_ms(1),
        "p99_ms": sums.percentile_ms(2),
        "apdex": sums.apdex if apdex is None else apdex,
    }


def report(sums: Sums, seconds: float, apdex: float | None = None) -> Figures:
    """The same as a report of its own."""
    return Figures(**figures(sums, seconds, apdex))


def series(by_step: Mapping[int, Sums], steps: Steps) -> list[Point]:
    """A point for every step. `by_step`: by the step's start in seconds since the epoch."""
    points = []
    for time in steps.times():
        sums = by_step.get(int(time.timestamp()), Sums())
        points.append(
            Point(
                time=time,
                covered_s=steps.covered_s(time),
                requests=sums.requests,
                errors=sums.errors,
                average_ms=sums.average_ms,
                max_ms=sums.longest_ms,
                p50_ms=sums.percentile_ms(0),
                p95_ms=sums.percentile_ms(1),
                p99_ms=sums.percentile_ms(2),
            )
        )
    return points
