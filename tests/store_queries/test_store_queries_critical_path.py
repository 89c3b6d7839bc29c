from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from sonde.server.insight.critical_path import Step, critical_path


def step(depth: int, start: int, end: int, kind: str = "internal") -> Step:
    return Step(start, end, depth, kind)


def path(*steps: Step) -> list[tuple[int, int, int]]:
    return [(stretch.step, stretch.start_ns, stretch.end_ns) for stretch in critical_path(steps)]


def test_a_request_without_children_waits_for_itself():
    assert path(step(0, 5, 25)) == [(0, 5, 25)]


def test_children_one_after_the_other_are_all_waited_for():
    assert path(step(0, 0, 100), step(1, 10, 40), step(1, 50, 90)) == [
        (0, 0, 10),
        (1, 10, 40),
        (0, 40, 50),
        (2, 50, 90),
        (0, 90, 100),
    ]


def test_of_children_at_the_same_time_the_last_to_end_is_waited_for():
    assert path(step(0, 0, 100), step(1, 10, 40), step(1, 12, 90), step(1, 20, 60)) == [
        (0, 0, 12),
        (2, 12, 90),
        (0, 90, 100),
    ]


def test_what_a_child_waited_for_is_on_the_path():
    assert path(step(0, 0, 100), step(1, 10, 90), step(2, 20, 30), step(2, 30, 80)) == [
        (0, 0, 10),
        (1, 10, 20),
        (2, 20, 30),
        (3, 30, 80),
        (1, 80, 90),
        (0, 90, 100),
    ]


def test_who_runs_on_after_its_parent_and_who_takes_a_message_is_not_waited_for():
    assert path(step(0, 0, 100), step(1, 10, 500), step(1, 20, 60, "consumer")) == [(0, 0, 100)]


def test_a_server_whose_clock_is_late_counts_as_far_as_its_caller():
    assert path(step(0, 0, 100), step(1, 10, 90, "client"), step(2, 15, 95, "server")) == [
        (0, 0, 10),
        (1, 10, 15),
        (2, 15, 90),
        (0, 90, 100),
    ]


def test_a_child_whose_clock_is_early_counts_from_its_parent_on():
    assert path(step(0, 50, 100), step(1, 40, 60)) == [(1, 50, 60), (0, 60, 100)]
    assert path(step(0, 50, 100), step(1, 10, 20)) == [(0, 50, 100)]


def test_the_longest_root_is_the_request():
    assert path(step(0, 0, 10), step(0, 5, 50), step(1, 6, 20)) == [(1, 5, 6), (2, 6, 20), (1, 20, 50)]


def test_nothing_has_no_path():
    assert path() == path(step(0, 7, 7)) == []


def test_twenty_thousand_spans_below_each_other_are_walked():
    deep = [step(depth, depth, 100_000 - depth) for depth in range(20_000)]

    assert sum(end - start for _, start, end in path(*deep)) == 100_000


@st.composite
def trees(draw: st.DrawFn) -> list[Step]:
    """Any spans in drawing order: children may begin early, end late, and overlap."""
    steps = [step(0, 0, draw(st.integers(1, 1000)))]
    for _ in range(draw(st.integers(0, 25))):
        depth = draw(st.integers(1, steps[-1].depth + 1))
        start, end = sorted(draw(st.tuples(st.integers(-50, 1100), st.integers(-50, 1100))))
        steps.append(step(depth, start, end, draw(st.sampled_from(["internal", "client", "server", "consumer"]))))
    return steps


def _ancestors(steps: list[Step], number: int) -> list[int]:
    found, depth = [], steps[number].depth
    for place in range(number, -1, -1):
        if steps[place].depth < depth:
            found.append(place)
            depth = steps[place].depth
    return found


@given(trees())
def test_the_path_covers_the_request_once_and_without_gap(steps):
    """Its stretches add up to the root's duration, and each lies inside of its span and of all that wait for it."""
    stretches = critical_path(steps)

    assert stretches[0].start_ns == steps[0].start_ns
    assert stretches[-1].end_ns == steps[0].end_ns
    assert all(one.end_ns == following.start_ns for one, following in itertools.pairwise(stretches))
    assert all(one.start_ns < one.end_ns for one in stretches)
    for one in stretches:
        for waiting in [one.step, *_ancestors(steps, one.step)]:
            assert steps[waiting].start_ns <= one.start_ns
            assert steps[waiting].end_ns >= one.end_ns


@st.composite
def synchronous(draw: st.DrawFn) -> list[Step]:
    """Each span calls its children one after the other and is there before the first and after the last."""
    steps: list[Step] = []

    def add(depth: int, start: int, end: int) -> None:
        steps.append(step(depth, start, end))
        cuts = sorted(draw(st.lists(st.integers(start, end), max_size=6, unique=True))) if depth < 4 else []
        for begin, until in zip(cuts[::2], cuts[1::2], strict=False):
            add(depth + 1, begin, until)

    add(0, 0, draw(st.integers(1, 500)))
    return steps


@given(synchronous())
def test_where_nothing_runs_beside_anything_each_span_is_on_the_path_for_its_own_time(steps):
    on_path = dict.fromkeys(range(len(steps)), 0)
    for stretch in critical_path(steps):
        on_path[stretch.step] += stretch.end_ns - stretch.start_ns

    for number, one in enumerate(steps):
        children = [
            other for place, other in enumerate(steps) if place > number and _ancestors(steps, place)[:1] == [number]
        ]
        assert on_path[number] == one.end_ns - one.start_ns - sum(child.end_ns - child.start_ns for child in children)
