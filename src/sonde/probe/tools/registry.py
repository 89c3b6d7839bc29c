"""The tools there are, by name. A tool's module is imported when somebody asks for that tool; one that cannot be
imported, or cannot say what it can do, is unavailable, and the others never notice.
"""

from __future__ import annotations

import importlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from sonde.probe.tools.tool import State, ToolError

if TYPE_CHECKING:
    from sonde.probe.tools.tool import Tool

TOOLS = {
    "cpu": "sonde.probe.tools.cpu:Cpu",
    "calls": "sonde.probe.tools.calls:Calls",
    "leaks": "sonde.probe.tools.leaks:Leaks",
    "stalls": "sonde.probe.tools.stalls:Stalls",
    "syscalls": "sonde.probe.tools.syscalls:Syscalls",
    "stacks": "sonde.probe.tools.stacks:Stacks",
    "heap": "sonde.probe.tools.heap:Heap",
}


def load(name: object) -> type[Tool]:
    """The tool's class. Raises ToolError: `unknown_tool`, `unavailable`."""
    if not isinstance(name, str) or name not in TOOLS:
        raise ToolError("unknown_tool", f"there is no tool {str(name)[:60]!r}: only {', '.join(TOOLS)}")
    module, _, attribute = TOOLS[name].partition(":")
    try:
        return cast("type[Tool]", getattr(importlib.import_module(module), attribute))
    except Exception as error:  # whatever a module does when it is imported
        raise ToolError("unavailable", f"{name} cannot be loaded: {said(error)}") from error


def state(tool: type[Tool]) -> State:
    """What it can do now; unavailable where it cannot tell."""
    try:
        return tool.state()
    except Exception as error:
        return State(available=False, why_not=f"it cannot tell what it can do: {said(error)}")


def states(running: set[str]) -> list[dict[str, Any]]:
    """Every tool's state, as in the event `tools`."""
    found: list[dict[str, Any]] = []
    for name in list(TOOLS):
        facts: dict[str, Any] = {"name": name, "options": {}, "running": name in running}
        try:
            tool = load(name)
            options = {key: asdict(option) for key, option in tool.options.items()}
            now = state(tool)
            facts |= {"options": options, "heavy": tool.heavy, "at_once": tool.at_once}
        except Exception as error:
            now = State(available=False, why_not=str(error) if isinstance(error, ToolError) else said(error))
        found.append(facts | asdict(now))
    return found


def said(error: BaseException) -> str:
    """Type and text, within bounds, also of one whose text cannot be had."""
    try:
        return f"{type(error).__name__}: {error}"[:500]
    except Exception:
        return type(error).__name__
