"""Binary operators: arithmetic, comparison and sets, of vectors and scalars."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sonde.server.promql.errors import ExecutionError
from sonde.server.promql.vectors import NAME, Scalar, Series, key_of, only, without

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sonde.server.promql.vectors import Key, Vector


def _divided(a: float, b: float) -> float:
    if b != 0:
        return a / b
    return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1, b)


def _remainder(a: float, b: float) -> float:
    return math.nan if b == 0 or math.isinf(a) else math.fmod(a, b)


def power(a: float, b: float) -> float:
    """As IEEE 754 has it: no error, no complex number."""
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0 and b % 2 == 1 else math.inf
    except ValueError:
        return math.inf if a == 0 else math.nan


ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "%": _remainder,
    "^": power,
    "atan2": math.atan2,
}
COMPARISON: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
SETS = frozenset({"and", "or", "unless"})


@dataclass(frozen=True)
class Matching:
    """How series of two vectors find each other. `many`: the side with several of them, if one may have."""

    on: bool = False
    labels: Sequence[str] = ()
    many: str = ""
    """`left`, `right`, or empty for one to one."""
    include: Sequence[str] = ()
    """Labels that the result takes from the other side."""
    return_bool: bool = False

    def shared(self, labels: Mapping[str, str]) -> dict[str, str]:
        """What must be equal."""
        return only(labels, self.labels) if self.on else without(labels, (*self.labels, NAME))


def of_numbers(op: str, a: Scalar, b: Scalar) -> Scalar:
    """Two scalars; a comparison is 0 or 1."""
    work = ARITHMETIC.get(op) or COMPARISON[op]
    return Scalar([float(work(x, y)) for x, y in zip(a.values, b.values, strict=True)])


def with_number(op: str, vector: Vector, number: Scalar, *, swapped: bool, return_bool: bool) -> Vector:
    """A vector and a scalar; `swapped`: the scalar stands on the left."""
    work = _step(op, return_bool=return_bool)
    return [
        Series(
            _named(op, one.labels, return_bool=return_bool),
            [
                None if x is None else (work(y, x, x) if swapped else work(x, y, x))
                for x, y in zip(one.values, number.values, strict=True)
            ],
        )
        for one in vector
    ]


def _step(op: str, *, return_bool: bool) -> Callable[[float, float, float], float | None]:
    """(left, right, what a comparison lets pass) → the value of a step."""
    if op in ARITHMETIC:
        calculate = ARITHMETIC[op]
        return lambda x, y, _: calculate(x, y)
    compare = COMPARISON[op]
    if return_bool:
        return lambda x, y, _: float(compare(x, y))
    return lambda x, y, passing: passing if compare(x, y) else None


def _named(op: str, labels: Mapping[str, str], *, return_bool: bool) -> Mapping[str, str]:
    """Only what a comparison lets pass is still what its name says."""
    return without(labels, (NAME,)) if op in ARITHMETIC or return_bool else labels


def of_vectors(op: str, left: Vector, right: Vector, how: Matching) -> Vector:
    """Two vectors, arithmetic or comparison. Raises ExecutionError where it is not clear who belongs to whom."""
    many, one = (right, left) if how.many == "right" else (left, right)
    ones = _single(one, how)
    work = _step(op, return_bool=how.return_bool)
    results: dict[Key, Series] = {}
    for series in many:
        partner = ones.get(key_of(how.shared(series.labels)))
        if partner is None:
            continue
        values: list[float | None] = []
        for x, y in zip(series.values, partner.values, strict=True):
            if x is None or y is None:
                values.append(None)
            else:
                values.append(work(y, x, y) if how.many == "right" else work(x, y, x))
        labels = _result_labels(op, series.labels, partner.labels, how)
        key = key_of(labels)
        known = results.get(key)
        results[key] = Series(labels, values if known is None else _merged(known, values, series.labels, how))
    return list(results.values())


def _merged(known: Series, values: list[float | None], labels: Mapping[str, str], how: Matching) -> list[float | None]:
    if any(a is not None and b is not None for a, b in zip(known.values, values, strict=True)):
        if how.many:
            raise ExecutionError("multiple matches for labels: grouping labels must ensure unique matches")
        raise ExecutionError(
            f"multiple matches for labels {how.shared(labels)}: many-to-one matching must be explicit"
            " (group_left/group_right)"
        )
    return [b if a is None else a for a, b in zip(known.values, values, strict=True)]


def _single(vector: Vector, how: Matching) -> dict[Key, Series]:
    """The side that has one series at most for each group, at each step."""
    found: dict[Key, Series] = {}
    for series in vector:
        key = key_of(how.shared(series.labels))
        known = found.get(key)
        if known is None:
            found[key] = series
            continue
        if any(a is not None and b is not None for a, b in zip(known.values, series.values, strict=True)):
            side = "left" if how.many == "right" else "right"
            raise ExecutionError(
                f"found duplicate series for the match group {dict(key)} on the {side} hand-side of the operation:"
                " many-to-many matching not allowed"
            )
        joined = [b if a is None else a for a, b in zip(known.values, series.values, strict=True)]
        found[key] = Series(known.labels, joined)
    return found


def _result_labels(op: str, many: Mapping[str, str], one: Mapping[str, str], how: Matching) -> dict[str, str]:
    labels = dict(_named(op, many, return_bool=how.return_bool))
    if not how.many:
        return only(labels, how.labels) if how.on else without(labels, how.labels)
    for name in how.include:
        labels.pop(name, None)
        if one.get(name):
            labels[name] = one[name]
    return labels


def of_sets(op: str, left: Vector, right: Vector, how: Matching) -> Vector:
    """`and`, `or`, `unless`."""
    if op == "or":
        return left + _masked(right, _present(left, how), how, keep=False)
    return _masked(left, _present(right, how), how, keep=op == "and")


def _present(vector: Vector, how: Matching) -> dict[Key, list[bool]]:
    """At which steps there is anybody of a group."""
    there: dict[Key, list[bool]] = {}
    for series in vector:
        key = key_of(how.shared(series.labels))
        known = there.get(key) or [False] * len(series.values)
        there[key] = [a or b is not None for a, b in zip(known, series.values, strict=True)]
    return there


def _masked(vector: Vector, there: Mapping[Key, list[bool]], how: Matching, *, keep: bool) -> Vector:
    """The vector where its group is there, or with `keep=False` where it is not."""
    masked = []
    for series in vector:
        steps = there.get(key_of(how.shared(series.labels))) or [False] * len(series.values)
        masked.append(
            Series(
                series.labels,
                [value if is_there == keep else None for value, is_there in zip(series.values, steps, strict=True)],
            )
        )
    return masked
