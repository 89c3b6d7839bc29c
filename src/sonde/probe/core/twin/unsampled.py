"""What becomes of spans whose trace was not sampled: they are counted, unless their request fails or is slow.

Then it is kept whole: the spans of a request wait, not encoded yet, until its first one ends. Those that end later
share its fate. What is beyond MAX_WAITING is counted at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonde.probe.core.twin import counting
from sonde.probe.core.twin.recorder import recorder
from sonde.probe.core.twin.tally import Ended, tally

if TYPE_CHECKING:
    from sonde.probe.core.twin.span import Span

MAX_WAITING, MAX_WAITING_BYTES = 512, 256 << 10

_RANDOM_BITS = (1 << 56) - 1


class Waiters:
    """Ended spans that wait for their request's first one to end."""

    __slots__ = ("_bytes", "_waiting")

    def __init__(self) -> None:
        self._bytes = 0
        self._waiting: list[tuple[Span, int]] = []

    def add(self, span: Span, end_ns: int) -> bool:
        """False: there is no room."""
        if len(self._waiting) >= MAX_WAITING or self._bytes > MAX_WAITING_BYTES:
            return False
        self._bytes += span.size()
        self._waiting.append((span, end_ns))
        return True

    def keep(self) -> None:
        """Send all of them."""
        for span, end_ns in self._waiting:
            recorder.finished(span.record(end_ns))

    def count(self) -> None:
        """Count all of them."""
        for span, end_ns in self._waiting:
            tally(span.ended(end_ns))
        counting.count("tallied", len(self._waiting))


def is_sampled(trace_id: bytes) -> bool:
    """Whether a new trace of this id is sampled at the present rate.

    By its last 56 bits, as https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling says, so that
    every process decides the same.
    """
    return int.from_bytes(trace_id[-7:], "big") & _RANDOM_BITS >= recorder.sampled_from


def finished(span: Span, end_ns: int) -> bool:
    """A span that is not sampled has ended. True: it waits, and needs what it was told."""
    root = span.root
    if root is not None and not root.finished:
        if root.waiters is None:
            root.waiters = Waiters()
        if root.waiters.add(span, end_ns):
            return True
    ended = span.ended(end_ns)
    if root is not None:
        if root.finished and root.kept:
            recorder.finished(span.record(end_ns))
        else:
            _count(ended)
            recorder.tallied()
        return False
    waiters, span.waiters = span.waiters, None
    span.kept = ended.failed or ended.duration_ns >= recorder.slow_ns
    if not span.kept:
        _count(ended)
        if waiters is not None:
            waiters.count()
        recorder.tallied()
        return False
    span.keep_because("error" if ended.failed else "slow")
    if waiters is not None:
        waiters.keep()
    recorder.finished(span.record(end_ns))
    return False


def _count(ended: Ended) -> None:
    tally(ended)
    counting.count("tallied")
