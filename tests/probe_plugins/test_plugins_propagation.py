"""From a caller's headers, whichever they are, to a callee's: one trace, and nothing malformed."""

from __future__ import annotations

import base64

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sonde
from sonde.probe import core, propagation
from sonde.probe.propagation import incoming
from sonde.probe.propagators import propagators

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
W3C = f"00-{TRACE}-{SPAN}-01"
OP = core.operation("request", core.SERVER)
CALL = core.operation("call", core.CLIENT)


def b64(text):
    return base64.b64encode(text.encode()).decode()


def sw8(trace="1.2.3", segment="4.5.6", span=7):
    fields = (trace, segment), ("shop", "host:1", "/checkout", "orders:80")
    first, rest = (list(map(b64, part)) for part in fields)
    return "-".join(["1", *first, str(span), *rest])


@pytest.fixture
def written(spans):
    """Set what is written, and where this process is."""

    def begin(names):
        propagators.begin(names)
        propagators.introduce("orders", "host:2")

    begin("tracecontext,baggage")
    yield begin
    begin("tracecontext,baggage")


def request(headers):
    """A request with these headers: its span, and the headers of a call below it."""
    with core.scope(OP, remote=incoming(headers.get)) as span:
        leaf = core.leaf(CALL)
        out = dict(propagation.outgoing(leaf, "stock:80"))
        leaf.finish()
    return span, leaf, out


def test_a_traceparent_alone_is_continued_by_one(spans, written):
    span, leaf, out = request({"traceparent": W3C})

    assert (span.trace_id, span.parent_span_id) == (TRACE, SPAN)
    assert out == {"traceparent": f"00-{TRACE}-{leaf.span_id}-01"}
    assert span.carried is None


def test_tracestate_and_baggage_go_on(spans, written):
    headers = {"traceparent": W3C, "tracestate": "congo=t61, rojo=1", "baggage": "tenant=acme;p=1,user=%C3%BC"}
    _, _, out = request(headers)

    assert (out["tracestate"], out["baggage"]) == ("congo=t61,rojo=1", "tenant=acme,user=%C3%BC")


def test_what_breaks_a_rule_is_left_behind(spans, written):
    _, _, out = request({"traceparent": W3C, "tracestate": "=,=", "baggage": "\x00"})
    assert list(out) == ["traceparent"]


@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": "00-xyz"},
        {"traceparent": "00-xyz", "tracestate": "a=1"},
        {"sw8": "1-broken"},
        {"b3": f"{TRACE}-short-1"},
        {"x-b3-traceid": TRACE},
        {"x-swoole-traceid": "xyz", "x-swoole-spanid": "1"},
    ],
    ids=str,
)
def test_a_malformed_header_starts_a_fresh_trace_and_is_counted(spans, written, headers):
    before = core.counters()["malformed_headers"]
    span, leaf, out = request(headers)

    assert core.counters()["malformed_headers"] == before + 1
    assert span.parent_span_id == ""
    assert out == {"traceparent": f"00-{span.trace_id}-{leaf.span_id}-01"}


@pytest.mark.parametrize(
    ("headers", "parent"),
    [
        ({"b3": f"{TRACE}-{SPAN}-1"}, (TRACE, SPAN)),
        ({"x-b3-traceid": TRACE[16:], "x-b3-spanid": SPAN, "x-b3-sampled": "1"}, ("0" * 16 + TRACE[16:], SPAN)),
        ({"x-swoole-traceid": TRACE[:16], "x-swoole-spanid": SPAN}, ("0" * 16 + TRACE[:16], SPAN)),
        ({"traceparent": W3C, "b3": f"{'1' * 32}-{'2' * 16}-1"}, (TRACE, SPAN)),
    ],
    ids=str,
)
def test_callers_of_other_kinds_are_continued(spans, written, headers, parent):
    span, _, _ = request(headers)
    assert (span.trace_id, span.parent_span_id) == parent


def test_b3_that_only_says_a_decision_is_no_parent(spans, written):
    span, _, _ = request({"b3": "0"})
    assert span.parent_span_id == ""


def test_a_trace_of_skywalkings_goes_on_to_skywalking_under_its_own_id(spans, written):
    headers = {"sw8": sw8(), "sw8-correlation": f"{b64('k')}:{b64('v')}"}
    span, leaf, out = request(headers)
    again, _, second = request({"sw8": sw8(), "traceparent": f"00-{span.trace_id}-{SPAN}-01"})

    fields = out["sw8"].split("-")
    decoded = [base64.b64decode(fields[at]).decode() for at in (1, 2, 4, 5, 6, 7)]
    assert decoded == ["1.2.3", leaf.span_id, "orders", "host:2", "request", "stock:80"]
    assert out["sw8-correlation"] == headers["sw8-correlation"]
    assert out["traceparent"] == f"00-{span.trace_id}-{leaf.span_id}-01"
    assert (again.trace_id, "sw8" in second) == (span.trace_id, True)


def test_our_own_sw8_is_read_back_as_what_it_was(spans, written):
    written("sw8")
    _, leaf, out = request({"traceparent": W3C})
    next_span, _, _ = request(out)
    assert list(out) == ["sw8"]
    assert (next_span.trace_id, next_span.parent_span_id) == (TRACE, leaf.span_id)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("none", []),
        ("tracecontext", ["traceparent"]),
        ("b3", ["b3"]),
        ("b3multi", ["x-b3-traceid", "x-b3-spanid", "x-b3-sampled"]),
        ("TraceContext, xray ,b3", ["traceparent", "b3"]),
        ("tracecontext,sw8", ["traceparent", "sw8"]),
    ],
)
def test_what_is_written_is_what_was_asked_for(spans, written, names, expected):
    written(names)
    _, _, out = request({})
    assert list(out) == expected


def test_a_decision_against_recording_goes_on_in_every_form(spans, written):
    written("tracecontext,b3,sw8")
    _, _, out = request({"traceparent": W3C[:-2] + "00"})
    assert (out["traceparent"][-2:], out["b3"][-2:], out["sw8"][0]) == ("00", "-0", "0")
    core.take_tallies()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # of a machine that is busy
@given(st.dictionaries(st.sampled_from(propagation.READ), st.text(max_size=80)))
def test_whatever_the_headers_are_a_request_is_served(headers):
    remote = incoming(headers.get)
    assert remote is None or isinstance(remote, str) or len(remote) == 4


def test_baggage_may_be_read_set_and_taken_away(spans, written):
    assert sonde.baggage() == {}
    assert sonde.baggage(tenant="nobody") == {}
    with core.scope(OP, remote=incoming({"baggage": "tenant=acme"}.get)) as span:
        assert span.parent_span_id == ""
        assert sonde.baggage() == {"tenant": "acme"}
        assert sonde.baggage(user="ü", tenant=None) == {"user": "ü"}
        leaf = core.leaf(CALL)
        assert dict(propagation.outgoing(leaf))["baggage"] == "user=%C3%BC"
        leaf.finish()
    spans.take(2)


def test_what_is_ignored_is_not_recorded_nor_told_to_others(spans, written):
    with core.scope(OP):
        with sonde.ignore():
            leaf = core.leaf(CALL)
            assert propagation.outgoing(leaf) == ()
            leaf.finish()
            sonde.tag("key", "value")
        core.leaf(CALL).finish()
    leaf, request_span = spans.take(2)
    assert leaf.parent_id == request_span.span_id
    assert request_span.attributes == {}


def test_ignoring_works_with_async(spans, written):
    import asyncio

    async def main():
        async with sonde.ignore():
            await asyncio.gather(work(), work())
        await work()

    async def work():
        with sonde.span("work"):
            await asyncio.sleep(0)

    asyncio.run(main())
    assert spans.only().name == "work"
