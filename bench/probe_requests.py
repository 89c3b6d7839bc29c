"""What the probe costs a request: CPU of the whole process against the bare application and OpenTelemetry."""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
from pathlib import Path

from bench import report
from bench.apps import opentelemetry_venv as reference

ROUNDS = 7
VARIANTS = ("bare", "sonde", "otel")
KINDS = {"flask": "Flask, redis, requests", "fastapi": "FastAPI, redis.asyncio, httpx"}
TARGETS_US = {"flask": 20, "fastapi": 25}
APPS = Path(__file__).with_name("apps")


def measured(python: Path, kind: str, variant: str, socket: str, url: str) -> dict[str, float]:
    """One fresh process."""
    command = [python, "-m", "bench.apps.measure", kind, variant, socket, url]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=APPS.parents[1], timeout=300)
    said: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    lost = sum(count for name, count in said.items() if name.startswith("dropped"))
    assert not lost, f"spans were dropped: {said}"
    return said


def rounds(python: Path, kind: str, socket: str, url: str) -> dict[str, list[float]]:
    """Microseconds per request of each variant, one value a round; the variants of a round run one after the other."""
    figures: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    for _ in range(ROUNDS):
        for variant in VARIANTS:
            figures[variant].append(measured(python, kind, variant, socket, url)["us"])
    return figures


def rows(kind: str, figures: dict[str, list[float]]) -> list[list[str]]:
    """The table's rows for one application."""
    added = {
        variant: statistics.median(there - bare for there, bare in zip(figures[variant], figures["bare"], strict=True))
        for variant in VARIANTS
    }
    made = []
    for variant in VARIANTS:
        values = figures[variant]
        middle = statistics.median(values)
        made.append(
            [
                KINDS[kind],
                {"bare": "bare", "sonde": "Sonde", "otel": f"OpenTelemetry {reference.SDK}"}[variant],
                f"{middle:.0f}",
                f"{min(values):.0f} … {max(values):.0f}",
                "" if variant == "bare" else f"{added[variant]:.1f}",
                f"{middle / statistics.median(figures['bare']):.2f}",
                f"{added['otel'] / added['sonde']:.0f}× less" if variant == "sonde" else "",
            ]
        )
    return made


def main() -> None:
    """Measure and report."""
    python = reference.make()
    table = []
    with tempfile.TemporaryDirectory(prefix="sonde-bench-") as folder:
        socket = f"{folder}/agent.sock"
        hole = subprocess.Popen([python, APPS / "black_hole.py", socket], stdout=subprocess.PIPE, text=True)
        try:
            assert hole.stdout is not None
            url = hole.stdout.readline().strip()
            for kind in KINDS:
                table += rows(kind, rounds(python, kind, socket, url))
        finally:
            hole.kill()
            hole.wait()
    goals = " and ".join(f"{goal} µs to {kind}" for kind, goal in TARGETS_US.items())
    report.write(
        "probe_requests",
        "CPU a request of seven operations costs, with and without a probe",
        ("application", "variant", "µs CPU/request", "range", "added µs", "× bare", "than OpenTelemetry"),
        table,
        [
            "A request: one entry, five Redis commands, one HTTP call; transports are faked below the libraries.",
            f"Medians of {ROUNDS} rounds, a fresh process for each; `added`: of the rounds' differences.",
            "All threads are counted; every span is recorded with its attributes, encoded and sent.",
            f"Goals: Sonde adds at most {goals}, at least 25 times less than OpenTelemetry.",
        ],
    )


if __name__ == "__main__":
    main()
