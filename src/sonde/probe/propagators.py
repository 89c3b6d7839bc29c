"""Which headers are written, as the setting `propagators` names them. What each of them says is in `propagation`."""

from __future__ import annotations

import binascii

from sonde.probe import core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sonde.probe.core import Span

KNOWN = ("tracecontext", "baggage", "sw8", "b3", "b3multi")
"""Names that the setting knows; those of OpenTelemetry where there is one."""

MAX_NAME_CHARS = 50
"""Of a service or an instance in sw8."""


class Propagators:
    """What is written. There is one, `propagators`."""

    def __init__(self) -> None:
        self._names = frozenset({"tracecontext", "baggage"})

    def begin(self, names: str) -> None:
        """`names`: separated by commas; those not known are passed over, for OTEL_PROPAGATORS may name any."""
        self._names = frozenset(name.strip().lower() for name in names.split(","))

    def introduce(self, service: str, instance: str) -> None:
        """Under which names sw8 is written from now on."""
        names = self._names
        mine = _base64(service) + b"-" + _base64(instance) if "tracecontext" in names or "sw8" in names else None
        always = not names.isdisjoint({"b3", "b3multi"})
        core.propagate("tracecontext" in names, mine, "sw8" in names, self._more, always)

    def _more(self, span: Span, _peer: str | None) -> list[tuple[str, str]]:
        """Everything but traceparent and sw8. Asked where something was carried along, or b3 is written."""
        from sonde.probe import propagation

        return propagation.written(span, self._names)


def _base64(name: str) -> bytes:
    """As `wire.sw8` writes it, which would cost each process an import of hashlib."""
    return binascii.b2a_base64(name[:MAX_NAME_CHARS].encode("utf-8", "replace"), newline=False)


propagators = Propagators()
