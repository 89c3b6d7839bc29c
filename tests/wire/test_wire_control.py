"""Messages of the control channel: what is not as it should be is named, whoever sent it."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonde.wire.control import (
    MessageError,
    Piece,
    agent_message,
    encoded,
    job_body,
    moment,
    parsed_moment,
    server_message,
)
from sonde.wire.tools import MAX_PIECE_BYTES

HELLO = {
    "type": "hello",
    "protocol": 1,
    "node": "n-1",
    "host": "h",
    "agent_version": "1.0",
    "instance": "abc",
    "capabilities": ["*"],
    "jobs": [],
}
RESULT = {
    "event": "result",
    "document": {"format": "sonde.result.v1", "summary": {"rows": [1, 2.5, None]}},
    "artifacts": [{"name": "profile.json", "media_type": "application/json", "bytes": 3, "sha256": "a" * 64}],
}


@pytest.mark.parametrize(
    "message",
    [
        HELLO,
        {"type": "heartbeat", "time": "2026-11-21T10:00:00Z"},
        {"type": "accepted", "job": "a1"},
        {"type": "output", "job": "a1", "seq": 1, "event": {"event": "started"}},
        {"type": "output", "job": "a1", "seq": 2, "event": {"event": "progress", "seconds": 1, "of": 2.5, "note": ""}},
        {"type": "done", "job": "a1", "seq": 3, "event": RESULT},
        {"type": "done", "job": "a1", "seq": 3, "event": {"event": "failed", "reason": "gone", "message": "m"}},
        {"type": "accepted", "job": "a1", "of_a_newer_agent": {"x": 1}},
    ],
)
def test_what_an_agent_says_is_read_as_it_was_written(message):
    assert agent_message(encoded(message)) == message


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("", "not JSON"),
        ("[1]", "not a JSON object"),
        ("[" * 100_000, "not JSON"),
        ('{"type": 1}', "type '1'"),
        ('{"type": "welcome"}', "type 'welcome'"),
        ('{"type": "accepted", "job": NaN}', "NaN"),
        ('{"type": "accepted", "job": 1e999}', "too large"),
        ({**HELLO, "protocol": True}, "hello.protocol: a whole number, not True"),
        ({**HELLO, "protocol": 10**30}, "hello.protocol: a whole number"),
        ({**HELLO, "node": "a/b"}, "hello.node: a text like"),
        ({**HELLO, "host": "x" * 256}, "hello.host: at most 255 long, not 256"),
        ({**HELLO, "host": "a\0"}, "without zero characters"),
        ({**HELLO, "jobs": ["ok", "../x"]}, "hello.jobs[1]: a text like"),
        ({**HELLO, "jobs": {}}, "hello.jobs: a list"),
        ({key: value for key, value in HELLO.items() if key != "node"}, "hello.node: missing"),
        ({"type": "processes", "items": [{"pid": -1}]}, "processes.items[0].pid: a number from 1"),
        ({"type": "done", "job": "a", "seq": 1, "event": {"event": "started"}}, "done.event.event: one of"),
        (
            {"type": "done", "job": "a", "seq": 1, "event": {**RESULT, "artifacts": [{"name": ".x"}]}},
            "done.event.artifacts[0].name: a text like",
        ),
        (
            {"type": "output", "job": "a", "seq": 1, "event": {"event": "progress", "seconds": "1"}},
            "output.event.seconds: a number, not '1'",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(message, said):
    text = message if isinstance(message, str) else json.dumps(message)

    with pytest.raises(MessageError) as raised:
        agent_message(text)

    assert said in str(raised.value)
    assert len(str(raised.value)) < 300, "however long the message was"


def test_a_job_is_bounded():
    body = {
        "id": "a",
        "node": "n",
        "app": "b",
        "pid": 1,
        "instance": "",
        "tool": "cpu",
        "options": {},
        "seconds": 3600,
        "by": "user:x",
        "issued_at": "2026-11-21T10:00:00Z",
        "expires_at": "2026-11-21T10:01:00Z",
        "nonce": "n",
    }
    assert job_body(json.dumps(body)) == body
    for wrong in ({"seconds": 3601}, {"seconds": -1}, {"issued_at": "yesterday"}, {"tool": "CPU"}, {"pid": 1 << 31}):
        with pytest.raises(MessageError):
            job_body(json.dumps(body | wrong))


def test_half_a_character_is_replaced_wherever_it_stands():
    document = '{"\\ud800": ["x\\udfff", "\\ud83d\\ude00"]}'
    event = f'{{"event": "result", "artifacts": [], "document": {document}}}'
    text = f'{{"type": "done", "job": "a", "seq": 1, "event": {event}}}'

    assert agent_message(text)["event"]["document"] == {"�": ["x�", "😀"]}


@given(st.binary(max_size=2000), st.integers(0, 1 << 40), st.integers(0, 1 << 40))
def test_pieces_come_out_as_they_went_in(data, offset, more):
    piece = Piece("job-1", "profile.json", offset, offset + len(data) + more, data)

    assert Piece.parse(piece.encoded()) == piece


@given(st.binary(max_size=300))
def test_bytes_that_are_no_piece_are_an_error_of_ours(data):
    with pytest.raises(MessageError):
        Piece.parse(data)


def test_a_piece_that_was_altered_on_the_way_is_none():
    message = Piece("a", "x", 0, 10, b"0123456789").encoded()
    with pytest.raises(MessageError, match="damaged"):
        Piece.parse(message[:-1] + b"!")
    with pytest.raises(MessageError, match="damaged"):
        Piece.parse(message[:-1])
    with pytest.raises(MessageError, match="past its end"):
        Piece.parse(Piece("a", "x", 5, 10, b"0123456789").encoded())
    with pytest.raises(MessageError, match="the most is"):
        Piece.parse(Piece("a", "x", 0, 1 << 30, bytes(MAX_PIECE_BYTES + 1)).encoded())
    for name in ("../x", ".x", "a/b", "", "x" * 129):
        with pytest.raises(MessageError, match=r"piece\.name"):
            Piece.parse(Piece("a", name, 0, 1, b"").encoded())


def test_moments_are_utc_and_lose_no_microsecond():
    time = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))

    assert moment(time) == "2026-11-21T04:00:00.123456Z"
    assert parsed_moment(moment(time)) == time
    assert moment(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000000Z"
    with pytest.raises(MessageError):
        parsed_moment("2026-99-01T00:00:00Z")


def test_a_newer_server_is_understood_as_far_as_it_goes():
    assert server_message('{"type": "settled", "job": "a", "why": "done"}')["job"] == "a"
    with pytest.raises(MessageError, match="type 'reboot'"):
        server_message('{"type": "reboot"}')
