"""The span recorder: one interface, a native implementation and its Python twin, and the choice between them.

`NATIVE` says which one was chosen. The setting `core` decides: `auto` takes the native one where it was built, loads
and passes its self-test.
"""

from __future__ import annotations

from sonde.probe.core.choice import native_core
from sonde.settings import PROBE_CORE, Settings

TYPE_CHECKING = False  # typing's own would cost each process of the user an import of typing

if TYPE_CHECKING:
    from sonde.probe.core import _core as chosen
else:
    chosen = native_core(Settings()[PROBE_CORE])
    if chosen is None:
        from sonde.probe.core import twin as chosen

NATIVE: bool = chosen.__name__.endswith("._core")

CURRENT = chosen.CURRENT
"""The context variable that `current` reads. To be set by those who keep two notions of the current span together."""

INTERNAL = chosen.INTERNAL
SERVER = chosen.SERVER
CLIENT = chosen.CLIENT
PRODUCER = chosen.PRODUCER
CONSUMER = chosen.CONSUMER

Operation = chosen.Operation
Span = chosen.Span

start = chosen.start
agent_path = chosen.agent_path
set_resource = chosen.set_resource
stop = chosen.stop
flush = chosen.flush
operation = chosen.operation
leaf = chosen.leaf
scope = chosen.scope
around = chosen.around
around_async = chosen.around_async
# Requests of WSGI and ASGI, native: their Python versions are in plugins/wsgi.py and plugins/asgi.py.
if TYPE_CHECKING or NATIVE:
    entries = chosen.entries
    serve_wsgi = chosen.serve_wsgi
    serve_asgi = chosen.serve_asgi
    serving_wsgi = chosen.serving_wsgi
    serving_asgi = chosen.serving_asgi

# Likewise what plugins say in words that the native core carries out.
if TYPE_CHECKING or NATIVE:
    if_awaited = chosen.if_awaited
    if_in_scope = chosen.if_in_scope
    if_newer = chosen.if_newer
    kept = chosen.kept
    http_pool = chosen.http_pool
    http_request = chosen.http_request
    http_answered = chosen.http_answered
    injecting = chosen.injecting
    routing = chosen.routing
    routing_scope = chosen.routing_scope
    show = chosen.show

calling = chosen.calling
current = chosen.current
propagate = chosen.propagate
ask_tick = chosen.ask_tick
on_command = chosen.on_command
on_tick = chosen.on_tick
sample = chosen.sample
silence = chosen.silence
take_tallies = chosen.take_tallies
unless_calling = chosen.unless_calling
counters = chosen.counters
drain = chosen.drain

__all__ = [
    "CLIENT",
    "CONSUMER",
    "CURRENT",
    "INTERNAL",
    "NATIVE",
    "PRODUCER",
    "SERVER",
    "Operation",
    "Span",
    "agent_path",
    "around",
    "around_async",
    "ask_tick",
    "calling",
    "counters",
    "current",
    "drain",
    "flush",
    "leaf",
    "on_command",
    "on_tick",
    "operation",
    "propagate",
    "sample",
    "scope",
    "set_resource",
    "silence",
    "start",
    "stop",
    "take_tallies",
    "unless_calling",
]
