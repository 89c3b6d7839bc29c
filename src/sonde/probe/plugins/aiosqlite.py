"""aiosqlite: no spans of its own. Those of sqlite3, made in the connection's thread, belong to the caller's.

Records and never records what sqlite3's plugin does. A span begins when the connection's thread turns to the statement:
waiting for earlier ones is not part of it.
"""

from __future__ import annotations

from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.plugins.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Callable


def _in_callers_context(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Around what hands a function to the thread: it runs there in a copy of the caller's context."""

    def call(self: Any, fn: Any, *args: Any, **kwargs: Any) -> Any:
        run = None
        try:
            if core.current() is not None:
                run = copy_context().run
        except Exception:
            fault("aiosqlite.execute")
        return wrapped(self, fn, *args, **kwargs) if run is None else wrapped(self, run, fn, *args, **kwargs)

    return call


PLUGIN = Plugin(
    library="aiosqlite",
    supports=">=0.17,<1",
    points={"aiosqlite.core:Connection._execute": _in_callers_context},
)
