"""One timed operation: its attributes are encoded as they are set, the whole as soon as it is finished; one that is not
sampled, only if its request is kept.

The native side is native/spans/span.c; field order and limits are the same, so that both write the same bytes.
Source: opentelemetry/proto/trace/v1/trace.proto.
"""

from __future__ import annotations

import struct
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, Self

from sonde.probe.core.failures import describe
from sonde.probe.core.twin import context, counting, encode, headers, ids, unsampled
from sonde.probe.core.twin.encode import (
    EVENT_ATTRIBUTE,
    SPAN_ATTRIBUTE,
    UnencodableError,
    any_value,
    cut_text,
    field,
    key_field,
    key_value,
)
from sonde.probe.core.twin.extras import MAX_BYTES, Extras, error_status, exception_facts, link_ids
from sonde.probe.core.twin.operation import CONSUMER, NAME, SERVER
from sonde.probe.core.twin.recorder import recorder
from sonde.probe.core.twin.tally import Ended

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from sonde.probe.core.twin.operation import Operation
    from sonde.probe.core.twin.unsampled import Waiters

    Remote = tuple[bytes, bytes, int, object]
    """Where a request comes from: trace and span id, flags, what it carries."""

STATUS_KEY = "http.response.status_code"

MAX_ATTRIBUTES = 128
"""OpenTelemetry's default limit for one span."""

SAMPLED, RANDOM = 0x01, 0x02
"""Trace flags of https://www.w3.org/TR/trace-context-2/#trace-flags."""

PARENT_KNOWN, PARENT_REMOTE = 0x100, 0x200
"""Span.flags above the trace flags: whether it is known, and true, that the parent is in another process."""

_ROOT = struct.Struct("<2s16s2s8s2sIcQcQ").pack
_CHILD = struct.Struct("<2s16s2s8s2s8s2sIcQcQ").pack


class Span:
    """Made by `leaf` or `scope`, ended by `finish` or by leaving its `with` block. No method raises into the app."""

    __slots__ = (
        "_attribute_bytes",
        "_attributes",
        "_extras",
        "_flags",
        "_generation",
        "_id",
        "_is_request",
        "_name",
        "_open",
        "_operation",
        "_parent_id",
        "_start_ns",
        "_start_unix_ns",
        "_trace_id",
        "carried",
        "finished",
        "kept",
        "left_behind",
        "previous",
        "recording",
        "root",
        "scoped",
        "silent",
        "status_code",
        "waiters",
    )

    def __init__(self, operation: Operation, name: str | None, parent: Span | None, remote: Remote | None) -> None:
        self._id = ids.span_id()
        self.recording = self._open = recorder.on
        """Recording is False for a span made while the probe was off: everything it is told is forgotten."""
        self.silent = False
        """Neither it nor what is below it is recorded."""
        self.carried: object = None
        """What came with the request and goes on with its calls, see propagation.py."""
        self.root: Span | None = None
        """Of one that is not sampled: whose end decides what becomes of it. None: itself."""
        self.waiters: Waiters | None = None
        """Ended spans that wait for this one's end."""
        self.kept = False
        self.status_code = 0
        """Of an HTTP answer."""
        if parent is not None:
            self._below(parent)
        else:
            self._trace_id, self._parent_id, self._flags = _origin(remote)
            self.carried = remote[3] if remote is not None else None
        self._operation = operation
        self._name: bytes | None = None
        self._attributes: dict[bytes, bytes] | None = None
        self._extras: Extras | None = None
        self._generation = recorder.generation
        if self._open:
            self._is_request = operation.kind in {SERVER, CONSUMER}
            recorder.requests += self._is_request
            recorder.opened += 1
        else:
            self._flags &= ~SAMPLED
        self.finished = False
        self.scoped = False
        """It was made current."""
        self.previous: Span | None = None
        """What was current before it."""
        self.left_behind = False
        """It ended while something else was current: whoever comes back to it goes on to `previous`."""
        if name is not None:
            self.rename(name)
        self._start_ns = start = monotonic_ns()
        self._start_unix_ns = recorder.clock.unix_ns(start)

    @property
    def trace_id(self) -> str:
        """32 hex digits."""
        return self._trace_id.hex()

    @property
    def span_id(self) -> str:
        """16 hex digits."""
        return self._id.hex()

    @property
    def parent_span_id(self) -> str:
        """16 hex digits; empty for the root of a trace."""
        return self._parent_id.hex()

    def _below(self, parent: Span) -> None:
        self._trace_id, self._parent_id, self._flags = parent._trace_id, parent._id, parent._flags & 0xFF
        self.carried = parent.carried
        if parent.silent:
            self.silent = True
            self.recording = self._open = False
        elif not self._flags & SAMPLED and self.recording:
            self.root = parent.root or parent

    def traceparent(self) -> str:
        """The header that makes a called service continue this trace."""
        return f"00-{self._trace_id.hex()}-{self._id.hex()}-{self._flags & 0xFF:02x}"

    @property
    def operation(self) -> Operation:
        """What it was made with."""
        return self._operation

    @property
    def sampled(self) -> bool:
        """Whether its trace is."""
        return bool(self._flags & SAMPLED)

    def headers(self, peer: str | None = None) -> tuple[tuple[str, str], ...]:
        """Names and values of the headers that make a callee continue this trace. `peer`: its address."""
        return tuple(headers.written(self, peer)) if self.recording else ()

    def into_lines(self, lines: list[bytes], peer: str | None = None) -> None:
        """Append them as lines without their end; none if there is a traceparent already."""
        if not any(line[:12].lower() == b"traceparent:" for line in lines if isinstance(line, bytes)):
            lines += [f"{name}: {value}".encode() for name, value in self.headers(peer)]

    def into_pairs(self, pairs: list[Any], peer: str | None = None) -> None:
        """Append them as pairs of bytes; none if there is a traceparent already."""
        if not any(pair[0].lower() == b"traceparent" for pair in pairs):
            pairs += [(name.encode(), value.encode()) for name, value in self.headers(peer)]

    def endpoint(self) -> str:
        """Name of the request this process is serving: of the outermost scope of the same trace."""
        outermost, at = self, context.current()
        while at is not None and at.trace_id == self.trace_id:
            outermost, at = at, at.previous
        return outermost.name()

    def name(self) -> str:
        """Its own, or its operation's."""
        return self._name.decode() if self._name is not None else self._operation.name

    def rename(self, name: str) -> None:
        """Give it another name than its operation's."""
        if not self._open:
            return
        try:
            self._name = cut_text(name, recorder.max_value_bytes)
        except UnencodableError as error:
            recorder.unencodable(error)

    def set(self, key: str, value: object) -> None:
        """Record an attribute, instead of an earlier one of that key. None records nothing."""
        if value is None or not self._open:
            return
        limit = recorder.max_value_bytes
        if type(key) is str and key == STATUS_KEY:  # of a class of theirs, comparing would run code of theirs
            self.status_code = value if type(value) is int and 0 < value < 1000 else 0
        try:
            name = key_field(key, limit)
            pair = key_value(SPAN_ATTRIBUTE, name, any_value(value, limit))
        except UnencodableError as error:
            recorder.unencodable(error)
            return
        mine = self._attributes
        if mine is None:
            mine = self._attributes = {}
            self._attribute_bytes = 0
        elif name in mine:
            self._attribute_bytes -= len(mine.pop(name))
        if len(mine) >= MAX_ATTRIBUTES or self._attribute_bytes + len(pair) > MAX_BYTES:
            self._more().drop("attributes")
            return
        mine[name] = pair
        self._attribute_bytes += len(pair)

    def set_many(self, values: Mapping[str, object]) -> None:
        """Record several attributes."""
        if not self._open:
            return
        try:
            items = list(values.items())
        except Exception as error:  # the mapping is the user's code
            recorder.fault(error)
            return
        for key, value in items:
            self.set(key, value)

    def event(self, name: str, attributes: Mapping[str, object] | None = None) -> None:
        """Record that something happened now."""
        if not self._open:
            return
        try:
            facts = encode.attributes(EVENT_ATTRIBUTE, attributes or {}, recorder.max_value_bytes)
        except Exception as error:  # the mapping is the user's code
            recorder.fault(error)
            facts = {}
        self._event(name, b"".join(facts.values()))

    def link(self, trace_id: str, span_id: str) -> None:
        """Point at a span of another trace (hex ids): the request that put this message into its queue."""
        if not self._open:
            return
        pair = link_ids(trace_id, span_id)
        if pair is None:
            recorder.unencodable(UnencodableError(f"no link: {trace_id!r}, {span_id!r}"))
        else:
            self._more().add_link(*pair)

    def fail(self, error: BaseException | None = None, message: str = "") -> None:
        """Mark it failed. An exception becomes an event with its type, message and stack."""
        if not self._open:
            return
        if error is not None:
            try:
                failure = describe(error)
                self._event("exception", exception_facts(failure, recorder.max_value_bytes))
                message = message or f"{failure.type}: {failure.message}"
            except Exception as fault:  # out of stack or memory, most likely: that is how we came here
                recorder.fault(fault)
        try:
            text = cut_text(message or "", recorder.max_value_bytes)
        except UnencodableError as refused:
            recorder.unencodable(refused)
            text = b""
        self._more().status = error_status(text)

    def finish(self) -> None:
        """End it and hand it to the sender. Again: nothing happens. From whatever thread, task or context."""
        if self.finished:
            return
        end_ns = monotonic_ns()
        self.finished = True
        if self.recording and self._is_request:
            recorder.requests_ended += 1
        if self.scoped:
            context.leave(self)
        if not self._open:
            return
        self._open = False
        if recorder.on and self._generation == recorder.generation:
            if self._flags & SAMPLED:
                recorder.finished(field(b"\x12", self._encode(end_ns)))
            elif unsampled.finished(self, end_ns):
                return  # it is written later, or not at all
        elif recorder.on:
            counting.count("dropped_inherited")
        self._attributes = None
        self._extras = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self.fail(error)
        self.finish()

    def __repr__(self) -> str:
        return f"<Span {self._operation.name!r} {self.traceparent()}{' finished' if self.finished else ''}>"

    def _more(self) -> Extras:
        if self._extras is None:
            self._extras = Extras()
        return self._extras

    def _event(self, name: str, facts: bytes) -> None:
        now = recorder.clock.unix_ns(monotonic_ns())
        try:
            self._more().add_event(now, cut_text(name, recorder.max_value_bytes), facts)
        except UnencodableError as error:
            recorder.unencodable(error)

    def record(self, end_ns: int) -> bytes:
        """As a field of ScopeSpans."""
        return field(b"\x12", self._encode(end_ns))

    def size(self) -> int:
        """Bytes of what it was told."""
        told = 0 if self._attributes is None else self._attribute_bytes
        return told if self._extras is None else told + self._extras.size()

    def ended(self, end_ns: int) -> Ended:
        """What is known when only its count is kept."""
        failed = self._extras is not None and bool(self._extras.status)
        duration = end_ns - self._start_ns
        return Ended(
            self._operation, self._name, self._start_unix_ns, duration, self.status_code, failed, not self._parent_id
        )

    def keep_because(self, why: str) -> None:
        """Say why its request is sent although it was not sampled."""
        if self._attributes is None:
            self._attributes = {}
        name = key_field("sonde.kept", recorder.max_value_bytes)
        self._attributes[name] = key_value(SPAN_ATTRIBUTE, name, any_value(why, recorder.max_value_bytes))

    def _encode(self, end_ns: int) -> bytes:
        operation, trace, span, parent = self._operation, self._trace_id, self._id, self._parent_id
        flags, start = self._flags | PARENT_KNOWN, self._start_unix_ns
        end = start + end_ns - self._start_ns
        if parent:
            head = _CHILD(
                b"\n\x10", trace, b"\x12\x08", span, b'"\x08', parent, b"\x85\x01", flags, b"9", start, b"A", end
            )
        else:
            head = _ROOT(b"\n\x10", trace, b"\x12\x08", span, b"\x85\x01", flags, b"9", start, b"A", end)
        if self._name is None:
            head += operation.name_and_kind
        else:
            head += field(NAME, self._name) + operation.kind_field
        mine = self._attributes
        if mine is None:
            head += operation.all_constants
        else:
            constants = operation.constants
            if constants.keys().isdisjoint(mine):
                head += operation.all_constants
            else:
                head += b"".join([pair for key, pair in constants.items() if key not in mine])
            head += b"".join(mine.values())
        return head if self._extras is None else head + self._extras.encoded()


def _origin(remote: Remote | None) -> tuple[bytes, bytes, int]:
    """Trace id, parent's id and flags of a span below `remote`, else of a new trace's root."""
    if remote is None:
        trace_id = ids.trace_id()
        return trace_id, b"", SAMPLED if unsampled.is_sampled(trace_id) else 0
    trace_id, span_id, flags, _ = remote
    sampled = flags & SAMPLED if recorder.follows_parent else SAMPLED * unsampled.is_sampled(trace_id)
    return trace_id, span_id, flags & RANDOM | sampled | PARENT_REMOTE
