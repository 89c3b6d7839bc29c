"""Takes finished spans out of the rings and to the agent, in a thread of its own that starts at the first span.

It looks each flush interval while there is traffic, sleeps without a wake-up where there is none, and retries with
growing pauses where there is no agent. The native side is native/sender.c: a thread that never takes the GIL.
"""

from __future__ import annotations

import json
import os
import random
import threading
from dataclasses import dataclass
from threading import Condition, RLock, Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING

from sonde.probe.core import exits
from sonde.probe.core.twin import counting, tick
from sonde.probe.core.twin.connection import Connection
from sonde.wire.frames import Kind, frame
from sonde.wire.protobuf import message, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.core.twin.recorder import Recorder
    from sonde.probe.core.twin.ring import Ring

MAX_BATCH_BYTES = 1 << 20
QUIET_LOOKS = 10
"""Looks that find nothing before the sender sleeps until it is woken."""
RETRY_FIRST_S, RETRY_MOST_S = 0.1, 5.0
STATUS_EVERY_S = 10.0
SCHEMA_URL = "https://opentelemetry.io/schemas/1.30.0"

_OWN_TRAFFIC = frozenset({"sent_bytes", "sent_frames"})  # a STATUS frame is no news for the next one


@dataclass
class Target:
    """Where spans go and what introduces them."""

    socket_path: str
    hello: dict[str, object]
    flush_interval_s: float
    resource: bytes
    """ResourceSpans.resource as field 1. Replaced when the service's name is learned."""
    scope: bytes
    """ScopeSpans.scope as field 1."""
    exit_flush: Callable[[], object]


class Sender:
    """One thread and one connection. After a fork the child makes another with `for_child`."""

    def __init__(self, recorder: Recorder, target: Target) -> None:
        self.target = target
        self.asleep = True
        """Whoever finishes a span has to call `wake`."""
        self._recorder = recorder
        self._connection = Connection(target.socket_path)
        self._thread: Thread | None = None
        # Reentrant: a signal handler or a finalizer may finish a span while its own thread is in here.
        self._changed = Condition(RLock())
        self._urgent = self._last = False
        self._stopping = self._parking = False
        self._asked = self._answered = 0
        self._stop_by = float("inf")
        self._flushed = False
        self._retry_s, self._retry_at = RETRY_FIRST_S, 0.0
        self._status_at = 0.0
        self._reported: dict[str, int] = dict.fromkeys(counting.NAMES, 0)

    @property
    def connected(self) -> bool:
        """Whether there is an agent."""
        return self._connection.is_open

    @property
    def can_hurry(self) -> bool:
        """Whether it is worth telling that a ring fills up."""
        return self._connection.is_open and not self._urgent

    def wake(self, *, urgent: bool = False) -> None:
        """Start the thread, or end its sleep; if `urgent`, its pause as well."""
        with self._changed:
            self.asleep = False
            self._urgent = self._urgent or urgent
            if self._thread is None:
                self._start()
            else:
                self._changed.notify_all()

    def flush(self, timeout_s: float, *, last: bool = False) -> bool:
        """Send what is in the rings. True: all of it went. Gives up early where no agent answers.

        `last`: the process is ending, the counters are sent as well.
        """
        if self._thread is None and self._recorder.rings.empty() and tick.first() is None:
            return True
        with self._changed:
            self._asked += 1
            mine = self._asked
            self._last = self._last or last
            self.wake()
            answered = self._changed.wait_for(lambda: self._answered >= mine, timeout_s)
            return answered and self._flushed

    def stop(self, timeout_s: float) -> None:
        """Send what is in the rings and end the thread."""
        with self._changed:
            thread = self._thread
            self._stopping = True
            self._stop_by = monotonic() + timeout_s
            self._changed.notify_all()
        if thread is not None:
            thread.join()  # it gives up at that time, or a slice of time later
        self._connection.close()

    def park(self, timeout_s: float) -> None:
        """Before a fork: send what is in the rings and end the thread, but keep the connection.

        A process with threads is one that Python 3.12 warns of forking. Where it is not done in time (the agent does
        not read), the thread goes on. The next finished span or flush starts another.
        """
        until = monotonic() + timeout_s
        with self._changed:
            thread = self._thread
            if thread is None:
                return
            self._parking = True
            self._changed.notify_all()
            ended = self._changed.wait_for(lambda: self._thread is None, timeout_s)
            self._parking = False
        if ended:
            thread.join()
            task = f"/proc/self/task/{thread.native_id}"
            while os.path.exists(task) and monotonic() < until:  # noqa: PTH110 - a thread joined may still be going
                sleep(0.0002)

    @property
    def runs(self) -> bool:
        """Whether there is a thread."""
        return self._thread is not None

    def forget(self) -> None:
        """In a forked child: what waits beside spans is the parent's."""
        tick.forget()

    def for_child(self) -> Sender:
        """In a forked child: another sender for the same target. The parent's socket is closed on this side only."""
        self._connection.close()
        return Sender(self._recorder, self.target)

    def _start(self) -> None:
        thread = Thread(target=self._run, name="sonde-sender", daemon=True)
        self._thread = thread
        try:
            exits.in_this_process(self.target.exit_flush)
            thread.start()
        except RuntimeError:  # the interpreter is ending, or the system has no thread left
            counting.count("start_errors")
            self._thread = None
            self.asleep = True

    def _run(self) -> None:
        quiet = 0
        while True:
            with self._changed:
                quiet = self._pause(quiet)
                asked, stopping = self._asked, self._stopping
                last = stopping or self._last
                self._urgent = self._last = False
            flushing = stopping or self._parking or asked > self._answered
            if not flushing:
                tick.if_due()
            for kind, payload in self._connection.receive():
                tick.heard(kind, payload)
            sent, emptied = self._send_all(flushing=flushing)
            emptied = self._send_extras(at_once=flushing and not sent) and emptied
            self._report(at_once=last)
            quiet = 0 if sent or not emptied else quiet + 1
            with self._changed:
                self._answered, self._flushed = asked, emptied
                if flushing and self._asked == asked and (self._stopping or self._parking):
                    self._thread = None
                    self.asleep = True
                self._changed.notify_all()
                if self._thread is None:
                    return

    def _pause(self, quiet: int) -> int:
        """Wait until there is a reason to look. Returns how many looks in a row found nothing."""
        if self._wanted():
            return quiet
        if quiet < QUIET_LOOKS:
            pause = max(self.target.flush_interval_s, self._retry_at - monotonic())
            self._changed.wait_for(lambda: self._wanted() or self._hurry(), pause)
            return quiet
        self.asleep = True
        if self._recorder.rings.empty():
            dues = [tick.due_at()] + ([self._status_at] if self._status_is_due() else [])
            until = min(min(dues) - monotonic(), threading.TIMEOUT_MAX)
            self._changed.wait_for(lambda: not self.asleep or self._wanted(), until)
        self.asleep = False
        # The first span after a sleep waits an interval for others.
        self._changed.wait_for(lambda: self._wanted() or self._hurry(), self.target.flush_interval_s)
        return 0

    def _wanted(self) -> bool:
        return self._stopping or self._parking or self._asked > self._answered

    def _hurry(self) -> bool:
        return self._urgent and self._connection.is_open

    def _send_all(self, *, flushing: bool) -> tuple[bool, bool]:
        """Send frames until the rings are empty. Returns whether any went, and whether all did."""
        sent = broke = False
        while not self._recorder.rings.empty():
            # After a break one more attempt is made at once: the agent may have been started anew meanwhile.
            if not self._connected(at_once=broke or (flushing and not sent)):
                return sent, False
            taken: list[tuple[Ring, int]] = []
            payload = self._batch(taken)
            if not self._connection.send(frame(Kind.TRACES, payload), self._expired):
                if broke:
                    self._back_off()
                    return sent, False
                broke = True
                continue
            broke = False
            # Only now: what a broken connection got half of is still here, and goes again as a whole.
            for ring, count in taken:
                ring.discard(count)
                counting.count("sent_spans", count)
            sent = True
        return sent, True

    def _send_extras(self, *, at_once: bool) -> bool:
        """Send what beside spans waits. Returns whether all of it went."""
        while (extra := tick.first()) is not None:
            if not self._connected(at_once=at_once) or not self._connection.send(frame(*extra), self._expired):
                return False
            tick.sent(extra)
        return True

    def _batch(self, taken: list[tuple[Ring, int]]) -> bytes:
        """An ExportTraceServiceRequest of up to MAX_BATCH_BYTES of spans; `taken` gets who gave how many."""
        spans: list[bytes] = []
        budget = MAX_BATCH_BYTES
        for ring in self._recorder.rings.all:
            records = ring.peek(budget) if budget > 0 else []
            budget -= sum(map(len, records))
            spans += records
            taken.append((ring, len(records)))
        scope_spans = message(2, self.target.scope + b"".join(spans))
        return message(1, self.target.resource + scope_spans + text(3, SCHEMA_URL))

    def _connected(self, *, at_once: bool) -> bool:
        """Have a connection, or try for one if the pause after the last failure is over."""
        if self._connection.is_open:
            return True
        if not at_once and monotonic() < self._retry_at:
            return False
        facts = {**self.target.hello, "pid": os.getpid()}
        greeting = json.dumps(facts).encode()
        if self._connection.open(frame(Kind.HELLO, greeting), self._expired):
            self._retry_s, self._retry_at = RETRY_FIRST_S, 0.0
            return True
        self._back_off()
        return False

    def _back_off(self) -> None:
        self._retry_at = monotonic() + self._retry_s * random.uniform(0.75, 1.25)  # noqa: S311 - spreads processes
        self._retry_s = min(self._retry_s * 2, RETRY_MOST_S)

    def _expired(self) -> bool:
        return self._stopping and monotonic() > self._stop_by

    def _status_is_due(self) -> bool:
        """Whether the agent has not heard of a change yet."""
        if not self._connection.is_open:
            return False
        now = self._recorder.snapshot()
        return any(now[name] != self._reported.get(name) for name in now if name not in _OWN_TRAFFIC)

    def _report(self, *, at_once: bool) -> None:
        if not at_once and monotonic() < self._status_at:
            return
        if not self._status_is_due():
            return
        counts = self._recorder.snapshot()
        if self._connection.send(frame(Kind.STATUS, json.dumps(counts).encode()), self._expired):
            self._reported = counts
            self._status_at = monotonic() + STATUS_EVERY_S
