"""What becomes of the samples of a window, in SQL.

The functions are written over `neighbours`: series, part, t (ms), v, and t and v of the sample before and after. They
give series, part, k (number of the step) and value. Windows are open to the left: of `window` ms until the step.
"""

from __future__ import annotations

LONG_AGO, NEVER = "-9000000000000000", "9000000000000000"
"""Times of the samples before the first and after the last one."""
_AT = "({first:Int64} + k * {step:Int64})"


def _steps(until: str) -> str:
    """The steps from a sample's own time until `until`."""
    first, last = (f"toInt64(ceil(({time} - {{first:Int64}}) / {{step:Int64}}))" for time in ("t", until))
    return f"arrayJoin(range(greatest({first}, 0), least({last}, {{count:Int64}})))"


def _spread(value: str, until: str) -> str:
    """A sample is the answer alone, so it goes to the steps at which it is: nothing is grouped."""
    return f"SELECT series, part, {value} AS value, {_steps(until)} AS k FROM neighbours"


_UNTIL_NEXT = "least(t_after, t + {window:Int64})"
NEWEST = _spread("v", _UNTIL_NEXT)
"""The last sample of the window."""
NEWEST_TIME = _spread("t / 1000", _UNTIL_NEXT)
"""When it was taken, in seconds."""


def _newest_two(value: str) -> str:
    return (
        _spread(value, "least(t_after, t_before + {window:Int64})") + f" WHERE t_before > {LONG_AGO} AND t > t_before"
    )


IRATE = _newest_two("if(v < v_before, v, v - v_before) / ((t - t_before) / 1000)")
IDELTA = _newest_two("v - v_before")

_SAMPLES = f"""
    SELECT series, part, t, v, {_steps("t + {window:Int64}")} AS k,
        if(v < v_before, v_before, 0) AS lost, v != v_before AS changed, v < v_before AS fell
    FROM neighbours"""
"""Each sample once for each window that it is in."""


def over_window(aggregate: str, least: int = 1) -> str:
    """An aggregate of t and v over the samples of each window that has at least so many of them."""
    return f"""
        SELECT series, part, k, {aggregate} AS value FROM ({_SAMPLES})
        GROUP BY series, part, k HAVING count() >= {least}"""


OVER_TIME = {
    "avg_over_time": "avg(v)",
    "min_over_time": "min(v)",
    "max_over_time": "max(v)",
    "sum_over_time": "sum(v)",
    "count_over_time": "toFloat64(count())",
    "last_over_time": "argMax(v, t)",
    "present_over_time": "1.",
    "stddev_over_time": "stddevPopStable(v)",
    "stdvar_over_time": "varPopStable(v)",
    "changes": "toFloat64(sum(changed) - argMin(changed, t))",
    "resets": "toFloat64(sum(fell) - argMin(fell, t))",
}
"""What needs no parameter. In the first sample of a window `changed`, `fell` and `lost` are about one outside of it."""


def quantile_over_time(quantile: float) -> str:
    """Between two samples it is interpolated. Below 0 and above 1 there is infinity, as Prometheus has it."""
    if not 0 <= quantile <= 1:
        return over_window("-inf" if quantile < 0 else "inf" if quantile > 1 else "nan")
    return over_window(f"quantileExactInclusive({quantile!r})(v)")


def line_over_time(*, ahead_s: float | None) -> str:
    """The straight line nearest to the samples: its slope a second, or its value `ahead_s` after the step."""
    line = f"simpleLinearRegression((t - {_AT}) / 1000, v)"
    return over_window(f"{line}.1" if ahead_s is None else f"{line}.2 + {line}.1 * ({ahead_s!r})", least=2)


def _extrapolated(*, counter: bool, a_second: bool) -> str:
    """The difference of the last and the first sample, stretched to those ends of the window that are near; a counter's
    not further back than where it must have been zero.
    """
    gained = "argMax(v, t) - argMin(v, t)" + (" + sum(lost) - argMin(lost, t)" if counter else "")
    before = "if(head < 1.1 * pause, head, pause / 2)"
    if counter:
        before = f"if(gained > 0 AND oldest >= 0, least({before}, covered * oldest / gained), {before})"
    return f"""
        SELECT series, part, k,
            gained * (covered + {before} + if(tail < 1.1 * pause, tail, pause / 2)) / covered
                {"/ ({window:Int64} / 1000)" if a_second else ""} AS value
        FROM (
            SELECT series, part, k, {gained} AS gained, argMin(v, t) AS oldest,
                (max(t) - min(t)) / 1000 AS covered, covered / (count() - 1) AS pause,
                (min(t) - {_AT} + {{window:Int64}}) / 1000 AS head, ({_AT} - max(t)) / 1000 AS tail
            FROM ({_SAMPLES}) GROUP BY series, part, k HAVING count() >= 2 AND covered > 0
        )"""


RATE = _extrapolated(counter=True, a_second=True)
INCREASE = _extrapolated(counter=True, a_second=False)
DELTA = _extrapolated(counter=False, a_second=False)
