"""Makes OTLP requests with few words, and loads them the way the server does: as spool files."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sonde.server.store.intake_statements import STATEMENTS, settings_for
from sonde.server.store.migrate import server_version
from sonde.wire.protobuf import fixed64, integer, key_value, message, text, varint

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sonde.server.store.client import StoreClient

MS = timedelta(milliseconds=1)
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
"""When the tests' requests happen: lately, so that no retention takes them; on a whole second."""
SLOT = datetime.fromtimestamp(int(NOW.timestamp()) // 1800 * 1800, UTC)
"""The start of a step of any chart of theirs."""

INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = 1, 2, 3, 4, 5
FIELD_OF_SIGNAL = {"traces": 4, "metrics": 5, "logs": 6, "segments": 7}

_files = itertools.count()


def ns(time: datetime) -> int:
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


@dataclass
class Span:
    """Defaults are those of a request that took 10 ms."""

    name: str = "GET /"
    kind: int = SERVER
    start: datetime = NOW
    ms: float = 10.0
    trace: bytes = b"T" * 16
    id: bytes = b"S" * 8
    parent: bytes = b""
    error: bool = False
    message: str = ""
    attributes: Mapping[str, object] = field(default_factory=dict)
    raw_attributes: bytes = b""
    """Encoded KeyValues, for values that `any_value` does not write."""
    exception: tuple[str, str] | None = None
    links: tuple[tuple[bytes, bytes], ...] = ()

    def encode(self) -> bytes:
        start_ns = ns(self.start)
        out = message(1, self.trace) + message(2, self.id) + (message(4, self.parent) if self.parent else b"")
        out += text(5, self.name) + integer(6, self.kind) + fixed64(7, start_ns)
        out += fixed64(8, start_ns + round(self.ms * 1e6))
        out += b"".join(key_value(9, key, value) for key, value in self.attributes.items()) + self.raw_attributes
        if self.exception:
            said = key_value(3, "exception.type", self.exception[0])
            said += key_value(3, "exception.message", self.exception[1])
            out += message(11, fixed64(1, start_ns + 1_000_000) + text(2, "exception") + said)
        for trace, span in self.links:
            out += message(13, message(1, trace) + message(2, span))
        status = text(2, self.message) + integer(3, 2) if self.error else b""
        return out + message(15, status)


def resource(facts: Mapping[str, object]) -> bytes:
    return message(1, b"".join(key_value(1, key, value) for key, value in facts.items()))


def spans_request(service: str, spans: list[Span], **facts: object) -> bytes:
    """ExportTraceServiceRequest of one process."""
    named = {"service.name": service} if service else {}
    scope = message(2, b"".join(message(2, span.encode()) for span in spans))
    return message(1, resource({**named, **{key.replace("__", "."): value for key, value in facts.items()}}) + scope)


def entry(app: str, signal: str, request: bytes, received: datetime) -> bytes:
    """A length-delimited spool entry."""
    body = text(1, app) + fixed64(2, ns(received)) + message(3, b"d" * 16) + message(FIELD_OF_SIGNAL[signal], request)
    return varint(len(body)) + body


@dataclass
class Sender:
    client: StoreClient
    spool: Path
    app: str

    def spans(self, service: str, *spans: Span, received: datetime = NOW, **facts: object) -> str:
        """Loads them; the name of the spool file. `facts` are resource attributes, `__` for a dot."""
        return self.request("traces", spans_request(service, list(spans), **facts), received=received)

    def request(self, signal: str, *requests: bytes, received: datetime = NOW) -> str:
        name = f"{next(_files)}.{signal}.pb"
        (self.spool / name).write_bytes(b"".join(entry(self.app, signal, body, received) for body in requests))
        self.load(name)
        return name

    def load(self, name: str) -> None:
        """Again, perhaps."""
        signal = name.split(".")[1]
        settings = {**settings_for(server_version(self.client)), "insert_deduplication_token": name}
        self.client.insert_file(STATEMENTS[signal], self.spool / name, settings=settings)
