"""Ids are random, never zero, and unique over threads and processes."""

import multiprocessing
import threading

from opentelemetry.proto.trace.v1.trace_pb2 import Span
from probe_core_harness import ids_in_a_process


def test_ids_of_many_threads_are_unique_and_not_zero(core, recording):
    op = core.operation("op", core.INTERNAL)

    def record_some():
        for _ in range(500):
            core.leaf(op).finish()

    threads = [threading.Thread(target=record_some) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spans = recording.spans()
    assert len(spans) == len({span.span_id for span in spans}) == len({span.trace_id for span in spans}) == 4000
    assert all(any(span.span_id) and any(span.trace_id) for span in spans)


def test_every_bit_of_an_id_is_used(core, recording):
    op = core.operation("op", core.INTERNAL)
    for _ in range(200):
        core.leaf(op).finish()
    ids = [int.from_bytes(span.trace_id + span.span_id) for span in recording.spans()]
    ever_set = ever_clear = 0
    for number in ids:
        ever_set |= number
        ever_clear |= ~number
    every_bit = (1 << 192) - 1
    assert ever_set == every_bit
    assert ever_clear & every_bit == every_bit


def test_ids_of_spawned_processes_are_unique(core):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        drained = pool.map(ids_in_a_process, [core.__name__] * 4)
    ids = [Span.FromString(data).span_id for spans in drained for data in spans]
    assert len(ids) == len(set(ids)) == 40


def test_ids_of_forked_processes_are_unique(program, agent):
    program("""
        start()
        for child in range(4):
            span(f"parent {child}")
            if os.fork() == 0:
                for number in range(50):
                    span(f"child {child} {number}")
                assert core.flush(10)
                os._exit(0)
        for child in range(4):
            assert os.wait()[1] == 0
    """)
    spans = agent.spans()
    assert len(spans) == len({span.span_id for span in spans}) == len({span.trace_id for span in spans}) == 204
