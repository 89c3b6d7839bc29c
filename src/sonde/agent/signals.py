"""The kinds of telemetry that pass through the agent."""

from __future__ import annotations

from enum import IntEnum

from sonde.wire.frames import Kind


class Signal(IntEnum):
    """Traces, metrics, logs or SkyWalking's segments. The value is that of its frame, on the socket and on disk."""

    TRACES = Kind.TRACES
    METRICS = Kind.METRICS
    LOGS = Kind.LOGS
    SEGMENTS = Kind.SEGMENTS

    @property
    def word(self) -> str:
        """How it is called in counters and logs."""
        return self.name.lower()

    @property
    def path(self) -> str:
        """Where a collector takes it. Source: OTLP/HTTP, https://opentelemetry.io/docs/specs/otlp/#otlphttp-request.

        Segments have their place beside those on a server of ours.
        """
        return f"/v1/{self.word}"
