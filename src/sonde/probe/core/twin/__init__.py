"""The span recorder in Python: specification of the native one, and what runs where that cannot."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from sonde.probe.core import exits
from sonde.probe.core.twin import context, counting, tick
from sonde.probe.core.twin.around import around, around_async, calling, unless_calling
from sonde.probe.core.twin.context import CURRENT, current
from sonde.probe.core.twin.encode import RESOURCE_ATTRIBUTE, attributes
from sonde.probe.core.twin.headers import propagate
from sonde.probe.core.twin.operation import CLIENT, CONSUMER, INTERNAL, PRODUCER, SERVER, Operation, operation
from sonde.probe.core.twin.recorder import recorder
from sonde.probe.core.twin.sender import Sender, Target
from sonde.probe.core.twin.span import Span
from sonde.probe.core.twin.tally import take_tallies
from sonde.probe.core.twin.tick import ask_tick, on_command, on_tick
from sonde.wire import traceparent as w3c
from sonde.wire.protobuf import message, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sonde.probe.core.twin.span import Remote

__all__ = [
    "CLIENT",
    "CONSUMER",
    "CURRENT",
    "INTERNAL",
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

_MAX_SOCKET_PATH_BYTES = 107  # sockaddr_un.sun_path less its terminating zero


def start(
    resource: Mapping[str, object],
    socket_path: str,
    *,
    hello: Mapping[str, object],
    flush_interval_ms: int = 100,
    ring_bytes: int = 1 << 20,
    max_value_bytes: int = 1024,
    exit_flush_ms: int = 500,
    debug: bool = False,
) -> None:
    """Begin to record. Starts no thread: the sender's begins with the first finished span of a process.

    An empty `socket_path` means no sender: finished spans wait in the rings for `drain`. While recording, a second
    call changes nothing. Raises ValueError for a path that no socket can have, TypeError for a `hello` that is no JSON.
    """
    if recorder.on:
        return
    if len(socket_path.encode("utf-8", "surrogateescape")) > _MAX_SOCKET_PATH_BYTES:
        raise ValueError(f"the path of a unix socket has at most {_MAX_SOCKET_PATH_BYTES} bytes: {socket_path}")
    recorder.ring_bytes, recorder.max_value_bytes, recorder.debug = ring_bytes, max_value_bytes, debug
    recorder.exit_flush_s = exit_flush_ms / 1000
    recorder.sender = None
    if socket_path:
        json.dumps(dict(hello))  # what cannot be sent later is refused now
        scope_ = message(1, text(1, "sonde") + text(2, str(hello.get("probe_version", ""))))
        target = Target(socket_path, dict(hello), flush_interval_ms / 1000, _resource(resource), scope_, _flush_at_exit)
        recorder.sender = Sender(recorder, target)
        exits.at_exit(_flush_at_exit)
    recorder.on = True


def set_resource(resource: Mapping[str, object]) -> None:
    """What the next batches say about this process: called again when its service's name is learned."""
    if recorder.sender is not None:
        recorder.sender.target.resource = _resource(resource)


def stop(timeout_s: float) -> None:
    """Stop recording and send what is there, for at most `timeout_s`. Spans that are still open become no-ops."""
    recorder.on = False
    if recorder.sender is not None:
        tick.collect()
        recorder.sender.stop(timeout_s)
        recorder.sender = None
        tick.unheard()


def agent_path() -> str:
    """Where the agent listens; empty without one."""
    return recorder.sender.target.socket_path if recorder.sender is not None else ""


def flush(timeout_s: float) -> bool:
    """Send what is finished. True: the agent's socket took all of it; False: not in time, or nobody listens."""
    if recorder.sender is None:
        return recorder.rings.empty()
    tick.collect()
    return recorder.sender.flush(timeout_s)


def leaf(op: Operation, name: str | None = None) -> Span:
    """A span below the current one, which stays the current one: a query, a call."""
    _check(op)
    return Span(op, name, current(), None)


def scope(op: Operation, name: str | None = None, remote: str | Remote | None = None) -> Span:
    """A span that is the current one of this context until it is finished.

    With a `remote` it continues the caller's trace: a traceparent, or what `propagation.incoming` made of other
    headers. A malformed one starts a fresh trace and is counted. Without, it is below the current span, except that a
    SERVER or CONSUMER span never continues a span that has ended.
    """
    _check(op)
    parent, caller = current(), None
    if remote is not None and not (parent is not None and parent.silent):
        parent, caller = None, _caller(remote)
    elif parent is not None and parent.finished and op.kind in {SERVER, CONSUMER}:
        parent = None
    span = Span(op, name, parent, caller)
    if parent is None and isinstance(remote, tuple) and len(remote) == 4:
        span.carried = remote[3]
    if span.recording:
        context.enter(span)
    return span


def silence(op: Operation) -> Span:
    """Until this span ends, nothing of this context is recorded, and nothing said to others."""
    _check(op)
    span = Span(op, None, None, None)
    span.silent = True
    span.recording = span._open = False  # noqa: SLF001 - the recorder's own
    context.enter(span)
    return span


def sample(rate: float, slow_ms: float, follows_parent: bool, /) -> None:
    """Which traces are recorded: that part of all (0 to 1), and every request that fails or lasts `slow_ms` (0: none).

    `follows_parent`: where the caller has decided, its decision is taken over. May be called again at any time.
    """
    recorder.sampled_from = 0 if rate >= 1 else 1 << 64 if rate <= 0 else int((1 - rate) * (1 << 56))
    recorder.slow_ns = slow_ms * 1e6 if slow_ms > 0 else float("inf")
    recorder.follows_parent = bool(follows_parent)


def counters() -> dict[str, int]:
    """How often what happened in this process, see `counting.NAMES`."""
    return recorder.snapshot()


def drain() -> list[bytes]:
    """Take the finished spans out, each an encoded OTLP Span. Raises RuntimeError while a sender does that."""
    if recorder.sender is not None:
        raise RuntimeError("the sender takes the spans; start with an empty socket_path to drain them")
    spans: list[bytes] = []
    for ring in recorder.rings.all:
        records = ring.peek(1 << 62)
        ring.discard(len(records))
        spans += map(_span_of, records)
    return spans


def _check(op: Operation) -> None:
    if op.__class__ is not Operation:
        raise TypeError(f"an Operation is needed, not {type(op).__name__}")


def _caller(remote: str | Remote) -> Remote | None:
    if isinstance(remote, tuple):
        if len(remote) == 4 and not remote[0]:
            return None  # a trace begins here, though something came with the request
        if len(remote) == 4 and len(remote[0]) == 16 and len(remote[1]) == 8:
            return remote
    elif isinstance(remote, str) and (header := w3c.parse(remote)) is not None:
        return bytes.fromhex(header.trace_id), bytes.fromhex(header.span_id), header.flags, None
    counting.count("malformed_headers")
    return None


def _resource(values: Mapping[str, object]) -> bytes:
    return message(1, b"".join(attributes(RESOURCE_ATTRIBUTE, values, recorder.max_value_bytes).values()))


def _span_of(record: bytes) -> bytes:
    at = 1
    while record[at] & 0x80:
        at += 1
    return record[at + 1 :]


def _flush_at_exit() -> None:
    # Finalizing already: the main interpreter ends, and another one, which is this. Whoever lets the GIL go in it does
    # not get it again.
    if recorder.sender is None or sys.is_finalizing():
        return
    if exits.in_main_interpreter():
        tick.collect()
        recorder.sender.flush(recorder.exit_flush_s, last=True)
    else:
        stop(recorder.exit_flush_s)  # this interpreter may have no thread when it ends
