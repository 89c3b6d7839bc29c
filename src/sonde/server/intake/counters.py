"""What came in, by signal and encoding, and what did not, by reason."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sonde.server.intake.answers import Encoding
    from sonde.server.spool.entry import Signal
    from sonde.server.spool.spool import Sample


class IntakeCounters:
    """Since the start of the process. Written from the event loop only."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[Signal, Encoding]] = Counter()
        self.bytes: Counter[tuple[Signal, Encoding]] = Counter()
        """After decompression."""
        self.items: Counter[Signal] = Counter()
        """Spans, log records, metrics."""
        self.duplicates: Counter[Signal] = Counter()
        self.refused: Counter[tuple[str, str]] = Counter()
        """Requests, by signal (`none` where the address names none) and reason."""
        self.rejected_items: Counter[Signal] = Counter()
        """Items left out of requests that were accepted."""

    def samples(self) -> Iterator[Sample]:
        """For /metrics."""
        for (signal, encoding), count in self.requests.items():
            yield "sonde_intake_requests_total", {"signal": signal, "encoding": encoding}, count
        for (signal, encoding), count in self.bytes.items():
            yield "sonde_intake_bytes_total", {"signal": signal, "encoding": encoding}, count
        for signal, count in self.items.items():
            yield "sonde_intake_items_total", {"signal": signal}, count
        for signal, count in self.duplicates.items():
            yield "sonde_intake_duplicates_total", {"signal": signal}, count
        for (about, reason), count in self.refused.items():
            yield "sonde_intake_refused_total", {"signal": about, "reason": reason}, count
        for signal, count in self.rejected_items.items():
            yield "sonde_intake_rejected_items_total", {"signal": signal}, count
