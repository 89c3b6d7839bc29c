"""Every exchange that was recorded of a real agent, client to server, and what it is worth to us."""

import base64

import pytest
from skywalking_world import RECORDED, Agent, World, post

from sonde.server.intake.skywalking import skywalking_pb2 as pb

GRPC = [key for key, it in RECORDED.items() if it.get("transport") == "grpc" and "direction" not in it]
HTTP = [key for key, it in RECORDED.items() if it.get("transport") == "http"]
SEGMENTS = [key for key in GRPC if RECORDED[key]["message_type"].endswith("SegmentObject")]


@pytest.mark.parametrize("recorded", GRPC)
def test_a_recorded_call_is_answered_as_agents_want_it(agent, recorded):
    """With no commands: there is nothing to do for them."""
    assert agent.replay(recorded) == pb.Commands()
    assert not agent.world.hints.seen_by(None) or {it.reason for it in agent.world.hints.seen_by(None)} == {
        "clock_skew"
    }


@pytest.mark.parametrize("recorded", SEGMENTS)
def test_a_recorded_segment_is_in_the_spool_byte_for_byte(agent, recorded):
    agent.replay(recorded)

    sent = [base64.b64decode(it) for it in RECORDED[recorded]["wire_b64"]]
    assert [it.SerializeToString() for it in agent.world.segments()] == [
        pb.SegmentObject.FromString(it).SerializeToString() for it in sent
    ]


@pytest.mark.parametrize("recorded", HTTP)
def test_a_recorded_request_is_answered_as_it_was(world, recorded):
    exchange = RECORDED[recorded]
    path = exchange["request"].removeprefix("POST ")

    answer = post(world, path, exchange["body"], world.token)

    expected = exchange["answer"]
    assert (answer.status_code, answer.json()) == (expected["status"], expected["body"])
    assert answer.headers["content-type"] == expected["content-type"]


def test_the_same_segment_over_http_is_the_same_in_the_spool(world):
    """Names and numbers for enums, `refType` as a number, integers plain."""
    body = RECORDED["py-http-2"]["body"]

    post(world, "/v3/segment", body, world.token)

    (stored,) = world.segments()
    assert (stored.traceId, stored.traceSegmentId) == (body["traceId"], body["traceSegmentId"])
    assert [pb.SpanType.Name(it.spanType) for it in stored.spans] == [it["spanType"] for it in body["spans"]]
    assert [pb.SpanLayer.Name(it.spanLayer) for it in stored.spans] == [it["spanLayer"] for it in body["spans"]]
    assert [len(it.refs) for it in stored.spans] == [len(it["refs"]) for it in body["spans"]]
    assert stored.spans[-1].startTime == int(body["spans"][-1]["startTime"])


def test_agents_that_bring_no_token_belong_to_the_app_of_the_setting(tmp_path):
    world = World(tmp_path, fallback="shop")
    agent = Agent(world)
    try:
        agent.replay("py-seg-work")
        answer = post(world, "/v3/segment", RECORDED["py-http-2"]["body"])
        assert answer.status_code == 200
        assert len(world.segments()) == 2
    finally:
        agent.close()
        world.close()
