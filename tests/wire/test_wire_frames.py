"""Frames survive whatever pieces a socket cuts them into; anything else is refused by a reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonde.wire.frames import HEADER, MAGIC, MAX_PAYLOAD, VERSION, FrameError, FrameReader, Kind, frame, hello

frames = st.lists(st.tuples(st.sampled_from(list(Kind)), st.binary(max_size=200)), max_size=8)


@given(frames, st.lists(st.integers(1, 50), min_size=1))
def test_frames_come_back_from_any_pieces(sent, sizes):
    stream = b"".join(frame(kind, payload) for kind, payload in sent)
    reader, received, at, turn = FrameReader(), [], 0, 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        received += reader.feed(stream[at : at + size])
        at, turn = at + size, turn + 1

    assert received == sent
    assert reader.pending == 0


def test_an_unfinished_frame_waits():
    reader = FrameReader()

    assert reader.feed(frame(Kind.TRACES, b"abcdef")[:-1]) == []
    assert reader.pending == HEADER.size + 5
    assert reader.feed(b"f") == [(Kind.TRACES, b"abcdef")]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (HEADER.pack(b"XX", VERSION, 2, 0), "bad_magic"),
        (HEADER.pack(MAGIC, VERSION + 1, 2, 0), "bad_version"),
        (HEADER.pack(MAGIC, VERSION, 2, MAX_PAYLOAD + 1), "too_large"),
    ],
)
def test_what_is_no_frame_is_refused_with_a_reason(header, reason):
    with pytest.raises(FrameError) as raised:
        FrameReader().feed(header)

    assert raised.value.reason == reason


def test_a_kind_of_a_later_version_is_passed_on():
    assert FrameReader().feed(HEADER.pack(MAGIC, VERSION, 99, 1) + b"x") == [(99, b"x")]


def test_hello_is_a_json_object():
    assert FrameReader().feed(hello(pid=1, token="")) == [(Kind.HELLO, b'{"pid":1,"token":""}')]
