"""Children that do not outlive their parent, however it ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def dies_with_parent() -> Callable[[], None]:
    """For `preexec_fn`: the child gets SIGKILL when the thread that started it ends; kept over exec.

    Not SIGTERM: with the parent gone nobody would notice a child that hangs while it stops, and every process of the
    server is made to be killed at any moment. Linux only; elsewhere it does nothing.
    """
    if not sys.platform.startswith("linux"):
        return lambda: None
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # found before the fork: the child only calls it
    parent = os.getpid()

    def ask_for_the_signal() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask_for_the_signal
