"""A tree to its value at every step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import promql_parser as tree

from sonde.server.promql import functions
from sonde.server.promql.aggregate import REDUCERS, Grouping, chosen, counted, in_order, reduced
from sonde.server.promql.errors import BadQueryError, ExecutionError, not_supported
from sonde.server.promql.histogram import histogram_quantile
from sonde.server.promql.operators import (
    ARITHMETIC,
    COMPARISON,
    SETS,
    Matching,
    of_numbers,
    of_sets,
    of_vectors,
    with_number,
)
from sonde.server.promql.parse import milliseconds
from sonde.server.promql.select import select
from sonde.server.promql.vectors import NAME, Scalar, Series, Text, key_of, without
from sonde.server.store.queries import windows
from sonde.server.store.queries.series import Matcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from promql_parser import Expr

    from sonde.server.promql.select import Asker
    from sonde.server.promql.vectors import Value, Vector
    from sonde.server.store.queries.samples import Steps
    from sonde.server.store.queries.series import MatchOp

_OPS: tuple[tuple[tree.MatchOp, MatchOp], ...] = (
    (tree.MatchOp.Equal, "="),
    (tree.MatchOp.NotEqual, "!="),
    (tree.MatchOp.Re, "=~"),
    (tree.MatchOp.NotRe, "!~"),
)
"""The parser's own have no hash."""
_OF_RANGES = {
    "rate": windows.RATE,
    "increase": windows.INCREASE,
    "delta": windows.DELTA,
    "irate": windows.IRATE,
    "idelta": windows.IDELTA,
    "deriv": windows.line_over_time(ahead_s=None),
    **{name: windows.over_window(aggregate) for name, aggregate in windows.OVER_TIME.items()},
}
_KEEPS_NAME = frozenset({"last_over_time"})


@dataclass(frozen=True)
class Evaluator:
    """One query, of one who asks, at its steps. Every method raises PromqlError and StoreError."""

    asker: Asker
    steps: Steps

    def value(self, node: Expr) -> Value:
        """What an expression is worth."""
        self.asker.deadline.left_s()
        match node:
            case tree.ParenExpr():
                return self.value(node.expr)
            case tree.NumberLiteral():
                return self._constant(node.val)
            case tree.StringLiteral():
                return Text(node.val)
            case tree.VectorSelector():
                return select(self.asker, matchers_of(node), self.steps.earlier(_offset_ms(node)))
            case tree.UnaryExpr():
                return self._negated(self.value(node.expr))
            case tree.BinaryExpr():
                return self._binary(node)
            case tree.AggregateExpr():
                return self._aggregate(node)
            case tree.Call():
                return self._call(node.func.name, node.args)
            case tree.SubqueryExpr():
                raise not_supported("a subquery")
            case tree.MatrixSelector():
                raise not_supported("a range of samples outside of a function")
        raise not_supported(f"an expression of the kind {type(node).__name__}")

    # -- kinds of values ----------------------------------------------------------------------------------------------
    def vector(self, node: Expr) -> Vector:
        """An expression that must be an instant vector, without the series that are nowhere."""
        value = self.value(node)
        if not isinstance(value, list):
            raise BadQueryError("expected an instant vector")
        return [series for series in value if any(at is not None for at in series.values)]

    def scalar(self, node: Expr) -> Scalar:
        """An expression that must be a scalar."""
        value = self.value(node)
        if not isinstance(value, Scalar):
            raise BadQueryError("expected a scalar")
        return value

    def text(self, node: Expr) -> str:
        """An expression that must be a string."""
        value = self.value(node)
        if not isinstance(value, Text):
            raise BadQueryError("expected a string")
        return value.text

    def _constant(self, number: float) -> Scalar:
        return Scalar([number] * self.steps.count)

    def _one_number(self, node: Expr) -> float:
        """A scalar that is the same at each step: the store is asked once for all of them."""
        values = self.scalar(node).values
        if any(value != values[0] for value in values):
            raise not_supported("a parameter that changes with time")
        return values[0]

    # -- operators ----------------------------------------------------------------------------------------------------
    def _negated(self, value: Value) -> Value:
        if isinstance(value, Scalar):
            return Scalar([-number for number in value.values])
        if isinstance(value, Text):
            raise BadQueryError("a string has no negative")
        return [series.mapped(lambda number: -number) for series in value]

    def _binary(self, node: tree.BinaryExpr) -> Value:
        op = str(node.op)
        if op not in ARITHMETIC and op not in COMPARISON and op not in SETS:
            raise not_supported(f"the operator {op}")
        left, right = self._side(node.lhs), self._side(node.rhs)
        how = _matching(node)
        if isinstance(left, Scalar) and isinstance(right, Scalar):
            return of_numbers(op, left, right)
        if isinstance(left, Scalar) and not isinstance(right, Scalar):
            return with_number(op, right, left, swapped=True, return_bool=how.return_bool)
        if isinstance(right, Scalar) and not isinstance(left, Scalar):
            return with_number(op, left, right, swapped=False, return_bool=how.return_bool)
        vectors = cast("tuple[Vector, Vector]", (left, right))
        return of_sets(op, *vectors, how) if op in SETS else of_vectors(op, *vectors, how)

    def _side(self, node: Expr) -> Vector | Scalar:
        value = self.value(node)
        if isinstance(value, Text):
            raise BadQueryError("operators take no strings")
        return value

    # -- aggregations -------------------------------------------------------------------------------------------------
    def _aggregate(self, node: tree.AggregateExpr) -> Vector:
        op = str(node.op)
        grouping = Grouping()
        if node.modifier is not None:
            grouping = Grouping(node.modifier.type == tree.AggModifierType.By, node.modifier.labels)
        vector = self.vector(node.expr)
        if op in REDUCERS:
            return reduced(op, vector, grouping)
        parameter = cast("Expr", node.param)
        if op == "quantile":
            return reduced(op, vector, grouping, self.scalar(parameter))
        if op in {"topk", "bottomk"}:
            return chosen(vector, grouping, self.scalar(parameter), largest=op == "topk")
        if op == "count_values":
            return counted(vector, grouping, self.text(parameter))
        raise not_supported(f"the aggregation {op}")

    # -- functions ----------------------------------------------------------------------------------------------------
    def _call(self, name: str, args: list[Expr]) -> Value:
        if name in _OF_RANGES:
            return self._over_range(args[0], _OF_RANGES[name], keep_name=name in _KEEPS_NAME)
        if name in functions.MAPPED:
            return [series.mapped(functions.MAPPED[name]) for series in self.vector(args[0])]
        calls: dict[str, Callable[[], Value]] = {
            "quantile_over_time": lambda: self._over_range(
                args[1], windows.quantile_over_time(self._one_number(args[0]))
            ),
            "predict_linear": lambda: self._over_range(
                args[0], windows.line_over_time(ahead_s=self._one_number(args[1]))
            ),
            "histogram_quantile": lambda: histogram_quantile(self.scalar(args[0]), self.vector(args[1])),
            "absent": lambda: self._absent(args[0], self.vector(args[0])),
            "absent_over_time": lambda: self._absent(
                args[0], self._over_range(args[0], windows.over_window(windows.OVER_TIME["present_over_time"]))
            ),
            "clamp": lambda: functions.clamped(self.vector(args[0]), self.scalar(args[1]), self.scalar(args[2])),
            "clamp_min": lambda: functions.clamped(self.vector(args[0]), self.scalar(args[1]), None),
            "clamp_max": lambda: functions.clamped(self.vector(args[0]), None, self.scalar(args[1])),
            "round": lambda: functions.rounded(
                self.vector(args[0]), self.scalar(args[1]) if len(args) > 1 else self._constant(1.0)
            ),
            "label_replace": lambda: functions.label_replace(
                self.asker.store, self.vector(args[0]), *(self.text(arg) for arg in args[1:5])
            ),
            "label_join": lambda: functions.label_join(
                self.vector(args[0]), self.text(args[1]), self.text(args[2]), [self.text(arg) for arg in args[3:]]
            ),
            "sort": lambda: in_order(self.vector(args[0]), -1, largest=False),
            "sort_desc": lambda: in_order(self.vector(args[0]), -1, largest=True),
            "time": lambda: Scalar(
                [(self.steps.start_ms + step * self.steps.step_ms) / 1000 for step in range(self.steps.count)]
            ),
            "timestamp": lambda: self._timestamp(args[0]),
            "pi": lambda: self._constant(math.pi),
            "vector": lambda: [Series({}, list(self.scalar(args[0]).values))],
            "scalar": lambda: self._only_one(self.vector(args[0])),
        }
        if name not in calls:
            raise not_supported(f"the function {name}()")
        return calls[name]()

    def _over_range(self, node: Expr, function: str, *, keep_name: bool = False) -> Vector:
        while isinstance(node, tree.ParenExpr):
            node = node.expr
        if isinstance(node, tree.SubqueryExpr):
            raise not_supported("a subquery")
        if not isinstance(node, tree.MatrixSelector):
            raise BadQueryError("expected a range vector")
        selector = node.vector_selector
        found = select(
            self.asker,
            matchers_of(selector),
            self.steps.earlier(_offset_ms(selector)),
            milliseconds(node.range),
            function,
        )
        return found if keep_name else _nameless(found)

    def _timestamp(self, node: Expr) -> Vector:
        if not isinstance(node, tree.VectorSelector):
            return [series.mapped(lambda value: value) for series in self._times_of_steps(self.vector(node))]
        steps = self.steps.earlier(_offset_ms(node))
        return _nameless(select(self.asker, matchers_of(node), steps, function=windows.NEWEST_TIME))

    def _times_of_steps(self, vector: Vector) -> Vector:
        times = [(self.steps.start_ms + step * self.steps.step_ms) / 1000 for step in range(self.steps.count)]
        return [
            Series(
                series.labels,
                [None if value is None else time for value, time in zip(series.values, times, strict=True)],
            )
            for series in vector
        ]

    def _absent(self, node: Expr, vector: Vector) -> Vector:
        """One where nobody is; with the labels that the selector says for certain."""
        while isinstance(node, tree.ParenExpr):
            node = node.expr
        if isinstance(node, tree.MatrixSelector):
            node = node.vector_selector
        labels: dict[str, str] = {}
        if isinstance(node, tree.VectorSelector):
            said = [matcher for matcher in matchers_of(node) if matcher.label != NAME]
            once = {matcher.label for matcher in said if [other.label for other in said].count(matcher.label) == 1}
            labels = {matcher.label: matcher.value for matcher in said if matcher.op == "=" and matcher.label in once}
        values: list[float | None] = [
            None if any(series.values[step] is not None for series in vector) else 1.0
            for step in range(self.steps.count)
        ]
        return [Series({name: value for name, value in labels.items() if value}, values)]

    def _only_one(self, vector: Vector) -> Scalar:
        """The value of the only series there is at a step, else NaN."""
        values = []
        for step in range(self.steps.count):
            present = [value for series in vector if (value := series.values[step]) is not None]
            values.append(present[0] if len(present) == 1 else math.nan)
        return Scalar(values)


def matchers_of(node: tree.VectorSelector) -> list[Matcher]:
    """Of a selector, its name included."""
    if node.at is not None:
        raise not_supported("the modifier @")
    if node.matchers.or_matchers:
        raise not_supported("`or` between matchers")
    named = [Matcher(NAME, "=", node.name)] if node.name else []
    return named + [Matcher(one.name, _op(one.op), one.value) for one in node.matchers.matchers]


def _op(given: tree.MatchOp) -> MatchOp:
    return next(op for known, op in _OPS if known == given)


def _nameless(vector: Vector) -> Vector:
    """Without names. Raises ExecutionError where two series become one by it."""
    results = [Series(without(series.labels, (NAME,)), series.values) for series in vector]
    if len({key_of(series.labels) for series in results}) < len(results):
        raise ExecutionError("vector cannot contain metrics with the same labelset")
    return results


def _offset_ms(node: tree.VectorSelector) -> int:
    return milliseconds(node.offset) if node.offset is not None else 0


def _matching(node: tree.BinaryExpr) -> Matching:
    modifier = node.modifier
    if modifier is None:
        return Matching()
    fill = modifier.fill_values
    if fill is not None and (fill.lhs is not None or fill.rhs is not None):
        raise not_supported("the modifier fill")
    many = ""
    if modifier.card == tree.VectorMatchCardinality.ManyToOne:
        many = "left"
    elif modifier.card == tree.VectorMatchCardinality.OneToMany:
        many = "right"
    return Matching(
        on=modifier.matching is not None and modifier.matching.type == tree.LabelModifierType.Include,
        labels=tuple(modifier.matching.labels) if modifier.matching is not None else (),
        many=many,
        include=tuple(modifier.group_labels or ()),
        return_bool=modifier.return_bool,
    )
