"""How long requests took, in steps that percentiles are made of: 32 to each doubling, as counts that add up.

Step n holds durations from 2^(n/32) ns up to 2^((n+1)/32) ns and stands for its middle, 2^((n+0.5)/32): within 1.1 % of
each of them. So a percentile is the duration of the request at that rank (the nearest rank), within 1.1 %, however many
slots, processes and endpoints are added up. DDSketch does the same, https://arxiv.org/abs/1908.10693; here bounds are
the same for all.

`sonde_step` in store/schema/010_values.sql says the same, for ever: numbers of steps are what is stored.
"""

from __future__ import annotations

from math import ceil, floor, log2

STEPS_IN_DOUBLING = 32
ERROR = 2 ** (0.5 / STEPS_IN_DOUBLING) - 1
"""The most that the middle of a step is away from a duration in it, as a part of that duration."""


def step(duration_ns: int) -> int:
    """The number of the step that a duration is counted in."""
    return floor(STEPS_IN_DOUBLING * log2(max(duration_ns, 1)))


def middle_ns(number: int) -> float:
    """What a step stands for."""
    return float(2 ** ((number + 0.5) / STEPS_IN_DOUBLING))


def at_rank_ns(middle: float, level: float, requests: int, greatest_ns: float) -> float:
    """The percentile of a level of 0 to 1, from the middle of the step at its rank: the last request's is the greatest
    duration, which is kept exactly, and none is greater.
    """
    return greatest_ns if ceil(level * requests) >= requests else min(middle, greatest_ns)
