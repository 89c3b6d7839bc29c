"""What pages with SkyWalking's browser client report: times of a load as metrics, errors as log records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, SeverityNumber

from sonde.server.intake.skywalking.resource import attribute
from sonde.server.intake.skywalking.skywalking_pb2 import ErrorCategory

if TYPE_CHECKING:
    from sonde.server.intake.skywalking.metrics import Figures
    from sonde.server.intake.skywalking.skywalking_pb2 import BrowserErrorLog, BrowserPerfData

PROPERTIES = {"telemetry.sdk.language": "webjs"}
_TIMES = {
    "redirectTime": "redirect",
    "dnsTime": "dns",
    "ttfbTime": "first_byte",
    "tcpTime": "tcp",
    "transTime": "transfer",
    "domAnalysisTime": "dom_analysis",
    "fptTime": "first_paint",
    "domReadyTime": "dom_ready",
    "loadPageTime": "load",
    "resTime": "resources",
    "sslTime": "tls",
    "ttlTime": "interactive",
    "firstPackTime": "first_pack",
    "fmpTime": "first_meaningful_paint",
}


def perf(data: BrowserPerfData, time_ns: int, figures: Figures) -> None:
    """`browser.page.<what>.duration` of one load of a page; what took no time did not happen."""
    for field, what in _TIMES.items():
        if (took_ms := getattr(data, field)) > 0:
            figures.gauge(f"browser.page.{what}.duration", "ms", took_ms, time_ns, {"url.path": data.pagePath})


def error(log: BrowserErrorLog, time_ns: int, received_ns: int) -> LogRecord:
    """Which may come from any page in the world: its words are only words."""
    values = ErrorCategory.DESCRIPTOR.values_by_number
    category = values[log.category].name if log.category in values else str(log.category)
    told: dict[str, str | int] = {
        "exception.type": category,
        "exception.message": log.message,
        "exception.stacktrace": log.stack,
        "url.path": log.pagePath,
        "url.full": log.errorUrl,
        "code.line.number": log.line,
        "code.column.number": log.col,
        "sw8.unique_id": log.uniqueId,
        "sw8.grade": log.grade,
    }
    return LogRecord(
        time_unix_nano=time_ns,
        observed_time_unix_nano=received_ns,
        severity_number=SeverityNumber.SEVERITY_NUMBER_ERROR,
        severity_text="ERROR",
        event_name="exception",
        body=AnyValue(string_value=log.message or category),
        attributes=[attribute(key, value) for key, value in told.items() if value],
    )
