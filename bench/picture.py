"""Horizontal bars on a logarithmic scale, as an SVG that can be read on light and dark pages."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

WIDTH, NAMES, RIGHT = 860, 210, 70
"""Of the whole, of the names on the left, of the room for a figure behind the longest bar."""
BAR, GAP, HEAD, FOOT = 13, 14, 64, 34
COLOURS = ("ours", "theirs")

STYLE = """
text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2933; }
.title { font-size: 15px; font-weight: 600; }
.quiet { fill: #5f6c7b; font-size: 11px; }
.line { stroke: #d5dbe2; }
.ours0 { fill: #0f766e; } .ours1 { fill: #5fb8ae; } .theirs0 { fill: #64748b; } .theirs1 { fill: #b3bdca; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6eaef; } .quiet { fill: #9aa7b5; } .line { stroke: #3a4552; }
  .ours0 { fill: #2dd4bf; } .ours1 { fill: #11766c; } .theirs0 { fill: #94a3b8; } .theirs1 { fill: #4b5a6c; }
}
"""


def bars(
    path: Path,
    title: str,
    series: Sequence[str],
    rows: Sequence[tuple[str, Sequence[float | None]]],
    ours: AbstractSet[str],
    least: float = 0.5,
) -> None:
    """Write the picture. A row is a name and a value for each of the series; None: there is none.

    What is smaller than `least` gets a bar of no length and is said to be below it.
    """
    values = [value for _, some in rows for value in some if value is not None]
    most = 10 ** math.ceil(math.log10(max(values)))
    scale = (WIDTH - NAMES - RIGHT) / math.log10(most / least)
    height = HEAD + len(rows) * (len(series) * BAR + GAP) + FOOT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<text class="title" x="0" y="18">{escape(title)}</text>',
        *_legend(series),
        *_grid(least, most, scale, height),
    ]
    top = HEAD
    for name, some in rows:
        colour = "ours" if name in ours else "theirs"
        middle = top + len(series) * BAR / 2 + 4
        lines.append(f'<text x="{NAMES - 10}" y="{middle:.0f}" text-anchor="end">{escape(name)}</text>')
        for number, value in enumerate(some):
            y = top + number * BAR
            lines += _bar(f"{colour}{number}", y, value, least, scale)
        top += len(series) * BAR + GAP
    path.write_text("\n".join([*lines, "</svg>"]) + "\n")


def _legend(series: Sequence[str]) -> list[str]:
    lines = []
    x = 0
    for number, name in enumerate(series):
        for place, colour in enumerate(COLOURS):
            lines.append(f'<rect class="{colour}{number}" x="{x + place * 12}" y="31" width="10" height="10"/>')
        lines.append(f'<text class="quiet" x="{x + 28}" y="40">{escape(name)}</text>')
        x += 44 + 7 * len(name)
    return lines


def _grid(least: float, most: float, scale: float, height: int) -> list[str]:
    lines = []
    power = math.ceil(math.log10(least))
    while 10**power <= most:
        x = NAMES + math.log10(10**power / least) * scale
        lines.append(f'<line class="line" x1="{x:.1f}" x2="{x:.1f}" y1="{HEAD - 8}" y2="{height - FOOT + 4}"/>')
        lines.append(f'<text class="quiet" x="{x:.1f}" y="{height - 12}" text-anchor="middle">{10**power:g} µs</text>')
        power += 1
    return lines


def _bar(colour: str, y: float, value: float | None, least: float, scale: float) -> list[str]:
    if value is None:
        return [f'<text class="quiet" x="{NAMES + 4}" y="{y + BAR - 3}">not measured</text>']
    length = max(0.0, math.log10(value / least) * scale) if value > 0 else 0.0
    said = f"{value:.1f}" if least <= value < 100 else f"{value:.0f}" if value >= 100 else f"below {least:g}"
    return [
        f'<rect class="{colour}" x="{NAMES}" y="{y}" width="{length:.1f}" height="{BAR - 2}" rx="1.5"/>',
        f'<text class="quiet" x="{NAMES + length + 5:.1f}" y="{y + BAR - 3}">{said}</text>',
    ]
