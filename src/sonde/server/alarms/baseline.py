"""What is usual at this time of day, and from where on it is not.

Of the windows that end within half an hour of the same time on past days (or weeks), one each ANCHOR_S: their median m,
and their median absolute deviation from it, MAD. With s = max(1.4826 · MAD, floor, floor_ratio · |m|), which for values
of a normal distribution is their standard deviation, the threshold is m + k · s, or m − k · s for alarms on low values.
Fewer than LEAST_PERIODS days with values say nothing.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sonde.server.reports.alarms import AlarmBaseline

ANCHOR_S = 300
"""A threshold holds so long, and windows are looked at in such steps."""
AROUND_S = 1800
LEAST_PERIODS = 3
_TO_DEVIATION = 1.4826
_PERIODS_S = {"day": 86_400, "week": 7 * 86_400}


def period_s(baseline: AlarmBaseline) -> int:
    """Length of a day or a week: of the clock on the wall in UTC, so an hour off after a change of daylight saving."""
    return _PERIODS_S[baseline.every]


def reach_s(baseline: AlarmBaseline) -> int:
    """How long ago the oldest window that is looked at ends."""
    return period_s(baseline) * baseline.periods + AROUND_S


def anchor_of(at_s: int, offset_s: int = 0) -> int:
    """The time whose threshold holds at `at_s`."""
    return (at_s - offset_s) // ANCHOR_S * ANCHOR_S + offset_s


def window_ends(baseline: AlarmBaseline, anchor_s: int) -> list[list[int]]:
    """The ends of the windows that are looked at, for each day (or week) before."""
    period = period_s(baseline)
    return [
        [anchor_s - number * period + around for around in range(-AROUND_S, AROUND_S + 1, ANCHOR_S)]
        for number in range(1, baseline.periods + 1)
    ]


def threshold(baseline: AlarmBaseline, values_by_period: Sequence[Sequence[float]], *, above: bool) -> float | None:
    """From the values of the past; None where too few days have any."""
    if sum(bool(values) for values in values_by_period) < LEAST_PERIODS:
        return None
    values = [value for period in values_by_period for value in period]
    middle = median(values)
    deviation = _TO_DEVIATION * median(abs(value - middle) for value in values)
    spread = baseline.k * max(deviation, baseline.floor, baseline.floor_ratio * abs(middle))
    return middle + spread if above else middle - spread


def threshold_at(baseline: AlarmBaseline, values: Mapping[int, float], anchor_s: int, *, above: bool) -> float | None:
    """Likewise, from values by the end of their window."""
    known = [[values[end] for end in ends if end in values] for ends in window_ends(baseline, anchor_s)]
    return threshold(baseline, known, above=above)
