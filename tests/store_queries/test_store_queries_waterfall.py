from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from sonde.server.insight.waterfall import Timing, waterfall


def span(number: int, span_id: str, parent: str = "", start: int = 0, duration: int = 10) -> Timing:
    return Timing(number, span_id.encode(), parent.encode(), start, duration)


def drawn(*spans: Timing) -> list[tuple[int, int]]:
    return [(bar.number, bar.depth) for bar in waterfall(spans)]


def test_children_follow_their_parent_by_start_time():
    assert drawn(
        span(0, "root", duration=100),
        span(1, "late", "root", start=50),
        span(2, "early", "root", start=10),
        span(3, "grandchild", "early", start=12),
    ) == [(0, 0), (2, 1), (3, 2), (1, 1)]


def test_a_span_whose_parent_is_missing_is_a_root():
    assert drawn(span(0, "a"), span(1, "b", "never sent", start=5)) == [(0, 0), (1, 0)]


def test_a_ring_of_parents_is_cut_before_its_earliest_span():
    assert drawn(span(0, "a", "c", start=3), span(1, "b", "a", start=1), span(2, "c", "b", start=2)) == [
        (1, 0),
        (2, 1),
        (0, 2),
    ]


def test_a_span_that_is_its_own_parent_is_a_root():
    assert drawn(span(0, "a", "a")) == [(0, 0)]


def test_of_two_spans_with_one_id_the_later_is_the_child_and_has_the_children():
    """Zipkin's client and server share an id."""
    assert drawn(
        span(0, "root", duration=100),
        span(1, "shared", "root", start=10, duration=50),
        span(2, "shared", "root", start=20, duration=30),
        span(3, "child", "shared", start=25),
    ) == [(0, 0), (1, 1), (2, 2), (3, 3)]


def test_time_in_which_children_overlap_counts_once():
    bars = waterfall(
        [
            span(0, "root", duration=100),
            span(1, "a", "root", start=10, duration=40),
            span(2, "b", "root", start=30, duration=40),
        ]
    )

    assert bars[0].self_ns == 40


def test_what_a_child_does_outside_of_its_parent_takes_nothing_from_the_parent():
    """A clock that is behind, or work that goes on after the answer."""
    bars = waterfall(
        [
            span(0, "root", start=100, duration=100),
            span(1, "skewed", "root", start=50, duration=60),
            span(2, "after", "root", start=190, duration=500),
        ]
    )

    assert next(bar for bar in bars if bar.number == 0).self_ns == 80


names = st.integers(0, 6).map(lambda number: number.to_bytes(1, "big"))


@given(st.lists(st.tuples(names, names, st.integers(0, 50), st.integers(0, 50)), max_size=25))
def test_every_span_is_drawn_exactly_once_and_its_own_time_is_within_it(made):
    spans = [Timing(number, *fields) for number, fields in enumerate(made)]

    bars = waterfall(spans)

    assert sorted(bar.number for bar in bars) == list(range(len(spans)))
    assert all(0 <= bar.self_ns <= spans[bar.number].duration_ns for bar in bars)
    for before, bar in itertools.pairwise(bars):
        assert bar.depth <= before.depth + 1


def test_a_chain_as_deep_as_a_trace_may_be_is_drawn():
    chain = [Timing(number, str(number).encode(), str(number - 1).encode(), number, 1) for number in range(10_000)]

    assert waterfall(chain)[-1].depth == 9_999
