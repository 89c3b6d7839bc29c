"""The probe beside its peers: a request, a start, a span. Writes `results/probe.md` and the picture in it.

Takes half an hour. `python -m bench.peers 1` is one round of everything in some minutes: it is printed and not kept.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench import probe_spans, report
from bench.apps.environments import NotInstallable
from bench.probe import page, requests, starts
from bench.probe.collecting import collectors
from bench.probe.variants import BARE, KINDS, PEERS, SONDE

if TYPE_CHECKING:
    from bench.probe.collecting import Collectors

ROUNDS, STARTS, SWITCHED = 4, 9, 4
PICTURE = Path(__file__).with_name("results") / "probe.svg"


def main(count: int = ROUNDS) -> None:
    """Measure and report."""
    found = page.Found(count, min(STARTS, 2 * count + 1))
    with collectors() as at:
        _prepare(found, at)
        for kind in KINDS:
            found.requests[kind] = requests.rounds(kind, (*SONDE, *found.peers), at, count)
            found.switched[kind] = switched(kind, at, min(SWITCHED, count))
        found.starts = starts.rounds((*starts.UNDER_RUN, *found.peers), at, found.start_rounds)
        around, found.calls = probe_spans.around_calls(at)
    alone, found.spans_ns = probe_spans.alone()
    found.span_tables = [*alone, "", *around]
    title, lines = "What the probe costs, beside its peers", page.lines(found)
    if count < ROUNDS:
        print("\n".join([title, "", *lines]))
        return
    page.draw(found, PICTURE)
    report.page("probe", title, lines)


def _prepare(found: page.Found, at: Collectors) -> None:
    """Make the environments, and see that each peer records what it has to."""
    for variant in (BARE, *SONDE, *PEERS):
        try:
            for kind in KINDS:
                requests.alone(variant, kind, at)
        except (NotInstallable, requests.NoResultError) as error:
            if variant not in PEERS:
                raise
            found.missing[variant.title] = str(error).strip().splitlines()[-1]
        else:
            if variant in PEERS:
                found.peers.append(variant)
        print(f"prepared: {variant.title}", flush=True)


def switched(kind: str, at: Collectors, count: int) -> dict[str, float]:
    """What Sonde adds within one process: medians of some."""
    runs = [requests.switched(SONDE[0], kind, at) for _ in range(count)]
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
