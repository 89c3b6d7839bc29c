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

    from sonde.server.store.client import StoreClient

LONG_SLOTS_S = (691_200, 172_800, 86_400, 43_200, 21_600, 3600, 900)
"""Each of them is a multiple of the next."""
KEPT_BY = ("endpoint", "instance", "service", "app")
"""By what requests are added up in long slots: of an endpoint whatever the instance, of an app whatever both and the
service.
"""
KEPT_SHORT = ("service", "app")
"""By what they are added up in slots of 30 s, too: those of an app are not summed from its endpoints'."""
MADE_AS = (
    f"{', '.join(map(str, LONG_SLOTS_S))} s by {', '.join(KEPT_BY)}, {SLOT_S} s by {', '.join(KEPT_SHORT)}, in steps"
)
"""What the store had made before these were what they are is made again."""
_CALLS = "slot, app, service, kind, peer, system, count, errors, sum_ns, max_ns, histogram, by_duration"
_REQUESTS = (
    "slot, app, service, kind, is_entry, is_root, endpoint, instance, status_code, count, errors, sum_ns, error_sum_ns,"
    " min_ns, max_ns, satisfied, tolerating, last_seen, histogram, by_duration"
)


def made_until(marker: str) -> str:
    """Query: until when long slots are made, as they are now. `marker`: the table that says so."""
    return f"SELECT max(until) FROM {marker} WHERE made_as = '{MADE_AS}'"


def made_until_s(client: StoreClient, marker: str) -> int:
    """Its answer, in seconds since the epoch; 0: none is made. Raises StoreError."""
    ((until_s,),) = client.rows(f"SELECT toUnixTimestamp(({made_until(marker)}))")
    return int(until_s)


class Piece(NamedTuple):
    """A part of the time in slots of one length. Seconds since the epoch; `end_s` is outside."""

    slot_s: int
    start_s: int
    end_s: int


def requests(client: StoreClient, start: datetime, end: datetime, keys: Collection[str], *, step_s: int = 0) -> str:
    """Statistics of requests and outgoing calls from `start`, the begin of a slot, to `end`. Raises StoreError.

    `keys`: columns that are grouped or filtered by; of `endpoint` and `instance` one makes long slots possible, both
    do not. Of service, endpoint and instance only those that are among them are sure to be there. `step_s`: the length
    of steps that are multiples of it since the epoch; 0: there are none.
    """
    if "endpoint" in keys and "instance" in keys:
        return "rollup_30s"
    of_app = "service" if client.regroups() else "app"
    kept_by = next((name for name in KEPT_BY if name in keys and name != "app"), of_app)
    long = _Long("request_slots", f"kept_by = '{kept_by}' AND ", short_too=kept_by in KEPT_SHORT)
    return _union("rollup_30s", long, _REQUESTS, _pieces(client, start, end, step_s))


def calls(client: StoreClient, start: datetime, end: datetime, *, step_s: int = 0) -> str:
    """Statistics of calls from `start`, the begin of a slot, to `end`; all else as for `requests`."""
    return _union("edges_30s", _Long("edges_long"), _CALLS, _pieces(client, start, end, step_s))


def _pieces(client: StoreClient, start: datetime, end: datetime, step_s: int) -> tuple[list[Piece], Piece]:
    """What is made of that time, and the rest: all of it, where it is shorter than any long slot."""
    start_s, end_s = int(start.timestamp()), -int(-end.timestamp() // 1)
    if end_s - start_s < LONG_SLOTS_S[-1]:
        return [], Piece(SLOT_S, start_s, end_s)
    made_s = max(start_s, min(end_s, made_until_s(client, "long_slots_made")))
    return list(cover(start_s, made_s, step_s)), Piece(SLOT_S, made_s, end_s)


class _Long(NamedTuple):
    """A table of long slots. `condition`: which of its rows; `short_too`: slots of 30 s that are made are in it."""

    table: str
    condition: str = ""
    short_too: bool = False

    def rows(self, pieces: Collection[Piece]) -> str:
        """What follows FROM. Of a slot that was made several times the last making: all of it is of one time, and
        telling so is a third of the work of FINAL, which copies every row.
        """
        where = f"{self.table} WHERE {self.condition}({within(pieces)})"
        return (
            f"{where} AND (slot_s, slot, made) IN (SELECT slot_s, slot, max(made) FROM {where} GROUP BY slot_s, slot)"
        )


def _union(short: str, long: _Long, columns: str, pieces: tuple[list[Piece], Piece]) -> str:
    made, rest = pieces
    in_long = [piece for piece in made if long.short_too or piece.slot_s != SLOT_S]
    if not in_long:
        return short
    parts = [f"SELECT {columns} FROM {long.rows(in_long)}"]
    in_short = [piece for piece in (*made, rest) if piece not in in_long and piece.start_s < piece.end_s]
    if in_short:
        parts.append(f"SELECT {columns} FROM {short} WHERE {' OR '.join(_times(piece) for piece in in_short)}")
    return f"({' UNION ALL '.join(parts)})"


def within(pieces: Collection[Piece]) -> str:
    """Condition over `slot_s` and `slot` of long slots."""
    return " OR ".join(f"slot_s = {piece.slot_s} AND {_times(piece)}" for piece in pieces)


def _times(piece: Piece) -> str:
    return f"slot >= toDateTime({piece.start_s}, 'UTC') AND slot < toDateTime({piece.end_s}, 'UTC')"


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
