"""`error_log`: records that an agent found in files of error messages."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.logs.v1.logs_pb2 import SeverityNumber

from sonde.server.intake.xtransit.otlp import add_attributes, log_request, nanos
from sonde.server.intake.xtransit.process_metrics import figure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

EVENT = "xprofiler.error"
FILE = "log.file.path"
MOST_RECORDS = 10_000
LONGEST_TEXT = 64 << 10
_WHEN = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s?(Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_LATEST, _OLDEST = timedelta(minutes=5), timedelta(days=29)
"""How far the time in a message may be from when it was read; beyond, it is no time of the event."""
_NEAREST_S = 900
"""Time zones are whole quarters of an hour."""


def translate(agent: str, service: str, files: Mapping[str, Any]) -> tuple[ExportLogsServiceRequest, int, int]:
    """OTLP logs, how many records there are in it, and how many could not be understood."""
    request, made = log_request(
        {"service.name": service, "service.instance.id": agent, "host.name": agent, "telemetry.sdk.language": "nodejs"}
    )
    records = made.scope_logs[0].log_records
    bad = 0
    for path, errors in files.items():
        for error in errors if isinstance(errors, list) else ():
            read_ms = figure(error.get("timestamp")) if isinstance(error, dict) else None
            if read_ms is None or len(records) >= MOST_RECORDS:
                bad += 1
                continue
            stack, extra = (_text(error.get(key)) for key in ("stack", "extra"))
            kind = _text(error.get("type"))[:200] or "Error"
            when = true_time(stack, datetime.fromtimestamp(read_ms / 1000, UTC)) if 0 < read_ms < 1e13 else None
            record = records.add()
            record.time_unix_nano = nanos(when.timestamp() * 1000 if when else read_ms)
            record.observed_time_unix_nano = nanos(read_ms)
            record.severity_number, record.severity_text = SeverityNumber.SEVERITY_NUMBER_ERROR, "ERROR"
            record.event_name = EVENT
            message = _message(stack, kind)
            record.body.string_value = message
            add_attributes(
                record.attributes,
                {
                    FILE: path[:1000],
                    "exception.type": kind,
                    "exception.message": message,
                    "exception.stacktrace": stack,
                    **({"xprofiler.extra": extra} if extra.strip() else {}),
                },
            )
    return request, len(records), bad


def true_time(stack: str, read_at: datetime) -> datetime | None:
    """When the event was, by the time in its first line; None where there is none to be believed.

    A time without a zone is the host's own. Its zone is unknown, but the record was read shortly after it was written:
    so it is the zone that makes it lie just before `read_at`.
    """
    found = _WHEN.search(stack.partition("\n")[0])
    if found is None:
        return None
    *numbers, fraction, zone = found.groups()
    micros = int((fraction or "0")[:6].ljust(6, "0"))
    try:
        when = datetime(*(int(number) for number in numbers), micros, tzinfo=UTC)  # type: ignore[misc,arg-type]
    except ValueError:
        return None
    if zone and zone != "Z":
        sign, hours, minutes = zone[0], int(zone[1:3]), int(zone[-2:])
        if hours > 14 or minutes > 59:
            return None
        away = timedelta(hours=hours, minutes=minutes)
        when = when.replace(tzinfo=timezone(away if sign == "+" else -away)).astimezone(UTC)
    elif not zone:
        behind_s = (read_at - when).total_seconds()
        zone_s = behind_s // _NEAREST_S * _NEAREST_S
        if abs(zone_s) <= 14 * 3600:
            when += timedelta(seconds=zone_s)
    return when if -_LATEST <= read_at - when <= _OLDEST else None


def _text(value: object) -> str:
    return value[:LONGEST_TEXT] if isinstance(value, str) else ""


def _message(stack: str, kind: str) -> str:
    """The first line, from the error's type on."""
    line = stack.partition("\n")[0].strip()
    at = line.find(kind)
    return line[at:] if at >= 0 else line or kind
