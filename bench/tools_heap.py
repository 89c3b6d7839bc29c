"""What the tool `heap` costs processes of several sizes: how long they wait, and what looking takes."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys

from bench import report
from bench.apps.environments import ROOT

PROCESSES = 5
SIZES = ((0, 0), (100_000, 0), (1_000_000, 0), (0, 400), (0, 1000))
"""Dicts with two values each, and MiB of plain bytes."""


def main() -> None:
    """Measure and report."""
    rows = []
    for dicts, mib in SIZES:
        found = []
        for _ in range(PROCESSES):
            command = [sys.executable, "-m", "bench.apps.heap_sizes", str(dicts), str(mib)]
            answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT, timeout=300)
            found.append(json.loads(answer.stdout))
        middle = {name: statistics.median(one[name] for one in found) for name in found[0]}
        worst = max(one["longest_pause_ms"] for one in found)
        rows.append(
            [
                f"{middle['rss'] / (1 << 20):.0f}",
                f"{middle['objects']:,.0f}",
                f"{middle['longest_pause_ms']:.1f} ({worst:.1f})",
                f"{middle['felt_ms']:.1f} ({middle['felt_before_ms']:.1f})",
                f"{middle['looked_s']:.2f}",
                f"{middle['cpu_ms'] / 1000:.2f}",
                f"{middle['needs'] / (1 << 20):.0f}",
            ]
        )
    report.write(
        "tools_heap",
        "What it costs to have the heap looked at",
        ("RSS MiB", "objects", "pause ms", "felt ms", "s until done", "s of CPU beside it", "MiB asked for"),
        rows,
        [
            f"Medians of {PROCESSES} processes, in brackets the longest pause of all of them.",
            "Pause: the kernel's copying, in which no Python runs.",
            "Felt: what a thread that sleeps for half a millisecond overslept at most, in brackets before the run.",
            "MiB asked for: what has to be free before a run begins.",
        ],
    )


if __name__ == "__main__":
    main()
