"""Where finished spans wait: bounded, per thread, used again, and nothing torn."""

import resource
import threading

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from probe_core_harness import record

RING_BYTES = 1 << 14


@pytest.fixture
def small(core):
    with record(core, ring_bytes=RING_BYTES) as recording:
        yield recording


def test_what_does_not_fit_is_dropped_and_counted(core, small):
    op = core.operation("op", core.INTERNAL)
    for number in range(1000):
        span = core.leaf(op)
        span.set("number", number)
        span.finish()
    spans = small.spans()
    assert 200 < len(spans) < 250
    assert [span.attributes[0].value.int_value for span in spans] == list(range(len(spans)))  # the oldest stay
    assert small.counted("dropped_ring_full") == 1000 - len(spans)
    assert small.counted("finished") == 1000


def test_a_span_larger_than_the_ring_is_dropped_and_the_next_one_is_not(core, small):
    op = core.operation("op", core.INTERNAL)
    large = core.leaf(op)
    for number in range(20):
        large.set(str(number), "x" * 1024)
    large.finish()
    core.leaf(op, "next").finish()
    assert small.only().name == "next"
    assert small.counted("dropped_ring_full") == 1


def test_records_survive_the_end_of_the_ring(core, small):
    """Sizes that do not divide the ring, so that records begin and end at every offset."""
    op = core.operation("op", core.INTERNAL, {"constant": "c" * 50})
    for number in range(2000):
        span = core.leaf(op, "n" * (number % 97))
        span.set("text", "ü" * (number % 211))
        span.event("event", {"number": number})
        span.finish()
        recorded = small.only()
        assert recorded.name == "n" * (number % 97)
        assert recorded.attributes[1].value.string_value == "ü" * (number % 211)
        assert recorded.events[0].attributes[0].value.int_value == number
    assert small.counted("dropped_ring_full") == 0


def test_many_threads_at_once_tear_no_record(core, recording):
    op = core.operation("op", core.INTERNAL)
    drained, done = [], threading.Event()

    def record_some(name):
        for number in range(2000):
            with core.scope(op, name):
                leaf = core.leaf(op, name)
                leaf.set("number", number)
                leaf.finish()

    def drain():
        while not done.is_set():
            drained.extend(core.drain())

    threads = [threading.Thread(target=record_some, args=(f"thread {n}",)) for n in range(4)]
    drainer = threading.Thread(target=drain)
    for thread in [drainer, *threads]:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    drainer.join()
    drained += core.drain()
    spans = [Span.FromString(data) for data in drained]
    assert len(spans) + recording.counted("dropped_ring_full") == 16_000
    by_id = {span.span_id: span for span in spans}
    for span in spans:
        if span.parent_span_id in by_id:
            assert by_id[span.parent_span_id].name == span.name


def test_thousands_of_short_threads_share_a_few_rings(core, recording):
    op = core.operation("op", core.INTERNAL)

    def one_thread(name):
        thread = threading.Thread(target=lambda: core.leaf(op, name).finish())
        thread.start()
        thread.join()

    before_kb = None
    for number in range(3000):
        one_thread(str(number))
        if number == 1000:
            before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if number % 500 == 499:
            assert len(core.drain()) == 500
    assert recording.counted("rings") <= 8
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 4096


def test_a_thread_takes_over_what_an_ended_one_left_unsent(core, recording):
    op = core.operation("op", core.INTERNAL)
    for name in ("first", "second"):
        thread = threading.Thread(target=lambda name=name: core.leaf(op, name).finish())
        thread.start()
        thread.join()
    assert {span.name for span in recording.spans()} == {"first", "second"}


def test_a_spans_memory_is_given_back(core, recording):
    """Hundreds of thousands of spans of every shape, and the process is no larger."""
    op = core.operation("op", core.INTERNAL, {"constant": 1})

    def round_of(count):
        for number in range(count):
            with core.scope(op, "ü" * (number % 7)) as span:
                span.set_many({"a": "text", "b": [1, "x", None], "c": b"bytes", "d": 1 << 80, "e": "x" * 2000})
                span.event("event", {"k": object()})
                span.link("a" * 32, "b" * 16)
                span.fail(ValueError("x"))
            core.drain()

    round_of(2000)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    round_of(6000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 2048
