"""What a request costs: fresh processes in rounds, the variants of a round one after the other."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.apps.environments import ROOT
from bench.probe.variants import BARE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.probe.collecting import Collectors
    from bench.probe.variants import Variant

BARE_EVERY = 3
"""After so many variants the bare application is measured again: what a variant adds is to its neighbours."""


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


def measured(variant: Variant, kind: str, collectors: Collectors, probe: str = "") -> dict[str, Any]:
    """One fresh process. Raises NoResultError."""
    addresses = collectors.addresses
    command = [str(variant.python()), "-m", "bench.apps.measure", kind, probe or variant.probe, json.dumps(addresses)]
    environment = variant.process_environment(os.environ, addresses["socket"])
    answer = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=300, check=False
    )
    if answer.returncode or not answer.stdout.strip():
        raise NoResultError(f"{variant.title}, {kind}: {answer.stderr.strip()[-2000:]}")
    said: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    if probe:
        return said
    expected = variant.spans[kind] * said["requests"]
    sent = collectors.counts(at_least=expected)
    # What is not sampled is counted in a few summary spans.
    if not expected <= sent["spans"] <= expected + (100 if "unsampled" in variant.probe else 0):
        raise NoResultError(f"{variant.title}, {kind}: {expected} spans expected, {sent['spans']} came")
    return {**said, **sent}


def rounds(kind: str, variants: Sequence[Variant], collectors: Collectors, count: int) -> dict[str, Figures]:
    """Figures by name of the variant."""
    figures: dict[str, Figures] = {variant.name: Figures() for variant in (BARE, *variants)}
    for number in range(count):
        before = _one(BARE, kind, collectors, figures)
        for first in range(0, len(variants), BARE_EVERY):
            some = variants[first : first + BARE_EVERY]
            costs = [_one(variant, kind, collectors, figures) for variant in some]
            after = _one(BARE, kind, collectors, figures)
            for variant, cost in zip(some, costs, strict=True):
                figures[variant.name].added_us.append(cost - (before + after) / 2)
            before = after
        print(f"{kind}: round {number + 1} of {count}", flush=True)
    return figures


def _one(variant: Variant, kind: str, collectors: Collectors, figures: dict[str, Figures]) -> float:
    said = measured(variant, kind, collectors)
    mine = figures[variant.name]
    mine.us.append(said["us"])
    mine.calls, mine.threads = said["calls"], said["threads"]
    mine.bytes = said["bytes"] / said["requests"]
    return float(said["us"])
