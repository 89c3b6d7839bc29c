"""When a trace took place, so that what asks about one reads minutes and not days."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from sonde.server.store.client import StoreClient

_KEPT = """
    SELECT min(start_time), max(end_time), count() FROM trace_times
    WHERE trace_id_end = toFixedString(unhex({end:String}), 8)"""
_YOUNG = """
    SELECT toDateTime(min(start_time), 'UTC'), toDateTime(max(start_time), 'UTC'), count() FROM spans
    WHERE trace_id = toFixedString(unhex({trace:String}), 16) AND start_time > now('UTC') - INTERVAL 10 MINUTE"""


def trace_time(client: StoreClient, trace_id: str) -> tuple[datetime, datetime] | None:
    """From where to where all spans begin whose trace has that id, in hex; the end is outside. None: there are none.

    A load writes spans first and their times after, so a trace of the last minutes is looked for among spans, too.
    """
    parameters = {"end": trace_id[16:], "trace": trace_id}
    for question in (_KEPT, _YOUNG):
        ((first, last, known),) = client.rows(question, parameters)
        if known:
            return first, last + timedelta(seconds=1)
    return None
