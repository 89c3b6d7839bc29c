"""asyncio: records how late an event loop gets to what is due, as metrics `sonde.event_loop.lag.max` and `.mean`.

A timer in each running loop, twice a second. Makes no spans. Never records anything of tasks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe.guard import fault
from sonde.probe.plugins.plugin import Plugin
from sonde.probe.runtime import runtime

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY_S = 0.5


class Timer:
    """Comes again and again while its loop runs, and notes how late it is."""

    def __init__(self, loop: Any) -> None:
        self._loop = loop
        self._due = loop.time() + EVERY_S
        self._handle = loop.call_at(self._due, self._came)

    def _came(self) -> None:
        try:
            now = self._loop.time()
            runtime.loop_lag.add(max(0.0, now - self._due))
            self._due = now + EVERY_S
            self._handle = self._loop.call_at(self._due, self._came)
        except Exception:
            fault("asyncio.timer")

    def cancel(self) -> None:
        """The loop has stopped."""
        self._handle.cancel()


def run_forever(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """All ways to run a loop lead through here."""

    def call(self: Any) -> Any:
        timer = None
        try:
            if not self.is_running() and not self.is_closed():
                timer = Timer(self)
        except Exception:
            fault("asyncio.run_forever")
        try:
            return wrapped(self)
        finally:
            if timer is not None:
                try:
                    timer.cancel()
                except Exception:
                    fault("asyncio.run_forever")

    return call


PLUGIN = Plugin(
    library="python", supports=">=3.11", points={"asyncio.base_events:BaseEventLoop.run_forever": run_forever}
)
