"""aio-pika: what its channels send and its callbacks get is seen by aiormq, which it stands on. Here is what is done in
`async with message.process()` outside of a callback, with a queue's iterator say: one consumer span, below the
producer's.

Records the exchange, or the routing key where there is none, the address and port of the broker, exceptions with their
stack. Never records bodies, headers or properties.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.plugins import beside
from sonde.probe.plugins.aiormq import destination, inside
from sonde.probe.plugins.leaf import failed
from sonde.probe.plugins.messaging import processing, remote
from sonde.probe.plugins.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.core import Span

_SPAN = "_sonde_span"


def _enter(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    async def call(self: Any) -> Any:
        message = await wrapped(self)
        try:
            if not inside.get():
                name = message.exchange or message.routing_key or ""
                operation = processing[destination(message.channel, name)]
                beside.keep(self, _SPAN, core.scope(operation, None, remote((message.headers or {}).get)))
        except Exception:
            fault("aio_pika.process")
        return message

    return call


def _exit(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    async def call(self: Any, kind: Any, error: Any, traceback: Any) -> Any:
        span: Span | None = beside.taken(self, _SPAN)
        if span is not None and error is not None:
            failed(span, error, "aio_pika.process")
            span = None
        try:
            return await wrapped(self, kind, error, traceback)
        finally:
            if span is not None:
                span.finish()

    return call


PLUGIN = Plugin(
    library="aio-pika",
    supports=">=9,<11",
    points={
        "aio_pika.message:ProcessContext.__aenter__": _enter,
        "aio_pika.message:ProcessContext.__aexit__": _exit,
    },
)
