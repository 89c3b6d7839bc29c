"""What a request costs: fresh processes in rounds, all variants of a round by turns of a few requests.

Two things make such figures wrong without anybody seeing it. A machine that is shared is slower in one second than in
the next: so every variant is measured each second, beside the bare application. And the same program runs some percent
faster or slower for where its stack and its tables happen to lie: so each round has new processes, each begins with an
environment of another length, and dictionaries hash otherwise in each.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle
from typing import TYPE_CHECKING, Any, Self

from bench.apps.environments import ROOT
from bench.probe.variants import BARE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.probe.collecting import Collectors
    from bench.probe.variants import Variant

BARE_EVERY = 3
"""After so many variants the bare application has its turn again: what a variant adds is to its neighbours."""
BARE_PROCESSES = 4
"""They take turns as well, lest the luck of one is counted against all the others."""
TURNS = 6
PADDING_MAX = 4096


class NoResultError(Exception):
    """A process failed, or did not record what it has to."""


@dataclass
class Figures:
    """Of one variant and application, a value a round."""

    us: list[float] = field(default_factory=list)
    """CPU of a request."""
    added_us: list[float] = field(default_factory=list)
    calls: float = 0
    """Functions a request calls."""
    bytes: float = 0
    """Sent for a request."""
    threads: int = 0

    @property
    def added(self) -> float:
        """Microseconds."""
        return statistics.median(self.added_us)

    @property
    def quarters(self) -> tuple[float, float]:
        """Between which the middle half of the differences lies."""
        if len(self.added_us) < 2:
            return self.added, self.added
        first, _, third = statistics.quantiles(self.added_us, n=4, method="inclusive")
        return first, third


class Running:
    """One process that waits for its turns. Raises NoResultError where it fails."""

    def __init__(self, variant: Variant, kind: str, collectors: Collectors, probe: str = "") -> None:
        self.variant = variant
        self._title = f"{variant.title}, {kind}"
        addresses = collectors.addresses
        command = [str(variant.python()), "-m", "bench.apps.measure", kind, probe or variant.probe]
        environment = variant.process_environment(os.environ, addresses["socket"])
        environment["BENCH_PADDING"] = "x" * random.randrange(PADDING_MAX)
        self._process = subprocess.Popen(
            [*command, json.dumps(addresses)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def wait_until_warm(self) -> None:
        """Its first requests are over."""
        self._heard()

    def turn(self) -> float:
        """Some requests: microseconds of CPU for each."""
        return float(self._told("go"))

    def end(self) -> dict[str, Any]:
        """The last of it: see `apps/measure.py`."""
        said: dict[str, Any] = json.loads(self._told("end"))
        return said

    def said(self) -> dict[str, float]:
        """What one that is not asked says by itself."""
        figures: dict[str, float] = json.loads(self._heard())
        return figures

    def _told(self, word: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        return self._heard()

    def _heard(self) -> str:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        line = self._process.stdout.readline()
        if not line:
            raise NoResultError(f"{self._title}: {self._process.stderr.read().strip()[-2000:]}")
        return line


def alone(variant: Variant, kind: str, collectors: Collectors) -> dict[str, Any]:
    """One process without neighbours: what it sent, as well. Raises NoResultError where a span is missing."""
    with Running(variant, kind, collectors) as process:
        process.wait_until_warm()
        said = process.end()
    sent = collectors.counts(at_least=_spans([variant], kind, said["requests"]))
    _check(variant.title, [variant], kind, said["requests"], sent["spans"])
    return {**said, **sent}


def switched(variant: Variant, kind: str, collectors: Collectors) -> dict[str, float]:
    """On and off within one process, see `apps/turns.py`."""
    with Running(variant, kind, collectors, "switched") as process:
        figures = process.said()
    collectors.counts()
    return figures


def rounds(kind: str, variants: Sequence[Variant], collectors: Collectors, count: int) -> dict[str, Figures]:
    """Figures by name of the variant."""
    figures: dict[str, Figures] = {variant.name: Figures() for variant in (BARE, *variants)}
    for variant in (BARE, *variants):
        said = alone(variant, kind, collectors)
        mine = figures[variant.name]
        mine.calls, mine.threads, mine.bytes = said["calls"], said["threads"], said["bytes"] / said["requests"]
    for number in range(count):
        _round(kind, variants, collectors, figures)
        print(f"{kind}: round {number + 1} of {count}", flush=True)
    return figures


def _round(kind: str, variants: Sequence[Variant], collectors: Collectors, figures: dict[str, Figures]) -> None:
    with ExitStack() as all_of_them:
        processes = []
        for variant in [BARE] * BARE_PROCESSES + random.sample(variants, len(variants)):
            processes.append(all_of_them.enter_context(Running(variant, kind, collectors)))
            processes[-1].wait_until_warm()
        bare, others = cycle(processes[:BARE_PROCESSES]), processes[BARE_PROCESSES:]
        costs: dict[str, list[float]] = {name: [] for name in figures}
        added: dict[str, list[float]] = {name: [] for name in figures}
        for _ in range(TURNS):
            before = next(bare).turn()
            for first in range(0, len(others), BARE_EVERY):
                some = others[first : first + BARE_EVERY]
                spent = [process.turn() for process in some]
                after = next(bare).turn()
                costs[BARE.name].append(after)
                for process, cost in zip(some, spent, strict=True):
                    costs[process.variant.name].append(cost)
                    added[process.variant.name].append(cost - (before + after) / 2)
                before = after
        requests = 0
        for process in others:
            said = process.end()
            requests = said["requests"]
            flush_us = said["flush_us"] / requests
            figures[process.variant.name].us.append(statistics.median(costs[process.variant.name]) + flush_us)
            figures[process.variant.name].added_us.append(statistics.median(added[process.variant.name]) + flush_us)
        figures[BARE.name].us.append(statistics.median(costs[BARE.name]))
        sent = collectors.counts(at_least=_spans(variants, kind, requests))
        _check("all variants", variants, kind, requests, sent["spans"])


def _spans(variants: Sequence[Variant], kind: str, requests: int) -> int:
    return sum(variant.spans[kind] * requests for variant in variants)


def _check(title: str, variants: Sequence[Variant], kind: str, requests: int, came: int) -> None:
    """What is not sampled is counted in a few summary spans."""
    expected = _spans(variants, kind, requests)
    if not expected <= came <= expected + 100 * sum("unsampled" in variant.probe for variant in variants):
        raise NoResultError(f"{title}, {kind}: {expected} spans expected, {came} came")
