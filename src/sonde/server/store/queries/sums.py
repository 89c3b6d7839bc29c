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
