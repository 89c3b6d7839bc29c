"""The columns that `insight.figures.Sums` is made of, from statistics that are merged and from spans."""

from __future__ import annotations

MERGED = """
    sum(count) AS requests,
    sum(errors) AS errors,
    sum(sum_ns) AS sum_ns,
    max(max_ns) AS max_ns,
    sum(satisfied) AS satisfied,
    sum(tolerating) AS tolerating,
    quantilesTDigestMerge(0.5, 0.95, 0.99)(durations) AS quantiles"""

ONCE_MERGED = """
    sum(count) AS count,
    sum(errors) AS errors,
    sum(sum_ns) AS sum_ns,
    max(max_ns) AS max_ns,
    sum(satisfied) AS satisfied,
    sum(tolerating) AS tolerating,
    quantilesTDigestMergeState(0.5, 0.95, 0.99)(durations) AS durations"""
"""For a subquery under MERGED: where one answer groups in several ways, merging the finest first spares merging every
row for each of them."""

MERGED_EDGES = """
    sum(count) AS requests,
    sum(errors) AS errors,
    sum(sum_ns) AS sum_ns,
    max(max_ns) AS max_ns,
    0 AS satisfied,
    0 AS tolerating,
    quantilesTDigestMerge(0.5, 0.95, 0.99)(durations) AS quantiles"""

FROM_SPANS = """
    count() AS requests,
    countIf(is_error) AS errors,
    sum(duration_ns) AS sum_ns,
    max(duration_ns) AS max_ns,
    0 AS satisfied,
    0 AS tolerating,
    quantilesTDigest(0.5, 0.95, 0.99)(duration_ns) AS quantiles"""

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
    quantilesTDigestMergeState(0.5, 0.95, 0.99)(durations) AS durations"""
"""For a subquery under MEASURED, as ONCE_MERGED."""

MEASURED = """
    sum(count) AS requests,
    sum(errors) AS errors,
    sum(sum_ns) AS sum_ns,
    sum(error_sum_ns) AS error_sum_ns,
    min(min_ns) AS min_ns,
    max(max_ns) AS max_ns,
    sum(satisfied) AS satisfied,
    sum(tolerating) AS tolerating,
    sumMap(histogram) AS histogram,
    quantilesTDigestMerge(0.5, 0.9, 0.95, 0.99)(durations) AS quantiles"""
"""What `insight.measures.Counted` is made of."""

MEASURED_EDGES = """
    sum(count) AS requests,
    sum(errors) AS errors,
    sum(sum_ns) AS sum_ns,
    NULL AS error_sum_ns,
    NULL AS min_ns,
    max(max_ns) AS max_ns,
    NULL AS satisfied,
    NULL AS tolerating,
    sumMap(histogram) AS histogram,
    quantilesTDigestMerge(0.5, 0.9, 0.95, 0.99)(durations) AS quantiles"""
"""The same of calls, as far as it is kept of them."""

MEASURED_FROM_SPANS = """
    count() AS requests,
    countIf(is_error) AS errors,
    sum(duration_ns) AS sum_ns,
    sumIf(duration_ns, is_error) AS error_sum_ns,
    min(duration_ns) AS min_ns,
    max(duration_ns) AS max_ns,
    countIf(NOT is_error AND duration_ns <= 500000000) AS satisfied,
    countIf(NOT is_error AND duration_ns > 500000000 AND duration_ns <= 2000000000) AS tolerating,
    sumMap(map(sonde_bucket(duration_ns, is_error), toUInt64(1))) AS histogram,
    quantilesTDigest(0.5, 0.9, 0.95, 0.99)(duration_ns) AS quantiles"""
