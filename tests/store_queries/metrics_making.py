"""Series with few words: as OTLP for us, and as OpenMetrics text for a real Prometheus."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from otlp_making import NOW, ns, resource

from sonde.wire.protobuf import double, fixed64, integer, key_value, message, text, varint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

CUMULATIVE, DELTA = 2, 1
START = NOW - timedelta(minutes=20)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def _attributes(field_number: int, attributes: Mapping[str, object]) -> bytes:
    return b"".join(key_value(field_number, key, value) for key, value in attributes.items())


def number(time: datetime, value: float, attributes: Mapping[str, object]) -> bytes:
    """A NumberDataPoint."""
    return fixed64(3, ns(time)) + double(4, value) + _attributes(7, attributes)


def gauge(name: str, unit: str, points: Sequence[bytes]) -> bytes:
    return message(2, text(1, name) + text(3, unit) + message(5, b"".join(message(1, point) for point in points)))


def counter(
    name: str, unit: str, points: Sequence[bytes], temporality: int = CUMULATIVE, *, monotonic: bool = True
) -> bytes:
    body = b"".join(message(1, point) for point in points) + integer(2, temporality) + integer(3, int(monotonic))
    return message(2, text(1, name) + text(3, unit) + message(7, body))


def histogram_point(
    time: datetime, bounds: Sequence[float], counts: Sequence[int], total: float, attributes: Mapping[str, object]
) -> bytes:
    """A HistogramDataPoint; `counts` has one more than `bounds`."""
    body = fixed64(3, ns(time)) + fixed64(4, sum(counts)) + double(5, total)
    body += b"".join(fixed64(6, count) for count in counts) + b"".join(double(7, bound) for bound in bounds)
    return body + _attributes(9, attributes)


def histogram(name: str, unit: str, points: Sequence[bytes], temporality: int = CUMULATIVE) -> bytes:
    body = b"".join(message(1, point) for point in points) + integer(2, temporality)
    return message(2, text(1, name) + text(3, unit) + message(9, body))


def exponential_point(
    time: datetime, scale: int, offset: int, counts: Sequence[int], zeros: int, attributes: Mapping[str, object]
) -> bytes:
    """An ExponentialHistogramDataPoint without negative values."""
    body = _attributes(1, attributes) + fixed64(3, ns(time)) + fixed64(4, sum(counts) + zeros)
    body += integer(6, _zigzag(scale)) + fixed64(7, zeros)
    packed = b"".join(varint(count) for count in counts)
    return body + message(8, integer(1, _zigzag(offset)) + message(2, packed))


def exponential(name: str, unit: str, points: Sequence[bytes], temporality: int = CUMULATIVE) -> bytes:
    body = b"".join(message(1, point) for point in points) + integer(2, temporality)
    return message(2, text(1, name) + text(3, unit) + message(10, body))


def _zigzag(value: int) -> int:
    return (value << 1) ^ (value >> 63)


def request(service: str, instance: str, *metrics: bytes, **facts: object) -> bytes:
    """ExportMetricsServiceRequest of one process."""
    said = {"service.name": service, "service.instance.id": instance, **facts}
    return message(1, resource(said) + message(2, b"".join(metrics)))


@dataclass
class Both:
    """The same samples, once for each."""

    app: str
    requests: list[bytes] = field(default_factory=list)
    lines: dict[str, list[str]] = field(default_factory=dict)
    """OpenMetrics, by family."""

    def add_counter(
        self, name: str, prometheus: str, job: str, instance: str, points: Sequence[tuple[float, float]], **labels: str
    ) -> None:
        self.requests.append(
            request(job, instance, counter(name, "", [number(at(t), value, labels) for t, value in points]))
        )
        self._lines(f"{prometheus} counter", f"{prometheus}_total", job, instance, points, labels)

    def add_gauge(
        self,
        name: str,
        unit: str,
        prometheus: str,
        job: str,
        instance: str,
        points: Sequence[tuple[float, float]],
        **labels: str,
    ) -> None:
        self.requests.append(
            request(job, instance, gauge(name, unit, [number(at(t), value, labels) for t, value in points]))
        )
        self._lines(f"{prometheus} gauge", prometheus, job, instance, points, labels)

    def add_histogram(
        self,
        name: str,
        unit: str,
        prometheus: str,
        job: str,
        instance: str,
        bounds: Sequence[float],
        times: Sequence[float],
        counts: Callable[[int], Sequence[int]],
        **labels: str,
    ) -> None:
        points = []
        for number_, t in enumerate(times):
            told = counts(number_)
            points.append(histogram_point(at(t), bounds, told, 0.5 * sum(told), labels))
            cumulated = 0
            for bound, count in zip((*map(str, bounds), "+Inf"), told, strict=True):
                cumulated += count
                self._lines(
                    f"{prometheus} histogram",
                    f"{prometheus}_bucket",
                    job,
                    instance,
                    [(t, cumulated)],
                    {**labels, "le": bound},
                )
            self._lines(f"{prometheus} histogram", f"{prometheus}_count", job, instance, [(t, cumulated)], labels)
            self._lines(f"{prometheus} histogram", f"{prometheus}_sum", job, instance, [(t, 0.5 * cumulated)], labels)
        self.requests.append(request(job, instance, histogram(name, unit, points)))

    def _lines(
        self,
        family: str,
        name: str,
        job: str,
        instance: str,
        points: Sequence[tuple[float, float]],
        labels: Mapping[str, str],
    ) -> None:
        said = {"app": self.app, "job": job, "instance": instance, **labels}
        shown = ",".join(f'{key}="{value}"' for key, value in said.items())
        lines = self.lines.setdefault(family, [])
        lines += [f"{name}{{{shown}}} {value!r} {at(t).timestamp():.3f}" for t, value in points]

    @property
    def text(self) -> str:
        """The page for promtool."""
        parts = [line for family, lines in self.lines.items() for line in (f"# TYPE {family}", *lines)]
        return "\n".join([*parts, "# EOF", ""])
