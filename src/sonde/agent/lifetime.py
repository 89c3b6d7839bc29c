"""When the agent ends: at SIGTERM or SIGINT, with the process it was started for, or with a fault of its own."""

from __future__ import annotations

import logging
import os
import select
import signal
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

log = logging.getLogger(__name__)

LINGER_LOOK_S = 0.25


class Lifetime:
    """Entered first and in the main thread, so that no signal during the start is missed.

    `companion` is the pid of the process the agent serves. Then SIGINT is left to it: the Ctrl-C of a terminal reaches
    both, and the agent has to outlive what it serves.
    """

    def __init__(self, companion: int | None) -> None:
        self._companion = companion
        self._fault = False

    def __enter__(self) -> Self:
        self._asked, self._ask = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._watched: int | None = None
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal if self._companion is None else signal.SIG_IGN)
        threading.excepthook = self._on_thread_fault
        if self._companion is not None:
            with suppress(ProcessLookupError):  # it has ended already: None says so
                self._watched = os.pidfd_open(self._companion)
        return self

    def __exit__(self, *_: object) -> None:
        # The handlers stay: a second SIGTERM must not break off the flush that the first one asked for.
        if self._watched is not None:
            os.close(self._watched)

    def wait(self, probes_connected: Callable[[], int]) -> bool:
        """Until the end. With a companion: until it is gone and no probe is connected any more. False after a fault."""
        if self._companion is None:
            select.select([self._asked], [], [])
            return not self._fault
        if self._watched is not None and self._asked in select.select([self._asked, self._watched], [], [])[0]:
            return not self._fault
        while probes_connected() and not select.select([self._asked], [], [], LINGER_LOOK_S)[0]:
            pass
        return not self._fault

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the interpreter's signature
        self._wake()

    def _on_thread_fault(self, fault: threading.ExceptHookArgs) -> None:
        """A part has died: an agent that is deaf or mute must end, so that whoever supervises it starts another."""
        exc_value = fault.exc_value
        log.critical("%s has failed", fault.thread.name if fault.thread else "a thread", exc_info=exc_value)
        self._fault = True
        self._wake()

    def _wake(self) -> None:
        with suppress(BlockingIOError):  # full of earlier requests
            os.write(self._ask, b"!")
