"""Which instrumentation of OpenTelemetry does what one of our plugins does already: the plugin has the span then.

See docs/decisions/0008-one-span-for-a-call.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.trace import SpanKind

from sonde.probe.otel import current
from sonde.probe.plugins import REGISTRY
from sonde.probe.plugins.engine import ACTIVE

if TYPE_CHECKING:
    from collections.abc import Callable

_PREFIX = "opentelemetry.instrumentation."

_PLUGINS = {name: (name,) for names in REGISTRY.values() for name in names if name != "asyncio"} | {
    "aio_pika": ("aiormq",),
    "elasticsearch": ("elastic_transport",),
    "httpx": ("httpcore",),
    "requests": ("urllib3",),
    "urllib": ("http_client",),
}
"""Name of an instrumentation → plugins of which one is enough. That of asyncio is about coroutines, ours about none."""

_REQUESTS = {"asgi", "wsgi"}
"""Instrumentations of requests, whatever serves them: covered where a request has a span of ours."""

_THEIR_OWN = {"elasticsearch-api": ("elastic_transport",)}
"""Tracers of libraries that know OpenTelemetry themselves → plugins."""

_THEIR_OWN_REQUESTS = {"fastapi", "starlette"}
"""Likewise; of these, only the spans of requests are covered."""


def is_covered(tracer: str) -> Callable[[SpanKind], bool] | None:
    """Asks whether a plugin has the spans of `tracer` just now; None where there is none for it."""
    if tracer in _THEIR_OWN_REQUESTS:
        return lambda kind: kind is SpanKind.SERVER and current.is_within_ours()
    plugins = _THEIR_OWN.get(tracer)
    if tracer.startswith(_PREFIX):
        name = tracer.removeprefix(_PREFIX).partition(".")[0]
        if name in _REQUESTS:
            return lambda _kind: current.is_within_ours()
        plugins = _PLUGINS.get(name)
    return None if plugins is None else lambda _kind: not ACTIVE.isdisjoint(plugins)
