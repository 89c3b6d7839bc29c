"""The findings as text for people, at any width, and as JSON for machines."""

from __future__ import annotations

import shlex
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sonde.cli.checkup.findings import Finding, Row
    from sonde.cli.checkup.outcome import Outcome

_COLOURS = {"title": "1", "good": "32", "bad": "31", "warning": "33", "pale": "2"}
_KINDS = {"": "good", "refused": "bad", "failed": "bad", "off": "warning", "no call": "pale", "not imported": "pale"}
_NARROWEST = 40
_HEAD = ("library", "version", "signal", "")


class Page:
    """Text of at most `width` columns where words allow it; `colour` for a terminal."""

    def __init__(self, width: int, *, colour: bool) -> None:
        self._width = max(width, _NARROWEST)
        self._colour = colour

    def text(self, outcome: Outcome) -> str:
        """All of it."""
        lines = [*self._wrapped(f"sonde doctor: {shlex.join(outcome.command)}", 0, "title")]
        lines += self._wrapped(outcome.summary, 2)
        for finding in outcome.findings:
            lines += ["", *self._process(finding)]
        lines.append("")
        if outcome.findings:
            lines += self._everywhere(outcome.findings)
        for trouble in outcome.missing:
            lines += self._wrapped(f"✗ {trouble}", 0, "bad", hang=2)
        for note in outcome.notes:
            lines += self._wrapped(f"· {note}", 0, hang=2)
        if outcome.code == 0:
            lines += self._wrapped(f"✓ {outcome.praise}", 0, "good", hang=2)
        return "\n".join(lines)

    def _everywhere(self, findings: list[Finding]) -> Iterator[str]:
        """What would be the same line for many processes."""
        with_probe = [set(finding.not_imported) for finding in findings if finding.probe == "running"]
        if nowhere := sorted(set.intersection(*with_probe)) if with_probe else []:
            yield from self._wrapped(f"not imported by any process: {', '.join(nowhere)}", 0, "pale", hang=2)
        mends = {row.mend for finding in findings for row in finding.rows if row.cause == "no call" and row.mend}
        for mend in sorted(mends):
            yield from self._wrapped(f"to see more: {mend}", 0, "pale", hang=2)

    def _process(self, finding: Finding) -> Iterator[str]:
        name = _shortened(shlex.join(finding.command) or "?", self._width)
        yield from self._wrapped(f"{finding.pid}  {name}", 0, "title", hang=2)
        spans = ", ".join(f"{count} {kind}" for kind, count in sorted(finding.spans.items()))
        yield from self._wrapped(f"{finding.made}; {finding.requests} requests answered; spans: {spans or 'none'}", 2)
        if finding.probe == "running":
            yield from self._wrapped(f"probe: running ({finding.core})", 2)
        else:
            yield from self._wrapped(f"probe: {'off' if finding.probe == 'off' else 'none'}: {finding.why}", 2, "bad")
            yield from self._wrapped(f"mend: {finding.mend}", 4)
        yield from self._rows(finding.rows)

    def _rows(self, rows: list[Row]) -> Iterator[str]:
        cells = (
            [_HEAD, *((row.library, row.version, row.signal, "seen" if row.seen else "not seen") for row in rows)]
            if rows
            else []
        )
        widths = [max(len(line[at]) for line in cells) for at in range(4)] if rows else []
        for at, line in enumerate(cells):
            row = rows[at - 1] if at else None
            padded = "  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            kind = _KINDS[row.cause] if row else "pale"
            why = row.why if row else "why"
            room = self._width - len(padded) - 2
            if len(why) <= room:
                yield self._painted(f"{padded}  {why}".rstrip(), kind)
            else:
                yield self._painted(padded.rstrip(), kind)
                yield from self._wrapped(why, 6, kind)
            if row and row.mend and kind in {"bad", "warning"}:
                yield from self._wrapped(f"mend: {row.mend}", 6)

    def _wrapped(self, text: str, indent: int, kind: str = "", hang: int = 0) -> list[str]:
        first, later = " " * indent, " " * (indent + hang)
        lines = textwrap.wrap(text, self._width, initial_indent=first, subsequent_indent=later, break_on_hyphens=False)
        return [self._painted(line, kind) for line in lines]

    def _painted(self, text: str, kind: str) -> str:
        if not self._colour or kind not in _COLOURS:
            return text
        return f"\x1b[{_COLOURS[kind]}m{text}\x1b[0m"


def document(outcome: Outcome) -> dict[str, Any]:
    """For `--json`."""
    return {
        "command": outcome.command,
        "code": outcome.code,
        "summary": outcome.summary,
        "missing": outcome.missing,
        "notes": outcome.notes,
        "requests": [
            {"to": str(made.place), "path": made.path, "pid": made.pid, "status": made.status, "error": made.error}
            for made in outcome.visits
        ],
        "processes": [asdict(finding) for finding in outcome.findings],
    }


def _shortened(text: str, width: int) -> str:
    """Long command lines end in dots."""
    text = " ".join(text.split())
    most = max(width * 2 - 20, 60)
    return text if len(text) <= most else f"{text[:most]}…"
