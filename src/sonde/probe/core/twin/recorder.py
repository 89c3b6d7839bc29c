"""Whether this process records, and how: what `start` was told. One per process, renewed in a forked child."""

from __future__ import annotations

import _thread
import os
import sys
from typing import TYPE_CHECKING

from sonde.probe.core.twin import counting, ids, tally
from sonde.probe.core.twin.clock import Clock
from sonde.probe.core.twin.ring import Rings

if TYPE_CHECKING:
    from sonde.probe.core.twin.sender import Sender

PARK_WITHIN_S, PARK_AT_MOST_S = 0.02, 0.2
"""The longest that a fork waits for a slow agent, and for a processor."""


class Recorder:
    """The state all spans of the process share."""

    def __init__(self) -> None:
        self.on = False
        self.debug = False
        """Raise what is otherwise counted."""
        self.max_value_bytes = 1024
        self.ring_bytes = 1 << 20
        self.exit_flush_s = 0.5
        self.sampled_from = 0
        """A trace is sampled if the number of its id's last 56 bits is at least this."""
        self.slow_ns = float("inf")
        """A request of this length is kept."""
        self.follows_parent = True
        """A caller's decision on sampling is taken over."""
        self.opened = self.requests = self.requests_ended = 0
        self.generation = 0
        """Grows at each fork: a span that carries another number was opened by the parent."""
        self.clock = Clock()
        self.rings = Rings()
        self._forked_by_thread = False
        self.sender: Sender | None = None
        """None: finished spans stay in the rings until `drain`."""

    def finished(self, record: bytes) -> None:
        """Hand the encoded span to the sender's side."""
        ring = self.rings.mine()
        if ring is None:
            counting.count("dropped_no_ring")
            return
        sender = self.sender
        state = ring.put(record, self.ring_bytes)
        if state == ring.FULL:
            if sender is None or sender.connected:
                ring.dropped_ring_full += 1
            else:
                ring.dropped_no_agent += 1
        if sender is not None and (sender.asleep or (state == ring.FILLS_UP and sender.can_hurry)):
            sender.wake(urgent=state == ring.FILLS_UP)

    def tallied(self) -> None:
        """Something was counted and not written: see that there is a sender, who will ask for it."""
        if self.sender is not None and not self.sender.runs:
            self.sender.wake()

    def unencodable(self, error: TypeError) -> None:
        """Count what OTLP has no place for; raise it where the probe itself is being tested."""
        counting.count("unencodable_values")
        if self.debug:
            raise error

    def fault(self, error: Exception) -> None:
        """Count what our own code has raised, or the user's called by it; raise it where the probe is being tested."""
        counting.count("internal_errors")
        if self.debug:
            raise error

    def snapshot(self) -> dict[str, int]:
        """Every counter, by name."""
        counts = counting.snapshot()
        rings = self.rings.all
        counts["opened"] = self.opened
        counts["requests"], counts["requests_ended"] = self.requests, self.requests_ended
        counts["rings"] = len(rings)
        for name in ("finished", "dropped_ring_full", "dropped_no_agent"):
            counts[name] += sum(getattr(ring, name) for ring in rings)
        return counts

    def before_fork(self) -> None:
        """In the parent: end the sender's thread for a while."""
        self._forked_by_thread = _thread.get_native_id() != os.getpid()
        if self.sender is not None:
            self.sender.park(PARK_WITHIN_S, PARK_AT_MOST_S)

    def after_fork_in_parent(self) -> None:
        """Start it again: the agent may want something.

        Python 3.13 counts the threads it warns of only after this. There, the next span will do.
        """
        counted = sys.version_info[:2] != (3, 13) or self._forked_by_thread
        if counted and self.on and self.sender is not None:
            self.sender.resume()

    def after_fork_in_child(self) -> None:
        """In the child: what is unsent is the parent's, the sender's thread and everybody else's are gone."""
        self.generation += 1
        self.opened = self.requests = self.requests_ended = 0
        ids.reseed()
        counting.reset()
        tally.forget()
        self.rings = Rings()
        if self.sender is not None:
            self.sender.forget()
            self.sender = self.sender.for_child(by_thread=self._forked_by_thread)


recorder = Recorder()
os.register_at_fork(
    before=recorder.before_fork,
    after_in_parent=recorder.after_fork_in_parent,
    after_in_child=recorder.after_fork_in_child,
)
