"""Log records on their way to the server, as OTLP. Off unless the setting `ship_logs` names a level.

Bounded in every direction: a text is cut at MAX_TEXT characters, and what is more than MAX_WAITING records or MAX_BYTES
within a few seconds is dropped and counted.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from sonde.probe import core
from sonde.probe.core.failures import describe
from sonde.probe.guard import fault
from sonde.wire.protobuf import fixed64, integer, key_value, message, text

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

MAX_TEXT = 4096
MAX_WAITING = 2000
MAX_BYTES = 1 << 20

_SEVERITIES = ((50, 21), (40, 17), (30, 13), (20, 9), (10, 5))
"""Level of Python, least SeverityNumber of OTLP that it is: FATAL, ERROR, WARN, INFO, DEBUG; TRACE below."""


class _Busy(threading.local):
    now = False
    """This thread is in here: what is logged meanwhile, by a `__str__` of the user's, is not shipped."""


class LogRecords:
    """There is one, `log_records`."""

    def __init__(self) -> None:
        self._busy = _Busy()
        self._lock = threading.Lock()
        self._waiting: list[bytes] = []
        self._bytes = 0
        self.dropped = 0
        self.sources: list[Callable[[], object]] = []
        """Called before what waits is taken: whoever has events that were noted without the interpreter's lock."""

    def add(self, record: logging.LogRecord) -> None:
        """Ship it. May raise what the record's own arguments raise."""
        if self._busy.now:
            return
        self._busy.now = True
        try:
            encoded = _encoded(record)
        finally:
            self._busy.now = False
        self._keep(encoded)

    def event(
        self,
        name: str,
        began_ns: int,
        text_: str,
        attributes: dict[str, str],
        *,
        duration_ns: int,
        trace_id: bytes = b"",
        span_id: bytes = b"",
    ) -> None:
        """One of our own: it goes whatever `ship_logs` says. `duration_ns` is of a clock that nobody sets."""
        now_ns = time.time_ns()
        out = fixed64(1, began_ns) + integer(2, 9) + text(3, "INFO") + message(5, text(1, text_[:MAX_TEXT]))
        out += b"".join(key_value(6, key, value[:MAX_TEXT]) for key, value in attributes.items())
        out += key_value(6, "sonde.duration_ns", duration_ns)
        if trace_id:
            out += message(9, trace_id) + message(10, span_id)
        self._keep(out + fixed64(11, now_ns) + text(12, name))

    def _keep(self, encoded: bytes) -> None:
        with self._lock:
            first = not self._waiting
            if len(self._waiting) >= MAX_WAITING or self._bytes + len(encoded) > MAX_BYTES:
                self.dropped += 1
                return
            self._waiting.append(encoded)
            self._bytes += len(encoded)
        if first:
            core.ask_tick()

    def taken(self) -> bytes:
        """What waits, as ScopeLogs.log_records fields; empty: nothing."""
        for source in list(self.sources):
            try:
                source()
            except Exception:
                fault("log_records.source")
        with self._lock:
            found, self._waiting, self._bytes = self._waiting, [], 0
        return b"".join(message(2, one) for one in found)

    def forget(self) -> None:
        """In a forked child: what waits is the parent's."""
        self._lock = threading.Lock()
        self._waiting, self._bytes = [], 0


def _encoded(record: logging.LogRecord) -> bytes:
    """opentelemetry.proto.logs.v1.LogRecord. Source: opentelemetry/proto/logs/v1/logs.proto."""
    severity = next((number for level, number in _SEVERITIES if record.levelno >= level), 1)
    out = fixed64(1, int(record.created * 1e9)) + integer(2, severity) + text(3, record.levelname[:MAX_TEXT])
    out += message(5, text(1, record.getMessage()[:MAX_TEXT]))
    out += key_value(6, "logger.name", record.name[:MAX_TEXT]) + key_value(6, "code.file.path", record.pathname)
    out += key_value(6, "code.line.number", record.lineno) + key_value(6, "code.function.name", record.funcName)
    if record.threadName:
        out += key_value(6, "thread.name", record.threadName[:MAX_TEXT])
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    if error is not None:
        failure = describe(error)
        out += key_value(6, "exception.type", failure.type)
        out += key_value(6, "exception.message", failure.message[:MAX_TEXT])
        out += key_value(6, "exception.stacktrace", failure.stacktrace)
    span = core.current()
    if span is not None and span.recording:
        out += message(9, bytes.fromhex(span.trace_id)) + message(10, bytes.fromhex(span.span_id))
    return out + fixed64(11, time.time_ns())


log_records = LogRecords()
