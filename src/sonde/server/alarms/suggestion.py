"""A threshold that what was usual does not reach.

For alarms on high values: the greater one of the 99.5th percentile of all windows, and their median + 4 · 1.4826 · MAD;
rounded up to two digits. It has recovered a tenth of the way back to the median. For alarms on low values the same
downwards, from the 0.5th percentile. Shares stay between 0 and 1.
"""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from sonde.server.alarms.rules import LONGEST_SILENCE_S, unit
from sonde.server.insight.steps import SLOT_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sonde.server.reports.alarms import AlarmRuleDocument

LEAST_VALUES = 20
_REST = 0.005
_DEVIATIONS = 4 * 1.4826
_BACK = 0.1


class Suggested(NamedTuple):
    """`formula` says how it came about, with its numbers."""

    threshold: float
    recovery_threshold: float
    formula: str


def suggest(values: Sequence[float], document: AlarmRuleDocument) -> Suggested | None:
    """From the values of the past; None where they are too few, or nothing lies beyond them."""
    if len(values) < LEAST_VALUES:
        return None
    above = document.condition.op.startswith(">")
    order = sorted(values)
    middle = median(order)
    deviation = median(abs(value - middle) for value in order)
    rank = _REST * (len(order) - 1)
    if above:
        edge = order[math.ceil(len(order) - 1 - rank)]
        found, said = max(edge, middle + _DEVIATIONS * deviation), f"max(p99.5 {edge:.4g}, median {middle:.4g} + "
    else:
        edge = order[math.floor(rank)]
        found, said = min(edge, middle - _DEVIATIONS * deviation), f"min(p0.5 {edge:.4g}, median {middle:.4g} - "
    threshold = _rounded(found, up=above)
    kind = document.what.kind
    if kind in {"no_data", "agent"}:
        threshold = float(min(max(math.ceil(threshold / SLOT_S) * SLOT_S, SLOT_S), LONGEST_SILENCE_S))
    if unit(document.what) == "ratio":
        threshold = min(threshold, 1.0)
        if above and threshold >= 1.0:
            return None  # nothing is more than everything
    if not above and threshold <= 0 and kind not in {"metric", "promql"}:
        return None  # nothing is less than nothing
    recovery = threshold - _BACK * (threshold - middle)
    return Suggested(threshold, float(f"{recovery:.3g}"), f"{said}4 · 1.4826 · MAD {deviation:.4g})")


def _rounded(value: float, *, up: bool) -> float:
    """To two digits, away from what is usual."""
    if not value:
        return 0.0
    scale: float = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    return float(f"{(math.ceil if up else math.floor)(round(value / scale, 6)) * scale:.12g}")
