"""Where in a program something was: frames of a stack, and which of them people want to see."""

from __future__ import annotations

from typing import NamedTuple

from sonde.probe.tools.leaks.library import is_library

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

MAX_STACK_TEXT = 4096
STACK_ROWS = 64


class Place(NamedTuple):
    """A frame, and the line that ran."""

    name: str
    file: str
    first_line: int
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.name}"


def own_line(path: Sequence[Place]) -> Place | None:
    """The innermost of the application's own, else the innermost."""
    return next((place for place in reversed(path) if not is_library(place.file)), path[-1] if path else None)


def stack_text(stack: Sequence[Place]) -> str:
    """The innermost frame first, a line each, at most MAX_STACK_TEXT bytes."""
    lines: list[str] = []
    room = MAX_STACK_TEXT
    for place in reversed(stack):
        line = f"{place.name} ({place.file}:{place.line})"
        room -= len(line.encode("utf-8", "replace")) + 1
        if room < 0:
            break
        lines.append(line)
    return "\n".join(lines)


def place_row(place: Place) -> dict[str, Any]:
    """As results have it."""
    return {"function": place.name, "file": place.file, "line": place.line}


def stack_rows(stack: tuple[Place, ...]) -> list[list[Any]]:
    """Function, file, line; the innermost first."""
    return [[place.name, place.file, place.line] for place in reversed(stack[-STACK_ROWS:])]
