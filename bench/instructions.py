"""Instructions that a probe adds to a request, beside its peers: the same on a busy machine as on a quiet one.

A shared machine makes microseconds a matter of luck; how many instructions are executed it does not change. Callgrind
counts those of all threads of the process in user space, from when the application is warm, by turns of some requests;
the middle turn counts, so that what a probe does each few seconds is left out, of ours as of the others. Instructions
are no time: waiting for memory, locks and the kernel is not in them.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import report
from bench.apps.environments import ROOT, NotInstallable
from bench.apps.turns import AGAIN_WARM, REQUESTS
from bench.probe.collecting import Collectors, collectors
from bench.probe.variants import BARE, KINDS, PEERS, SONDE, Variant

TURNS, A_TURN = 5, AGAIN_WARM + REQUESTS
_TOTAL = re.compile(r"^(?:summary|totals): (\d+)", re.MULTILINE)


class NoCountError(Exception):
    """The program, or Callgrind, failed."""


def counted(variant: Variant, kind: str, at: Collectors) -> float:
    """Instructions of a request. Raises NoCountError, NotInstallable."""
    with tempfile.TemporaryDirectory(prefix="sonde-bench-") as folder:
        out = Path(folder) / "out"
        callgrind = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}"]
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


def _by_turns(process: subprocess.Popen[str], out: Path) -> float:
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
        found = _TOTAL.search(out.with_name(f"{out.name}.{number}").read_text())
        if found is None:
            raise NoCountError("Callgrind wrote no total")
        turns.append(int(found[1]) / A_TURN)
    return statistics.median(turns)


def _heard(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    if not process.stdout.readline():
        raise NoCountError("the program ended")


def _control(process: subprocess.Popen[str], word: str) -> None:
    """Callgrind's own command; it says OK when it is done."""
    done = subprocess.run(["callgrind_control", word, str(process.pid)], capture_output=True, text=True, check=False)
    if "OK." not in done.stdout:
        raise NoCountError(f"callgrind_control {word}: {done.stdout}{done.stderr}".strip())


def main() -> None:
    """Both applications under every probe."""
    lines: list[str] = []
    with collectors() as at:
        for kind, what in KINDS.items():
            found: dict[str, tuple[Variant, float]] = {}
            for variant in (BARE, *SONDE, *PEERS):
                try:
                    found[variant.name] = variant, counted(variant, kind, at)
                except (NotInstallable, NoCountError) as error:
                    print(f"{kind}, {variant.title}: {error}", file=sys.stderr, flush=True)
                else:
                    print(f"{kind}, {variant.title}: {found[variant.name][1]:,.0f}", flush=True)
            lines += [f"## A request of {what}", "", *_rows(found), ""]
    notes = [
        f"{A_TURN} requests a turn, the middle one of {TURNS} turns, {_version()}.",
        "Added: to the same request without a probe. × Sonde's: of what is added.",
        *(f"{variant.title}: {variant.note}." for variant in PEERS if variant.note),
    ]
    report.page(
        "instructions", "Instructions that a probe adds to a request", [*lines, *(f"* {note}" for note in notes)]
    )


def _rows(found: dict[str, tuple[Variant, float]]) -> list[str]:
    bare, ours = found[BARE.name][1], found[SONDE[0].name][1] - found[BARE.name][1]
    peers = {variant.name for variant in PEERS}
    rows = [
        (
            variant.title,
            f"{count:,.0f}",
            f"{count - bare:,.0f}" if variant is not BARE else "",
            f"{(count - bare) / bare:.1%}" if variant is not BARE else "",
            f"{(count - bare) / ours:.1f}" if name in peers else "",
        )
        for name, (variant, count) in found.items()
    ]
    return report.table(("probe", "instructions", "added", "of the request", "× Sonde's"), rows)


def _version() -> str:
    return subprocess.run(["valgrind", "--version"], check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    main()
