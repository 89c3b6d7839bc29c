"""Senders that are gone without a word, stop in the middle or bring too much: bounded, counted, the others served."""

import queue
import socket
import threading
import time

import grpc
import pytest
from skywalking_world import MAX_BYTES, V3, WITHIN_S, Agent, World, post, segment

from sonde.server.intake.message_reader import MessageReader
from sonde.server.intake.skywalking import grpc_side
from sonde.server.intake.skywalking import skywalking_pb2 as pb

COLLECT = V3 + "TraceSegmentReportService/collect"
COLLECT_IN_SYNC = V3 + "TraceSegmentReportService/collectInSync"


def until(condition, what):
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {WITHIN_S} s: {what}")


class Line:
    """Between an agent and the server; when it is cut nothing passes any more, and neither end is told."""

    def __init__(self, port, lets_through=None):
        """`lets_through`: so many bytes reach the server, the others wait for `let_all_through`."""
        self._lets_through = lets_through
        self._may_go_on = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._is_cut = threading.Event()
        self._ends, self._passing = [], []
        threading.Thread(target=self._accept, args=(port,), daemon=True).start()

    def _accept(self, port):
        agent, _ = self._listening.accept()
        server = socket.create_connection(("127.0.0.1", port))
        self._ends = [agent, server]
        for source, target in ((agent, server), (server, agent)):
            self._passing.append(threading.Thread(target=self._pass, args=(source, target), daemon=True))
            self._passing[-1].start()

    def _pass(self, source, target):
        try:
            while data := source.recv(65536):
                if source is self._ends[0] and self._lets_through is not None:
                    self._lets_through -= len(data)
                    if self._lets_through < 0:
                        self._may_go_on.wait(WITHIN_S)
                if not self._is_cut.is_set():
                    target.sendall(data)
        except OSError:
            return  # the test is over

    def let_all_through(self):
        self._may_go_on.set()

    def cut(self):
        self._is_cut.set()

    def close(self):
        for end in self._ends:
            end.shutdown(socket.SHUT_RDWR)
        for thread in self._passing:
            thread.join(WITHIN_S)
        for end in (self._listening, *self._ends):
            end.close()


@pytest.fixture
def impatient(tmp_path):
    """A server that asks soon whether its senders are there."""
    world = World(tmp_path, keepalive={"keepalive_s": 0.3, "keepalive_timeout_s": 0.3})
    yield world
    world.close()


def refused(world, reason, transport="grpc"):
    return world.intake.counters.refused[transport, reason]


def test_a_stream_whose_line_is_cut_ends_and_what_it_brought_is_stored(impatient):
    line = Line(impatient.grpc.port)
    agent = Agent(impatient, impatient.token, line.port)
    messages = queue.Queue()
    stream = agent.channel.stream_unary(COLLECT).future(iter(messages.get, None), metadata=agent.metadata)
    messages.put(segment().SerializeToString())
    until(impatient.segments, "the segment in the spool")

    line.cut()

    until(lambda: impatient.intake.counters.streams_open == 0, "the end of the stream")
    assert refused(impatient, "disconnected") == 1
    assert len(impatient.segments()) == 1
    assert not stream.done(), "its agent knows nothing of it"
    messages.put(None)
    agent.close()
    line.close()


def test_a_stream_that_is_there_and_silent_stays(impatient):
    """It answers when it is asked: several times as long as one that is gone would stay."""
    agent = Agent(impatient, impatient.token)
    messages = queue.Queue()
    stream = agent.channel.stream_unary(COLLECT).future(iter(messages.get, None), metadata=agent.metadata)
    until(lambda: impatient.intake.counters.streams_open == 1, "a stream")
    with pytest.raises(grpc.FutureTimeoutError):
        stream.result(2)
    messages.put(segment().SerializeToString())
    messages.put(None)

    stream.result(WITHIN_S)

    assert len(impatient.segments()) == 1
    assert refused(impatient, "disconnected") == 0
    agent.close()


def test_a_call_of_one_message_that_never_comes_is_given_up_and_an_endless_stream_is_not(world, agent):
    world.intake.grpc._reader = MessageReader(1 << 20, read_within_s=0.2)
    messages = queue.Queue()
    endless = agent.channel.stream_unary(COLLECT).future(iter(messages.get, None), metadata=agent.metadata)
    until(lambda: world.intake.counters.streams_open == 1, "a stream")
    silent = agent.channel.stream_unary(COLLECT_IN_SYNC).future(iter(messages.get, 1), metadata=agent.metadata)

    with pytest.raises(grpc.RpcError) as given_up:
        silent.result(WITHIN_S)

    assert given_up.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert refused(world, "slow_body") == 1
    assert not endless.done()
    messages.put(None)
    messages.put(None)


def test_more_calls_than_are_taken_at_one_time_are_refused(world, agent):
    world.intake.grpc._calls_max = 1
    messages = queue.Queue()
    first = agent.channel.stream_unary(COLLECT).future(iter(messages.get, None), metadata=agent.metadata)
    until(lambda: world.intake.counters.streams_open == 1, "a stream")

    with pytest.raises(grpc.RpcError) as too_many:
        agent.stream(COLLECT, [segment()])

    assert too_many.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert refused(world, "too_many_calls") == 1
    messages.put(None)
    first.result(WITHIN_S)
    agent.stream(COLLECT, [segment()])
    assert len(world.segments()) == 1


def test_messages_that_are_held_are_bounded_by_their_bytes(world, agent):
    """What came before the one that is too much is stored."""
    small, large = segment(segment_id="small"), segment(segment_id="large", spans=2000)
    world.intake.grpc._budget = grpc_side.Budget(50_000)

    with pytest.raises(grpc.RpcError) as too_much:
        agent.stream(COLLECT, [small, large])

    assert too_much.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert refused(world, "too_many_bodies") == 1
    assert [it.traceSegmentId for it in world.segments()] == ["small"]
    with pytest.raises(grpc.RpcError) as too_much:
        agent.unary(COLLECT_IN_SYNC, pb.SegmentCollection(segments=[large]))
    assert too_much.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert world.intake.grpc._budget.held == 0
    agent.stream(COLLECT, [small])


def half_a_body(world):
    """A request that says it has more than it sends."""
    sending = socket.create_connection(("127.0.0.1", world.http_port), timeout=WITHIN_S)
    head = f"POST /v3/segments HTTP/1.1\r\nHost: x\r\nAuthentication: {world.token}\r\nContent-Length: 1000\r\n\r\n["
    sending.sendall(head.encode())
    return sending


def test_a_body_over_http_that_stops_half_way_is_given_up(world, monkeypatch):
    monkeypatch.setattr("sonde.server.intake.body.BODY_TIMEOUT_S", 0.3)

    with half_a_body(world) as stopped:
        answer = stopped.recv(4096)

    assert answer.startswith(b"HTTP/1.1 408")
    assert refused(world, "slow_body", "http") == 1
    assert world.intake.http._budget.held == 0
    assert post(world, "/v3/segments", [], world.token).status_code == 200


def test_a_body_over_http_whose_sender_hangs_up_half_way_leaves_nothing(world):
    half_a_body(world).close()

    until(lambda: refused(world, "disconnected", "http") == 1, "a refusal")
    assert world.intake.http._budget.held == 0
    assert world.segments() == []


def large(segment_id):
    return segment(segment_id=segment_id, spans=30_000)


def half_a_message(world, segment_id):
    """A stream of an agent of its own, and the line that lets only a part of its message through."""
    line = Line(world.grpc.port, lets_through=600_000)
    agent = Agent(world, world.token, line.port)
    stream = agent.channel.stream_unary(COLLECT).future(
        iter([large(segment_id).SerializeToString()]), metadata=agent.metadata
    )
    return line, agent, stream


def test_streams_end_where_too_much_has_come_of_messages_that_are_not_whole(world, agent, monkeypatch):
    """Those that hold most; what is silent or whole is not disturbed."""
    monkeypatch.setattr(grpc_side, "LOOK_EVERY_S", 0.05)
    world.intake.grpc._half.most_bytes = 1_000_000
    whole = [large(f"whole {number}") for number in range(4)]
    assert 600_000 < whole[0].ByteSize() < MAX_BYTES
    messages = queue.Queue()
    silent = agent.channel.stream_unary(COLLECT).future(iter(messages.get, None), metadata=agent.metadata)
    agent.stream(COLLECT, whole)

    first = half_a_message(world, "first")
    until(lambda: world.intake.counters.half_bytes > 500_000, "what has come of the first")
    assert not first[2].done(), "one is not too much"
    second = half_a_message(world, "second")

    until(lambda: refused(world, "half_messages") == 1, "a refusal")
    until(lambda: 500_000 < world.intake.counters.half_bytes < 1_000_000, "less that is held")
    for line, _, _ in (first, second):
        line.let_all_through()
    ended = [stream.exception(WITHIN_S) for _, _, stream in (first, second)]
    assert [it and it.code() for it in ended].count(grpc.StatusCode.RESOURCE_EXHAUSTED) == 1
    assert ended.count(None) == 1
    assert not silent.done()
    messages.put(segment(segment_id="late").SerializeToString())
    messages.put(None)
    silent.result(WITHIN_S)
    stored = {it.traceSegmentId for it in world.segments()}
    assert stored >= {it.traceSegmentId for it in whole} | {"late"}
    assert len(stored & {"first", "second"}) == 1
    for line, own, _ in (first, second):
        own.close()
        line.close()
