"""Metrics of OTLP, put together from single figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    Sum,
)

from sonde.server.intake.skywalking.resource import attribute
from sonde.wire import protobuf

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_INT64 = 1 << 63


@dataclass(slots=True)
class Figures:
    """The metrics of one process."""

    metrics: list[Metric] = field(default_factory=list)

    def gauge(
        self, name: str, unit: str, value: float, time_ns: int, attributes: Mapping[str, str] | None = None
    ) -> None:
        """A value as of then."""
        point = _point(value, time_ns, attributes)
        self.metrics.append(Metric(name=name, unit=unit, gauge=Gauge(data_points=[point])))

    def delta(
        self, name: str, unit: str, value: float, time_ns: int, attributes: Mapping[str, str] | None = None
    ) -> None:
        """What came since the report before."""
        point = _point(value, time_ns, attributes)
        temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
        total = Sum(data_points=[point], aggregation_temporality=temporality, is_monotonic=True)
        self.metrics.append(Metric(name=name, unit=unit, sum=total))

    def total(
        self, name: str, unit: str, value: float, time_ns: int, attributes: Mapping[str, str] | None = None
    ) -> None:
        """What came since the process began."""
        point = _point(value, time_ns, attributes)
        temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
        total = Sum(data_points=[point], aggregation_temporality=temporality, is_monotonic=True)
        self.metrics.append(Metric(name=name, unit=unit, sum=total))

    def buckets(
        self,
        name: str,
        bounds: Sequence[float],
        counts: Sequence[int],
        time_ns: int,
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        """A histogram since the process began; there is one count more than bounds."""
        point = HistogramDataPoint(
            time_unix_nano=time_ns,
            count=sum(counts),
            bucket_counts=counts,
            explicit_bounds=bounds,
            attributes=[attribute(key, value) for key, value in (attributes or {}).items()],
        )
        temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
        histogram = Histogram(data_points=[point], aggregation_temporality=temporality)
        self.metrics.append(Metric(name=name, histogram=histogram))

    def records(self) -> bytes:
        """As fields 2 of a ScopeMetrics."""
        return b"".join(protobuf.message(2, metric.SerializeToString()) for metric in self.metrics)


def _point(value: float, time_ns: int, attributes: Mapping[str, str] | None) -> NumberDataPoint:
    point = NumberDataPoint(
        time_unix_nano=time_ns, attributes=[attribute(key, text) for key, text in (attributes or {}).items()]
    )
    if isinstance(value, int) and -_INT64 <= value < _INT64:
        point.as_int = value
    else:
        point.as_double = value
    return point
