"""One line that says how a run goes, on a terminal; nothing elsewhere."""

from __future__ import annotations

import shutil
import sys
from typing import Any

from sonde.cli.debugging.page import cut, plain


class Progress:
    """Writes to standard error; `over` clears the line."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty()
        self._shown = 0

    def say(self, text: str) -> None:
        """In place of what was said before."""
        if not self._on:
            return
        width = shutil.get_terminal_size((80, 24)).columns - 1
        line = cut(plain(text), width)
        print(f"\r{line}{' ' * (self._shown - len(line))}", end="", file=sys.stderr, flush=True)
        self._shown = len(line)

    def event(self, event: dict[str, Any]) -> None:
        """Of a run."""
        if event["event"] == "started":
            self.say(f"{event.get('tool')} runs in process {event.get('pid')}; Ctrl-C ends it early")
        elif event["event"] == "progress":
            note = f" · {event['note']}" if event.get("note") else ""
            self.say(f"{event.get('seconds')} of {event.get('of')} s{note}")

    def over(self) -> None:
        """Nothing more is said."""
        self.say("")
        if self._on:
            print("\r", end="", file=sys.stderr, flush=True)
