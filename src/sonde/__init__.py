"""Sonde: see inside running services.

    import sonde

    sonde.start(service="orders")          # or: sonde run -- python orders.py, and none of this

    @sonde.traced
    def price(basket): ...

    with sonde.span("reserve", items=3):
        sonde.tag("customer.tier", "gold")

Importing this costs next to nothing; the probe itself is imported at the first use of one of these names.
"""

from __future__ import annotations

__version__ = "0.1.0"

__all__ = [
    "asgi",
    "baggage",
    "current_trace_id",
    "event",
    "ignore",
    "profile",
    "span",
    "start",
    "stop",
    "tag",
    "traced",
    "track_leaks",
    "wsgi",
]

TYPE_CHECKING = False  # typing's own would cost an import of typing
if TYPE_CHECKING:
    from sonde.probe.api import asgi, baggage, current_trace_id, event, ignore, span, tag, traced, track_leaks, wsgi
    from sonde.probe.start import start, stop
    from sonde.probe.tools.manual import profile

_HOMES = {
    "start": "sonde.probe.start",
    "stop": "sonde.probe.start",
    "profile": "sonde.probe.tools.manual",
} | dict.fromkeys(
    ("asgi", "baggage", "current_trace_id", "event", "ignore", "span", "tag", "traced", "track_leaks", "wsgi"),
    "sonde.probe.api",
)


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import sys  # noqa: PLC0415 - nothing is imported for a program that never uses it

    __import__(home)
    found = getattr(sys.modules[home], name)
    globals()[name] = found
    return found
