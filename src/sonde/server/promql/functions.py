"""Functions of one value at a time, and those that look at labels."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from sonde.server.promql.errors import ExecutionError, not_supported
from sonde.server.promql.operators import power
from sonde.server.promql.vectors import NAME, Series, key_of, without
from sonde.server.store.queries.series import replaced

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.server.promql.vectors import Scalar, Vector
    from sonde.server.store.client import StoreClient


def _whole(work: Callable[[float], int]) -> Callable[[float], float]:
    return lambda value: float(work(value)) if math.isfinite(value) else value


def _logarithm(work: Callable[[float], float]) -> Callable[[float], float]:
    def of(value: float) -> float:
        if value > 0:
            return work(value)
        return -math.inf if value == 0 else math.nan

    return of


def _exponential(value: float) -> float:
    return power(math.e, value) if value > 709 else math.exp(value)


def _sign(value: float) -> float:
    return value if value == 0 or math.isnan(value) else math.copysign(1.0, value)


MAPPED: dict[str, Callable[[float], float]] = {
    "abs": abs,
    "ceil": _whole(math.ceil),
    "floor": _whole(math.floor),
    "sqrt": lambda value: math.sqrt(value) if value >= 0 else math.nan,
    "exp": _exponential,
    "ln": _logarithm(math.log),
    "log2": _logarithm(math.log2),
    "log10": _logarithm(math.log10),
    "sgn": _sign,
}


def rounded(vector: Vector, to: Scalar) -> Vector:
    """To the nearest multiple, halves upwards."""

    def near(value: float, nearest: float) -> float:
        if nearest == 0 or not math.isfinite(nearest):
            return math.nan
        inverse = 1.0 / nearest
        scaled = value * inverse + 0.5
        return math.floor(scaled) / inverse if math.isfinite(scaled) else value

    return _with_scalars(vector, near, to)


def clamped(vector: Vector, least: Scalar | None, most: Scalar | None) -> Vector:
    """Not below `least`, not above `most`; nothing at all where they contradict each other."""

    def within(value: float, low: float, high: float) -> float | None:
        if low > high:
            return None
        if math.isnan(low) or math.isnan(high):
            return math.nan
        return max(low, min(high, value))

    results = []
    for series in vector:
        size = len(series.values)
        lows = least.values if least else [-math.inf] * size
        highs = most.values if most else [math.inf] * size
        values = [
            None if value is None else within(value, low, high)
            for value, low, high in zip(series.values, lows, highs, strict=True)
        ]
        results.append(Series(without(series.labels, (NAME,)), values))
    return results


def _with_scalars(vector: Vector, work: Callable[[float, float], float], scalar: Scalar) -> Vector:
    return [
        Series(
            without(series.labels, (NAME,)),
            [
                None if value is None else work(value, number)
                for value, number in zip(series.values, scalar.values, strict=True)
            ],
        )
        for series in vector
    ]


_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_GROUP = re.compile(r"\$(?:\$|\{?(\w+)\}?)")


def label_replace(
    store: StoreClient, vector: Vector, target: str, replacement: str, source: str, pattern: str
) -> Vector:
    """`target` becomes `replacement`, in which `$1` is the first group, where the label `source` matches `pattern`."""
    _check_label(target)
    said = sorted({series.labels.get(source, "") for series in vector})
    by = replaced(store, pattern, _as_re2(replacement, named="(?P<" in pattern), said) if said else {}
    return _labelled(
        vector, target, [by.get(series.labels.get(source, ""), series.labels.get(target, "")) for series in vector]
    )


def label_join(vector: Vector, target: str, separator: str, sources: list[str]) -> Vector:
    """`target` becomes the values of `sources`, joined."""
    _check_label(target)
    return _labelled(
        vector, target, [separator.join(series.labels.get(name, "") for name in sources) for series in vector]
    )


def _check_label(name: str) -> None:
    if not _LABEL.fullmatch(name):
        raise ExecutionError(f"invalid destination label name in label_replace/label_join: {name!r}")


def _as_re2(replacement: str, *, named: bool) -> str:
    def group(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        if re.fullmatch("[0-9]", found[1], re.ASCII):
            return f"\\{found[1]}"
        if named or found[1].isdecimal():
            raise not_supported(f"label_replace with {found[0]}, other than $0 to $9,")
        return ""  # `$1xx` is the group `1xx`, which is not there

    return _GROUP.sub(group, replacement.replace("\\", "\\\\"))


def _labelled(vector: Vector, target: str, said: list[str]) -> Vector:
    results, seen = [], set()
    for series, text in zip(vector, said, strict=True):
        labels = without(series.labels, (target,)) | ({target: text} if text else {})
        key = key_of(labels)
        if key in seen:
            raise ExecutionError(f"vector cannot contain metrics with the same labelset: {dict(key)}")
        seen.add(key)
        results.append(Series(labels, series.values))
    return results
