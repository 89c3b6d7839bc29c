"""leaks: which line keeps memory after each request, see docs/tools/leaks.md.

Requests are loops: what one allocates and what still lives after the next has ended is told, by line and type. The
hooks are C (native/tools/leaks); there is no Python twin, since the allocator cannot be watched from Python.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sonde.probe.tools.leaks.remote import Leaks

__all__ = ["Leaks"]


def __getattr__(name: str) -> object:
    """`Leaks`, imported when somebody asks: the pytest plugin of this folder is imported by every pytest."""
    if name == "Leaks":
        from sonde.probe.tools.leaks.remote import Leaks

        return Leaks
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
