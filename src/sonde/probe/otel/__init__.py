"""OpenTelemetry's API over our recorder: what is instrumented for OpenTelemetry works at our cost.

`plugins/opentelemetry.py` switches it on when a program imports `opentelemetry.trace` and has set no provider. By hand,
with the setting `otel_bridge` off, or, as the argument of an instrumentation, for that one alone:

    from opentelemetry import trace
    from sonde.probe.otel import TracerProvider

    trace.set_tracer_provider(TracerProvider())

This folder is the one place of the probe that imports `opentelemetry`, and is imported only where that is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sonde.probe.otel.provider import TracerProvider

__all__ = ["TracerProvider"]


def __getattr__(name: str) -> object:
    """Most programs that import OpenTelemetry's API start no span by it: they shall not pay for the provider."""
    if name != "TracerProvider":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from sonde.probe.otel.provider import TracerProvider

    return TracerProvider
