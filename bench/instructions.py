"""Instructions that a probe adds to a request, beside its peers: the same on a busy machine as on a quiet one.

A shared machine makes microseconds a matter of luck; how many instructions are executed it does not change. Callgrind
counts those of all threads of the process in user space, from when the application is warm, by turns of some requests;
the middle turn counts. Instructions are no time: waiting for memory, locks and the kernel is not in them.

Under Callgrind a request takes fifty times as long, so what a probe does each few seconds, whether there are requests
or not, weighs fifty times as much. The thread that serves the requests is counted for itself, too.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench import report
from bench.apps.environments import ROOT, NotInstallable
from bench.apps.turns import AGAIN_WARM, REQUESTS
from bench.probe.collecting import Collectors, collectors
from bench.probe.variants import BARE, KINDS, PEERS, SONDE, Variant

if TYPE_CHECKING:
    from collections.abc import Sequence

TURNS, A_TURN = 3, AGAIN_WARM + REQUESTS
AT_ONCE = 2
"""Processes that are counted side by side: they do not disturb each other."""
_TOTAL = re.compile(r"^(?:summary|totals): (\d+)", re.MULTILINE)


class NoCountError(Exception):
    """The program, or Callgrind, failed."""


@dataclass(frozen=True)
class Count:
    """Instructions of a request."""

    here: float
    """In the thread that serves it."""
    all: float
    """In all threads of the process."""


def counted(variant: Variant, kind: str, at: Collectors) -> Count:
    """What a request takes. Raises NoCountError, NotInstallable."""
    with tempfile.TemporaryDirectory(prefix="sonde-bench-") as folder:
        out = Path(folder) / "out"
        callgrind = [
            "valgrind",
            "--tool=callgrind",
            "--instr-atstart=no",
            "--separate-threads=yes",
            f"--callgrind-out-file={out}",
        ]
        program = [str(variant.python()), "-m", "bench.apps.measure", kind, variant.probe, json.dumps(at.addresses)]
        environment = variant.process_environment(os.environ, at.addresses["socket"]) | {"PYTHONHASHSEED": "0"}
        with subprocess.Popen(
            [*callgrind, *program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env=environment,
        ) as process:
            try:
                return _by_turns(process, out)
            finally:
                process.kill()


def _by_turns(process: subprocess.Popen[str], out: Path) -> Count:
    assert process.stdin is not None
    assert process.stdout is not None
    _heard(process)
    _control(process, "--instr=on")
    turns = []
    for number in range(1, TURNS + 1):
        process.stdin.write("go\n")
        process.stdin.flush()
        _heard(process)
        _control(process, "--dump")
        turns.append(_counts(out, number))
    return Count(statistics.median(turn.here for turn in turns), statistics.median(turn.all for turn in turns))


def _counts(out: Path, turn: int) -> Count:
    """Of the files that Callgrind has written, one for each thread; the first thread serves."""
    totals = {
        path.name.rpartition("-")[2]: int(found[1]) / A_TURN
        for path in out.parent.glob(f"{out.name}.{turn}-*")
        if (found := _TOTAL.search(path.read_text()))
    }
    if "01" not in totals:
        raise NoCountError("Callgrind wrote no total")
    return Count(totals["01"], sum(totals.values()))


def _heard(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    if not process.stdout.readline():
        raise NoCountError("the program ended")


def _control(process: subprocess.Popen[str], word: str) -> None:
    """Callgrind's own command; it says OK when it is done."""
    done = subprocess.run(["callgrind_control", word, str(process.pid)], capture_output=True, text=True, check=False)
    if "OK." not in done.stdout:
        raise NoCountError(f"callgrind_control {word}: {done.stdout}{done.stderr}".strip())


def _all(kind: str, variants: Sequence[Variant], at: Collectors) -> dict[str, tuple[Variant, Count]]:
    """By the variant's name; one that cannot be had is left out, and said."""
    found: dict[str, tuple[Variant, Count]] = {}

    def count(variant: Variant) -> tuple[Variant, Count | Exception]:
        try:
            return variant, counted(variant, kind, at)
        except (NotInstallable, NoCountError) as error:
            return variant, error

    for variant in variants:
        with contextlib.suppress(NotInstallable):  # said below; some share an environment, which is made once
            variant.python()
    with ThreadPoolExecutor(AT_ONCE) as processes:
        for variant, outcome in processes.map(count, variants):
            if isinstance(outcome, Count):
                found[variant.name] = variant, outcome
                print(f"{kind}, {variant.title}: {outcome.here:,.0f}, all threads {outcome.all:,.0f}", flush=True)
            else:
                print(f"{kind}, {variant.title}: {outcome}", file=sys.stderr, flush=True)
    return found


def main(variants: Sequence[Variant] = (BARE, *SONDE, *PEERS)) -> None:
    """Both applications under every probe."""
    lines: list[str] = []
    with collectors() as at:
        for kind, what in KINDS.items():
            lines += [f"## A request of {what}", "", *_rows(_all(kind, variants, at)), ""]
    notes = [
        f"{A_TURN} requests a turn, the middle one of {TURNS} turns, {_version()}.",
        "Added: to the same request without a probe. × Sonde's: of what is added in all threads.",
        "Some of it is luck, of where memory lies: in another run the same code took up to 16,000 more or fewer.",
        *(f"{variant.title}: {variant.note}." for variant in variants if variant.note),
    ]
    report.page(
        "instructions", "Instructions that a probe adds to a request", [*lines, *(f"* {note}" for note in notes)]
    )


def _rows(found: dict[str, tuple[Variant, Count]]) -> list[str]:
    bare, ours = found[BARE.name][1], found[SONDE[0].name][1]
    peers = {variant.name for variant in PEERS}
    rows = [
        (
            variant.title,
            f"{count.here:,.0f}",
            f"{count.here - bare.here:,.0f}" if variant is not BARE else "",
            f"{count.all - bare.all:,.0f}" if variant is not BARE else "",
            f"{(count.all - bare.all) / bare.all:.1%}" if variant is not BARE else "",
            f"{(count.all - bare.all) / (ours.all - bare.all):.1f}" if name in peers else "",
        )
        for name, (variant, count) in found.items()
    ]
    columns = ("probe", "in the request's thread", "added there", "added in all threads", "of the request", "× Sonde's")
    return report.table(columns, rows)


def _version() -> str:
    return subprocess.run(["valgrind", "--version"], check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    main()
