"""Watches that stand all the time, by settings: what they find becomes events on the timeline."""

from __future__ import annotations

import sys

from sonde.probe.guard import fault
from sonde.probe.tools.tool import ToolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def begin(stalls_ms: float, syscalls_ms: float) -> None:
    """Those that are above 0. One that cannot stand here says so on standard error, and the rest goes on."""
    if stalls_ms:
        _try("stalls_threshold_ms", lambda: _stalls(stalls_ms))
    if syscalls_ms:
        _try("syscalls_threshold_ms", lambda: _syscalls(syscalls_ms))


def end() -> None:
    """All of them."""
    for name in ("stalls", "syscalls"):
        if module := sys.modules.get(f"sonde.probe.tools.{name}.watch"):
            try:
                module.watch.end(module.stay)
            except Exception:
                fault(f"{name}.end")


def _stalls(threshold_ms: float) -> None:
    from sonde.probe.tools.stalls.watch import stay, watch

    watch.begin(stay, threshold_ms)


def _syscalls(threshold_ms: float) -> None:
    from sonde.probe.tools.syscalls.watch import stay, watch

    watch.begin(stay, threshold_ms)


def _try(setting: str, stand: Callable[[], None]) -> None:
    try:
        stand()
    except ToolError as error:
        print(f"sonde: {setting}: {error}", file=sys.stderr)  # noqa: T201 - what was asked for is not done
    except Exception:
        fault(f"standing.{setting}")
