"""logging: every record carries `trace_id` and `span_id` in hex, for the user's own format:

    logging.basicConfig(format="%(asctime)s %(levelname)s %(trace_id)s %(message)s")

Outside of any span both are empty. What a record has under these names already, by `extra`, is left alone. The record
goes where the user's handlers take it.

With the setting `ship_logs`, records of that level and above go to the server as well. Then it records level, message,
logger, place, thread, and an exception with its stack; never records anything else that `extra` brought.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.log_records import log_records
from sonde.probe.plugins import options
from sonde.probe.plugins.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Callable


def make_record(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """After the record is made: in its constructor, `extra` with one of the names would be refused as a clash."""

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        record = wrapped(self, *args, **kwargs)
        try:
            span = core.current()
            fields = record.__dict__
            fields.setdefault("trace_id", span.trace_id if span is not None else "")
            fields.setdefault("span_id", span.span_id if span is not None else "")
        except Exception:
            fault("logging.makeRecord")
        return record

    return call


def call_handlers(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """A record that passed its logger's filters, on its way to the handlers."""

    def call(self: Any, record: Any) -> Any:
        try:
            if options.ship_logs and record.levelno >= options.ship_logs:
                log_records.add(record)
        except Exception:
            fault("logging.callHandlers")
        return wrapped(self, record)

    return call


_shipped = {"logging:Logger.callHandlers": call_handlers} if options.ship_logs else {}

PLUGIN = Plugin(library="python", supports=">=3.11", points={"logging:Logger.makeRecord": make_record, **_shipped})
