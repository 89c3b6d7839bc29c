"""How much one query may take."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from sonde.server.promql.errors import ExecutionError, TooSlowError

MOST_POINTS = 11_000
"""Steps of a range query; Prometheus' own number."""
MOST_SERIES = 10_000
"""Of one selector, histogram buckets counted one by one."""
MOST_VALUES = 1_000_000
"""Series times steps of one selector: about 32 MB."""
LONGEST_QUERY = 10_000
"""Characters."""
MOST_OPERATORS = 200
"""The parser descends into each, and its stack has an end."""
LOOKBACK_MS = 300_000
"""A sample stands for its series for so long."""
LONGEST_S = 30.0


@dataclass(frozen=True)
class Deadline:
    """When a query must be answered. `within_s`: what was asked for, at most LONGEST_S."""

    within_s: float = LONGEST_S
    _ends_s: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ends_s", time.monotonic() + min(self.within_s, LONGEST_S))

    def left_s(self) -> float:
        """Seconds. Raises TooSlowError when there are none."""
        left = self._ends_s - time.monotonic()
        if left <= 0:
            raise TooSlowError(f"the query took longer than {min(self.within_s, LONGEST_S):g} s")
        return left


def check_size(series: int, steps: int) -> None:
    """Raises ExecutionError for what would be too much to hold."""
    if series > MOST_SERIES:
        raise ExecutionError(f"a selector matches more than {MOST_SERIES} series; add matchers")
    if series * steps > MOST_VALUES:
        raise ExecutionError(
            f"a selector matches {series} series at {steps} steps, more than {MOST_VALUES} values;"
            " add matchers or ask for a longer step"
        )
