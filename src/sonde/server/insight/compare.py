"""Two traces beside each other: which spans stand at the same place in both, what is slower, missing or new.

Places are compared from the roots down. Of two spans at the same place, the children with the same service, kind, name
and peer are paired in the order of their start; the others have no counterpart, nor has anything below them. Where a
loop made five calls in one trace and three in the other, three are paired.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from sonde.server.reports.traces import ComparedOperation, ComparedSpan, ComparedTrace, Comparison

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sonde.server.reports.traces import Span, Trace

MOST_OPERATIONS = 200
MOST_SPANS = 20_000


class _Sort(NamedTuple):
    """Spans of one sort do the same."""

    service: str
    name: str
    kind: str
    peer: str


class _Pair(NamedTuple):
    """Places in `spans` of both traces; None on the side that has no counterpart."""

    a: int | None
    b: int | None


def compare(a: Trace, b: Trace) -> Comparison:
    """`b` beside `a`. Of very large traces the first MOST_SPANS places and the operations that differ most."""
    places: list[ComparedSpan] = []
    truncated = a.truncated or b.truncated
    for depth, pair in _aligned(a.spans, b.spans):
        if len(places) == MOST_SPANS:
            truncated = True
            break
        places.append(_compared(a.spans, b.spans, pair, depth))
    return Comparison(
        a=_head(a),
        b=_head(b),
        same_endpoint=_sort(a.spans[0]) == _sort(b.spans[0]),
        operations=_operations(a.spans, b.spans),
        spans=places,
        truncated=truncated,
    )


def _head(trace: Trace) -> ComparedTrace:
    root = trace.spans[0]
    return ComparedTrace(
        trace_id=trace.trace_id,
        start_time=trace.start_time,
        duration_ms=trace.duration_ms,
        service=root.service,
        endpoint=root.name,
        spans=len(trace.spans),
        errors=trace.errors,
    )


def _sort(span: Span) -> _Sort:
    return _Sort(span.service, span.name, span.kind, span.peer)


def _operations(a: Sequence[Span], b: Sequence[Span]) -> list[ComparedOperation]:
    totals: dict[_Sort, list[float]] = defaultdict(lambda: [0, 0, 0.0, 0.0])
    for side, spans in enumerate((a, b)):
        for span in spans:
            total = totals[_sort(span)]
            total[side] += 1
            total[2 + side] += span.self_ms
    ordered = sorted(totals.items(), key=lambda one: (-abs(one[1][3] - one[1][2]), one[0]))
    return [
        ComparedOperation(
            **sort._asdict(), spans_a=int(spans_a), spans_b=int(spans_b), self_a_ms=self_a, self_b_ms=self_b
        )
        for sort, (spans_a, spans_b, self_a, self_b) in ordered[:MOST_OPERATIONS]
    ]


def _aligned(a: Sequence[Span], b: Sequence[Span]) -> Iterator[tuple[int, _Pair]]:
    """(depth, pair) in drawing order: that of `a`, with what only `b` has after what precedes it there."""
    below_a, below_b = _children(a), _children(b)
    waiting = [(0, pair) for pair in reversed(_paired(a, b, below_a[-1], below_b[-1]))]
    while waiting:
        depth, pair = waiting.pop()
        yield depth, pair
        children_a = below_a[pair.a] if pair.a is not None else []
        children_b = below_b[pair.b] if pair.b is not None else []
        waiting.extend((depth + 1, child) for child in reversed(_paired(a, b, children_a, children_b)))


def _children(spans: Sequence[Span]) -> list[list[int]]:
    """Places of the children of each span; those of the roots at the end."""
    children: list[list[int]] = [[] for _ in range(len(spans) + 1)]
    open_: list[int] = []
    for number, span in enumerate(spans):
        del open_[span.depth :]
        children[open_[-1] if open_ else -1].append(number)
        open_.append(number)
    return children


def _paired(a: Sequence[Span], b: Sequence[Span], siblings_a: list[int], siblings_b: list[int]) -> list[_Pair]:
    """Siblings of both sides, paired where they are of one sort. The first roots are, whatever they do."""
    free: dict[_Sort, list[int]] = defaultdict(list)
    for place in reversed(siblings_b):
        free[_sort(b[place])].append(place)
    partner: dict[int, int] = {}
    for place in siblings_a:
        if same := free.get(_sort(a[place])):
            partner[place] = same.pop()
    if siblings_a[:1] == [0] and siblings_b[:1] == [0] and 0 not in partner and 0 not in partner.values():
        partner[0] = 0
    paired_b = set(partner.values())
    only_b: dict[int, list[int]] = defaultdict(list)  # by the partner in b that precedes them, -1 at the front
    before = -1
    for place in siblings_b:
        if place in paired_b:
            before = place
        else:
            only_b[before].append(place)
    pairs = [_Pair(None, place) for place in only_b[-1]]
    for place in siblings_a:
        other = partner.get(place)
        pairs.append(_Pair(place, other))
        if other is not None:
            pairs += [_Pair(None, alone) for alone in only_b[other]]
    return pairs


def _compared(a: Sequence[Span], b: Sequence[Span], pair: _Pair, depth: int) -> ComparedSpan:
    in_a = a[pair.a] if pair.a is not None else None
    in_b = b[pair.b] if pair.b is not None else None
    shown = in_a or in_b
    if shown is None:
        raise ValueError("a pair has at least one span")
    return ComparedSpan(
        depth=depth,
        **_sort(shown)._asdict(),
        span_a=in_a.span_id if in_a else "",
        span_b=in_b.span_id if in_b else "",
        duration_a_ms=in_a.duration_ms if in_a else None,
        duration_b_ms=in_b.duration_ms if in_b else None,
        self_a_ms=in_a.self_ms if in_a else None,
        self_b_ms=in_b.self_ms if in_b else None,
        error_a=in_a.error if in_a else False,
        error_b=in_b.error if in_b else False,
    )
