"""histogram_quantile over classic buckets, the series with a label `le`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sonde.server.promql.vectors import NAME, Series, key_of, without

if TYPE_CHECKING:
    from sonde.server.promql.vectors import Key, Scalar, Vector


def histogram_quantile(quantile: Scalar, vector: Vector) -> Vector:
    """One series for each histogram. What has no `le` that is a number is no bucket, and left out."""
    histograms: dict[Key, list[tuple[float, Series]]] = {}
    for series in vector:
        try:
            bound = float(series.labels["le"])
        except (KeyError, ValueError):
            continue
        histograms.setdefault(key_of(without(series.labels, ("le", NAME))), []).append((bound, series))
    results = []
    for key, buckets in histograms.items():
        buckets.sort(key=lambda bucket: bucket[0])
        bounds = [bound for bound, _ in buckets]
        values: list[float | None] = []
        for wanted, column in zip(
            quantile.values, zip(*(series.values for _, series in buckets), strict=True), strict=True
        ):
            present = [(bound, count) for bound, count in zip(bounds, column, strict=True) if count is not None]
            values.append(quantile_of_buckets(wanted, present) if present else None)
        results.append(Series(dict(key), values))
    return results


def quantile_of_buckets(quantile: float, buckets: list[tuple[float, float]]) -> float:
    """`buckets`: (upper bound, how many are not above it), by bound. Within a bucket all is spread evenly.

    NaN without an infinite bucket, without a second one or without anything in them.
    """
    if math.isnan(quantile):
        return math.nan
    if not 0 <= quantile <= 1:
        return math.copysign(math.inf, quantile)
    buckets = _growing(buckets)
    if not math.isinf(buckets[-1][0]) or len(buckets) < 2:
        return math.nan
    total = buckets[-1][1]
    if not total > 0:
        return math.nan
    rank = quantile * total
    number = next(
        (at for at, (_, count) in enumerate(buckets[:-1]) if count >= rank),
        len(buckets) - 1,
    )
    if number == len(buckets) - 1:
        return buckets[-2][0]
    bound, count = buckets[number]
    if number == 0:
        return bound if bound <= 0 else bound * (rank / count) if count else math.nan
    start, before = buckets[number - 1]
    return start + (bound - start) * ((rank - before) / (count - before))


def _growing(buckets: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Equal bounds joined; a count that is less than the one before it, as rates of late data give, is raised to it."""
    joined: list[tuple[float, float]] = []
    for bound, count in buckets:
        if joined and joined[-1][0] == bound:
            joined[-1] = bound, joined[-1][1] + count
        else:
            joined.append((bound, count))
    least = -math.inf
    grown = []
    for bound, count in joined:
        least = max(least, count)
        grown.append((bound, least))
    return grown
