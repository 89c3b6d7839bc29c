"""The runtime metrics as OTLP, a small request each 10 s. Imported with the first of them, not at start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonde.probe.log_records import log_records
from sonde.probe.runtime import runtime
from sonde.wire.protobuf import double, fixed64, integer, key_value, message, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sonde.probe.runtime import Point

_GAUGE, _SUM = 5, 7
_CUMULATIVE = 2


def request(resource: bytes, scope: bytes, now_ns: int) -> bytes:
    """An ExportMetricsServiceRequest. `resource` and `scope` are encoded fields of it."""
    metrics = b"".join(message(2, metric) for metric in _metrics(now_ns))
    return message(1, resource + message(2, scope + metrics))


def _metrics(now_ns: int) -> Iterator[bytes]:
    for name, unit, value, key, word in runtime.gauges():
        yield text(1, name) + text(3, unit) + message(_GAUGE, _point(value, now_ns, 0, key, word))
    for name, unit, value, key, word in _sums():
        points = _point(value, now_ns, runtime.began_ns, key, word)
        yield text(1, name) + text(3, unit) + message(_SUM, points + integer(2, _CUMULATIVE) + integer(3, 1))


def _sums() -> Iterator[Point]:
    yield from runtime.sums()
    yield "sonde.logs.dropped", "{record}", log_records.dropped, "", ""


def _point(value: float, now_ns: int, since_ns: int, key: str, word: str) -> bytes:
    since = fixed64(2, since_ns) if since_ns else b""
    return message(1, since + fixed64(3, now_ns) + double(4, value) + (key_value(7, key, word) if key else b""))
