"""Unsent spans get their last chance wherever a process of the user ends. Both implementations call this one.

`atexit` covers the plain process and a forked child that ends through `sys.exit`. A child of `multiprocessing` ends
by `os._exit` after running its own finalizers, so there the flush is one of those. Nothing can be done for `os._exit`
called by the user: it hangs on nothing, and loses what is younger than the flush interval.
"""

from __future__ import annotations

import atexit
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LAST = -1000  # finalizers with a lower priority run later; the user's own may finish spans

_armed: set[int] = set()
"""The process that has its finalizer. A forked child inherits the set, and not the finalizer."""


def at_exit(flush: Callable[[], object]) -> None:
    """Run `flush` when the interpreter ends. Asked twice for the same function, it runs once."""
    atexit.unregister(flush)
    atexit.register(flush)


def in_this_process(flush: Callable[[], object]) -> None:
    """Called when a sender starts: at the first finished span of a process, it is known what kind of process it is."""
    process = sys.modules.get("multiprocessing.process")
    if process is None or process.parent_process() is None or os.getpid() in _armed:
        return
    _armed.clear()
    _armed.add(os.getpid())
    from multiprocessing.util import Finalize

    Finalize(None, flush, exitpriority=_LAST)
