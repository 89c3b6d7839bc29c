"""What the tool `stalls` makes of programs that block their loop: caught, the right line, the right cause.

Each program of tests/corpus/stalls runs in a process of its own. A stall counts from 20 ms on; the longest of a program
is its stall. Reference: asyncio's debug mode sees that a callback was slow, and not where.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from bench import report

PROGRAMS = Path(__file__).parent.parent / "tests/corpus/stalls"
COUNTS_FROM_NS = 20_000_000
LOOPS = ("asyncio", "uvloop")
NO_PROGRAMS = ("__init__", "run_one")


class Verdict(NamedTuple):
    """What became of one program."""

    name: str
    loop: str
    ms: float
    line: int
    right_line: bool
    cause: str
    right_cause: bool
    what: str

    @property
    def caught(self) -> bool:
        """Whether there was a stall at all."""
        return self.ms > 0


def programs() -> list[str]:
    """Their names."""
    return sorted(path.stem for path in PROGRAMS.glob("*.py") if path.stem not in NO_PROGRAMS)


def judge(name: str, loop: str = "asyncio") -> Verdict:
    """Run one."""
    path = PROGRAMS / f"{name}.py"
    command = [sys.executable, "-P", str(PROGRAMS / "run_one.py"), str(path), loop]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise RuntimeError(f"{name} on {loop} ended with {done.returncode}: {done.stderr[-2000:]}")
    seen = json.loads(done.stdout)
    if seen["late_ms"] < COUNTS_FROM_NS / 1e6:
        raise RuntimeError(f"{name} on {loop} blocks for {seen['late_ms']:.0f} ms only, which proves nothing")
    marked = [at for at, text in enumerate(path.read_text().splitlines(), 1) if text.endswith("# stalls")]
    stalls = [stall for stall in seen["stalls"] if stall["ns"] >= COUNTS_FROM_NS]
    if not stalls:
        return Verdict(name, loop, 0, 0, right_line=False, cause="", right_cause=False, what="")
    stall = max(stalls, key=lambda one: one["ns"])
    line = stall["line"] or {"file": "", "line": 0}
    return Verdict(
        name,
        loop,
        stall["ns"] / 1e6,
        line["line"],
        right_line=line["file"] == str(path) and line["line"] in marked,
        cause=stall["cause"],
        right_cause=stall["cause"] in seen["causes"],
        what=stall["system_call"] or stall["held_by"].rpartition("/")[2],
    )


def main() -> None:
    """All programs on both loops, and the shares."""
    verdicts = [judge(name, loop) for loop in LOOPS for name in programs()]
    stalls = [one for one in verdicts if one.caught]
    right = [one for one in stalls if one.right_line]
    causes = [one for one in stalls if one.right_cause]
    report.write(
        "stalls_corpus",
        "Blocked event loops: what is told of each",
        ("program", "loop", "blocked ms", "caught", "line", "right line", "cause", "right cause"),
        [
            (
                one.name,
                one.loop,
                f"{one.ms:.0f}",
                _yes(one.caught),
                str(one.line),
                _yes(one.right_line),
                f"{one.cause} {one.what}".strip(),
                _yes(one.right_cause),
            )
            for one in verdicts
        ],
        [
            (
                f"Of {len(verdicts)} stalls of 20 ms or longer {_share(stalls, verdicts)} were caught, "
                f"{_share(right, verdicts)} with the right line, {_share(causes, verdicts)} with the right cause."
            ),
            "Threshold 10 ms. The programs, and what is right for each, are in tests/corpus/stalls.",
        ],
    )


def _share(some: list[Verdict], of: list[Verdict]) -> str:
    return f"{len(some)} ({len(some) / len(of):.0%})"


def _yes(value: bool) -> str:
    return "yes" if value else "**no**"


if __name__ == "__main__":
    main()
