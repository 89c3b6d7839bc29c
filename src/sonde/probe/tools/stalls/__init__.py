"""stalls: what blocks the event loop, see docs/tools/stalls.md.

Callbacks of asyncio's loops and iterations of uvloop's are timed in C; a native thread without the GIL looks at a loop
that has been busy for long, while it is (native/tools/stalls).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sonde.probe.tools.stalls.remote import Stalls

__all__ = ["Stalls"]


def __getattr__(name: str) -> object:
    """`Stalls`, imported when somebody asks: a watch that always stands needs less."""
    if name == "Stalls":
        from sonde.probe.tools.stalls.remote import Stalls

        return Stalls
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
