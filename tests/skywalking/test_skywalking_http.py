"""SkyWalking over HTTP: what is taken, and what each bad request is told."""

import gzip
import json
import socket

import pytest
from skywalking_world import MAX_BYTES, RECORDED, World, attributes_of, now, post, segment

from sonde.server.intake.skywalking.http_side import PATHS
from sonde.server.intake.skywalking.services import Kind
from sonde.server.spool.limits import SpoolLimits

SEGMENT = RECORDED["py-http-2"]["body"]


def test_every_path_takes_one_object_and_an_array_of_them(world):
    page = {"service": "ui", "pagePath": "/", "loadPageTime": 5, "message": "oops", "source": {"service": "ui"}}
    bodies = dict.fromkeys(PATHS, page) | dict.fromkeys(
        (it for it, kind in PATHS.items() if kind is Kind.SEGMENT), SEGMENT
    )
    for path, body in bodies.items():
        for document in (body, [body, body]):
            answer = post(world, path, document, world.token)
            assert (answer.status_code, answer.json()) == (200, {}), path


def test_several_segments_in_one_request_are_several_in_the_spool(world):
    others = [SEGMENT | {"traceSegmentId": f"s{at}"} for at in range(3)]

    post(world, "/v3/segments", others, world.token)

    assert [it.traceSegmentId for it in world.segments()] == ["s0", "s1", "s2"]


@pytest.mark.parametrize(
    "change",
    [
        {"spanType": 1, "spanLayer": 3},
        {"spanType": "Exit", "spanLayer": "Http"},
        {"startTime": "1795211222194", "endTime": "1795211222195"},
        {"startTime": 1795211222194, "somethingNew": {"a": [1]}},
        {"spanLayer": "AnotherLayer"},
        {"spanLayer": 99},
    ],
)
def test_enums_and_large_numbers_are_read_in_every_form(world, change):
    span = SEGMENT["spans"][0] | change

    answer = post(world, "/v3/segment", SEGMENT | {"spans": [span]}, world.token)

    assert answer.status_code == 200, answer.text
    (stored,) = world.segments()[0].spans
    if "spanType" in change:
        assert (stored.spanType, stored.spanLayer) == (1, 3)
    if "startTime" in change:
        assert stored.startTime == 1795211222194


BAD = {
    "no json": ("/v3/segment", b"{", "no JSON"),
    "no text": ("/v3/segment", b"\xff\xfe", "no JSON"),
    "nothing": ("/v3/segment", b"", "no JSON"),
    "a number": ("/v3/segment", 5, "item 0 is no object"),
    "an array of numbers": ("/v3/segments", [SEGMENT, 5], "item 1 is no object"),
    "another shape": ("/v3/segment", {"spans": 5}, "no SegmentObject"),
    "a number too large": ("/v3/segment", {"spans": [{"startTime": 1 << 70}]}, "no SegmentObject"),
    "no service": ("/v3/management/keepAlive", {"serviceInstance": "i"}, "which service"),
    "without end": ("/v3/logs", b"[" * 100_000, "nested too deeply"),
    "half a character": ("/v3/logs", b'[{"service": "\\ud800"}]', "JSON"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_body_is_told_what_is_wrong_with_it(world, name):
    path, document, words = BAD[name]

    answer = post(world, path, document, world.token)

    assert answer.status_code == 400, answer.text
    assert words in answer.json()["message"]
    assert world.stored("segments") == []


def test_other_addresses_and_methods_are_told_what_there_is(world):
    unknown = post(world, "/v3/nothing", {}, world.token)
    assert unknown.status_code == 404
    assert "/v3/segment" in unknown.json()["message"]

    with socket.create_connection(("127.0.0.1", world.http_port), 20) as connection:
        connection.sendall(b"GET /v3/segment HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b""
        while part := connection.recv(4096):
            answer += part
    assert answer.startswith(b"HTTP/1.1 405")
    assert b"allow: POST" in answer


@pytest.mark.parametrize(("token", "reason"), [("sonde_app_of_nobody", "wrong_token"), (None, "no_token")])
def test_a_sender_that_is_not_known_is_refused_and_hinted_at(world, token, reason):
    answer = post(world, "/v3/segment", SEGMENT, token)

    assert answer.status_code == 401
    assert world.segments() == []
    assert world.hint(reason)[0].subject == "an agent at 127.0.0.1"


def test_a_token_may_come_as_otlp_has_it(world):
    assert post(world, "/v3/segment", SEGMENT, authorization=f"Bearer {world.token}").status_code == 200


def test_a_body_may_be_compressed_and_a_bomb_is_not_unpacked(world):
    small = gzip.compress(json.dumps(SEGMENT).encode())
    assert post(world, "/v3/segment", small, world.token, content_encoding="gzip").status_code == 200

    bomb = gzip.compress(bytes(20 * MAX_BYTES))
    assert post(world, "/v3/segment", bomb, world.token, content_encoding="gzip").status_code == 413
    assert post(world, "/v3/segment", bytes(MAX_BYTES + 1), world.token).status_code == 413
    assert post(world, "/v3/segment", b"x", world.token, content_encoding="br").status_code == 415


def test_a_full_spool_is_told_over_http(tmp_path):
    """There an error does no more harm than the loss itself."""
    world = World(tmp_path, limits=SpoolLimits(min_free_bytes=0, max_bytes=50, file_max_age_s=3600))
    try:
        answer = post(world, "/v3/segment", SEGMENT, world.token)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
    finally:
        world.close()


def test_a_large_body_is_read(world):
    """In a thread: tens of thousands of log lines."""
    said = round(now().timestamp() * 1000)
    lines = [
        {"service": "s", "timestamp": str(said + at), "body": {"text": {"text": f"line {at}"}}} for at in range(20_000)
    ]

    assert post(world, "/v3/logs", lines, world.token).status_code == 200

    found = [record.body.string_value for _, record in world.logs()]
    assert len(found) == 20_000
    assert attributes_of(world.logs()[0][1]) == {}


def test_a_sender_that_goes_away_in_the_middle_leaves_nothing(world):
    body = segment().SerializeToString()
    with socket.create_connection(("127.0.0.1", world.http_port), 20) as connection:
        head = f"POST /v3/segment HTTP/1.1\r\nHost: x\r\nauthentication: {world.token}\r\nContent-Length: 5000\r\n\r\n"
        connection.sendall(head.encode() + body)

    assert post(world, "/v3/segment", SEGMENT, world.token).status_code == 200
    assert len(world.segments()) == 1
