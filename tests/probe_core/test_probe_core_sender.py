"""From the rings to the agent: frames, batches, agents that come and go, and the end of the sender."""

import json
import os
import threading
from pathlib import Path

import pytest
from probe_core_harness import Agent, poll

from sonde.wire.frames import Kind


def finish(core, name, count=1):
    op = core.operation(name, core.INTERNAL)
    for _ in range(count):
        core.leaf(op).finish()


def test_the_first_frame_introduces_the_process(sending, agent):
    finish(sending, "op")
    frames = poll(lambda: agent.connections and len(agent.connections[0]) > 1 and agent.connections[0])
    kind, payload = frames[0]
    assert kind == Kind.HELLO
    assert json.loads(payload) == {"service": "shop", "token": "", "pid": os.getpid()}


def test_a_batch_names_resource_scope_and_schema_once(core, agent):
    core.stop(0)
    core.start(
        {"service.name": "shop", "process.pid": 7}, agent.path, hello={"probe_version": "1.2.3"}, flush_interval_ms=5
    )
    finish(core, "op", 10)
    assert core.flush(10)
    request = poll(agent.requests)[0]
    (resource_spans,) = request.resource_spans
    facts = {pair.key: pair.value for pair in resource_spans.resource.attributes}
    assert (facts["service.name"].string_value, facts["process.pid"].int_value) == ("shop", 7)
    assert resource_spans.schema_url.startswith("https://opentelemetry.io/schemas/")
    (scope_spans,) = resource_spans.scope_spans
    assert (scope_spans.scope.name, scope_spans.scope.version) == ("sonde", "1.2.3")
    core.stop(1)


def test_the_sender_sends_by_itself(sending, agent):
    finish(sending, "op")
    poll(lambda: [span.name for span in agent.spans()] == ["op"])


def test_a_service_name_learned_later_goes_with_the_next_batch(sending, agent):
    finish(sending, "before")
    assert sending.flush(10)
    sending.set_resource({"service.name": "127.0.0.1:8000"})
    finish(sending, "after")
    assert sending.flush(10)
    poll(lambda: len(agent.spans()) == 2)
    names = [
        (resource_spans.resource.attributes[0].value.string_value, span.name)
        for request in agent.requests()
        for resource_spans in request.resource_spans
        for span in resource_spans.scope_spans[0].spans
    ]
    assert names == [("shop", "before"), ("127.0.0.1:8000", "after")]


def test_every_span_of_many_threads_arrives_once(sending, agent):
    def some():
        op = sending.operation("op", sending.INTERNAL)
        for number in range(2000):
            span = sending.leaf(op)
            span.set("number", number)
            span.finish()

    before = sending.counters()
    threads = [threading.Thread(target=some) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sending.flush(20)
    counts = {name: value - before[name] for name, value in sending.counters().items()}
    poll(lambda: len(agent.spans()) == counts["sent_spans"])
    assert counts["sent_spans"] + counts["dropped_ring_full"] == counts["finished"] == 8000
    assert len({span.span_id for span in agent.spans()}) == counts["sent_spans"]


def test_a_batch_has_at_most_a_megabyte(core, absent_agent):
    core.stop(0)
    core.start({}, absent_agent.path, hello={}, flush_interval_ms=5, ring_bytes=1 << 22, max_value_bytes=1 << 15)
    op = core.operation("op", core.INTERNAL)
    for _ in range(100):
        span = core.leaf(op)
        span.set("text", "x" * 30_000)
        span.finish()
    absent_agent.listen()
    assert core.flush(10)
    poll(lambda: len(absent_agent.spans()) == 100)
    sizes = [len(payload) for payload in absent_agent.frames(Kind.TRACES)]
    assert len(sizes) >= 3
    assert max(sizes) < (1 << 20) + 40_000
    core.stop(1)


def test_without_an_agent_spans_wait_and_then_arrive(core, absent_agent):
    core.stop(0)
    core.start({}, absent_agent.path, hello={}, flush_interval_ms=5)
    before = core.counters()
    finish(core, "early", 5)
    poll(lambda: core.counters()["connect_errors"] > before["connect_errors"])
    assert not core.flush(5)
    absent_agent.listen()
    poll(lambda: len(absent_agent.spans()) == 5)
    core.stop(1)


def test_without_an_agent_what_does_not_fit_is_counted_as_such(core, absent_agent):
    core.stop(0)
    core.start({}, absent_agent.path, hello={}, flush_interval_ms=5, ring_bytes=1 << 14)
    before = core.counters()
    finish(core, "op", 1000)
    counts = {name: value - before[name] for name, value in core.counters().items()}
    assert counts["dropped_no_agent"] > 500
    assert counts["dropped_ring_full"] == 0
    core.stop(0.1)
    core.drain()


def test_an_agent_that_restarts_gets_whole_frames_and_no_span_twice(sending, agent):
    finish(sending, "first", 3)
    assert sending.flush(10)
    poll(lambda: len(agent.spans()) == 3)
    agent.hang_up()
    finish(sending, "second", 3)
    poll(lambda: not Path(agent.path).exists())
    agent.listen()
    poll(lambda: [span.name for span in agent.spans()] == ["first"] * 3 + ["second"] * 3)
    assert agent.frames(Kind.HELLO) == agent.frames(Kind.HELLO)[:1] * 2
    assert agent.broken_frames == 0


def test_an_idle_process_whose_agent_went_is_there_again_when_the_agent_is(sending, agent):
    """It has nothing to send, and nothing that is due: it may be wanted all the same."""
    finish(sending, "only")
    poll(lambda: len(agent.spans()) == 1)
    poll(lambda: agent.frames(Kind.STATUS))
    before = sending.counters()["connect_errors"]
    agent.hang_up()
    poll(lambda: sending.counters()["connect_errors"] >= before + 3)
    agent.listen()
    poll(lambda: len(agent.frames(Kind.HELLO)) == 2)
    assert len(agent.spans()) == 1


def test_half_a_frame_is_sent_again_as_a_whole(core, tmp_path):
    """An agent that reads a little of a large batch and goes away; the next one gets all of it, and nothing twice."""
    first = Agent(tmp_path / "agent.sock")
    first.read_at_most = 100_000
    first.listen()
    core.stop(0)
    core.start({}, first.path, hello={}, flush_interval_ms=5, ring_bytes=1 << 22, max_value_bytes=4096)
    op = core.operation("op", core.INTERNAL)
    for number in range(500):
        span = core.leaf(op)
        span.set("number", number)
        span.set("text", "x" * 4000)
        span.finish()
    poll(first.read_enough.is_set)
    first.close()
    assert first.spans() == []
    second = Agent(tmp_path / "agent.sock")
    second.listen()
    assert core.flush(20) or core.flush(20)
    poll(lambda: len(second.spans()) == 500)
    assert [span.attributes[0].value.int_value for span in second.spans()] == list(range(500))
    core.stop(1)
    second.close()


def test_status_frames_carry_the_counters(sending, agent):
    finish(sending, "op", 3)
    assert sending.flush(10)
    status = json.loads(poll(lambda: agent.frames(Kind.STATUS))[-1])
    assert set(status) == set(sending.counters())
    assert status["sent_spans"] >= 3


def test_an_agent_that_does_not_read_costs_the_application_nothing_but_spans(core, tmp_path):
    deaf = Agent(tmp_path / "agent.sock")
    deaf.read_at_most = 0
    deaf.listen()
    core.stop(0)
    core.start({}, deaf.path, hello={}, flush_interval_ms=5, ring_bytes=1 << 16)
    before = core.counters()
    poll(lambda: (finish(core, "op", 500), core.counters()["dropped_ring_full"] > before["dropped_ring_full"])[1])
    poll(lambda: (finish(core, "op", 500), not core.flush(0.05))[1])  # now the socket is full, too
    core.stop(0.1)  # and this ends, too
    deaf.close()
    core.drain()


def test_a_flush_with_nothing_to_send_is_done(sending):
    assert sending.flush(0)


def test_draining_is_refused_while_a_sender_does_it(sending):
    with pytest.raises(RuntimeError, match="sender"):
        sending.drain()


def test_stopping_twice_and_starting_twice_are_harmless(core, agent):
    core.stop(0)
    core.stop(0)
    for _ in range(2):
        core.start({}, agent.path, hello={}, flush_interval_ms=5)
    finish(core, "op")
    core.stop(10)
    poll(lambda: len(agent.spans()) == 1)
    core.start({}, agent.path, hello={}, flush_interval_ms=5)
    finish(core, "op")
    core.stop(10)
    poll(lambda: len(agent.spans()) == 2)


def test_a_path_too_long_for_a_socket_is_refused(core):
    core.stop(0)
    with pytest.raises(ValueError, match="107 bytes"):
        core.start({}, "/" + "x" * 107, hello={})
    assert not core.leaf(core.operation("op", core.INTERNAL)).recording


def test_a_hello_that_is_no_json_is_refused(core, agent):
    core.stop(0)
    with pytest.raises(TypeError):
        core.start({}, agent.path, hello={"token": object()})
    assert not core.leaf(core.operation("op", core.INTERNAL)).recording
    assert core.drain() == []


def test_an_idle_sender_sleeps(program):
    """After the last span the sender looks a few more times, reports, and then does not wake up any more."""
    outcome = program("""
        import os
        start()
        span("op")
        assert core.flush(10)
        def switches():
            found = []
            for thread in os.listdir("/proc/self/task"):
                if int(thread) != os.getpid():
                    status = open(f"/proc/self/task/{thread}/status").read()
                    found.append(int(status.split("voluntary_ctxt_switches:")[1].split()[0]))
            return found
        assert len(switches()) == 1
        deadline = time.monotonic() + 30
        before = None
        while (now := switches()) != before and time.monotonic() < deadline:
            before = now
            time.sleep(0.5)  # a hundred intervals
        print(now == before)
        span("after")
        assert core.flush(10)
    """)
    assert outcome.stdout == "True\n"
