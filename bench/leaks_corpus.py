"""Which leaks of the corpus are named, and whether look-alikes are taken for leaks, on each CPython here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench import report

ROOT = Path(__file__).parents[1]
NOTES = (
    "`yes`: the line is named with its type, and no line that is none. `no leak`: a look-alike is not called one.",
    (
        "Each program's handler runs 60 times as a loop (1,400 where a cache is that large), without a warm-up, in a "
        "process of its own. Programs: tests/corpus/leaks."
    ),
    "text_that_grows is named by the growth rule: it frees the old text each time.",
)
VERSIONS = ("3.11", "3.12", "3.13")


def corpus() -> Any:
    """The judge that the tests use."""
    sys.path.insert(0, str(ROOT / "tests" / "corpus" / "leaks"))
    import judged

    sys.path.pop(0)
    return judged


def interpreter(version: str) -> str:
    """Its path; empty: not here."""
    homes = sorted((Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions").glob(f"{version}.*"))
    found = homes[-1] / "bin" / "python" if homes else shutil.which(f"python{version}")
    return str(found) if found and Path(found).exists() else ""


def environment(python: str, home: Path) -> Path:
    """A virtual environment with Sonde built for that interpreter; its Python."""
    uv = [sys.executable, "-m", "uv"]
    source = home / "source"
    if not source.exists():
        source.mkdir()
        for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, source)
        for name in ("native", "src"):
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("*.so", "console", "build"))
    made = home / Path(python).parents[1].name
    here = made / "bin" / "python"
    install = [*uv, "pip", "install", "-q", "--system-certs", "--python", here]
    for command in (
        [*uv, "venv", "-q", "--python", python, made],
        [*install, "setuptools", "-c", ROOT / "constraints.txt"],
        [*install, "--no-deps", "--no-build-isolation", "--no-cache", source],
    ):
        subprocess.run([str(word) for word in command], check=True, cwd=home)
    return here


def cell(outcome: Any) -> str:
    """What was said of a program on one version."""
    if outcome.right:
        return "yes" if outcome.real else "no leak"
    if outcome.wrong:
        return "wrong: " + ", ".join(outcome.wrong)
    return "wrong type" if outcome.named else "missed"


def holder(outcome: Any) -> str:
    """Who holds it, without where the standard library is installed."""
    return re.sub(r"/[^ ():]*/lib/python3\.\d+/", "", outcome.held_by)[:90]


def main() -> None:
    judge = corpus()
    said: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as made:
        for version in VERSIONS:
            python = interpreter(version)
            if not python:
                print(f"no CPython {version} here", flush=True)
                continue
            here = environment(python, Path(made))
            variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
            said[version] = {path.stem: judge.run(path, str(here), variables) for path in (*judge.REAL, *judge.NONE)}
    rows, totals = [], []
    for title, programs in (("leak", judge.REAL), ("look-alike", judge.NONE)):
        for path in programs:
            outcomes = [said[version][path.stem] for version in said]
            rows.append([title, path.stem, *(cell(outcome) for outcome in outcomes), holder(outcomes[-1])])
        right = [sum(said[version][path.stem].right for path in programs) for version in said]
        totals.append([f"all {title}s", "", *(f"{count} of {len(programs)}" for count in right), ""])
    report.write(
        "leaks_corpus",
        "leaks: real leaks and look-alikes",
        ["", "program", *said, "held by (last column's version)"],
        [*totals, *rows],
        NOTES,
    )


if __name__ == "__main__":
    main()
