"""What the tool `cpu` costs the program that it looks at, and whether it sees what is there."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from typing import Any

from bench import report
from bench.apps.environments import ROOT

ROUNDS = 7
PROCESSES = 2
WORK = {"numbers": "arithmetic", "calls": "nothing but tiny calls", "flask": "Flask, redis, requests"}


def measured(work: str) -> dict[str, dict[str, Any]]:
    """All rounds of some processes."""
    whole: dict[str, dict[str, Any]] = {}
    for _ in range(PROCESSES):
        command = [sys.executable, "-m", "bench.apps.sampled", work, str(ROUNDS)]
        answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT, timeout=600)
        for way, found in json.loads(answer.stdout.splitlines()[-1]).items():
            known = whole.setdefault(way, {"cpu_s": [], "wall_s": [], "said": []})
            for name in ("cpu_s", "wall_s", "said"):
                known[name] += found[name]
            if "failed" in found:
                known["failed"] = found["failed"]
    return whole


def ratio(found: dict[str, Any], bare: dict[str, Any], what: str) -> str:
    """Median of the rounds' own ratios, and the middle half of them."""
    ratios = [there / here for there, here in zip(found[what], bare[what], strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    return f"{middle:.3f} ({low:.2f} … {high:.2f})"


def told(found: dict[str, Any], name: str, form: str) -> str:
    """Median of what the sampler said of itself."""
    values = [said[name] for said in found["said"] if name in said]
    return form.format(statistics.median(values)) if values else ""


def rows(work: str, ways: dict[str, dict[str, Any]]) -> list[list[str]]:
    """The table's rows for one kind of work."""
    bare = ways["nobody"]
    made = []
    for way, found in ways.items():
        if not found["cpu_s"]:
            made.append([WORK[work], way, f"failed: {found.get('failed', '')[:60]}", "", "", "", ""])
            continue
        made.append(
            [
                WORK[work],
                way,
                ratio(found, bare, "cpu_s"),
                ratio(found, bare, "wall_s"),
                told(found, "samples_per_s", "{:.0f}"),
                told(found, "us_per_look", "{:.0f}"),
                told(found, "other_cpu", "{:.1%}"),
            ]
        )
    return made


def main() -> None:
    """Measure and report."""
    table = [row for work in WORK for row in rows(work, measured(work))]
    report.write(
        "tools_cpu",
        "What it costs to be sampled",
        ("work", "sampler", "× CPU", "× time", "samples/s", "µs CPU a look", "a core outside"),
        table,
        [
            f"By turns in one process, {PROCESSES} processes of {ROUNDS} rounds.",
            "Medians of the rounds' ratios to nobody looking, with the middle half of them.",
            "CPU is that of the whole process, the sampler's thread included; py-spy's own is in the last column.",
            "Each turn is a run of its own: what is paid once (names at first sight, fresh memory) is in it.",
            "`nobody, afterwards` shows how well two equal turns can be told apart.",
            "Goals: 1.02 at 100 Hz, 1.07 at 1000 Hz.",
        ],
    )


if __name__ == "__main__":
    main()
