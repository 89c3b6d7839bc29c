"""Meters as metrics: each under its own name, and where OpenTelemetry has a name for it under that as well."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sonde.server.intake.skywalking.metrics import Figures
    from sonde.server.intake.skywalking.skywalking_pb2 import MeterData, MeterHistogram

MOST_BUCKETS = 1000
_MAX_COUNT = (1 << 53) - 1
_PERCENT, _MEBIBYTE = 0.01, 1 << 20


class _Standard(NamedTuple):
    name: str
    unit: str
    factor: float


_STANDARD = {
    "instance_pvm_process_cpu_utilization": _Standard("process.cpu.utilization", "1", _PERCENT),
    "instance_pvm_process_mem_utilization": _Standard("process.memory.utilization", "1", _PERCENT),
    "instance_pvm_thread_active_count": _Standard("process.thread.count", "{thread}", 1),
    "instance_php_process_cpu_utilization": _Standard("process.cpu.utilization", "1", _PERCENT),
    "instance_php_memory_used_mb": _Standard("process.memory.usage", "By", _MEBIBYTE),
    "instance_php_virtual_memory_mb": _Standard("process.memory.virtual", "By", _MEBIBYTE),
    "instance_php_thread_count": _Standard("process.thread.count", "{thread}", 1),
    "instance_php_open_fd_count": _Standard("process.unix.file_descriptor.count", "{file_descriptor}", 1),
}


class BadMeterError(ValueError):
    """A meter that is none; the message says why."""


def translate(meter: MeterData, time_ns: int, figures: Figures) -> None:
    """Add what `meter` says to `figures`. Raises BadMeterError."""
    if meter.HasField("histogram"):
        _histogram(meter.histogram, time_ns, figures)
        return
    single = meter.singleValue
    if not meter.HasField("singleValue") or not single.name:
        raise BadMeterError("a meter has a name and a value or a histogram")
    if not math.isfinite(single.value):
        raise BadMeterError(f"the meter {single.name} is no finite number")
    labels = {label.name: label.value for label in single.labels}
    figures.gauge(single.name, "", single.value, time_ns, labels)
    if standard := _STANDARD.get(single.name):
        figures.gauge(standard.name, standard.unit, single.value * standard.factor, time_ns, labels)


def _histogram(histogram: MeterHistogram, time_ns: int, figures: Figures) -> None:
    """Their buckets are known by where they begin, ours by where they end."""
    if not histogram.name:
        raise BadMeterError("a histogram has a name")
    if len(histogram.values) > MOST_BUCKETS:
        raise BadMeterError(f"the histogram {histogram.name} has more than {MOST_BUCKETS} buckets")
    counts: dict[float, int] = {}
    for value in histogram.values:
        start = -math.inf if value.isNegativeInfinity else value.bucket
        if math.isnan(start) or start == math.inf or not 0 <= value.count <= _MAX_COUNT:
            raise BadMeterError(f"a bucket of the histogram {histogram.name} begins or counts nothing that can be")
        counts[start] = counts.get(start, 0) + value.count
    counts.setdefault(-math.inf, 0)
    starts = sorted(counts)
    labels = {label.name: label.value for label in histogram.labels}
    figures.buckets(histogram.name, starts[1:], [counts[start] for start in starts], time_ns, labels)
