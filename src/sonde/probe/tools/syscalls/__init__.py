"""syscalls: which system call is slow, and from which line, see docs/tools/syscalls.md.

The functions of the C library that may wait are timed where the program and its libraries call them: in the slots that
the loader has filled with their addresses (native/tools/syscalls). No privilege is needed.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sonde.probe.tools.syscalls.remote import Syscalls

__all__ = ["Syscalls"]


def __getattr__(name: str) -> object:
    """`Syscalls`, imported when somebody asks: a watch that always stands needs less."""
    if name == "Syscalls":
        from sonde.probe.tools.syscalls.remote import Syscalls

        return Syscalls
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
