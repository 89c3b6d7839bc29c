"""Results as Prometheus' HTTP API writes them. Source: https://prometheus.io/docs/prometheus/latest/querying/api/."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sonde.server.promql.errors import BadQueryError
from sonde.server.promql.evaluate import Evaluator
from sonde.server.promql.limits import MOST_POINTS
from sonde.server.promql.names import number_text
from sonde.server.promql.parse import parse
from sonde.server.promql.vectors import Scalar, Text, key_of
from sonde.server.store.queries.samples import Steps

if TYPE_CHECKING:
    from sonde.server.promql.select import Asker


def instant(asker: Asker, query: str, time_ms: int) -> dict[str, Any]:
    """`data` of /query. Raises PromqlError, StoreError."""
    value = Evaluator(asker, Steps(time_ms, 1000, 1)).value(parse(query))
    if isinstance(value, Text):
        return {"resultType": "string", "result": [time_ms / 1000, value.text]}
    if isinstance(value, Scalar):
        return {"resultType": "scalar", "result": [time_ms / 1000, number_text(value.values[0])]}
    shown = [
        {"metric": series.labels, "value": [time_ms / 1000, number_text(series.values[0])]}
        for series in value
        if series.values[0] is not None
    ]
    return {"resultType": "vector", "result": shown}


def over_range(asker: Asker, query: str, start_ms: int, end_ms: int, step_ms: int) -> dict[str, Any]:
    """`data` of /query_range. Raises PromqlError, StoreError."""
    if end_ms < start_ms:
        raise BadQueryError("invalid parameter 'end': end timestamp must not be before start time")
    count = (end_ms - start_ms) // step_ms + 1
    if count > MOST_POINTS:
        raise BadQueryError(
            f"exceeded maximum resolution of {MOST_POINTS} points per timeseries; ask for a longer step"
        )
    steps = Steps(start_ms, step_ms, count)
    value = Evaluator(asker, steps).value(parse(query))
    if isinstance(value, Text):
        raise BadQueryError("invalid expression type 'string' for range query, must be scalar or instant vector")
    times = [(start_ms + number * step_ms) / 1000 for number in range(count)]
    if isinstance(value, Scalar):
        points = [[time, number_text(number)] for time, number in zip(times, value.values, strict=True)]
        return {"resultType": "matrix", "result": [{"metric": {}, "values": points}]}
    shown = []
    for series in sorted(value, key=lambda series: key_of(series.labels)):
        points = [
            [time, number_text(number)] for time, number in zip(times, series.values, strict=True) if number is not None
        ]
        if points:
            shown.append({"metric": series.labels, "values": points})
    return {"resultType": "matrix", "result": shown}


def check_moment(seconds: float, name: str) -> int:
    """Milliseconds. Raises BadQueryError for what the store has no time for."""
    if not math.isfinite(seconds) or not 0 <= seconds < 7_258_118_400:
        raise BadQueryError(f"invalid parameter {name!r}: a time lies between the years 1970 and 2200")
    return round(seconds * 1000)
