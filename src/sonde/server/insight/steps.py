"""How a span of time is cut into the steps of a chart.

Statistics are stored by slots of 30 s, counted from the Unix epoch. A chart's step is a whole number of them, so no
point holds a part of a slot. From 180 s on (six slots, a block) steps meet local midnight: every UTC offset and every
step of daylight saving is a multiple of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SLOT_S = 30
_STEPS_S = (30, 60, 90, 180, 360, 540, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
_LONG_S, _LONG_SLOT_S = 43_200, 900
"""What is longer has steps of which each is long slots as a whole: short ones of a day are ten times as many."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps from `first` on, in seconds since the epoch. The first and the last may be covered in part only."""

    start: datetime
    """Where the counted time begins: the start of the slot that the asked time falls into."""
    end: datetime
    step_s: int

    @classmethod
    def over(cls, start: datetime, end: datetime, *, points: int) -> Steps:
        """The finest steps that make at most about `points` of the time from `start` to `end`."""
        span_s = max((end - start).total_seconds(), 1)
        at_least_s = _LONG_SLOT_S if span_s > _LONG_S else SLOT_S
        fitting = (step for step in _STEPS_S if step >= at_least_s and span_s / step <= points)
        day_s = _STEPS_S[-1]
        step_s = next(fitting, None) or day_s * -int(-span_s // (points * day_s))
        return cls(floor_to(start, SLOT_S), end, step_s)

    @property
    def seconds(self) -> float:
        """How long the counted time is."""
        return max((self.end - self.start).total_seconds(), 1e-6)

    def times(self) -> Iterator[datetime]:
        """Starts of all steps, also of those in which nothing happened."""
        at, step = floor_to(self.start, self.step_s), timedelta(seconds=self.step_s)
        while at < self.end:
            yield at
            at += step

    def covered_s(self, step: datetime) -> float:
        """How much of the step that starts at `step` is counted: the last one is usually still running."""
        end = min(step + timedelta(seconds=self.step_s), self.end)
        return (end - max(step, self.start)).total_seconds()


def floor_to(time: datetime, seconds: int) -> datetime:
    """The last multiple of `seconds` since the epoch that is not after `time`."""
    return datetime.fromtimestamp(int(time.timestamp()) // seconds * seconds, UTC)
