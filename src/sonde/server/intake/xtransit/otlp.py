"""OTLP requests of what an agent says."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric, NumberDataPoint

from sonde import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from opentelemetry.proto.logs.v1.logs_pb2 import ResourceLogs

SCOPE = "sonde.xtransit"
DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE


class Metrics:
    """A request in the making; of one resource each `resource`."""

    def __init__(self) -> None:
        self.request = ExportMetricsServiceRequest()
        self.points = 0

    def resource(self, attributes: Mapping[str, str | int]) -> ResourceMetrics:
        """Whose metrics follow."""
        made = self.request.resource_metrics.add()
        add_attributes(made.resource.attributes, attributes)
        scope = made.scope_metrics.add()
        scope.scope.name, scope.scope.version = SCOPE, __version__
        return ResourceMetrics(self, scope)

    @property
    def items(self) -> int:
        """Metrics, as the spool counts them."""
        return sum(len(it.scope_metrics[0].metrics) for it in self.request.resource_metrics)


class ResourceMetrics:
    """The metrics of one resource, by name."""

    def __init__(self, whole: Metrics, scope: Any) -> None:
        self._whole = whole
        self._scope = scope
        self._metrics: dict[str, Metric] = {}

    def gauge(self, name: str, unit: str, value: float, time_ms: float, attributes: Mapping[str, str | int]) -> None:
        """A value as of then."""
        self._point(self._metric(name, unit).gauge.data_points.add(), value, time_ms, attributes)

    def sum(
        self,
        name: str,
        unit: str,
        value: float,
        time_ms: float,
        attributes: Mapping[str, str | int],
        *,
        since_ms: float,
        temporality: AggregationTemporality.ValueType,
    ) -> None:
        """A count from `since_ms` on."""
        total = self._metric(name, unit).sum
        total.aggregation_temporality, total.is_monotonic = temporality, True
        point = total.data_points.add()
        point.start_time_unix_nano = nanos(since_ms)
        self._point(point, value, time_ms, attributes)

    def histogram(
        self,
        name: str,
        unit: str,
        count: int,
        total: float,
        time_ms: float,
        attributes: Mapping[str, str | int],
        *,
        since_ms: float,
        temporality: AggregationTemporality.ValueType,
    ) -> None:
        """How many and their sum; of how they are spread nothing is known, so there is one bucket."""
        histogram = self._metric(name, unit).histogram
        histogram.aggregation_temporality = temporality
        point = histogram.data_points.add()
        point.start_time_unix_nano, point.time_unix_nano = nanos(since_ms), nanos(time_ms)
        point.count, point.sum = count, total
        point.bucket_counts.append(count)
        add_attributes(point.attributes, attributes)
        self._whole.points += 1

    def _metric(self, name: str, unit: str) -> Metric:
        metric = self._metrics.get(name)
        if metric is None:
            metric = self._scope.metrics.add()
            metric.name, metric.unit = name, unit
            self._metrics[name] = metric
        return metric

    def _point(self, point: NumberDataPoint, value: float, time_ms: float, attributes: Mapping[str, str | int]) -> None:
        point.MergeFrom(_bare_point(tuple(attributes.items())))
        point.time_unix_nano, point.as_double = nanos(time_ms), value
        self._whole.points += 1


@lru_cache(maxsize=4096)
def _bare_point(attributes: tuple[tuple[str, str | int], ...]) -> NumberDataPoint:
    """Copied into each point with these attributes: making them anew is most of the work. Not to be changed."""
    point = NumberDataPoint()
    add_attributes(point.attributes, dict(attributes))
    return point


def log_request(resource: Mapping[str, str | int]) -> tuple[ExportLogsServiceRequest, ResourceLogs]:
    """A request, and where its records go (`scope_logs[0].log_records`)."""
    request = ExportLogsServiceRequest()
    made = request.resource_logs.add()
    add_attributes(made.resource.attributes, resource)
    made.scope_logs.add().scope.name = SCOPE
    return request, made


def add_attributes(field: Any, attributes: Mapping[str, str | int]) -> None:
    """Text and integers."""
    for key, value in attributes.items():
        made = field.add(key=key)
        if isinstance(value, int):
            made.value.int_value = value
        else:
            made.value.string_value = value.encode("utf-8", "replace").decode()


def nanos(time_ms: float) -> int:
    """Of milliseconds since the epoch; a time before it, or none that a clock shows, becomes 0."""
    return int(time_ms) * 1_000_000 if 0 < time_ms < 1e14 else 0
