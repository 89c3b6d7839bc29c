"""What merged counters amount to, judged by the thresholds of the app that they are of."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sonde.server.insight.duration_steps import at_rank_ns
from sonde.server.insight.histogram import Histogram
from sonde.server.reports.statistics import Measured, Tiers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

QUANTILES = (0.5, 0.9, 0.95, 0.99)
STORED_APDEX_T_MS = 500
"""The T that `satisfied` and `tolerating` are counted for, where requests were only counted, exactly; see
schema/130_rollup_30s.sql.
"""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Of an app, in ms."""

    apdex_t_ms: float
    normal_ms: float
    slow_ms: float
    timeout_ms: float


@dataclass(frozen=True, slots=True)
class Counted:
    """Merged counters of requests of one app. Durations in ns; `quantiles`: those of QUANTILES.

    `histogram`: requests by number of the bucket. `satisfied`, `tolerating`: None where the histogram alone says it
    (calls by peer).
    """

    requests: int = 0
    errors: int = 0
    sum_ns: int = 0
    error_sum_ns: int | None = 0
    min_ns: int | None = 0
    max_ns: int = 0
    satisfied: int | None = 0
    tolerating: int | None = 0
    histogram: Mapping[int, int] = field(default_factory=dict)
    quantiles: Sequence[float] = (math.nan,) * len(QUANTILES)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Counted:
        """From a row of a query that selects columns of these names."""
        return cls(**{name: row[name] for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class Judged:
    """How good requests were, as numbers that add up over apps. None: not known."""

    apdex_points: float | None = 0.0
    timeouts: int | None = 0
    tiers: Tiers | None = field(default_factory=lambda: Tiers(normal=0, slow=0, very_slow=0, failed=0, unknown=0))

    @classmethod
    def of(cls, counted: Counted, by: Thresholds) -> Judged:
        """By the thresholds of the app. What was recorded without a histogram counts for Apdex where T is the stored
        one, and is `unknown` otherwise.
        """
        histogram = Histogram.of(counted.histogram)
        unknown = counted.requests - histogram.requests
        points = histogram.apdex_points(by.apdex_t_ms)
        if by.apdex_t_ms == STORED_APDEX_T_MS and counted.satisfied is not None and counted.tolerating is not None:
            points = counted.satisfied + counted.tolerating / 2
        elif unknown:
            return cls(None, None, _tiers(histogram, by, unknown))
        return cls(
            points,
            None if unknown else histogram.requests - histogram.within(by.timeout_ms),
            _tiers(histogram, by, unknown),
        )

    @classmethod
    def together(cls, parts: Iterable[Judged]) -> Judged:
        """Of several apps; what is not known of one is not known of all."""
        points: float | None = 0.0
        timeouts: int | None = 0
        tiers: Tiers | None = cls().tiers
        for part in parts:
            points = None if points is None or part.apdex_points is None else points + part.apdex_points
            timeouts = None if timeouts is None or part.timeouts is None else timeouts + part.timeouts
            tiers = None if tiers is None or part.tiers is None else _sum(tiers, part.tiers)
        return cls(points, timeouts, tiers)


def measured(counted: Counted, seconds: float, judged: Judged) -> dict[str, Any]:
    """Fields of `Measured` for requests of a span of time that long."""
    some, failed = counted.requests, counted.errors
    return {
        "requests": some,
        "errors": failed,
        "success_rate": 1 - failed / some if some else None,
        "requests_per_s": some / seconds if seconds > 0 else 0.0,
        "total_ms": counted.sum_ns / 1e6,
        "average_ms": counted.sum_ns / some / 1e6 if some else None,
        "error_average_ms": counted.error_sum_ns / failed / 1e6
        if failed and counted.error_sum_ns is not None
        else None,
        "min_ms": counted.min_ns / 1e6 if some and counted.min_ns is not None else None,
        "max_ms": counted.max_ns / 1e6 if some else None,
        **{f"p{round(level * 100)}_ms": _percentile_ms(counted, at) for at, level in enumerate(QUANTILES)},
        "apdex": judged.apdex_points / some if some and judged.apdex_points is not None else None,
        "timeouts": judged.timeouts,
        "tiers": judged.tiers,
    }


def report(counted: Counted, seconds: float, by: Thresholds) -> Measured:
    """The same as a report of its own, of one app."""
    return Measured(**measured(counted, seconds, Judged.of(counted, by)))


def report_of_several(
    together: Counted, parts: Mapping[str, Counted], seconds: float, thresholds: Callable[[str], Thresholds]
) -> Measured:
    """Requests of several apps: `together`, and by app, so that each is judged by its own thresholds."""
    judged = Judged.together(Judged.of(part, thresholds(app)) for app, part in parts.items())
    return Measured(**measured(together, seconds, judged))


def _percentile_ms(counted: Counted, number: int) -> float | None:
    found = counted.quantiles[number]
    if not counted.requests or not math.isfinite(found):
        return None
    return max(at_rank_ns(found, QUANTILES[number], counted.requests, counted.max_ns), counted.min_ns or 0) / 1e6


def _tiers(histogram: Histogram, by: Thresholds, unknown: int) -> Tiers:
    normal, slow = histogram.good_within(by.normal_ms), histogram.good_within(by.slow_ms)
    return Tiers(
        normal=normal,
        slow=slow - normal,
        very_slow=sum(histogram.succeeded) - slow,
        failed=sum(histogram.failed),
        unknown=unknown,
    )


def _sum(one: Tiers, other: Tiers) -> Tiers:
    return Tiers(**{name: getattr(one, name) + getattr(other, name) for name in Tiers.model_fields})
