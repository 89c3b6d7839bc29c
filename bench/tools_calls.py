"""What the tool `calls` costs code that does nothing but tiny calls, beside cProfile, on every CPython found here."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench import report
from bench.apps.environments import ROOT

ROUNDS = 7
PROCESSES = 2
FACTS = """import json, sys, sysconfig
print(json.dumps([sys.version.split()[0], sysconfig.get_paths()["include"], sysconfig.get_config_var("EXT_SUFFIX"),
                  sys.version_info >= (3, 11) and not sysconfig.get_config_var("Py_GIL_DISABLED")]))"""
FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-O2", "-fvisibility=hidden", "-fPIC", "-shared", "-pthread"]


def interpreters() -> dict[str, tuple[str, str, str]]:
    """By version: the program, its headers, and how its extensions end. The newest of each minor version."""
    folder = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    programs = [sys.executable, *map(str, sorted(folder.glob("*/bin/python3"))), "python3.12", "python3.13"]
    found: dict[str, tuple[str, str, str]] = {}
    for program in programs:
        path = shutil.which(program)
        if not path:
            continue
        answer = subprocess.run([path, "-c", FACTS], capture_output=True, text=True, check=False)
        if answer.returncode:
            continue
        version, include, suffix, fits = json.loads(answer.stdout)
        if fits:
            found[version.rpartition(".")[0]] = (path, include, suffix)
    return dict(sorted(found.items()))


def built(include: str, suffix: str, folder: Path) -> None:
    """The probe with its call graph, for one version, without touching the checkout."""
    away = shutil.ignore_patterns("*.so", "__pycache__", "server", "agent", "cli")
    shutil.copytree(ROOT / "src" / "sonde", folder / "sonde", ignore=away)
    parts = {
        "core/_core": sorted((ROOT / "native").glob("*.c")),
        "tools/_calls": sorted((ROOT / "native" / "tools" / "calls").glob("*.c")),
    }
    for name, sources in parts.items():
        target = folder / "sonde" / "probe" / f"{name}{suffix}"
        subprocess.run(["cc", *FLAGS, f"-I{include}", *map(str, sources), "-o", str(target)], check=True)


def measured(program: str, folder: Path) -> dict[str, dict[str, Any]]:
    """All rounds of some processes."""
    whole: dict[str, dict[str, Any]] = {}
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    for _ in range(PROCESSES):
        command = [program, "-m", "bench.apps.call_heavy", str(ROUNDS)]
        answer = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, cwd=folder, env=environment, timeout=300, text=True
        )
        for way, found in json.loads(answer.stdout.splitlines()[-1]).items():
            known = whole.setdefault(way, {"cpu_s": [], "calls": found["calls"], "failed": found.get("failed", "")})
            known["cpu_s"] += found["cpu_s"]
    return whole


def rows(version: str, ways: dict[str, dict[str, Any]]) -> list[list[str]]:
    """The table's rows for one version."""
    bare = ways["nobody"]["cpu_s"]
    made = []
    for way, found in ways.items():
        if not found["cpu_s"]:
            made.append([version, way, f"failed: {found['failed'][:60]}", "", ""])
            continue
        ratios = [there / here for there, here in zip(found["cpu_s"], bare, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        added_ns = statistics.median(there - here for there, here in zip(found["cpu_s"], bare, strict=True)) * 1e9
        each = f"{added_ns / found['calls']:.0f}" if found["calls"] else ""
        made.append([version, way, f"{middle:.2f} ({low:.2f} … {high:.2f})", f"{found['calls']:,}", each])
    return made


def main() -> None:
    """Measure and report."""
    table: list[list[str]] = []
    for version, (program, include, suffix) in interpreters().items():
        with tempfile.TemporaryDirectory() as made:
            built(include, suffix, Path(made))
            table += rows(version, measured(program, Path(made)))
    report.write(
        "tools_calls",
        "What it costs to have every call counted",
        ("Python", "watched by", "× CPU", "calls counted", "ns added a call"),
        table,
        [
            f"By turns in one process, {PROCESSES} processes of {ROUNDS} rounds each; CPU of the thread that works.",
            "Medians of the rounds' ratios to nobody watching, with the middle half of them.",
            "The work is nothing but tiny calls (bench/apps/call_heavy.py): the worst there is.",
            (
                "Before 3.12 C functions are heard of by the profile hook alone, which costs its legacy frame objects "
                "at each call; Python functions alone by the evaluation of their frames."
            ),
        ],
    )


if __name__ == "__main__":
    main()
