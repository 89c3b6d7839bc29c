"""How long tasks of a request wait until a thread of a pool takes them.

A long wait becomes an event, `sonde.queued`, on the time axis of the trace. Which pool, how many threads it has and how
many tasks wait behind this one are told, and the name of the task's function; nothing else of the task.
"""

from __future__ import annotations

import time
from time import perf_counter_ns
from typing import TYPE_CHECKING

from sonde.probe.plugins import options

if TYPE_CHECKING:
    from sonde.probe.core import Span

MOST_A_SECOND = 50
"""Events of one process: where a pool is too small for everything, the first ones tell."""
_SECOND_NS, _MS = 1_000_000_000, 1_000_000


class _Second:
    """The one that runs, and how many waits were told in it."""

    began_ns = 0
    told = 0


def began(span: Span | None, since_ns: int, pool: str, threads: int, waiting: int, task: object) -> None:
    """A thread has taken the task, which waits since `since_ns` of perf_counter_ns."""
    waited_ns = perf_counter_ns() - since_ns
    if span is None or not 0 < options.pool_wait_ns <= waited_ns or not span.recording:
        return
    if since_ns + waited_ns - _Second.began_ns >= _SECOND_NS:
        _Second.began_ns, _Second.told = since_ns + waited_ns, 0
    _Second.told += 1
    if _Second.told > MOST_A_SECOND:
        return
    # Brought in by the first wait that is long: most processes have none.
    from sonde.probe.callables import name_of
    from sonde.probe.log_records import log_records

    name = name_of(task)
    thread = f"one of {threads} threads" if threads else "a thread"
    behind = f", {waiting} behind it" if waiting else ""
    attributes = {
        "sonde.queue.pool": pool,
        "sonde.queue.threads": str(threads),
        "sonde.queue.waiting": str(waiting),
        "code.function.name": name,
    }
    log_records.event(
        "sonde.queued",
        time.time_ns() - waited_ns,
        f"{waited_ns / _MS:.1f} ms until {name} got {thread} of {pool}{behind}",
        {key: value for key, value in attributes.items() if value},
        duration_ns=waited_ns,
        trace_id=bytes.fromhex(span.trace_id),
        span_id=bytes.fromhex(span.span_id),
    )
