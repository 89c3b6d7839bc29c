"""The forwarder against a real HTTP server: what each answer does to a batch."""

from __future__ import annotations

import email.utils
import socket

import pytest
from agent_harness import FakeServer, Request, Script, eventually
from hypothesis import given
from hypothesis import strategies as st

from sonde.agent.disk_queue.queue import BatchQueue
from sonde.agent.forwarding import answer, forward, server_connection
from sonde.agent.forwarding.answer import Verdict
from sonde.agent.forwarding.collector import Collector, encoding
from sonde.agent.forwarding.forward import Backoff, Forwarder
from sonde.agent.signals import Signal
from sonde.settings import SettingError
from sonde.wire.protobuf import integer, message, text


@pytest.fixture
def queue(tmp_path, counters):
    sizes = {"max_bytes": 64 << 20, "batch_max_bytes": 4 << 20}
    (tmp_path / "queue").mkdir()
    with BatchQueue(tmp_path / "queue", batch_max_age_s=0, counters=counters, **sizes) as made:
        yield made


@pytest.fixture
def quick(monkeypatch):
    """Pauses that tests can wait for."""
    monkeypatch.setattr(forward, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(forward, "TOKEN_PAUSE_S", 0.05)


@pytest.fixture
def forwarder(queue, server, counters, quick):
    sender = Collector(server.url, encoding("gzip"))
    with Forwarder(queue, sender, agent_token="agent", flush_s=5, counters=counters) as running:
        yield running


def errors(counters, reason: str) -> int:
    return counters.total("sonde.agent.send.errors", reason=reason)


def dropped(counters, reason: str) -> int:
    return counters.total("sonde.agent.frames.dropped", reason=reason)


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_a_busy_server_gets_the_same_bytes_again(status, forwarder, queue, server, counters):
    server.scripts = [Script(status), Script(status)]
    queue.append("", Signal.TRACES, b"batch")
    eventually(server.bodies, "arrival")
    assert [request.body for request in server.requests] == [b"batch"] * 3
    assert errors(counters, f"http_{status}") == 2
    eventually(lambda: queue.size_bytes == 0, "an empty queue")


@pytest.mark.parametrize("status", [402, 413, 415, 422, 500, 501])
def test_a_batch_the_server_will_never_take_is_dropped_and_counted(status, forwarder, queue, server, counters):
    server.scripts = [Script(status)]
    queue.append("", Signal.TRACES, b"bad")
    eventually(lambda: dropped(counters, f"http_{status}") == 1, "the drop")
    queue.append("", Signal.TRACES, b"good")
    eventually(lambda: server.bodies() == b"good", "the next one")
    assert len(server.requests) == 2


def test_a_malformed_payload_does_not_cost_the_others_in_its_batch(forwarder, queue, server, counters):
    server.answer = lambda request: Script(400 if b"bad" in request.body else 200)
    busy = Script(503, {"Retry-After": "0"})
    server.scripts = [busy]  # so that all five become one batch
    for payload in (b"a", b"b", b"bad", b"c", b"d"):
        queue.append("", Signal.TRACES, payload)
    eventually(lambda: dropped(counters, "http_400") == 1, "the drop")
    eventually(lambda: sorted(server.bodies()) == sorted(b"abcd"), "the others")


@pytest.mark.parametrize("status", [401, 403, 404, 301])
def test_a_wrong_token_or_address_keeps_the_data_until_it_is_put_right(status, forwarder, queue, server, counters):
    """And holds up nobody else."""
    right = []
    server.answer = lambda request: Script(200 if request.token == "agent" or right else status)
    queue.append("wrong", Signal.TRACES, b"kept")
    eventually(lambda: errors(counters, f"http_{status}"), "the refusal")
    queue.append("", Signal.TRACES, b"others")
    eventually(lambda: server.bodies() == b"others", "the others")
    right.append(True)
    eventually(lambda: server.bodies(token="wrong") == b"kept", "arrival")
    assert dropped(counters, f"http_{status}") == 0


def test_without_a_token_no_authorization_is_sent(queue, server, counters):
    sender = Collector(server.url, encoding("gzip"))
    with Forwarder(queue, sender, agent_token="", flush_s=5, counters=counters):
        queue.append("", Signal.TRACES, b"x")
        eventually(server.bodies, "arrival")
    assert server.requests[0].token == ""


def test_the_agents_batches_go_out_under_the_token_it_has_now(queue, server, counters):
    """One that was corrected between two starts also frees what waited under the old one."""
    queue.append("", Signal.TRACES, b"x")
    queue.seal()
    with Forwarder(queue, Collector(server.url, encoding("gzip")), agent_token="new", flush_s=5, counters=counters):
        eventually(lambda: server.bodies(token="new") == b"x", "arrival")


def test_partial_success_is_stored_and_counted(forwarder, queue, server, counters, caplog):
    server.scripts = [Script(body=message(1, integer(1, 3) + text(2, "3 spans without id")))]
    queue.append("", Signal.TRACES, b"x")
    eventually(lambda: errors(counters, "partial_success") == 1, "the count")
    assert "did not take 3 items of a batch: 3 spans without id" in caplog.text
    eventually(lambda: queue.size_bytes == 0, "an empty queue")
    assert len(server.requests) == 1


def test_a_connection_is_kept_and_a_closed_one_replaced_without_a_pause(forwarder, queue, server, counters):
    server.scripts = [Script(), Script(), Script(headers={"Connection": "close"}), Script(hang_up=True), Script()]
    for number in range(4):
        queue.append("", Signal.TRACES, b"%d" % number)
        eventually(lambda number=number: server.bodies().endswith(b"%d" % number), "arrival")
    eventually(lambda: len(server.requests) == 5, "the batch after the hang-up, twice")
    assert errors(counters, "broken") <= 1


def test_a_server_that_hangs_up_in_the_middle_gets_the_batch_again(forwarder, queue, server):
    server.scripts = [Script(hang_up=True), Script(hang_up=True), Script(hang_up=True)]
    queue.append("", Signal.TRACES, b"x")
    eventually(lambda: len(server.requests) == 4, "the fourth attempt")
    eventually(lambda: queue.size_bytes == 0, "an empty queue")
    assert server.bodies() == b"x"


def test_a_server_that_does_not_answer_in_time_gets_the_batch_again(forwarder, queue, server, counters, monkeypatch):
    monkeypatch.setattr(server_connection, "ANSWER_TIMEOUT_S", 0.05)
    release = socket.socketpair()
    server.scripts = [Script(503, before=lambda _: release[0].recv(1))]
    queue.append("", Signal.TRACES, b"x")
    eventually(lambda: errors(counters, "timeout") >= 1, "the timeout")
    release[1].send(b"!")
    eventually(lambda: server.bodies() == b"x", "arrival")
    for end in release:
        end.close()


def test_what_answers_no_http_is_an_unreachable_server(queue, counters, quick):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sender = Collector(f"http://127.0.0.1:{listener.getsockname()[1]}", encoding("gzip"))
        with Forwarder(queue, sender, agent_token="", flush_s=0.1, counters=counters):
            queue.append("", Signal.TRACES, b"x")
            visitor, _ = listener.accept()
            visitor.recv(65536)
            visitor.sendall(b"SSH-2.0-OpenSSH\r\n")
            visitor.close()
            eventually(lambda: errors(counters, "broken") >= 1, "the count")
    assert queue.size_bytes > 0


def test_nobody_there_is_counted_and_the_batch_kept(queue, counters, quick):
    with FakeServer() as gone:
        pass
    with Forwarder(queue, Collector(gone.url, encoding("gzip")), agent_token="", flush_s=0, counters=counters):
        queue.append("", Signal.TRACES, b"x")
        eventually(lambda: errors(counters, "refused") >= 2, "two attempts")
    assert queue.size_bytes > 0


def test_each_signal_has_its_path_below_the_base_address(queue, server, counters):
    sender = Collector(server.url + "/base/", encoding("none"))
    with Forwarder(queue, sender, agent_token="t", flush_s=5, counters=counters):
        for signal in Signal:
            queue.append("", signal, signal.word.encode())
        eventually(lambda: len(server.stored) == len(Signal), "arrival")
    assert {(it.path, it.body, it.encoding) for it in server.requests} == {
        (f"/base/v1/{word}", word.encode(), "") for word in ("traces", "metrics", "logs", "segments")
    }


# -- the meaning of answers -------------------------------------------------------------------------------------------
NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 0 ", 0.0),
        ("99999999999999999999", answer.MAX_RETRY_AFTER_S),
        (email.utils.formatdate(NOW + 20, usegmt=True), 20.0),
        (email.utils.formatdate(NOW - 20, usegmt=True), 0.0),
        ("-5", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header, seconds):
    assert answer.of_status(503, header, b"", NOW).retry_after_s == seconds


def test_a_retry_after_is_waited_for(queue, server, counters):
    server.scripts = [Script(429, {"Retry-After": "60"})]
    sender = Collector(server.url, encoding("gzip"))
    forwarder = Forwarder(queue, sender, agent_token="", flush_s=0, counters=counters)
    queue.append("", Signal.TRACES, b"x")
    assert forwarder._send(queue.take(0)) == 60.0
    sender.close()


@given(st.binary(max_size=200))
def test_any_body_of_a_2xx_is_a_success(body):
    assert answer.of_status(200, None, body, NOW).verdict is Verdict.STORED


@given(st.integers(100, 999), st.binary(max_size=50), st.text(max_size=20))
def test_every_status_has_a_verdict(status, body, retry_after):
    """And a line of log that is one line."""
    given_answer = answer.of_status(status, retry_after, body, NOW)
    assert (given_answer.verdict is Verdict.STORED) == (200 <= status < 300)
    assert "\n" not in given_answer.message or status < 300


def test_pauses_double_to_their_bound_and_start_anew_after_a_success():
    longest = Backoff(jitter=lambda: 1.0)
    assert [longest.pause_s() for _ in range(10)] == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]
    longest.reset()
    assert longest.pause_s() == 0.2
    assert Backoff(jitter=lambda: 0.0).pause_s() == 0.1


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8600", "http://", "ftp://host", "http://host:port", "http://host:99999"]
)
def test_an_address_that_is_none_is_a_setting_error(url):
    with pytest.raises(SettingError, match="is no address like"):
        Collector(url, encoding("gzip"))


def test_gzip_is_made_piece_by_piece_and_is_one_stream():
    import gzip

    pieces = [b"a" * 100_000, b"", b"b"]
    assert gzip.decompress(encoding("gzip").compress(iter(pieces))) == b"".join(pieces)


def test_a_request_knows_where_it_came_from(server):
    """The harness itself: a body counts as stored only if it was answered with 200."""
    server.scripts = [Script(503)]
    sender = Collector(server.url, encoding("none"))
    assert sender.post(Signal.TRACES, "t", [b"x"]).verdict is Verdict.BUSY
    assert (server.bodies(), server.requests) == (b"", [Request("/v1/traces", "t", "", b"x")])
    sender.close()
