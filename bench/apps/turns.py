"""With and without, by turns within one process: on a busy machine the only fair pair."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SETTLING = 250
"""Rounds after each switch that are not counted: the interpreter adapts its code to what stands in the classes now."""

AGAIN_WARM, REQUESTS = 150, 150
"""In a turn of a process that is one of many: what is not counted, since others have had its caches, and what is."""


def by_turns(
    switch: Callable[[bool], object], drive: Callable[[int], object], pairs: int, rounds: int, rest_s: float = 0.0
) -> dict[str, float]:
    """CPU microseconds of a round, the medians of all turns: `without_us`, and `added_us` of neighbours.

    `drive(count)` does that many rounds. After them comes a rest, in which what is recorded is sent; it is counted.
    `added_here_us` is the part of the thread that drives, from the 10th percentile of single rounds.
    """
    whole: dict[bool, list[float]] = {False: [], True: []}
    single: dict[bool, list[float]] = {False: [], True: []}
    for turn in range(2 * pairs):
        on = turn % 2 == 1
        switch(on)
        drive(SETTLING)
        time.sleep(rest_s)
        began = time.process_time_ns()
        for _ in range(rounds):
            before = time.thread_time_ns()
            drive(1)
            single[on].append(time.thread_time_ns() - before)
        time.sleep(rest_s)
        whole[on].append(time.process_time_ns() - began)
    added = [with_it - without for without, with_it in zip(whole[False], whole[True], strict=True)]
    here = {on: statistics.quantiles(costs, n=10)[0] for on, costs in single.items()}
    return {
        "without_us": statistics.median(whole[False]) / rounds / 1000,
        "added_us": statistics.median(added) / rounds / 1000,
        "added_here_us": (here[True] - here[False]) / 1000,
    }
