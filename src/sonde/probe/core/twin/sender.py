"""Takes finished spans out of the rings and to the agent, and hears what the agent says, in a thread of its own.

It starts at the first span, looks each flush interval while there is traffic, sleeps without a wake-up where there is
none, and retries with growing pauses where there is no agent. What the agent says ends any pause. The native side is
native/sending/sender.c: a thread that never takes the GIL.
"""

from __future__ import annotations

import _thread
import json
import os
import random
import sys
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from sonde.probe.core import exits
from sonde.probe.core.twin import counting, tick
from sonde.probe.core.twin.connection import Connection
from sonde.probe.core.twin.real import Lock, RLock, start_new_thread
from sonde.probe.core.twin.waker import Waited, Waker
from sonde.probe.core.twin.work import Work, wait_for_end
from sonde.wire.frames import Kind, frame
from sonde.wire.protobuf import message, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.core.twin.recorder import Recorder
    from sonde.probe.core.twin.ring import Ring

MAX_BATCH_BYTES = 1 << 20
QUIET_LOOKS = 10
"""Looks that find nothing before the sender sleeps until it is woken."""
RETRY_FIRST_S, RETRY_MOST_S = 0.1, 2.0
STATUS_EVERY_S = 10.0
SCHEMA_URL = "https://opentelemetry.io/schemas/1.30.0"

_FIRST_EVERY_S = 0.2
_WORK_WITHIN_S = 1.0
"""The longest that a fork waits for the work: a thread that imports something leaves the module's lock taken."""

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

    def __init__(self, recorder: Recorder, target: Target, *, first_may_end: bool = False) -> None:
        self.target = target
        self.asleep = True
        """Whoever finishes a span has to call `wake`."""
        self._recorder = recorder
        self._connection = Connection(target.socket_path)
        self._waker = Waker()
        self._work = Work(self._wake_for_work)
        self._running = False
        self._thread: int | None = None
        """The system's number of the thread, once it runs."""
        self._first_may_end = first_may_end
        """A thread of the parent's has forked: this process ends when that thread does, and so has the sender to.

        Likewise when the interpreter ends: it may end its own thread.
        """
        # Reentrant: a signal handler or a finalizer may finish a span while its own thread is in here.
        self._lock = RLock()
        self._turns: list[Any] = []
        """Locks of those who wait for what the sender does: it opens them all after each look."""
        self._waits = self._heard = False
        self._urgent = self._last = False
        self._stopping = self._parking = self._parked = False
        self._held_up = False
        """The agent did not take at once what was written since it is to park."""
        self._asked = self._answered = 0
        self._stop_by = float("inf")
        self._flushed = False
        self._retry_s, self._retry_at = RETRY_FIRST_S, 0.0
        self._met = False
        """An agent has been there: when it goes, it is looked for, also where nothing is to be sent."""
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
        with self._lock:
            self.asleep = False
            self._urgent = self._urgent or urgent
            if self._running:
                self._end_wait()
            else:
                self._start()

    def flush(self, timeout_s: float, *, last: bool = False) -> bool:
        """Send what is in the rings. True: all of it went. Gives up early where no agent answers.

        `last`: the process is ending, the counters are sent as well.
        """
        until = monotonic() + timeout_s
        if last:
            self._work.wait(timeout_s)  # it may not be in the middle of something when the interpreter ends
        if not self._running and self._recorder.rings.empty() and tick.first() is None:
            return True
        with self._lock:
            self._asked += 1
            mine = self._asked
            self._last = self._last or last
            self._first_may_end = self._first_may_end or last
            self.wake()
        self._wait_for(lambda: self._answered >= mine or not self._running, until)
        return self._answered >= mine and self._flushed

    def stop(self, timeout_s: float) -> None:
        """Send what is in the rings and end the thread."""
        until = monotonic() + timeout_s
        self._work.wait(timeout_s)
        with self._lock:
            self._stopping = True
            self._stop_by = until
            self._end_wait()
        self._wait_for(lambda: not self._running, float("inf"))  # it gives up at that time, or a slice of time later
        self._waker.close()
        self._connection.close()

    def park(self, slow_s: float, busy_s: float) -> None:
        """Before a fork: send what is in the rings and end the thread, but keep the connection.

        A process with threads is one that Python 3.12 warns of forking. Where it is not done in time, the thread goes
        on: within `slow_s` where the agent does not read, else within `busy_s`, on a machine that is.
        """
        began = monotonic()
        until = began + busy_s
        with self._lock:
            self._parking, self._held_up = self._running, False
            self._end_wait()
        if self._parking:
            ended = self._wait_for(lambda: not self._running or self._held_up, until)
            if self._held_up:
                ended = self._wait_for(lambda: not self._running, began + slow_s)
            self._parking, self._parked = False, ended
            if ended and self._thread is not None:
                wait_for_end(self._thread, until)
        self._work.wait(_WORK_WITHIN_S)

    def resume(self) -> None:
        """In the parent, after the fork: start the thread again, if it was parked."""
        if self._parked:
            self.wake()

    @property
    def runs(self) -> bool:
        """Whether there is a thread."""
        return self._running

    def forget(self) -> None:
        """In a forked child: what waits beside spans is the parent's."""
        tick.forget()

    def for_child(self, *, by_thread: bool) -> Sender:
        """In a forked child: another sender for the same target. The parent's sockets are closed on this side only.

        `by_thread`: another than the parent's first one forked.
        """
        self._waker.close()
        self._connection.close()
        return Sender(self._recorder, self.target, first_may_end=by_thread)

    def _start(self) -> None:
        self._running, self._parked, self._thread = True, False, None
        try:
            exits.in_this_process(self.target.exit_flush)
            if sys.is_finalizing():
                raise RuntimeError  # noqa: TRY301 - before 3.12 such a thread is made, and never runs
            start_new_thread(self._run, ())
        except RuntimeError:  # the interpreter is ending, or the system has no thread left
            counting.count("start_errors")
            self._running = False
            self.asleep = True

    def _run(self) -> None:
        self._thread = _thread.get_native_id()
        try:
            self._look_until_asked_to_end()
        except BaseException:
            with self._lock:
                self._running = False  # the next span starts another
                self.asleep = True
            raise
        finally:
            self._answer()

    def _look_until_asked_to_end(self) -> None:
        quiet = 0
        while True:
            quiet = self._pause(quiet)
            with self._lock:
                asked, stopping = self._asked, self._stopping
                last = stopping or self._last
                self._urgent = self._last = self._heard = False
            flushing = stopping or self._parking or asked > self._answered
            if self._first_may_end and _first_has_ended():
                self._send_all(flushing=True)
                return
            for kind, payload in self._connection.receive():
                tick.heard(kind, payload)
            if not flushing:
                if self._met:
                    self._connected(at_once=False)
                if monotonic() >= self._tick_at():
                    self._work.begin(tick.due_work())
            sent, emptied = self._send_all(flushing=flushing)
            emptied = self._send_extras(at_once=flushing and not sent) and emptied
            self._report(at_once=last)
            quiet = 0 if sent or not emptied else quiet + 1
            with self._lock:
                self._answered, self._flushed = asked, emptied
                if flushing and self._asked == asked and (self._stopping or self._parking):
                    self._running = False
                    self.asleep = True
                    return
            self._answer()

    def _answer(self) -> None:
        """Let those look who wait for what the sender does."""
        with self._lock:
            turns, self._turns = self._turns, []
        for turn in turns:
            turn.release()

    def _wait(self, until: float, ready: Callable[[], bool]) -> bool:
        """In the thread: wait until that is true, or for the agent. False: the time has come."""
        while not self._heard:
            self._waker.prepare()
            self._waits = True  # before the look: who makes it true after that sees this, and wakes
            if ready():
                break
            soon = monotonic() + _FIRST_EVERY_S if self._first_may_end else until
            waited = self._waker.wait(self._connection.listens(), min(until, soon))
            self._heard = waited is Waited.HEARD
            if waited is Waited.OVER:
                self._waits = False
                return False
        self._waits = False
        return True

    def _end_wait(self) -> None:
        """In another thread, after what it waits for has become true."""
        if self._waits:
            self._waits = False
            self._waker.wake()

    def _wait_for(self, condition: Callable[[], bool], until: float) -> bool:
        """In another thread: wait for what the sender does."""
        while True:
            turn = Lock()
            turn.acquire()
            with self._lock:
                self._turns.append(turn)
            left = min(until - monotonic(), _thread.TIMEOUT_MAX)
            if condition() or left <= 0 or not turn.acquire(timeout=left):
                with self._lock:
                    if turn in self._turns:
                        self._turns.remove(turn)
                return condition()

    def _wake_for_work(self) -> None:
        """The work has ended: what it made is to be sent."""
        with self._lock:
            if self._running:
                self.wake(urgent=True)

    def _tick_at(self) -> float:
        return max(tick.due_at(), self._work.possible_at())

    def _pause(self, quiet: int) -> int:
        """Wait until there is a reason to look. Returns how many looks in a row found nothing."""
        if self._wanted():
            return quiet
        if quiet < QUIET_LOOKS:
            until = max(monotonic() + self.target.flush_interval_s, self._retry_at)
            self._wait(min(until, self._tick_at()), lambda: self._wanted() or self._hurry())
            return quiet
        self.asleep = True
        if self._recorder.rings.empty():
            status_at = self._status_at if self._status_is_due() else float("inf")
            look_at = self._retry_at if self._met and not self._connection.is_open else float("inf")
            self._wait(min(self._tick_at(), status_at, look_at), lambda: not self.asleep or self._wanted())
        self.asleep = False
        if self._recorder.rings.empty():
            return quiet  # not for a span
        # The first span after a sleep waits an interval for others.
        until = min(monotonic() + self.target.flush_interval_s, self._tick_at())
        self._wait(until, lambda: self._wanted() or self._hurry())
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
            self._met = True
            return True
        self._back_off()
        return False

    def _back_off(self) -> None:
        self._retry_at = monotonic() + self._retry_s * random.uniform(0.75, 1.25)  # noqa: S311 - spreads processes
        self._retry_s = min(self._retry_s * 2, RETRY_MOST_S)

    def _expired(self) -> bool:
        """In the thread, in the middle of a write."""
        if self._parking and not self._held_up:
            self._held_up = True
            self._answer()
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


def _first_has_ended() -> bool:
    try:
        with open(f"/proc/self/task/{os.getpid()}/stat", "rb") as file:  # noqa: PTH123 - pathlib is not imported for this
            state = file.read(512).rpartition(b")")[2].split()
    except OSError:
        return False
    return state[:1] in ([b"Z"], [b"X"])
