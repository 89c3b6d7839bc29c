"""A whole server: endless streams are queryable, and hold up no stop."""

import time

import grpc
import psutil
import pytest
from agents_world import skywalking_server
from skywalking_world import RECORDED, segment

from sonde.server.intake.skywalking import skywalking_pb2 as pb
from started.waiting import eventually

FOUND = "SELECT count() FROM spans WHERE app = {app:String}"
CALM_S = 30


@pytest.fixture
def server(tmp_path):
    with skywalking_server(tmp_path / "data") as server:
        yield server


def test_a_stream_of_skyapm_4_is_queryable_at_once_and_ends_with_the_server(server):
    """Without a package in the name, and never half-closed."""
    app = server.app()
    channel = grpc.insecure_channel(server.skywalking_grpc)
    sent = [segment(segment_id="first").SerializeToString()]
    more = True

    def messages():
        yield from sent
        while more:
            time.sleep(0.05)

    path = RECORDED["php4-seg-first"]["path"]
    stream = channel.stream_unary(path).future(messages(), metadata=(("authentication", app["token"]),))

    eventually(lambda: server.rows(FOUND, app=app["id"]) == [(1,)], "the span", CALM_S)

    assert not stream.done()
    server.process.terminate()
    with pytest.raises(grpc.RpcError) as ended:
        stream.result(60)
    more = False
    assert ended.value.code() is grpc.StatusCode.UNAVAILABLE
    assert server.process.wait(60) == 0
    channel.close()


def test_what_was_acknowledged_outlives_a_kill(server):
    """SIGKILL of the web process: the supervisor starts another, which loads what is in the spool."""
    app = server.app()
    web = next(it for it in psutil.Process(server.process.pid).children() if "sonde.server.web" in it.cmdline())
    collection = pb.SegmentCollection(segments=[segment(segment_id=f"s{at}", trace=f"t{at}") for at in range(50)])
    with grpc.insecure_channel(server.skywalking_grpc) as channel:
        call = channel.unary_unary("/skywalking.v3.TraceSegmentReportService/collectInSync")
        call(collection.SerializeToString(), metadata=(("authentication", app["token"]),), timeout=30)
    web.kill()

    eventually(lambda: server.rows(FOUND, app=app["id"]) == [(50,)], "fifty spans, each once")
