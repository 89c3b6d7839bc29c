"""What a run found, as text for people: any tool's summary, as lines and tables."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MAX_ROWS = 30
MAX_LINES = 60
_NARROWEST = 60
_NAMES = ("id", "line", "port", "fd", "errno")
"""Numbers that are names, and count nothing."""
_SCALES = (("_ns", 1.0), ("_us", 1e3), ("_ms", 1e6), ("_s", 1e9))


class Page:
    """Text of `width` columns, where what is shown has that little."""

    def __init__(self, width: int) -> None:
        self._width = max(width, _NARROWEST)

    def processes(self, items: list[dict[str, Any]]) -> str:
        """A table of them."""
        wanted = ("pid", "service", "command", "language", "probe_version", "recorder", "agent")
        natives = {True: "native", False: "python", None: ""}
        return "\n".join(self._table([{**item, "recorder": natives[item.get("native")]} for item in items], wanted))

    def tools(self, states: list[dict[str, Any]]) -> str:
        """What each can do, and what is in the way."""
        lines: list[str] = []
        for state in states:
            mark, name = ("✓" if state.get("available") else "✗"), str(state.get("name"))
            running = ", runs now" if state.get("running") else ""
            lines += self._wrapped(f"{mark} {name}{running}", 0)
            for word, label in (
                ("why_not", ""),
                ("unlock", "to unlock it: "),
                ("exact", "exact: "),
                ("approximate", "approximate: "),
            ):
                if state.get(word):
                    lines += self._wrapped(f"{label}{state[word]}", 4)
            for option, facts in dict(state.get("options") or {}).items():
                known = facts if isinstance(facts, dict) else {"default": facts}
                choices = f", one of {', '.join(known['choices'])}" if known.get("choices") else ""
                text = f"--option {option}={known.get('default', '')}{choices}: {known.get('doc', '')}"
                lines += self._wrapped(text, 4, hang=4)
        return "\n".join(lines)

    def result(self, document: dict[str, Any], files: list[Path]) -> str:
        """Head, summary, notes, and where the files are."""
        who = " ".join(str(document[key]) for key in ("service", "instance") if document.get(key))
        head = f"{document.get('tool')} of process {document.get('pid')}"
        lines = [plain(f"{head}  {who}".rstrip())]
        python = f", Python {document['python']}" if document.get("python") else ""
        lines.append(plain(f"{document.get('started_at')}, {document.get('seconds')} s{python}"))
        summary = document.get("summary")
        if isinstance(summary, dict) and summary:
            lines += ["", *self._object(summary, 0)]
        notes = document.get("notes")
        if isinstance(notes, list) and notes:
            lines.append("")
            for note in notes:
                lines += self._wrapped(f"· {plain(note)}", 0, hang=2)
        if files:
            lines += ["", *(f"→ {path}" for path in files)]
        return "\n".join(lines)

    def _object(self, values: dict[str, Any], indent: int) -> Iterator[str]:
        """Plain values first, then texts of many lines, objects and tables."""
        single = {key: value for key, value in values.items() if not _is_large(value) and value not in ("", [], None)}
        widest = max(map(len, map(_label, single)), default=0)
        for key, value in single.items():
            yield from self._wrapped(f"{_label(key):<{widest}}  {shown(key, value)}", indent, hang=widest + 2)
        for key, value in values.items():
            if _is_large(value) and value:
                yield ""
                yield f"{' ' * indent}{_label(key)}"
                yield from self._large(value, indent + 2)

    def _large(self, value: Any, indent: int) -> Iterator[str]:
        pad = " " * indent
        if isinstance(value, str):
            lines = value.splitlines()
            yield from (pad + plain(line) for line in lines[:MAX_LINES])
            yield from _more(len(lines) - MAX_LINES, pad)
        elif isinstance(value, dict):
            yield from self._object(value, indent)
        elif all(isinstance(row, dict) for row in value):
            yield from (pad + line for line in self._table(value[:MAX_ROWS], room=self._width - indent))
            yield from _more(len(value) - MAX_ROWS, pad)
        else:
            yield from (f"{pad}{_cell('', entry)}" for entry in value[:MAX_ROWS])
            yield from _more(len(value) - MAX_ROWS, pad)

    def _table(self, rows: list[dict[str, Any]], wanted: Iterable[str] = (), room: int = 0) -> Iterator[str]:
        """Of what each row has that is plain; what is in a row besides stands below it."""
        large = {key for row in rows for key, value in row.items() if _is_large(value)}
        known = dict.fromkeys(key for row in rows for key in row if key not in large)
        keys = [key for key in (wanted or known) if any(row.get(key) not in (None, "", []) for row in rows)]
        cells = [[_label(key) for key in keys], *([_cell(key, row.get(key)) for key in keys] for row in rows)]
        widths = [max(len(line[at]) for line in cells) for at in range(len(keys))]
        _narrow(widths, (room or self._width) - 2 * len(keys))
        numbers = [all(isinstance(row.get(key), int | float | None) for row in rows) for key in keys]
        for number, line in enumerate(cells):
            padded = (
                cut(cell, width).rjust(width) if right else cut(cell, width).ljust(width)
                for cell, width, right in zip(line, widths, numbers, strict=True)
            )
            yield "  ".join(padded).rstrip()
            if number:
                for key, value in rows[number - 1].items():
                    if _is_large(value) and value:
                        yield f"    {_label(key)}"
                        yield from self._large(value, 6)

    def _wrapped(self, text: str, indent: int, hang: int = 0) -> list[str]:
        first, later = " " * indent, " " * (indent + hang)
        return textwrap.wrap(
            plain(text), self._width, initial_indent=first, subsequent_indent=later, break_on_hyphens=False
        ) or [""]


def shown(key: str, value: Any) -> str:
    """A value with the unit that its name ends with."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        for suffix, scale in _SCALES:
            if key.endswith(suffix):
                return _duration(value * scale)
        if key.endswith("bytes") or key == "size":
            return _size(value)
        if isinstance(value, float):
            return f"{value:,.3g}"
        return str(value) if key.endswith(_NAMES) else f"{value:,}"
    return "" if value is None else plain(value)


def cut(text: str, width: int) -> str:
    """At most `width` letters. What is cut off is the beginning: of a path, the end tells more."""
    return text if len(text) <= width else f"…{text[1 - width :]}"


def _duration(ns: float) -> str:
    for unit, scale in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if abs(ns) >= scale:
            return f"{ns / scale:.3g} {unit}" if abs(ns) < 1e3 * scale else f"{ns / scale:,.0f} {unit}"
    return f"{ns:.0f} ns"


def _size(value: float) -> str:
    for unit, scale in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if abs(value) >= scale:
            return f"{value / scale:.1f} {unit}"
    return f"{value:.0f} B"


def _is_large(value: Any) -> bool:
    return (
        isinstance(value, dict)
        or (isinstance(value, str) and "\n" in value.rstrip("\n"))
        or (isinstance(value, list) and any(isinstance(entry, dict | list) for entry in value))
        or (isinstance(value, list) and len(value) > 8)
    )


def _label(key: str) -> str:
    for suffix, _ in _SCALES:
        key = key.removesuffix(suffix)
    return plain(key.replace("_", " "))


def _cell(key: str, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(plain(entry) for entry in value)
    return "" if _is_large(value) else shown(key, value)


def plain(value: object) -> str:
    """No letter of what a process is called, or holds, moves the cursor of a terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in str(value))


def _narrow(widths: list[int], room: int) -> None:
    """Take from the widest until they fit."""
    while widths and sum(widths) > room and max(widths) > 12:
        widths[widths.index(max(widths))] -= 1


def _more(count: int, pad: str) -> Iterator[str]:
    if count > 0:
        yield f"{pad}… and {count:,} more"
