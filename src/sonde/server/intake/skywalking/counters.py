"""What came from SkyWalking's agents, and what did not become anything, by reason."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sonde.server.spool.spool import Sample


class SkywalkingCounters:
    """Since the start of the process. Written from the event loop only."""

    def __init__(self) -> None:
        self.messages: Counter[tuple[str, str]] = Counter()
        """By transport (`grpc`, `http`) and kind, the method's name in services.py."""
        self.bytes: Counter[str] = Counter()
        """By transport; of messages, after decompression."""
        self.items: Counter[str] = Counter()
        """Stored, by signal: spans, metrics' points, log records."""
        self.dropped: Counter[tuple[str, str]] = Counter()
        """Items that were taken and not stored, by signal and reason."""
        self.bad: Counter[tuple[str, str]] = Counter()
        """Messages that cannot be understood, by kind and reason."""
        self.refused: Counter[tuple[str, str]] = Counter()
        """Calls and requests, by transport and reason."""
        self.clamped: Counter[str] = Counter()
        """Times that no clock shows, replaced by that of receipt; by kind."""
        self.streams_open = 0
        self.half_bytes = 0
        """Of gRPC's messages that are not whole, as of the last second."""

    def samples(self) -> Iterator[Sample]:
        """For /metrics."""
        yield "sonde_skywalking_streams_open", {}, self.streams_open
        yield "sonde_skywalking_half_message_bytes", {}, self.half_bytes
        for (transport, kind), count in self.messages.items():
            yield "sonde_skywalking_messages_total", {"transport": transport, "kind": kind}, count
        for transport, count in self.bytes.items():
            yield "sonde_skywalking_bytes_total", {"transport": transport}, count
        for signal, count in self.items.items():
            yield "sonde_skywalking_items_total", {"signal": signal}, count
        for (signal, reason), count in self.dropped.items():
            yield "sonde_skywalking_dropped_total", {"signal": signal, "reason": reason}, count
        for (kind, reason), count in self.bad.items():
            yield "sonde_skywalking_bad_messages_total", {"kind": kind, "reason": reason}, count
        for (transport, reason), count in self.refused.items():
            yield "sonde_skywalking_refused_total", {"transport": transport, "reason": reason}, count
        for kind, count in self.clamped.items():
            yield "sonde_skywalking_clamped_times_total", {"kind": kind}, count
