"""Prints a benchmark's table and keeps it as Markdown in bench/results/."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

RESULTS = Path(__file__).with_name("results")


def write(
    name: str, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()
) -> None:
    """The table on standard output, and in `results/<name>.md` with the machine and the time it was made."""
    page(name, title, [*table(columns, rows), "", *(f"* {note}" for note in notes)])


def page(name: str, title: str, lines: Sequence[str]) -> None:
    """The same for a page that is more than one table. The last lines are a list of notes."""
    made = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python {platform.python_version()}, {_machine()}"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text("\n".join([f"# {title}", "", *lines, f"* Made {made}."]) + "\n")
    print("\n".join([title, "", *lines]), flush=True)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Markdown, aligned."""
    cells = [[str(cell) for cell in row] for row in (columns, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(columns))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]


def _machine() -> str:
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return f"{os.cpu_count()} cores of {models[0].partition(': ')[2] if models else platform.machine()}"
