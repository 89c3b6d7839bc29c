"""A log record as an OTLP ExportLogsServiceRequest.

Field numbers: opentelemetry/proto/logs/v1/logs.proto, .../resource.proto, .../collector/logs/v1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonde import __version__
from sonde.wire.protobuf import fixed64, integer, key_value, message, text

if TYPE_CHECKING:
    from collections.abc import Mapping

SCOPE = "sonde.agent"
_INFO = 9


def request(resource: Mapping[str, str], event: str, body: str, now_unix_ns: int) -> bytes:
    """One record with an event name, of severity INFO."""
    attributes = b"".join(key_value(1, key, value) for key, value in resource.items())
    record = fixed64(1, now_unix_ns) + integer(2, _INFO) + text(3, "INFO") + message(5, text(1, body))
    record += fixed64(11, now_unix_ns) + text(12, event)
    scope = text(1, SCOPE) + text(2, __version__)
    return message(1, message(1, attributes) + message(2, message(1, scope) + message(2, record)))
