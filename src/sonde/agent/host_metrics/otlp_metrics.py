"""Metrics as an OTLP ExportMetricsServiceRequest.

Field numbers: opentelemetry/proto/metrics/v1/metrics.proto, .../resource.proto, .../collector/metrics/v1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sonde import __version__
from sonde.wire.protobuf import double, fixed64, integer, key_value, message, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCOPE = "sonde.agent"
_CUMULATIVE = 2  # AggregationTemporality


@dataclass(frozen=True, slots=True)
class Point:
    """One value and what tells it from the others of its metric."""

    value: float | int
    attributes: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Metric:
    """A gauge; or, where `since_unix_ns` is set, a sum that only grows since that time. Units as in UCUM."""

    name: str
    unit: str
    points: Sequence[Point]
    since_unix_ns: int | None = None


def request(resource: Mapping[str, str], metrics: Sequence[Metric], now_unix_ns: int) -> bytes:
    """The request with all points at one time. Metrics without points are left out."""
    attributes = b"".join(key_value(1, key, value) for key, value in resource.items())
    scope = text(1, SCOPE) + text(2, __version__)
    body = b"".join(message(2, _metric(metric, now_unix_ns)) for metric in metrics if metric.points)
    return message(1, message(1, attributes) + message(2, message(1, scope) + body))


def _metric(metric: Metric, now_unix_ns: int) -> bytes:
    points = b"".join(message(1, _point(point, metric.since_unix_ns, now_unix_ns)) for point in metric.points)
    described = text(1, metric.name) + text(3, metric.unit)
    if metric.since_unix_ns is None:
        return described + message(5, points)
    return described + message(7, points + integer(2, _CUMULATIVE) + integer(3, value=True))


def _point(point: Point, since_unix_ns: int | None, now_unix_ns: int) -> bytes:
    since = b"" if since_unix_ns is None else fixed64(2, since_unix_ns)
    value = fixed64(6, point.value) if isinstance(point.value, int) else double(4, point.value)
    attributes = b"".join(key_value(7, key, of) for key, of in point.attributes.items())
    return since + fixed64(3, now_unix_ns) + value + attributes
