"""SkyWalking's events (a deployment, a restart) as log records with an event name.

An event may come twice with one uuid, when it begins and when it ends: two records then, the later one with both times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, SeverityNumber

from sonde.server.intake.skywalking.resource import attribute
from sonde.server.intake.skywalking.skywalking_pb2 import EventType

if TYPE_CHECKING:
    from sonde.server.intake.skywalking.skywalking_pb2 import Event

MOST_PARAMETERS = 128


def said_ms(event: Event) -> int:
    """When what it tells happened: its end, where it has ended."""
    return event.endTime or event.startTime


def record(event: Event, time_ns: int, received_ns: int) -> LogRecord:
    """`time_ns`: of `said_ms`, as far as that can be meant."""
    failed = event.type == EventType.Error
    told: dict[str, str | int] = dict(sorted(event.parameters.items())[:MOST_PARAMETERS])
    told |= {
        "sw8.event.uuid": event.uuid,
        "sw8.event.type": "Error" if failed else "Normal",
        "sw8.event.start_time": event.startTime,
        "sw8.event.end_time": event.endTime,
        "sw8.endpoint": event.source.endpoint,
        "sw8.layer": event.layer,
    }
    return LogRecord(
        time_unix_nano=time_ns,
        observed_time_unix_nano=received_ns,
        severity_number=SeverityNumber.SEVERITY_NUMBER_ERROR if failed else SeverityNumber.SEVERITY_NUMBER_INFO,
        severity_text="ERROR" if failed else "INFO",
        event_name=event.name,
        body=AnyValue(string_value=event.message or event.name),
        attributes=[attribute(key, value) for key, value in told.items() if value],
    )
