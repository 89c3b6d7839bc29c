"""Statistics of requests and calls in slots as long as a question allows: a week is not summed from half minutes.

`requests` and `calls` stand after FROM in a query, in the place of rollup_30s and edges_30s. Long slots are made of
short ones (long_slots.py), so the figures are the same; where they are not made yet, short ones are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sonde.server.insight.steps import SLOT_S

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

LONG_SLOTS_S = (21_600, 900)
_MADE = "(SELECT toDateTime(intDiv(toUnixTimestamp(max(until)), {slot_s}) * {slot_s}, 'UTC') FROM long_slots_made)"
_CALLS = "slot, app, service, kind, peer, system, count, errors, sum_ns, max_ns, histogram, durations"
_REQUESTS = (
    "slot, app, service, kind, is_entry, is_root, endpoint, instance, status_code, count, errors, sum_ns, error_sum_ns,"
    " min_ns, max_ns, satisfied, tolerating, last_seen, histogram, durations"
)


class Piece(NamedTuple):
    """A part of the time in slots of one length. Seconds since the epoch; `end_s` is outside."""

    slot_s: int
    start_s: int
    end_s: int


def requests(start: datetime, end: datetime, keys: Collection[str], *, step_s: int = 0) -> str:
    """Statistics of requests and outgoing calls from `start`, the begin of a slot, to `end`.

    `keys`: columns that are grouped or filtered by; of `endpoint` and `instance` one makes long slots possible, both
    do not. `step_s`: the length of steps that are multiples of it since the epoch; 0: there are none.
    """
    if "endpoint" in keys and "instance" in keys:
        return "rollup_30s"
    kept_by = next((name for name in ("endpoint", "instance") if name in keys), "service")
    return _union("rollup_30s", f"rollup_long FINAL WHERE kept_by = '{kept_by}' AND", _REQUESTS, start, end, step_s)


def calls(start: datetime, end: datetime, *, step_s: int = 0) -> str:
    """Statistics of calls from `start`, the begin of a slot, to `end`. `step_s`: as for `requests`."""
    return _union("edges_30s", "edges_long FINAL WHERE", _CALLS, start, end, step_s)


def _union(short: str, long: str, columns: str, start: datetime, end: datetime, step_s: int) -> str:
    pieces = list(cover(int(start.timestamp()), -int(-end.timestamp() // 1), step_s))
    if all(piece.slot_s == SLOT_S for piece in pieces):
        return short
    parts = []
    for piece in pieces:
        if piece.slot_s == SLOT_S:
            parts.append(f"SELECT {columns} FROM {short} WHERE {times(piece.start_s, piece.end_s)}")
            continue
        within, made = times(piece.start_s, piece.end_s), _MADE.format(slot_s=piece.slot_s)
        parts.append(f"SELECT {columns} FROM {long} slot_s = {piece.slot_s} AND {within} AND slot < {made}")
        parts.append(f"SELECT {columns} FROM {short} WHERE {within} AND slot >= {made}")
    return f"({' UNION ALL '.join(parts)})"


def times(start_s: int, end_s: int) -> str:
    """Condition over `slot`."""
    return f"slot >= toDateTime({start_s}, 'UTC') AND slot < toDateTime({end_s}, 'UTC')"


def cover(start_s: int, end_s: int, step_s: int = 0) -> Iterator[Piece]:
    """The time in the longest slots that fit into it and into steps, in order, without gap."""
    lengths = [length for length in LONG_SLOTS_S if step_s % length == 0]
    yield from _cover(start_s, end_s, lengths)


def _cover(start_s: int, end_s: int, lengths: list[int]) -> Iterator[Piece]:
    if not lengths:
        if start_s < end_s:
            yield Piece(SLOT_S, start_s, end_s)
        return
    length, *shorter = lengths
    first, last = -(-start_s // length) * length, end_s // length * length
    if first >= last:
        yield from _cover(start_s, end_s, shorter)
        return
    yield from _cover(start_s, first, shorter)
    yield Piece(length, first, last)
    yield from _cover(last, end_s, shorter)
