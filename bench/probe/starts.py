"""What a probe adds to the start of a process: time, memory, threads, modules."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.apps.environments import ROOT
from bench.probe.variants import BARE, Variant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.probe.collecting import Collectors

PROGRAMS = {
    "none": "python -c pass",
    "flask": "import flask, redis, requests",
    "fastapi": "import fastapi, redis.asyncio, httpx",
}
UNDER_RUN = (
    Variant("sonde", "Sonde", "bare", {}, enabled="1"),
    Variant("sonde_disabled", "Sonde, SONDE_ENABLED=0", "bare", {}, enabled="0"),
)
"""Sonde as `sonde run` brings it into a process: it is there before the program's first line."""


@dataclass
class Start:
    """What one start took."""

    cpu_ms: float
    wall_ms: float
    rss_kib: int
    threads: int
    modules: int


@dataclass
class Added:
    """By a variant to a program, one value a round."""

    cpu_ms: list[float] = field(default_factory=list)
    wall_ms: list[float] = field(default_factory=list)
    rss_kib: list[int] = field(default_factory=list)
    threads: int = 0
    modules: int = 0


def megabytes(added: Added) -> float:
    """Of memory."""
    return statistics.median(added.rss_kib) / 1024


def cells(added: Added) -> list[str]:
    """For a table."""
    cpu, wall = (f"{statistics.median(some):.1f}" for some in (added.cpu_ms, added.wall_ms))
    return [cpu, wall, f"{megabytes(added):.1f}", str(added.threads), str(added.modules)]


def started(variant: Variant, probe: str, kind: str, collectors: Collectors) -> Start:
    """One process from its start to its end, with whatever the probe does at that."""
    code = f"from bench.apps import begin; begin.begun({probe!r}, {kind!r}, {collectors.addresses!r})"
    environment = variant.process_environment(os.environ, collectors.addresses["socket"])
    before = time.perf_counter()
    process = subprocess.Popen(
        [variant.python(), "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd=ROOT,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout as out:
        words = out.read().split()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - before
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{variant.title}: {json.dumps(code)} failed"
    rss, threads, modules = map(int, words[-3:])
    return Start((used.ru_utime + used.ru_stime) * 1000, wall * 1000, rss, threads, modules)


def rounds(variants: Sequence[Variant], collectors: Collectors, count: int) -> dict[tuple[str, str], Added]:
    """What each variant adds to each program, beyond the same without a probe anywhere near."""
    found = {(variant.name, kind): Added() for variant in variants for kind in PROGRAMS}
    for kind, program in PROGRAMS.items():
        for number in range(count + 1):
            plain = started(BARE, BARE.probe, kind, collectors)
            for variant in variants:
                probed = started(variant, variant.probe, kind, collectors)
                if number > 0:  # the first time bytecode is written
                    _add(found[variant.name, kind], plain, probed)
        collectors.counts()
        print(f"starts: {program}", flush=True)
    return found


def _add(added: Added, plain: Start, probed: Start) -> None:
    added.cpu_ms.append(probed.cpu_ms - plain.cpu_ms)
    added.wall_ms.append(probed.wall_ms - plain.wall_ms)
    added.rss_kib.append(probed.rss_kib - plain.rss_kib)
    added.threads, added.modules = probed.threads - plain.threads, probed.modules - plain.modules
