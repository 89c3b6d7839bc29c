"""kill -9 of web process, store process and agent at random moments, under load: acknowledged means stored, once."""

import itertools
import os
import random
import threading
import time

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sonde.wire.frames import Kind, frame, hello

from .conftest import until

SPANS_PER_BODY = 200
SEED = 20


def body_of(number, service="sender"):
    """A request of SPANS_PER_BODY spans; each carries the number of its body in its trace id."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    attribute = resource.resource.attributes.add(key="service.name")
    attribute.value.string_value = service
    spans = resource.scope_spans.add().spans
    now = time.time_ns()
    for index in range(SPANS_PER_BODY):
        spans.add(
            trace_id=number.to_bytes(16, "big"),
            span_id=(number * SPANS_PER_BODY + index + 1).to_bytes(8, "big"),
            name=f"GET /things/{index % 7}",
            kind=2,
            start_time_unix_nano=now - 5_000_000,
            end_time_unix_nano=now,
        )
    return request.SerializeToString()


class Sender(threading.Thread):
    """Posts one body after the other, each until it is acknowledged or the test is over."""

    def __init__(self, stack, numbers):
        super().__init__()
        self.stack, self.numbers = stack, numbers
        self.acknowledged, self.over = set(), threading.Event()

    def run(self):
        for number in self.numbers:
            body = body_of(number)
            while not self.over.is_set():
                if self.stack.post_spans(body) == 200:
                    self.acknowledged.add(number)
                    break
                self.over.wait(0.05)
            if self.over.is_set():
                return
            self.over.wait(0.02)


class FrameSender(threading.Thread):
    """A probe's side of the agent's socket: frames for ever, reconnecting when the agent is gone."""

    def __init__(self, stack):
        super().__init__()
        self.stack, self.over, self.sent = stack, threading.Event(), 0

    def run(self):
        import socket

        for number in itertools.count(1 << 40):
            while not self.over.is_set():
                try:
                    with socket.socket(socket.AF_UNIX) as connection:
                        connection.connect(str(self.stack.socket))
                        connection.sendall(hello(pid=os.getpid(), token="", service="probe-side"))
                        connection.sendall(frame(Kind.TRACES, body_of(number, "probe-side")))
                        self.sent += 1
                        break
                except OSError:
                    self.over.wait(0.1)
            if self.over.is_set():
                return
            self.over.wait(0.02)


@pytest.mark.slow
def test_twenty_kills_lose_nothing_acknowledged_and_store_nothing_twice(stack):
    """Spans of the agent's way are never doubled; those acknowledged to a sender are all there; rollups agree."""
    chance = random.Random(SEED)
    server, agent = stack.start_server(), stack.start_agent()
    senders = [Sender(stack, itertools.count(1 + lane * 1_000_000)) for lane in range(2)]
    probe_side = FrameSender(stack)
    for thread in (*senders, probe_side):
        thread.start()
    try:
        for round_ in range(20):
            time.sleep(chance.uniform(0.3, 1.5))
            victim = ("server.web", "store.process", "agent")[round_ % 3]
            if victim == "agent":
                agent.kill9()
                agent = stack.start_agent()
            else:
                until(lambda word=victim: server.child(word), 30, f"a process {victim}").kill()
        until(stack.ready, 60, "readiness after the last kill")
        time.sleep(2)  # load goes on for a moment with everything up
    finally:
        for thread in (*senders, probe_side):
            thread.over.set()
        for thread in (*senders, probe_side):
            thread.join(30)
    acknowledged = set().union(*(sender.acknowledged for sender in senders))
    assert len(acknowledged) > 100, "there was hardly any load"
    agent.stop()

    def stored():
        rows = stack.store().rows(
            "SELECT reinterpretAsUInt64(reverse(substring(trace_id, 9, 8))) AS body, count(), uniqExact(span_id) "
            "FROM sonde.spans WHERE service = 'sender' GROUP BY body"
        )
        return {body: (count, distinct) for body, count, distinct in rows}

    until(lambda: acknowledged <= stored().keys(), 60, "storage of every acknowledged body")
    rows = stored()
    wrong = {body: counts for body, counts in rows.items() if counts != (SPANS_PER_BODY, SPANS_PER_BODY)}
    assert not wrong, f"bodies stored in part or twice: {wrong}"

    total, distinct = stack.store().rows(
        "SELECT count(), uniqExact(trace_id, span_id) FROM sonde.spans WHERE service = 'probe-side'"
    )[0]
    assert total == distinct, "a batch of the agent was stored twice"
    assert total > 0

    base, rolled = stack.store().rows(
        "SELECT (SELECT count() FROM sonde.spans), (SELECT sum(count) FROM sonde.rollup_30s)"
    )[0]
    assert base == rolled
