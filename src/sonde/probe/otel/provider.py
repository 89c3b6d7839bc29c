"""OpenTelemetry's TracerProvider over our recorder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import trace

from sonde.probe import core
from sonde.probe.otel.tracer import Tracer
from sonde.probe.plugins.opentelemetry import bridge

if TYPE_CHECKING:
    from collections.abc import Mapping


class TracerProvider(trace.TracerProvider):
    """Gives tracers whose spans are the probe's. It has nothing of its own, so there may be any number."""

    def __init__(self) -> None:
        bridge.open(by_hand=True)

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,  # noqa: ARG002 - theirs to give
        schema_url: str | None = None,  # noqa: ARG002
        attributes: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> trace.Tracer:
        """A tracer. Only its name is of use: it says whether a plugin of ours does the same."""
        return Tracer(instrumenting_module_name)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what is recorded, as the SDK's providers do."""
        return core.flush(timeout_millis / 1000)

    def shutdown(self) -> None:
        """Nothing: the probe goes on for everybody else."""
