"""Queue -> server: one thread that takes batches, sends them, and waits when it is told to."""

from __future__ import annotations

import logging
import random
import threading
import time
from typing import TYPE_CHECKING, Self

from sonde.agent.disk_queue.batch_file import BatchFileError
from sonde.agent.forwarding.answer import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.agent.counters import Counters
    from sonde.agent.disk_queue.batch import Batch
    from sonde.agent.disk_queue.queue import BatchQueue
    from sonde.agent.forwarding.answer import Answer
    from sonde.agent.forwarding.collector import Collector

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.2
MAX_PAUSE_S = 30.0
TOKEN_PAUSE_S = 60.0
ABORT_S = 0.5


class Backoff:
    """Pauses between attempts: doubling, with jitter so that a thousand agents do not come back in one second."""

    def __init__(self, jitter: Callable[[], float] = random.random) -> None:
        self._jitter = jitter
        self._next_s = FIRST_PAUSE_S

    def pause_s(self) -> float:
        """The next pause: between half and all of a span that doubles up to MAX_PAUSE_S."""
        span, self._next_s = self._next_s, min(self._next_s * 2, MAX_PAUSE_S)
        return span * (0.5 + self._jitter() / 2)

    def reset(self) -> None:
        """An attempt succeeded."""
        self._next_s = FIRST_PAUSE_S


class Forwarder:
    """Sends until it is left; then empties the queue for at most `flush_s`, what is left stays on disk."""

    def __init__(
        self, queue: BatchQueue, collector: Collector, *, agent_token: str, flush_s: float, counters: Counters
    ) -> None:
        self._queue = queue
        self._collector = collector
        self._agent_token = agent_token
        self._flush_s = flush_s
        self._counters = counters
        self._backoff = Backoff()
        self._held: dict[str, float] = {}  # token -> monotonic time until which nothing is sent under it
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sonde-forward", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._queue.seal()
        self._flush_until = time.monotonic() + self._flush_s
        self._stopping.set()
        self._queue.wake()
        self._thread.join(self._flush_s)
        if self._thread.is_alive():  # in an exchange with a server that does not answer
            self._collector.abort()
            self._thread.join(ABORT_S)  # a connection that is only being made cannot be aborted: it is left behind

    def _run(self) -> None:
        while not self._stopping.is_set():
            now = time.monotonic()
            self._held = {token: until for token, until in self._held.items() if until > now}
            timeout_s = min(self._held.values()) - now if self._held else None
            batch = self._queue.take(timeout_s, self._held)
            if batch is None:
                continue
            pause_s = self._send(batch)
            if pause_s:
                self._stopping.wait(pause_s)
        self._flush()
        self._collector.close()

    def _flush(self) -> None:
        """Send what is there, once each: whoever does not take it now has it at the next start."""
        while time.monotonic() < self._flush_until:
            batch = self._queue.take(0, self._held)
            if batch is None or self._send(batch):
                return

    def _send(self, batch: Batch) -> float:
        """Send one batch and do with it what the answer says. Returns seconds in which nothing must be sent."""
        token = batch.header.token
        try:
            answer = self._collector.post(batch.header.signal, token or self._agent_token, batch.chunks())
        except (BatchFileError, OSError) as error:
            self._give_up(batch, "unreadable", error)
            return 0
        if answer.message:
            log.warning("%s", answer.message)
        if answer.reason:
            self._counters.add("sonde.agent.send.errors", reason=answer.reason)
        if answer.verdict is Verdict.STORED:
            self._stored(batch)
        elif answer.verdict is Verdict.MALFORMED:
            self._halve(batch, answer)
        elif answer.verdict is Verdict.REFUSED:
            self._queue.drop(batch, answer.reason)
        else:
            self._queue.put_back(batch)
            if answer.verdict is Verdict.BUSY:
                pause_s = self._backoff.pause_s()
                return pause_s if answer.retry_after_s is None else max(pause_s, answer.retry_after_s)
            self._held[token] = time.monotonic() + TOKEN_PAUSE_S
        return 0

    def _stored(self, batch: Batch) -> None:
        self._queue.remove(batch)
        self._backoff.reset()
        signal = batch.header.signal.word
        self._counters.add("sonde.agent.batches.forwarded", signal=signal)
        self._counters.add("sonde.agent.bytes.forwarded", batch.size_bytes, signal=signal)

    def _halve(self, batch: Batch, answer: Answer) -> None:
        try:
            self._queue.split(batch, answer.reason)
        except (BatchFileError, OSError) as error:
            self._give_up(batch, answer.reason, error)

    def _give_up(self, batch: Batch, reason: str, error: Exception) -> None:
        log.warning("batch %s is dropped: %s", batch.path, error)
        self._queue.drop(batch, reason)
