"""Which traces are recorded; what is not is counted exactly; requests that fail or are slow are kept whole."""

from __future__ import annotations

import contextlib
import gc
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from probe_core_harness import record

CALLER = "00-" + "a" * 32 + "-" + "b" * 16 + "-{}"
SLOT_NS = 30_000_000_000


@pytest.fixture
def sampled(core, recording):
    """Set the rate, and leave everything recorded behind."""
    core.take_tallies()
    yield lambda rate, slow_ms=0.0, follows_parent=True: core.sample(rate, slow_ms, follows_parent)
    core.sample(1.0, 0.0, True)
    core.take_tallies()


@pytest.fixture
def ops(core):
    constants = {"db.system.name": "redis"}
    return core.operation("GET /", core.SERVER), core.operation("GET", core.CLIENT, constants)


def request(core, ops, *, fail=False, remote=None, status=None):
    """A request with two calls below it."""
    server, client = ops
    with core.scope(server, remote=remote) as span:
        core.leaf(client).finish()
        with core.scope(client) as call:
            core.leaf(client).finish()
            call.set("http.response.status_code", 204)
        if status is not None:
            span.set("http.response.status_code", status)
        if fail:
            span.fail(message="broken")
    return span


def test_at_a_rate_of_nothing_all_is_counted_and_nothing_sent(core, recording, sampled, ops):
    sampled(0.0)
    for _ in range(3):
        assert not request(core, ops, status=200).sampled

    assert recording.spans() == []
    assert (recording.counted("tallied"), recording.counted("finished")) == (12, 0)
    found = {(row[0], row[1], row[3], row[5]): row for row in core.take_tallies()}
    assert {key: row[7] for key, row in found.items()} == {
        ("GET /", 2, True, 200): 3,
        ("GET", 3, False, 0): 6,
        ("GET", 3, False, 204): 3,
    }
    assert core.take_tallies() == []


def test_a_tally_has_exact_numbers_and_the_operations_constants(core, recording, sampled, ops):
    sampled(0.0)
    before = time.time_ns()
    with core.scope(ops[1], name="other name"):
        time.sleep(0.002)
    after = time.time_ns()

    (row,) = core.take_tallies()
    name, kind, constants, is_root, failed, status, slot, count, total, least, most, fine, tolerable, last, buckets = (
        row
    )
    assert (name, kind, is_root, failed, status, count, fine, tolerable) == ("other name", 3, True, False, 0, 1, 1, 0)
    assert constants == b"\x4a\x19\x0a\x0edb.system.name\x12\x07\x0a\x05redis"
    assert total == least == most
    assert 2_000_000 <= total <= after - before
    assert before // SLOT_NS <= slot <= after // SLOT_NS
    assert before - 1_000_000_000 <= last <= after
    assert sum(buckets.values()) == 1
    (bucket,) = buckets
    assert 2 ** (bucket / 16) <= total <= 2 ** ((bucket + 1) / 16)


def test_a_request_that_fails_is_kept_whole(core, recording, sampled, ops):
    sampled(0.0)
    request(core, ops, fail=True)

    spans = recording.spans()
    assert [span.name for span in spans] == ["GET", "GET", "GET", "GET /"]
    assert len({span.trace_id for span in spans}) == 1
    assert {span.flags & 1 for span in spans} == {0}
    assert [(pair.key, pair.value.string_value) for pair in spans[-1].attributes] == [("sonde.kept", "error")]
    assert core.take_tallies() == []
    assert (recording.counted("tallied"), recording.counted("finished")) == (0, 4)


def tell(span):
    """Everything that a span can be told, and more attributes than it has room for."""
    items = ["one"]
    for key, value in {"text": "GET", "größe": "ß", "none": None, "on": True, "half": 0.5, "many": 1 << 80}.items():
        span.set(key, value)
    span.set("items", items)
    items.append("two")
    span.set("long", "x" * 5000)
    span.set("text", "POST")
    span.set("http.response.status_code", 204)
    span.event("reserved", {"warehouse": "north"})
    span.link("a" * 32, "b" * 16)
    span.set_many({f"key {number}": number for number in range(150)})


def test_what_is_kept_is_written_as_if_it_had_been_sampled(core, recording, sampled, ops):
    written, lost = [], []
    for rate in (1.0, 0.0):
        before = [recording.counted(name) for name in ("dropped_attributes", "cut_values", "unencodable_values")]
        sampled(rate)
        with core.scope(ops[0]) as span:
            leaf = core.leaf(ops[1], name="other name")
            tell(leaf)
            leaf.fail(message="refused")
            leaf.finish()
            tell(span)
            span.fail(message="broken")
        after = [recording.counted(name) for name in ("dropped_attributes", "cut_values", "unencodable_values")]
        lost.append([now - then for now, then in zip(after, before, strict=True)])
        spans = recording.spans()
        for one in spans:
            for field in ("trace_id", "span_id", "parent_span_id", "flags"):
                one.ClearField(field)
            for timed in (one, *one.events):
                for field in ("start_time_unix_nano", "end_time_unix_nano", "time_unix_nano"):
                    with contextlib.suppress(ValueError):
                        timed.ClearField(field)
        if rate == 0.0:
            assert spans[1].attributes.pop().key == "sonde.kept"
        written.append(spans)
    assert written[0] == written[1]
    assert [span.dropped_attributes_count > 20 for span in written[0]] == [True, True]
    assert lost[0] == lost[1]


def test_what_a_forgotten_request_was_told_is_let_go_when_it_ends(core, recording, sampled, ops):
    sampled(0.0)
    told = f"SELECT {time.time_ns()}"
    before = sys.getrefcount(told)
    for _ in range(3):
        with core.scope(ops[0]) as span:
            span.set("db.query.text", told)
            leaf = core.leaf(ops[1])
            leaf.set("db.query.text", told)
            leaf.finish()
            core.leaf(ops[1]).set("db.query.text", told)
    del span, leaf
    gc.collect()
    assert recording.spans() == []
    assert sys.getrefcount(told) == before


def test_a_slow_request_is_kept_whole(core, recording, sampled, ops):
    sampled(0.0, slow_ms=1.0)
    with core.scope(ops[0]):
        core.leaf(ops[1]).finish()
        time.sleep(0.0015)

    leaf, entry = recording.spans()
    assert [(pair.key, pair.value.string_value) for pair in entry.attributes] == [("sonde.kept", "slow")]
    assert leaf.parent_span_id == entry.span_id


def test_what_ends_after_its_request_shares_its_fate(core, recording, sampled, ops):
    sampled(0.0)
    late = []
    for fail in (True, False):
        with core.scope(ops[0]) as span:
            late.append(core.leaf(ops[1]))
            if fail:
                span.fail()
    for leaf in late:
        leaf.finish()

    assert [span.name for span in recording.spans()] == ["GET /", "GET"]
    assert sum(row[7] for row in core.take_tallies()) == 2


def test_a_failed_call_alone_does_not_keep_its_request(core, recording, sampled, ops):
    sampled(0.0)
    with core.scope(ops[0]):
        leaf = core.leaf(ops[1])
        leaf.fail()
        leaf.finish()

    assert recording.spans() == []
    assert {(row[0], row[4]) for row in core.take_tallies()} == {("GET", True), ("GET /", False)}


def test_a_request_of_very_many_calls_waits_in_bounded_room(core, recording, sampled, ops):
    sampled(0.0)
    with core.scope(ops[0]) as span:
        for _ in range(2000):
            core.leaf(ops[1]).finish()
        span.fail()

    kept = len(recording.spans())
    assert kept == 513
    assert sum(row[7] for row in core.take_tallies()) == 2001 - kept


def test_more_kinds_of_spans_than_there_is_room_for_are_counted_together(core, recording, sampled):
    sampled(0.0)
    for number in range(1500):
        core.leaf(core.operation(f"route {number}", core.SERVER)).finish()

    found = core.take_tallies()
    assert sum(row[7] for row in found) == 1500
    (other,) = [row for row in found if row[0] == "(other)"]
    assert (other[1], other[7]) == (core.SERVER, 1500 - 1024)


@pytest.mark.parametrize(("flags", "follows", "expected"), [("01", True, True), ("00", True, False)])
@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_a_callers_decision_is_taken_over(core, recording, sampled, ops, flags, follows, expected, rate):
    sampled(rate)
    span = request(core, ops, remote=CALLER.format(flags))
    assert (span.sampled, span.traceparent()[-2:]) == (expected, flags)
    assert len(recording.spans()) == 4 * expected
    assert span.trace_id == "a" * 32


@pytest.mark.parametrize("flags", ["00", "01"])
@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_unless_the_process_is_told_to_decide_itself(core, recording, sampled, ops, flags, rate):
    sampled(rate, follows_parent=False)
    assert request(core, ops, remote=CALLER.format(flags)).sampled == bool(rate)


@settings(deadline=None)
@given(st.floats(0.05, 0.95))
def test_a_rate_is_kept(core, rate):
    with record(core):
        core.sample(rate, 0.0, True)
        op = core.operation("x", core.SERVER)
        sampled = 0
        for _ in range(800):
            span = core.leaf(op)
            sampled += span.sampled
            random = int(span.trace_id[-14:], 16)
            assert span.sampled == (random >= int((1 - rate) * (1 << 56)))
            span.finish()
        assert abs(sampled / 800 - rate) < 0.12
        core.sample(1.0, 0.0, True)
        core.take_tallies()


def test_the_rate_may_change_while_requests_run(core, recording, sampled, ops):
    sampled(0.0)
    server, client = ops
    with core.scope(server) as old:
        core.sample(1.0, 0.0, True)
        core.leaf(client).finish()
        with core.scope(server, remote=CALLER.format("01")) as new:
            pass
    assert (old.sampled, new.sampled) == (False, True)
    assert [span.trace_id.hex() for span in recording.spans()] == [new.trace_id]
    assert sum(row[7] for row in core.take_tallies()) == 2


def test_spans_that_never_end_leave_no_memory_behind(core, recording, sampled, ops):
    sampled(0.0)
    span = core.scope(ops[0])
    core.leaf(ops[1]).finish()
    span.__class__  # noqa: B018 - it is dropped without an end below
    core.current().finish()
    left = core.scope(ops[0])
    core.leaf(ops[1]).finish()
    with core.scope(ops[0]):
        pass
    left.finish()
    assert sum(row[7] for row in core.take_tallies()) == 5


def test_silence_records_nothing_and_says_nothing_to_others(core, recording, ops):
    server, client = ops
    with core.scope(server) as outer:
        with core.silence(server), core.scope(server, remote=CALLER.format("01")) as inner:
            leaf = core.leaf(client)
            assert leaf.headers() == inner.headers() == ()
            leaf.finish()
        assert core.current() is outer
    assert [span.span_id.hex() for span in recording.spans()] == [outer.span_id]
    assert not inner.recording
