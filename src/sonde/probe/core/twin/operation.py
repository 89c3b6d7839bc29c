"""What all spans of one wrap point have in common, encoded once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonde.probe.core.twin.encode import SPAN_ATTRIBUTE, attributes, cut_text, field
from sonde.probe.core.twin.recorder import recorder

if TYPE_CHECKING:
    from collections.abc import Mapping

INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = 1, 2, 3, 4, 5
"""opentelemetry.proto.trace.v1.Span.SpanKind."""

NAME = b"\x2a"
"""Tag of Span.name."""


class Operation:
    """Name, kind and constant attributes of the spans made with it. Made by `operation`."""

    __slots__ = ("all_constants", "constants", "kind", "kind_field", "name", "name_and_kind")

    def __init__(self, name: str, kind: int, constants: Mapping[str, object]) -> None:
        if not INTERNAL <= kind <= CONSUMER:
            raise ValueError(f"kind {kind}; OTLP knows 1 to 5")
        self.name = name
        self.kind = kind
        self.kind_field = bytes((0x30, kind))
        self.name_and_kind = field(NAME, cut_text(name, recorder.max_value_bytes)) + self.kind_field
        self.constants = attributes(SPAN_ATTRIBUTE, constants, recorder.max_value_bytes)
        self.all_constants = b"".join(self.constants.values())

    def written_name(self) -> str:
        """The name as its spans have it."""
        return cut_text(self.name, recorder.max_value_bytes).decode()

    def __repr__(self) -> str:
        return f"<Operation {self.name!r}>"


def operation(name: str, kind: int, attributes: Mapping[str, object] | None = None) -> Operation:
    """Made once per wrap point: encodes what its spans have in common. Raises TypeError, ValueError for bad ones."""
    return Operation(name, kind, attributes or {})
