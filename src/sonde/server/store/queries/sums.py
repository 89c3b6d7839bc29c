"""The columns that `insight.figures.Sums` is made of, from statistics that are merged and from spans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonde.server.insight import figures, measures
from sonde.server.insight.duration_steps import STEPS_IN_DOUBLING

if TYPE_CHECKING:
    from collections.abc import Sequence


def quantiles(by_duration: str, *levels: float) -> str:
    """SQL for durations in ns at these ranks of rows that have a map from `sonde_step` to requests; where all of them
    are empty they are not a number.
    """
    of = ", ".join(map(str, levels))
    at_ranks = f"quantilesExactWeightedArray({of})(mapKeys({by_duration}), mapValues({by_duration}))"
    return f"if(max(length({by_duration})) = 0, [{', '.join(['nan'] * len(levels))}], {_middles(at_ranks)})"


def _middles(steps: str) -> str:
    return f"arrayMap(step -> exp2((step + 0.5) / {STEPS_IN_DOUBLING}), {steps})"


def _of_spans(levels: Sequence[float]) -> str:
    return _middles(f"quantilesExactWeighted({', '.join(map(str, levels))})(sonde_step(duration_ns), 1)")


MERGED = f"""
    sum(count) AS requests,
    sum(errors) AS errors,
    sum(sum_ns) AS sum_ns,
    max(max_ns) AS max_ns,
    sum(satisfied) AS satisfied,
    sum(tolerating) AS tolerating,
    {quantiles("by_duration", *figures.QUANTILES)} AS quantiles"""

ONCE_MERGED = """
    sum(count) AS count,
    sum(errors) AS errors,
    sum(sum_ns) AS sum_ns,
    max(max_ns) AS max_ns,
    sum(satisfied) AS satisfied,
    sum(tolerating) AS tolerating,
    sumMap(by_duration) AS by_duration"""
"""For a subquery under MERGED: where one answer groups in several ways, merging the finest first spares merging every
row for each of them."""

MERGED_EDGES = f"""
    sum(count) AS requests,
    sum(errors) AS errors,
    sum(sum_ns) AS sum_ns,
    max(max_ns) AS max_ns,
    0 AS satisfied,
    0 AS tolerating,
    {quantiles("by_duration", *figures.QUANTILES)} AS quantiles"""

FROM_SPANS = f"""
    count() AS requests,
    countIf(is_error) AS errors,
    sum(duration_ns) AS sum_ns,
    max(duration_ns) AS max_ns,
    0 AS satisfied,
    0 AS tolerating,
    {_of_spans(figures.QUANTILES)} AS quantiles"""

ONCE_MEASURED = """
    sum(count) AS count,
    sum(errors) AS errors,
    sum(sum_ns) AS sum_ns,
    sum(error_sum_ns) AS error_sum_ns,
    min(min_ns) AS min_ns,
    max(max_ns) AS max_ns,
    sum(satisfied) AS satisfied,
    sum(tolerating) AS tolerating,
    sumMap(histogram) AS histogram,
    sumMap(by_duration) AS by_duration"""
"""For a subquery under MEASURED, as ONCE_MERGED."""

MEASURED = f"""
    sum(count) AS requests,
    sum(errors) AS errors,
    sum(sum_ns) AS sum_ns,
    sum(error_sum_ns) AS error_sum_ns,
    min(min_ns) AS min_ns,
    max(max_ns) AS max_ns,
    sum(satisfied) AS satisfied,
    sum(tolerating) AS tolerating,
    sumMap(histogram) AS histogram,
    {quantiles("by_duration", *measures.QUANTILES)} AS quantiles"""
"""What `insight.measures.Counted` is made of."""

MEASURED_EDGES = f"""
    sum(count) AS requests,
    sum(errors) AS errors,
    sum(sum_ns) AS sum_ns,
    NULL AS error_sum_ns,
    NULL AS min_ns,
    max(max_ns) AS max_ns,
    NULL AS satisfied,
    NULL AS tolerating,
    sumMap(histogram) AS histogram,
    {quantiles("by_duration", *measures.QUANTILES)} AS quantiles"""
"""The same of calls, as far as it is kept of them."""

MEASURED_FROM_SPANS = f"""
    count() AS requests,
    countIf(is_error) AS errors,
    sum(duration_ns) AS sum_ns,
    sumIf(duration_ns, is_error) AS error_sum_ns,
    min(duration_ns) AS min_ns,
    max(duration_ns) AS max_ns,
    countIf(NOT is_error AND duration_ns <= 500000000) AS satisfied,
    countIf(NOT is_error AND duration_ns > 500000000 AND duration_ns <= 2000000000) AS tolerating,
    sumMap(map(sonde_bucket(duration_ns, is_error), toUInt64(1))) AS histogram,
    {_of_spans(measures.QUANTILES)} AS quantiles"""
