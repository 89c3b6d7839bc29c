"""Unsent spans get their last chance wherever a process of the user ends. Both implementations call this one.

`atexit` covers the plain process and a forked child that ends through `sys.exit`. A child of `multiprocessing` ends
by `os._exit` after running its own finalizers, so there the flush is one of those. A process that SIGTERM ends
without a word of Python's is the native core's affair, see native/sending/termination.h. Nothing can be done for
`os._exit` called by the user: it hangs on nothing, and loses what is younger than the flush interval.
"""

from __future__ import annotations

import atexit
import importlib
import os
import sys

TYPE_CHECKING = False  # typing's own would cost each process of the user an import of typing
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_LAST = -1000  # finalizers with a lower priority run later; the user's own may finish spans

_armed: set[int] = set()
"""The process that has its finalizer. A forked child inherits the set, and not the finalizer."""


def at_exit(flush: Callable[[], object]) -> None:
    """Run `flush` when the interpreter ends. Asked twice for the same function, it runs once."""
    atexit.unregister(flush)
    atexit.register(flush)


def in_main_interpreter() -> bool:
    """Whether this is not a sub-interpreter. Before 3.12, to be asked in the process's first thread."""
    import _thread

    asked = getattr(_thread, "_is_main_interpreter", None)  # from 3.12 on
    if asked is not None:
        return bool(asked())
    signals: Any = importlib.import_module("_signal")
    # Asking _xxsubinterpreters for the current one would end it, when nobody else holds it any more.
    try:
        signals.signal(signals.SIGTERM, object())  # refused; why is the answer
    except ValueError:
        return False
    except TypeError:
        return True
    return True


def in_this_process(flush: Callable[[], object]) -> None:
    """Called when a sender starts: at the first finished span of a process, it is known what kind of process it is."""
    process = sys.modules.get("multiprocessing.process")
    if process is None or process.parent_process() is None or os.getpid() in _armed:
        return
    _armed.clear()
    _armed.add(os.getpid())
    from multiprocessing.util import Finalize

    Finalize(None, flush, exitpriority=_LAST)
