"""gRPC calls: names, tokens, streams that end and that do not, and what cannot be understood."""

import gzip
import queue
import time

import grpc
import pytest
from skywalking_world import MAX_BYTES, V3, Agent, World, in_threads, segment

from sonde.server.intake.skywalking import skywalking_pb2 as pb
from sonde.server.intake.skywalking.services import PATHS, PPROF_UPLOAD
from sonde.server.spool.limits import SpoolLimits

COLLECT = V3 + "TraceSegmentReportService/collect"


def until(condition, what, within_s=20):
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {within_s} s: {what}")


class Stream:
    """A call that stays open until the test ends it."""

    def __init__(self, agent, path=COLLECT):
        self._messages = queue.Queue()
        self.call = agent.channel.stream_unary(path).future(iter(self._messages.get, None), metadata=agent.metadata)

    def send(self, message):
        self._messages.put(message if isinstance(message, bytes) else message.SerializeToString())

    def end(self):
        self._messages.put(None)
        return self.call.result(20)


# -- names ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", PATHS)
def test_every_method_answers_an_empty_stream_with_no_commands(agent, path):
    assert agent.stream(path, []) == pb.Commands()


def test_services_that_were_ever_called_without_a_package_are_known_by_both_names():
    for service in ("TraceSegmentReportService/collect", "ManagementService/keepAlive", "ProfileTask/collectSnapshot"):
        assert PATHS[f"/{service}"] == PATHS[V3 + service]
    assert "/LogReportService/collect" not in PATHS


def test_an_unknown_method_is_unimplemented(agent):
    with pytest.raises(grpc.RpcError) as refused:
        agent.unary("/skywalking.v3.TraceSegmentReportService/collectTwice", b"")

    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_go_agent_that_offers_a_profile_is_told_that_nobody_asked_for_one(agent):
    answers = agent.channel.stream_stream(PPROF_UPLOAD)(iter([b"\x0a\x00"]), metadata=agent.metadata, timeout=20)

    assert [pb_status(it) for it in answers] == [2]


def pb_status(body):
    assert body[0] == 8
    return body[1]


# -- tokens -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("token", "reason"), [("sonde_app_of_nobody", "wrong_token"), ("", "no_token")])
def test_a_sender_that_is_not_known_is_denied_and_hinted_at_by_its_service(world, token, reason):
    agent = Agent(world, token)
    with pytest.raises(grpc.RpcError) as refused:
        agent.replay("php4-keepalive")
    agent.close()

    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    (hint,) = world.hint(reason)
    assert (hint.protocol, hint.subject) == ("skywalking", "service demo-php4")
    assert world.intake.counters.refused["grpc", reason] == 1


def test_a_stream_of_a_sender_that_is_not_known_is_denied_before_it_is_read(world):
    agent = Agent(world)
    stream = Stream(agent)
    stream.send(segment())

    with pytest.raises(grpc.RpcError) as refused:
        stream.call.result(20)

    agent.close()
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert world.segments() == []
    assert world.hint("no_token")[0].subject == "an agent at 127.0.0.1"


def test_a_wrong_token_is_not_taken_for_none(tmp_path):
    """The app of those without a token is not the app of everybody."""
    world = World(tmp_path, fallback="shop")
    agent = Agent(world, "sonde_app_of_nobody")
    try:
        with pytest.raises(grpc.RpcError):
            agent.stream(COLLECT, [segment()])
        assert world.segments() == []
    finally:
        agent.close()
        world.close()


# -- streams ----------------------------------------------------------------------------------------------------------
def test_a_stream_that_does_not_end_is_stored_all_the_same(agent):
    stream = Stream(agent)
    stream.send(segment())

    until(agent.world.segments, "the segment in the spool")

    assert not stream.call.done()
    stream.end()


def test_what_a_stream_brought_is_in_the_spool_when_it_is_answered(agent):
    agent.stream(COLLECT, [segment(segment_id=f"s{at}") for at in range(500)])

    assert [it.traceSegmentId for it in agent.world.segments()] == [f"s{at}" for at in range(500)]


def test_two_hundred_streams_that_do_not_end_are_all_stored(world):
    """Of several processes: grpc keeps to a hundred calls on one connection."""
    agents = [Agent(world, world.token) for _ in range(4)]
    streams = [Stream(agents[at % 4]) for at in range(200)]
    for at, stream in enumerate(streams):
        stream.send(segment(segment_id=f"s{at}"))

    until(lambda: len(world.segments()) == 200, "two hundred segments")

    assert {it.traceSegmentId for it in world.segments()} == {f"s{at}" for at in range(200)}
    assert world.intake.counters.streams_open == 200
    for stream in streams:
        stream.end()
    for agent in agents:
        agent.close()
    assert world.intake.counters.streams_open == 0


def test_streams_that_do_not_end_hold_up_no_stop(tmp_path):
    """They hear that the server goes; what they brought is in the spool."""
    world = World(tmp_path)
    agent = Agent(world, world.token)
    stream = Stream(agent)
    stream.send(segment())
    until(lambda: world.intake.counters.messages["grpc", "segment"], "the message")

    world.close()

    with pytest.raises(grpc.RpcError) as ended:
        stream.call.result(20)
    assert ended.value.code() is grpc.StatusCode.UNAVAILABLE
    assert [it.traceSegmentId for it in world.segments()] == ["s1"]
    agent.close()


def test_a_stream_that_is_cancelled_keeps_what_it_brought(agent):
    stream = Stream(agent)
    stream.send(segment())
    until(lambda: agent.world.intake.counters.messages["grpc", "segment"], "the message")

    stream.call.cancel()

    until(agent.world.segments, "the segment in the spool")
    until(lambda: agent.world.intake.counters.streams_open == 0, "the end of the call")


def test_segments_keep_their_spans_in_the_order_they_came(agent):
    """The root span last, as Python has it: which one it is, the store sees by its number."""
    sent = segment(spans=3)
    spans = list(sent.spans)
    del sent.spans[:]
    sent.spans.extend(reversed(spans))

    agent.stream(COLLECT, [sent])

    assert agent.world.segments() == [sent]


def test_a_collection_in_one_call_is_stored_as_it_came(agent):
    collection = pb.SegmentCollection(segments=[segment(segment_id="a"), segment(segment_id="b")])

    assert agent.unary(V3 + "TraceSegmentReportService/collectInSync", collection) == pb.Commands()

    assert [it.traceSegmentId for it in agent.world.segments()] == ["a", "b"]
    assert agent.world.intake.counters.items["segments"] == 2


def test_a_message_may_be_compressed(agent):
    agent.stream(COLLECT, [segment()], compression=grpc.Compression.Gzip)

    assert len(agent.world.segments()) == 1


# -- what cannot be understood ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("rubbish", [b"\xff\xff", b"hello", b"\x0a\xff\x01", b"\x1a\x02\x0a\x05"])
def test_rubbish_in_a_stream_is_counted_and_the_stream_goes_on(agent, rubbish):
    """An agent that heard of an error would throw away more than that."""
    assert agent.stream(COLLECT, [segment(segment_id="a"), rubbish, segment(segment_id="b")]) == pb.Commands()

    assert [it.traceSegmentId for it in agent.world.segments()] == ["a", "b"]
    assert agent.world.intake.counters.bad["segment", "bad_protobuf"] == 1
    assert agent.world.hint("bad_protobuf")


def test_rubbish_in_a_call_of_one_message_is_an_invalid_argument(agent):
    with pytest.raises(grpc.RpcError) as refused:
        agent.unary(V3 + "ManagementService/keepAlive", b"\xff\xff")

    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "keep_alive" in refused.value.details()


def test_text_that_is_no_utf8_does_not_reach_the_store(agent):
    """C++ sends such bytes with no more than a warning; a spool file is stored whole or not at all."""
    body = bytearray(segment(service="XXXX").SerializeToString())
    at = body.index(b"XXXX")
    body[at : at + 4] = b"\xff\xfe\xfd\xfc"

    agent.stream(COLLECT, [bytes(body), segment(segment_id="good")])

    assert [it.traceSegmentId for it in agent.world.segments()] == ["good"]


def test_a_giant_message_is_refused_by_its_size(agent):
    with pytest.raises(grpc.RpcError) as refused:
        agent.stream(COLLECT, [bytes(MAX_BYTES + 1)])

    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    agent.stream(COLLECT, [segment()])
    assert len(agent.world.segments()) == 1


def test_a_bomb_is_not_unpacked(agent):
    """Compressed, it is small."""
    bomb = gzip.compress(bytes(50 * MAX_BYTES))
    assert len(bomb) < MAX_BYTES

    agent.stream(COLLECT, [bomb, segment()])

    assert len(agent.world.segments()) == 1
    assert agent.world.intake.counters.bad["segment", "too_large"] == 1


def test_a_full_spool_takes_nothing_more_and_tells_no_agent(tmp_path):
    """Java and Python would throw away more than what does not fit: it is counted, and said on the page."""
    world = World(tmp_path, limits=SpoolLimits(min_free_bytes=0, max_bytes=200, file_max_age_s=3600))
    agent = Agent(world, world.token)
    try:
        assert agent.stream(COLLECT, [segment(segment_id=f"s{at}", spans=20) for at in range(5)]) == pb.Commands()
        assert world.segments() == []
        assert world.intake.counters.dropped["segments", "spool_full"] == 100
        assert "dropped" in world.hint("spool_full")[0].text
    finally:
        agent.close()
        world.close()


def test_many_agents_at_once_lose_nothing(world):
    def send(at):
        agent = Agent(world, world.token)
        agent.stream(COLLECT, [segment(trace=f"t{at}", segment_id=f"{at}-{it}") for it in range(20)])
        agent.close()

    in_threads(send, range(40))

    assert len({it.traceSegmentId for it in world.segments()}) == 800


def test_a_configuration_is_never_new(agent):
    request = pb.ConfigurationSyncRequest(service="orders", uuid="")

    assert agent.unary(V3 + "ConfigurationDiscoveryService/fetchConfigurations", request) == pb.Commands()
