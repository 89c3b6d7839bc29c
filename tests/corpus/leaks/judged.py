"""What a program of the corpus should have been said of, and whether it was."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
REAL = sorted((HERE / "real").glob("*.py"))
NONE = sorted((HERE / "none").glob("*.py"))


class Outcome(NamedTuple):
    program: str
    real: bool
    named: bool
    """A marked line was called a leak."""
    typed: bool
    """And with one of its types."""
    wrong: list[str]
    """Lines called a leak that are none."""
    held_by: str
    said: dict

    @property
    def right(self) -> bool:
        return (self.named and self.typed and not self.wrong) if self.real else not self.wrong


def run(path: Path, python: str, environment: dict[str, str]) -> Outcome:
    """In a process of its own."""
    ran = subprocess.run(
        [python, str(HERE / "run_one.py"), str(path)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if ran.returncode != 0:
        raise RuntimeError(f"{path.name} ended with {ran.returncode}: {ran.stderr[-2000:]}")
    return judge(json.loads(ran.stdout.splitlines()[-1]), real=path.parent.name == "real")


def judge(said: dict, *, real: bool) -> Outcome:
    """Of a leak, a line of the server may be named as well, if what it made is held by the program's own."""
    expected = {int(line): types for line, types in said["expected"].items()}
    right = [leak for leak in said["leaks"] if leak["here"] and leak["line"] in expected]
    beside = [
        leak for leak in said["leaks"] if real and not leak["here"] and leak["held_by"].startswith(said["program"])
    ]
    wrong = [f"{leak['place']} ({leak['type']})" for leak in said["leaks"] if leak not in right and leak not in beside]
    if said["grows"]:
        named = typed = [one for one in said["growing"] if one["here"] and one["line"] in said["grows"]]
    else:
        named = [leak for leak in right if expected[leak["line"]]]
        typed = [leak for leak in named if _is_of(leak["type"], expected[leak["line"]])]
    if not real:
        wrong += [f"{one['place']} (growing)" for one in said["growing"]]
    held = max(typed, key=lambda leak: leak["bytes"]).get("held_by", "") if typed else ""
    return Outcome(said["program"], real, bool(named), bool(typed), wrong, held, said)


def _is_of(kind: str, types: list[str]) -> bool:
    return kind in types or (kind.startswith("memory of") and "memory" in types)
