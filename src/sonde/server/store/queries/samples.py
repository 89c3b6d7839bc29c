"""The values of series at every step of a query: only those are read from the store that a step shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from sonde.server.store.queries.series import SERIES, conditions_of
from sonde.server.store.queries.windows import LONG_AGO, NEVER

if TYPE_CHECKING:
    from sonde.server.store.client import StoreClient
    from sonde.server.store.queries.series import Wanted


@dataclass(frozen=True, slots=True)
class Steps:
    """`count` moments, in milliseconds since the epoch, the first at `start_ms`."""

    start_ms: int
    step_ms: int
    count: int

    def earlier(self, by_ms: int) -> Steps:
        """The same ones, `by_ms` before."""
        return replace(self, start_ms=self.start_ms - by_ms)

    @property
    def end_ms(self) -> int:
        """The last one."""
        return self.start_ms + (self.count - 1) * self.step_ms


class Values(NamedTuple):
    """Of one series: `values[i]` is the one at the step of number `steps[i]`; what is not there has none."""

    series: int
    part: float
    """The bound of a bucket or the quantile; else 0."""
    steps: list[int]
    values: list[float]


GRID = 4
"""Bounds of an exponential histogram from a number to its double. Its own come and go with what it holds."""
_GRID_ENDS = 40 * GRID
"""From 10⁻¹² to 10¹²."""


def at_steps(
    client: StoreClient, wanted: Wanted, steps: Steps, window_ms: int, function: str, limit: int, within_s: int
) -> list[Values]:
    """At most `limit` series. `function` is one of `windows`; `wanted` begins a window before the first step."""
    conditions, parameters = conditions_of(wanted)
    parameters |= {"first": steps.start_ms, "step": steps.step_ms, "count": steps.count, "window": window_ms}
    rows = client.rows(
        f"""
        WITH neighbours AS (
            SELECT series, part, t, v,
                lagInFrame(t, 1, {LONG_AGO}) OVER by_time AS t_before,
                lagInFrame(v, 1, v) OVER by_time AS v_before,
                leadInFrame(t, 1, {NEVER}) OVER by_time AS t_after
            FROM ({_samples(wanted, conditions)})
            WINDOW by_time AS (
                PARTITION BY series, part ORDER BY t ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
        )
        SELECT series, part, groupArray(k), groupArray(value) FROM ({function})
        GROUP BY series, part LIMIT {{limit:UInt32}}
        """,
        parameters | {"limit": limit},
        settings={"max_execution_time": within_s},
    )
    return [Values(*row) for row in rows]


_PARTS = {
    "value": "[(0., value)]",
    "count": "[(0., toFloat64(count))]",
    "sum": "[(0., sum)]",
    "quantile": "quantiles",
    "bucket": (
        "arrayZip(arrayPushBack(bounds, inf),"
        " arrayMap(c -> toFloat64(c), arrayResize(arrayCumSum(bucket_counts), length(bounds) + 1, count)))"
    ),
}


def _samples(wanted: Wanted, conditions: str) -> str:
    """Series, part, time in ms and value of each sample. Points that say what came since the last one are added up."""
    source = f"SELECT *, {SERIES} AS series FROM metrics WHERE {conditions}"
    parts = _PARTS[wanted.column]
    if wanted.column == "bucket" and any(family.type == "exponential_histogram" for family in wanted.families):
        source, parts = _on_grid(source), f"if(type = 'exponential_histogram', on_grid, {parts})"
    samples = f"""
        SELECT series, one.1 AS part, t, one.2 AS v, is_delta FROM (
            SELECT series, toUnixTimestamp64Milli(time) AS t, temporality = 'delta' AS is_delta,
                arrayJoin({parts}) AS one
            FROM ({source})
        )"""
    if not any(family.delta for family in wanted.families):
        return samples
    return f"""
        SELECT series, part, t, if(is_delta, added, v) AS v FROM (
            SELECT *, sum(v) OVER (
                PARTITION BY series, part, is_delta ORDER BY t
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS added
            FROM ({samples})
        )"""


def _on_grid(source: str) -> str:
    """With the column `on_grid`: (bound, count up to it) at bounds that stay the same. A bucket that holds one of them
    is split as if its logarithms were spread evenly.
    """
    up_to = (
        "multiIf(j = 0, 0, j = length(bounds) OR b = inf, toFloat64(count),"
        " cumulated[j] + bucket_counts[j + 1] * if(bounds[j] > 0 AND b > bounds[j],"
        " log2(b / bounds[j]) / log2(bounds[j + 1] / bounds[j]), 0))"
    )
    return f"""
        SELECT * EXCEPT (grid, cumulated),
            arrayMap(b -> arrayCount(x -> x <= b * 1.000001, bounds), grid) AS below,
            arrayMap((b, j) -> (b, {up_to}), grid, below) AS on_grid
        FROM (
            SELECT *, arrayMap(c -> toFloat64(c), arrayCumSum(bucket_counts)) AS cumulated,
                toInt64(floor(log2(min(lowest) OVER whole) * {GRID} + 0.001)) AS from_number,
                toInt64(ceil(log2(max(highest) OVER whole) * {GRID} - 0.001)) AS to_number,
                range(greatest(-{_GRID_ENDS}, from_number), least({_GRID_ENDS}, to_number) + 1) AS numbers,
                arrayPushBack(arrayMap(i -> exp2(i / {GRID}), numbers), inf) AS grid
            FROM (
                SELECT *, arrayFilter(x -> x > 0, bounds) AS positive,
                    if(empty(positive), 1., arrayMin(positive)) AS lowest,
                    if(empty(positive), 1., arrayMax(positive)) AS highest
                FROM ({source})
            )
            WINDOW whole AS (PARTITION BY series)
        )"""
