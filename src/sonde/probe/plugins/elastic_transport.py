"""elastic-transport, and with it elasticsearch: one client span per request, with threads and asyncio, its retries on
other nodes included. With threads the HTTP request below has no span of its own, and carries the headers that continue
the trace; with asyncio the client that makes it (aiohttp, httpx) adds its span below.

Records the operation and the index as the path names them, the method, the node's address and port, the status of an
answer that is an error. Never records ids, query strings, bodies or headers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.plugins.bounded import Learned
from sonde.probe.plugins.leaf import around, around_async
from sonde.probe.plugins.plugin import Plugin

if TYPE_CHECKING:
    from sonde.probe.core import Operation, Span

_WORD = re.compile(r"_[a-z_]{1,30}")
_DOCUMENT = {"GET": "get", "HEAD": "exists", "DELETE": "delete"}
_INDEX = {"GET": "indices.get", "HEAD": "indices.exists", "PUT": "indices.create", "DELETE": "indices.delete"}
_FAMILIES = frozenset({"cat", "cluster"})
"""APIs whose next word is part of the name, as in `cluster.health`; elsewhere it may be an id."""


def _named(method: str, target: str) -> tuple[str, str]:
    """Operation and index of a path: `/orders/_search` → search, orders."""
    parts = [part for part in target.partition("?")[0].split("/") if part]
    if not parts:
        return ("ping" if method == "HEAD" else "info"), ""
    index = parts.pop(0) if not parts[0].startswith("_") else ""
    if not parts:
        return _INDEX.get(method, "other"), index
    verb = parts[0]
    if verb == "_doc":
        return _DOCUMENT.get(method, "index"), index
    if not _WORD.fullmatch(verb):
        return "other", index
    name = verb[1:]
    if name in _FAMILIES and len(parts) > 1 and parts[1].isalpha():
        name = f"{name}.{parts[1]}"
    return name, index


def _operation(key: tuple[str, str, str]) -> Operation:
    method, name, index = key
    constants: dict[str, object] = {
        "db.system.name": "elasticsearch",
        "db.operation.name": name,
        "http.request.method": method,
    }
    if index:
        constants["db.collection.name"] = index
    return core.operation(f"{name} {index}" if index else name, core.CLIENT, constants)


_operations: Learned[tuple[str, str, str], Operation] = Learned(_operation, room=1024)


def _start(_transport: Any, method: str, target: str, *_args: Any, **_kwargs: Any) -> Span:
    # Current, so that the HTTP client below knows that the call has its span.
    return core.scope(_operations[method, *_named(method, target)])


def _answered(span: Span, response: Any) -> None:
    meta = response.meta
    span.set("server.address", meta.node.host)
    span.set("server.port", meta.node.port)
    status = meta.status
    if status >= 400 and not (status == 404 and "exists" in span.operation.name.partition(" ")[0]):
        span.set("db.response.status_code", str(status))
        span.set("error.type", str(status))
        span.fail(None)


PLUGIN = Plugin(
    library="elastic-transport",
    supports=">=8.4,<10",
    points={
        "elastic_transport._transport:Transport.perform_request": around(_start, _answered),
        "elastic_transport._async_transport:AsyncTransport.perform_request": around_async(_start, _answered),
    },
)
