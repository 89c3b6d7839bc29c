"""OpenTelemetry's names as Prometheus has them.

Source: https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/ (metric metadata, units).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

MetricType = Literal["gauge", "sum", "histogram", "exponential_histogram", "summary"]
Column = Literal["value", "count", "sum", "bucket", "quantile"]
"""What of a point is the sample of a series."""

_UNITS = {
    "d": "days",
    "h": "hours",
    "min": "minutes",
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "By": "bytes",
    "KiBy": "kibibytes",
    "MiBy": "mebibytes",
    "GiBy": "gibibytes",
    "TiBy": "tibibytes",
    "KBy": "kilobytes",
    "kBy": "kilobytes",
    "MBy": "megabytes",
    "GBy": "gigabytes",
    "TBy": "terabytes",
    "m": "meters",
    "V": "volts",
    "A": "amperes",
    "J": "joules",
    "W": "watts",
    "g": "grams",
    "Cel": "celsius",
    "Hz": "hertz",
    "%": "percent",
    "1": "",
}
_PER = {"s": "second", "min": "minute", "m": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year"}
_ANNOTATION = re.compile(r"\{[^}]*\}")
_NO_WORD = re.compile(r"[^a-zA-Z0-9:]+")
_NO_LABEL = re.compile(r"[^a-zA-Z0-9_]")
RESERVED = frozenset({"job", "instance", "app", "host_name", "le", "quantile"})
"""Labels of ours. An attribute of that name becomes `exported_…`, as Prometheus does where it scrapes."""


class Family(NamedTuple):
    """What one metric of one sort is, as `metric_names` has it."""

    name: str
    unit: str
    type: MetricType
    monotonic: bool
    delta: bool


def metric_name(family: Family) -> str:
    """`http.server.request.duration` in `s` → `http_server_request_duration_seconds`."""
    words = [word for word in _NO_WORD.split(family.name) if word]
    unit, _, per = _ANNOTATION.sub("", family.unit).partition("/")
    for word in _unit_words(unit.strip(), per.strip()):
        if word not in words or word == "per":
            words.append(word)
    if family.type == "gauge" and family.unit == "1":
        words = [*(word for word in words if word != "ratio"), "ratio"]
    if family.type == "sum" and family.monotonic:
        words = [*(word for word in words if word != "total"), "total"]
    name = "_".join(words)
    return f"_{name}" if not name or name[0].isdigit() else name


def _unit_words(unit: str, per: str) -> list[str]:
    words = [_NO_WORD.sub("_", _UNITS.get(unit, unit)).strip("_")] if unit else []
    if per:
        words += ["per", _NO_WORD.sub("_", _PER.get(per, per)).strip("_")]
    return [word for word in words if word]


def series_names(family: Family) -> dict[str, Column]:
    """The names under which its series are found, and what each shows."""
    name = metric_name(family)
    if family.type in {"gauge", "sum"}:
        return {name: "value"}
    names: dict[str, Column] = {f"{name}_count": "count", f"{name}_sum": "sum"}
    if family.type == "summary":
        return names | {name: "quantile"}
    return names | {f"{name}_bucket": "bucket"}


def label_name(attribute: str) -> str:
    """`http.request.method` → `http_request_method`."""
    name = _NO_LABEL.sub("_", attribute)
    if name in RESERVED:
        return f"exported_{name}"
    return f"key_{name}" if name[:1].isdigit() else name


def labels_of(app: str, service: str, instance: str, host: str, attributes: Mapping[str, str]) -> dict[str, str]:
    """Of a series, without its name. Empty ones are left out, as Prometheus knows no difference.

    Attributes that become one label are joined by `;`, in the order of their keys.
    """
    labels: dict[str, str] = {}
    for key in sorted(attributes):
        name = label_name(key)
        labels[name] = f"{labels[name]};{attributes[key]}" if name in labels else attributes[key]
    labels |= {"app": app, "job": service, "instance": instance, "host_name": host}
    return {name: value for name, value in labels.items() if value}


def number_text(value: float) -> str:
    """As Go writes it: the shortest digits that are this number, no exponent."""
    if value != value:  # noqa: PLR0124 - NaN
        return "NaN"
    if value in {float("inf"), float("-inf")}:
        return "+Inf" if value > 0 else "-Inf"
    text = repr(value)
    if "e" in text:
        mantissa, _, exponent = text.partition("e")
        sign = "-" if mantissa.startswith("-") else ""
        whole, _, fraction = mantissa.lstrip("-").partition(".")
        digits, point = whole + fraction, len(whole) + int(exponent)
        if point <= 0:
            text = f"{sign}0.{'0' * -point}{digits}"
        else:
            digits = digits.ljust(point, "0")
            text = f"{sign}{digits[:point]}.{digits[point:]}"
    return text.rstrip("0").rstrip(".") if "." in text else text
