from __future__ import annotations

import itertools
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from sonde.server.insight.compare import compare
from sonde.server.reports.traces import Span, Trace

AT = datetime(2026, 11, 20, tzinfo=UTC)


def span(name: str, depth: int = 0, *, ms: float = 1.0, own: float = 1.0, number: int = 0, error: bool = False) -> Span:
    return Span(
        span_id=f"{number:016x}",
        parent_id="",
        app="shop",
        service="front",
        instance="",
        name=name,
        kind="internal",
        start_time=AT,
        offset_ms=0,
        duration_ms=ms,
        self_ms=own,
        error=error,
        status_message="",
        status_code=0,
        peer="",
        statement="",
        depth=depth,
        attributes={},
        events=[],
        links=[],
    )


def trace(*spans: Span) -> Trace:
    numbered = [one.model_copy(update={"span_id": f"{place:016x}"}) for place, one in enumerate(spans, 1)]
    return Trace(
        trace_id="0" * 32,
        start_time=AT,
        duration_ms=spans[0].duration_ms,
        services=["front"],
        errors=sum(one.error for one in spans),
        spans=numbered,
        critical_path=[],
        truncated=False,
    )


def drawn(a: Trace, b: Trace) -> list[str]:
    """`  name` in both, `- name` gone, `+ name` new; a dot for each level."""
    marks = {(True, True): " ", (True, False): "-", (False, True): "+"}
    return [
        f"{marks[bool(place.span_a), bool(place.span_b)]}{'.' * place.depth}{place.name}"
        for place in compare(a, b).spans
    ]


def test_a_trace_beside_itself_has_a_counterpart_for_each_span():
    one = trace(span("request"), span("load", 1), span("sql", 2), span("sql", 2), span("render", 1))

    found = compare(one, one)

    assert [(place.span_a, place.span_b) for place in found.spans] == [(s.span_id, s.span_id) for s in one.spans]
    assert (found.same_endpoint, found.truncated) == (True, False)


def test_what_only_one_of_them_has_stands_where_it_happened():
    a = trace(span("request"), span("load", 1), span("cache", 2), span("render", 1))
    b = trace(span("request"), span("check", 1), span("load", 1), span("sql", 2), span("connect", 3), span("render", 1))

    assert drawn(a, b) == [" request", "+.check", " .load", "+..sql", "+...connect", "-..cache", " .render"]


def test_of_a_loop_as_many_are_paired_as_both_have():
    a = trace(span("request"), span("sql", 1), span("sql", 1), span("end", 1))
    b = trace(span("request"), span("sql", 1), span("sql", 1), span("sql", 1), span("end", 1))

    assert drawn(a, b) == [" request", " .sql", " .sql", "+.sql", " .end"]


def test_the_requests_themselves_are_beside_each_other_whatever_they_are():
    found = compare(trace(span("GET /a"), span("sql", 1)), trace(span("GET /b"), span("sql", 1)))

    assert not found.same_endpoint
    assert [(place.name, bool(place.span_a and place.span_b)) for place in found.spans] == [
        ("GET /a", True),
        ("sql", True),
    ]


def test_operations_come_by_how_much_their_own_time_differs():
    a = trace(span("request", ms=20, own=5), span("sql", 1, own=4), span("sql", 1, own=4), span("cache", 1, own=1))
    b = trace(span("request", ms=90, own=6, error=True), span("sql", 1, own=70), span("new", 1, own=3))

    found = compare(a, b)

    assert [(one.name, one.spans_a, one.spans_b, one.self_b_ms - one.self_a_ms) for one in found.operations] == [
        ("sql", 2, 1, 62),
        ("new", 0, 1, 3),
        ("cache", 1, 0, -1),
        ("request", 1, 1, 1),
    ]
    assert (found.a.duration_ms, found.b.duration_ms, found.b.errors) == (20, 90, 1)


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    spans = [span("request")]
    for _ in range(draw(st.integers(0, 20))):
        spans.append(span(draw(st.sampled_from("abc")), draw(st.integers(0, spans[-1].depth + 1))))
    return trace(*spans)


@given(traces(), traces())
def test_every_span_of_both_is_shown_once_and_in_its_own_order_below_its_parent(a, b):
    found = compare(a, b).spans

    assert sorted(place.span_a for place in found if place.span_a) == [one.span_id for one in a.spans]
    assert sorted(place.span_b for place in found if place.span_b) == [one.span_id for one in b.spans]
    assert [place.span_a for place in found if place.span_a] == [one.span_id for one in a.spans]
    assert all(place.depth <= before.depth + 1 for before, place in itertools.pairwise(found))
