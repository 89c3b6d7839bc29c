"""The receiver at a real unix socket: good probes, broken ones, hostile ones."""

from __future__ import annotations

import json
import os
import random
import socket
import struct
from dataclasses import replace

import pytest
from agent_harness import ProbeSide, eventually, payload
from hypothesis import given, settings
from hypothesis import strategies as st

from sonde.agent.counters import Counters
from sonde.agent.disk_queue.queue import BatchQueue
from sonde.agent.protobuf_fields import MAX_RESOURCES, fields, joinable
from sonde.agent.receiving import connection, receive
from sonde.agent.receiving.probe_settings import ProbeSettings
from sonde.agent.receiving.probes import MAX_REMEMBERED, Probe, Probes, counters_of
from sonde.agent.receiving.receive import Receiver
from sonde.agent.signals import Signal
from sonde.agent.tools.runs import Runs
from sonde.wire.frames import HEADER, MAX_PAYLOAD, Kind, frame, hello


@pytest.fixture
def queue(tmp_path, counters):
    sizes = {"max_bytes": 64 << 20, "batch_max_bytes": 4 << 20}
    (tmp_path / "queue").mkdir()
    with BatchQueue(tmp_path / "queue", batch_max_age_s=0, counters=counters, **sizes) as made:
        yield made


@pytest.fixture
def told():
    with ProbeSettings("agent") as made:
        yield made


@pytest.fixture
def path(tmp_path, queue, probes, told, runs, counters):
    path = tmp_path / "a.sock"
    with Receiver(path, queue, probes, told, runs, max_connections=4, counters=counters):
        yield path


def received(queue: BatchQueue) -> list[tuple[str, Signal, bytes]]:
    """Everything in the queue, removed from it."""
    found = []
    while batch := queue.take(0):
        found.append((batch.header.token, batch.header.signal, b"".join(batch.chunks())))
        queue.remove(batch)
    return found


def closed(counters: Counters, reason: str) -> int:
    return counters.total("sonde.agent.connections.closed", reason=reason)


def test_all_three_signals_come_in(path, queue, counters):
    with ProbeSide(path).hello(token="t") as probe:
        for kind in (Kind.TRACES, Kind.METRICS, Kind.LOGS):
            probe.socket.sendall(frame(kind, payload(kind.name.encode())))
    eventually(lambda: closed(counters, "hung_up") == 1, "the end of the connection")
    signals = (Signal.TRACES, Signal.METRICS, Signal.LOGS)
    assert sorted(received(queue)) == [("t", signal, payload(signal.name.encode())) for signal in signals]
    assert counters.total("sonde.agent.frames.received", signal="logs") == 1


def test_frames_come_in_whatever_pieces_they_arrive_in(path, queue, counters):
    dice = random.Random(7)
    contents = [dice.randbytes(dice.choice([0, 1, 100, 300_000])) for _ in range(30)]
    stream = hello(pid=1, token="") + b"".join(frame(Kind.TRACES, payload(content)) for content in contents)
    with ProbeSide(path) as probe:
        while stream:
            size = dice.choice([1, 7, 8, 9, 5000, 200_000])
            probe.socket.sendall(stream[:size])
            stream = stream[size:]
    eventually(lambda: closed(counters, "hung_up") == 1, "the end of the connection")
    assert b"".join(body for _, _, body in received(queue)) == b"".join(payload(content) for content in contents)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "bad_magic"),
        (HEADER.pack(b"SD", 9, Kind.HELLO, 0), "bad_version"),
        (HEADER.pack(b"SD", 1, Kind.TRACES, MAX_PAYLOAD + 1), "too_large"),
        (HEADER.pack(b"SD", 1, Kind.TRACES, 0xFFFFFFFF), "too_large"),
        (frame(Kind.TRACES, payload(b"x")), "no_hello"),
        (frame(Kind.STATUS, b"{}"), "no_hello"),
        (frame(Kind.HELLO, b"no json"), "bad_hello"),
        (frame(Kind.HELLO, b"\xff\xfe"), "bad_hello"),
        (frame(Kind.HELLO, b"[]"), "bad_hello"),
        (frame(Kind.HELLO, b"[" * 100_000), "bad_hello"),
        (hello(token=5), "bad_hello"),
        (hello(token="a\r\nX-Evil: 1"), "bad_hello"),
        (hello(token="a" * (connection.MAX_TOKEN_LENGTH + 1)), "bad_hello"),
        (hello(service=["x"]), "bad_hello"),
        (hello() + frame(Kind.STATUS, b"{"), "bad_status"),
    ],
)
def test_what_is_no_frame_ends_its_connection_with_a_counted_reason(sent, reason, path, queue, counters):
    """And no other connection."""
    with ProbeSide(path).hello() as good, ProbeSide(path) as bad:
        bad.socket.sendall(sent)
        assert bad.is_closed_by_agent()
        assert closed(counters, reason) == 1
        good.traces(b"fine")
        eventually(lambda: received(queue) == [("", Signal.TRACES, payload(b"fine"))], "the good one's spans")


def test_a_frame_that_stops_half_way_is_counted(path, counters):
    with ProbeSide(path).hello() as probe:
        probe.socket.sendall(frame(Kind.TRACES, payload(b"x" * 100))[:50])
    eventually(lambda: closed(counters, "torn_frame") == 1, "the reason")


@pytest.mark.parametrize(
    "bad", [b"", b"junk", b"\x0a\x05ab", b"\x12\x01a", b"\x0a\x01a\x10\x01", b"\x0a\x80", b"\x0a" + b"\xff" * 11]
)
def test_a_payload_that_cannot_be_joined_is_left_out_and_counted(bad, path, queue, counters):
    with ProbeSide(path).hello() as probe:
        probe.socket.sendall(frame(Kind.TRACES, bad))
        probe.traces(b"good")
        eventually(lambda: received(queue) == [("", Signal.TRACES, payload(b"good"))], "only the good one")
    assert counters.total("sonde.agent.frames.refused", reason="bad_payload") == 1


def test_a_payload_of_nothing_but_tiny_resources_is_refused():
    assert joinable(b"\x0a\x00" * MAX_RESOURCES)
    assert not joinable(b"\x0a\x00" * (MAX_RESOURCES + 1))


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=5))
def test_what_is_joinable_reads_back_as_its_fields(contents):
    joined = b"".join(payload(content) for content in contents)
    assert joinable(joined)
    assert [value for _, value in fields(joined)] == contents


@given(st.binary(max_size=60))
def test_any_bytes_are_joinable_or_not_and_never_an_accident(data):
    assert joinable(data) in (True, False)


def test_kinds_of_a_newer_probe_are_counted_and_passed_over(path, queue, counters):
    with ProbeSide(path).hello() as probe:
        probe.socket.sendall(frame(77, b"?"))  # type: ignore[arg-type]
        probe.traces(b"known")
        eventually(lambda: received(queue) == [("", Signal.TRACES, payload(b"known"))], "the known one")
    assert counters.total("sonde.agent.frames.refused", reason="unknown_kind") == 1


def test_one_probe_too_many_is_turned_away(path, queue, counters):
    inside = [ProbeSide(path).hello() for _ in range(4)]
    eventually(lambda: counters.total("sonde.agent.connections.accepted") == 4, "four inside")
    with ProbeSide(path) as fifth:
        assert fifth.is_closed_by_agent()
    assert closed(counters, "too_many") == 1
    inside.pop().__exit__()
    eventually(lambda: closed(counters, "hung_up") == 1, "a free place")
    with ProbeSide(path).hello() as sixth:
        sixth.traces(b"in")
        eventually(lambda: received(queue), "the sixth's spans")
    for probe in inside:
        probe.__exit__()


def test_who_never_says_hello_is_closed(path, counters, monkeypatch):
    monkeypatch.setattr(receive, "HELLO_WITHIN_S", 0.05)
    with ProbeSide(path) as silent, ProbeSide(path).hello() as polite:
        assert silent.is_closed_by_agent()
        polite.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            polite.socket.recv(1)
    assert closed(counters, "no_hello") == 1


def test_frames_that_never_end_do_not_fill_the_memory(path, queue, counters, monkeypatch):
    """The largest unfinished frame is given up when all of them together are too much."""
    monkeypatch.setattr(receive, "MAX_PENDING_BYTES", 1 << 20)
    with ProbeSide(path).hello() as good, ProbeSide(path).hello() as endless:
        try:
            endless.socket.sendall(HEADER.pack(b"SD", 1, Kind.TRACES, MAX_PAYLOAD))
            for _ in range(64):
                endless.socket.sendall(b"x" * 65536)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert endless.is_closed_by_agent()
        good.traces(b"fine")
        eventually(lambda: received(queue), "the good one's spans")
    assert closed(counters, "too_much_pending") == 1


def test_what_was_sent_before_the_stop_is_still_read(tmp_path, queue, probes, told, runs, counters):
    """Even from a connection that was never accepted."""
    with Receiver(tmp_path / "b.sock", queue, probes, told, runs, max_connections=9, counters=counters):
        for number in range(5):
            with ProbeSide(tmp_path / "b.sock").hello() as probe:
                probe.traces(b"%d" % number)
    assert sorted(b"".join(body for _, _, body in received(queue))) == sorted(
        b"".join(payload(b"%d" % number) for number in range(5))
    )


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5))
def test_random_bytes_never_end_the_receiver(tmp_path_factory, pieces):
    folder, counters = tmp_path_factory.mktemp("r"), Counters()
    sizes = {"max_bytes": 1 << 20, "batch_max_bytes": 1 << 20}
    with (
        BatchQueue(folder, batch_max_age_s=0, counters=counters, **sizes) as queue,
        ProbeSettings("") as told,
        Runs(probes := Probes(counters), counters) as runs,
        Receiver(folder / "s", queue, probes, told, runs, max_connections=4, counters=counters),
    ):
        with ProbeSide(folder / "s") as fuzzer:
            fuzzer.socket.sendall(hello(token=""))
            for piece in pieces:
                try:
                    fuzzer.socket.sendall(HEADER.pack(b"SD", 1, piece[0] % 7, len(piece)) + piece)
                except (BrokenPipeError, ConnectionResetError):
                    break
        with ProbeSide(folder / "s").hello() as good:
            good.traces(b"fine")
            eventually(lambda: any(body.endswith(payload(b"fine")) for _, _, body in received(queue)), "the good one")


# -- who is connected, and what they lost -----------------------------------------------------------------------------
def test_the_kernel_says_which_process_a_probe_is(path, probes, counters):
    with ProbeSide(path).hello(service="shop", instance="shop-1") as probe:
        eventually(probes.by_pid, "the probe")
        found = probes.by_pid()
        assert list(found) == [os.getpid()]
        mine = replace(found[os.getpid()], connected_at=0)
        assert mine == Probe(os.getpid(), os.geteuid(), "shop", "shop-1", language="python")
        probe.hello(service="renamed")
        eventually(lambda: probes.by_pid()[os.getpid()].service == "renamed", "its new name")
    eventually(lambda: not probes.by_pid(), "its end")
    assert counters.total("sonde.agent.connections.accepted", uid=str(os.geteuid())) == 1


def test_counters_of_probes_become_sums_with_their_reasons(path, counters):
    def status(**totals: object) -> bytes:
        return frame(Kind.STATUS, json.dumps(totals).encode())

    with ProbeSide(path).hello(service="shop") as probe:
        probe.socket.sendall(status(dropped_ring_full=3, finished=10))
        probe.socket.sendall(status(dropped_ring_full=5, finished=20, dropped_links=1, rings=7))
    with ProbeSide(path).hello(service="shop") as probe:  # the same process, connected again
        probe.socket.sendall(status(dropped_ring_full=5, finished=21, dropped_no_agent=2))
    eventually(lambda: closed(counters, "hung_up") == 2, "both ends")
    shop = {"service.name": "shop"}
    assert counters.total("sonde.probe.spans.dropped", reason="ring_full", **shop) == 5
    assert counters.total("sonde.probe.spans.dropped", **shop) == 7
    assert counters.total("sonde.probe.links.dropped", **shop) == 1
    assert counters.total("sonde.probe.finished", **shop) == 21
    assert counters.total("sonde.probe.rings") == 0


def test_a_pid_with_lower_counts_is_a_new_process(counters):
    probes = Probes(counters)
    probes.counted(Probe(7, 0, "a"), {"dropped_x": 10})
    probes.counted(Probe(7, 0, "b"), {"dropped_x": 4})
    assert counters.total("sonde.probe.spans.dropped") == 14


def test_processes_without_end_are_not_remembered_without_end(counters):
    probes = Probes(counters)
    for pid in range(MAX_REMEMBERED + 10):
        probes.counted(Probe(pid, 0, "a"), {"finished": 1})
    assert len(probes._said) == MAX_REMEMBERED


@pytest.mark.parametrize("status", [{}, {"a": None}, {"a": 1.5}, {"a": -1}, {"a": True}, {"A b": 1}, {"a": 1 << 63}])
def test_what_is_no_counter_is_left_out(status):
    assert counters_of({**status, "finished": 1}) == {"finished": 1}


def test_credentials_have_the_form_of_the_kernel():
    """The struct ucred is three ints on every Linux; a change would show as a wrong pid here."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        raw = ours.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        assert struct.unpack("3i", raw) == (os.getpid(), os.geteuid(), os.getegid())
