"""The supervisor's loop: start, restart, stop in order. Sleeps until something happens."""

from __future__ import annotations

import logging
import os
import selectors
import signal
import time
from typing import TYPE_CHECKING

from sonde.server.supervision.signals import STOP

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sonde.server.supervision.child import Child
    from sonde.server.supervision.signals import Signals

log = logging.getLogger(__name__)

HOPELESS_STARTS = 5
"""A child that ended so often in a row without ever having been ready will not heal by itself."""
_PRINTED_BYTES = 4096


class HopelessError(Exception):
    """A process of the server does not come up; its own output says why."""


class Watch:
    """Keeps `children` alive until a stop signal, then stops them last first. `on_ready` hears who is ready."""

    def __init__(self, children: Sequence[Child], signals: Signals, on_ready: Callable[[Child], None]) -> None:
        self._children = children
        self._signals = signals
        self._on_ready = on_ready
        self._selector = selectors.DefaultSelector()
        self._selector.register(signals.fileno(), selectors.EVENT_READ)

    def run(self) -> None:
        """Until a stop signal. Raises HopelessError. No child is left in either case."""
        try:
            while not self._wait(self._pause_s()) & STOP:
                self._look_after_children()
        finally:
            for child in reversed(self._children):
                self._stop(child)
            self._selector.close()

    def _pause_s(self) -> float | None:
        starts = [child.restart_at_s for child in self._children if child.restart_at_s is not None]
        return max(0.0, min(starts) - time.monotonic()) if starts else None

    def _wait(self, longest_s: float | None) -> set[signal.Signals]:
        """Sleep until a signal, a word of a child or `longest_s`; the signals that came."""
        for key, _ in self._selector.select(longest_s):
            if key.data is not None:
                self._listen_to(key.data, key.fd)
        return self._signals.arrived()

    def _listen_to(self, child: Child, output: int) -> None:
        said = os.read(output, _PRINTED_BYTES)
        if not said:
            self._selector.unregister(output)
        elif child.heard(said):
            self._on_ready(child)

    def _look_after_children(self) -> None:
        for child in self._children:
            if child.has_ended():
                self._stop_listening(child.output())
                child.schedule_restart(time.monotonic())
                if child.failures >= HOPELESS_STARTS and not child.was_ever_ready:
                    raise HopelessError(f"the {child.name} process does not come up; its messages stand above")
            if child.restart_at_s is not None and time.monotonic() >= child.restart_at_s:
                self._selector.register(child.start(time.monotonic()), selectors.EVENT_READ, child)

    def _stop_listening(self, output: int | None) -> None:
        if output is not None and output in self._selector.get_map():
            self._selector.unregister(output)

    def _stop(self, child: Child) -> None:
        """Ask, wait a bounded time, kill. A second stop signal does not wait."""
        self._stop_listening(child.output())
        child.signal(signal.SIGTERM)
        deadline_s = time.monotonic() + child.stop_within_s
        while not child.gone():
            left_s = deadline_s - time.monotonic()
            if left_s <= 0 or self._wait(left_s) & STOP:
                log.warning("the %s process did not stop in time and is killed", child.name)
                child.kill()
