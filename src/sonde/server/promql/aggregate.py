"""Aggregations: one series of many, or the largest of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sonde.server.promql.errors import ExecutionError
from sonde.server.promql.names import number_text
from sonde.server.promql.vectors import NAME, Series, key_of, only, without

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sonde.server.promql.vectors import Key, Scalar, Vector


@dataclass(frozen=True)
class Grouping:
    """`by (labels)`, or `without (labels)`."""

    by: bool = True
    labels: Sequence[str] = ()

    def of(self, labels: Mapping[str, str]) -> dict[str, str]:
        """The labels of the group that a series belongs to."""
        return only(labels, self.labels) if self.by else without(labels, (*self.labels, NAME))


def _sum(values: list[float]) -> float:
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):  # infinities; added up one by one they are what IEEE 754 says
        return sum(values)


def _average(values: list[float]) -> float:
    return _sum(values) / len(values)


def _largest(values: list[float]) -> float:
    return max((value for value in values if not math.isnan(value)), default=math.nan)


def _smallest(values: list[float]) -> float:
    return min((value for value in values if not math.isnan(value)), default=math.nan)


def _variance(values: list[float]) -> float:
    mean = _average(values)
    return _sum([(value - mean) * (value - mean) for value in values]) / len(values)


def _deviation(values: list[float]) -> float:
    return math.sqrt(_variance(values))


REDUCERS: dict[str, Callable[[list[float]], float]] = {
    "sum": _sum,
    "avg": _average,
    "min": _smallest,
    "max": _largest,
    "count": lambda values: float(len(values)),
    "group": lambda _: 1.0,
    "stddev": _deviation,
    "stdvar": _variance,
}


def quantile_of(quantile: float, values: list[float]) -> float:
    """Interpolated between the two nearest; infinite outside of 0…1."""
    if math.isnan(quantile):
        return math.nan
    if not 0 <= quantile <= 1:
        return math.copysign(math.inf, quantile)
    ordered = sorted(values, key=lambda value: (not math.isnan(value), value))
    rank = quantile * (len(ordered) - 1)
    low = math.floor(rank)
    high, weight = min(low + 1, len(ordered) - 1), rank - low
    return ordered[low] * (1 - weight) + ordered[high] * weight


def reduced(op: str, vector: Vector, grouping: Grouping, parameter: Scalar | None = None) -> Vector:
    """One series a group. `parameter` is the quantile of `quantile`."""
    groups: dict[Key, list[Series]] = {}
    for series in vector:
        groups.setdefault(key_of(grouping.of(series.labels)), []).append(series)
    results = []
    for key, members in groups.items():
        values: list[float | None] = []
        for step, column in enumerate(zip(*(member.values for member in members), strict=True)):
            present = [value for value in column if value is not None]
            if not present:
                values.append(None)
            elif parameter is not None:
                values.append(quantile_of(parameter.values[step], present))
            else:
                values.append(REDUCERS[op](present))
        results.append(Series(dict(key), values))
    return results


def chosen(vector: Vector, grouping: Grouping, count: Scalar, *, largest: bool) -> Vector:
    """For topk and bottomk: at each step the first `count` of each group, as they are. NaN comes last."""
    groups: dict[Key, list[int]] = {}
    for number, series in enumerate(vector):
        groups.setdefault(key_of(grouping.of(series.labels)), []).append(number)
    kept: list[list[float | None]] = [[None] * len(series.values) for series in vector]
    for step, wanted in enumerate(count.values):
        if math.isnan(wanted) or wanted < 1:
            continue
        for members in groups.values():
            present = [(value, number) for number in members if (value := vector[number].values[step]) is not None]
            present.sort(key=lambda pair: (math.isnan(pair[0]), -pair[0] if largest else pair[0]))
            for value, number in present[: int(min(wanted, len(present)))]:
                kept[number][step] = value
    return [Series(series.labels, values) for series, values in zip(vector, kept, strict=True)]


def in_order(vector: Vector, step: int, *, largest: bool) -> Vector:
    """By the value at a step."""

    def order(series: Series) -> tuple[bool, float]:
        value = series.values[step]
        if value is None or math.isnan(value):
            return True, 0.0
        return False, -value if largest else value

    return sorted(vector, key=order)


def counted(vector: Vector, grouping: Grouping, label: str) -> Vector:
    """count_values: how many have each value, which becomes a label."""
    if not label or label == NAME:
        raise ExecutionError(f"count_values: {label!r} can be no label")
    found: dict[Key, tuple[dict[str, str], list[float | None]]] = {}
    for series in vector:
        group = grouping.of(series.labels)
        for step, value in enumerate(series.values):
            if value is None:
                continue
            labels = {**group, label: number_text(value)}
            _, values = found.setdefault(key_of(labels), (labels, [None] * len(series.values)))
            values[step] = (values[step] or 0.0) + 1
    return [Series(labels, values) for labels, values in found.values()]
