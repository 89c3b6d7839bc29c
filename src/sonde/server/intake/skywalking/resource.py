"""The sender of metrics and logs as an OTLP resource: OpenTelemetry's names, and beside them those that were sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SDK_NAME = "skywalking"
_NAMES = {
    "language": "telemetry.sdk.language",
    "hostname": "host.name",
    "host_name": "host.name",
    "OS Name": "os.name",
    "os_name": "os.name",
    "Process No.": "process.pid",
    "process_no": "process.pid",
    "ipv4": "host.ip",
    "python_implementation": "process.runtime.name",
    "python_version": "process.runtime.version",
    "namespace": "service.namespace",
}


def attribute(key: str, value: str | float) -> KeyValue:
    """A number or a text."""
    made = KeyValue(key=key)
    if isinstance(value, str):
        made.value.string_value = value
    elif isinstance(value, int):
        made.value.int_value = value
    else:
        made.value.double_value = value
    return made


def properties_of(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What an agent told of its process, under its own names and OpenTelemetry's. A key may come several times."""
    told: dict[str, str] = {}
    for key, value in pairs:
        if key and value:
            told[key] = f"{told[key]}, {value}" if key in told else value
    standard = {_NAMES[key]: value for key, value in told.items() if key in _NAMES}
    if "telemetry.sdk.language" in standard:
        standard["telemetry.sdk.language"] = standard["telemetry.sdk.language"].lower()
    return told | standard


def resource(service: str, instance: str, properties: Mapping[str, str]) -> bytes:
    """A Resource. `properties` as `properties_of` gives them."""
    attributes = {"service.name": service, "service.instance.id": instance, "telemetry.sdk.name": SDK_NAME}
    return Resource(
        attributes=[attribute(key, value) for key, value in (dict(properties) | attributes).items() if value]
    ).SerializeToString()
