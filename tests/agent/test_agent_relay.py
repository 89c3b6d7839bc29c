"""Runs of tools through the agent: who may ask, who is heard, and what happens when somebody goes, stalls or lies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time

import pytest
from agent_harness import ProbeSide, eventually

from sonde.agent.disk_queue.queue import BatchQueue
from sonde.agent.receiving import outgoing
from sonde.agent.receiving.probe_settings import ProbeSettings
from sonde.agent.receiving.receive import Receiver
from sonde.agent.tools import relay
from sonde.agent.tools import runs as runs_module
from sonde.wire import tools
from sonde.wire.frames import FrameReader, Kind, frame

ME = os.getpid()
PIECE = b"x" * tools.MAX_PIECE_BYTES


class Side(ProbeSide):
    """Any end of the socket that says what it is."""

    def __init__(self, path, role):
        super().__init__(path)
        self._reader = FrameReader()
        self._frames = []
        self.hello(role=role)

    def say(self, kind, document):
        self.socket.sendall(frame(kind, json.dumps(document).encode()))

    def chunk(self, run, name, offset, piece):
        self.socket.sendall(frame(Kind.CHUNK, tools.chunk(run, name, offset, piece)))

    def next(self):
        """The next frame; of one that is JSON, the object."""
        while not self._frames:
            data = self.socket.recv(1 << 18)
            assert data, "the agent has hung up"
            self._frames += self._reader.feed(data)
        kind, payload = self._frames.pop(0)
        return kind, payload if kind == Kind.CHUNK else json.loads(payload)

    def command(self, **members):
        self.say(Kind.COMMAND, {"id": "r1", "do": "start", "pid": ME, "tool": "cpu", "seconds": 1, **members})

    def reply(self, event, **members):
        self.say(Kind.REPLY, {"id": "r1", "event": event, **members})


def sent_until_stuck(host, or_until=bool):
    """Bytes of pieces that were taken, when no more are, or `or_until` holds: pieces of a run that is over are read."""
    for number in range(10_000):
        if or_until():
            return number * len(PIECE)
        try:
            host.chunk("r1", "a.bin", number * len(PIECE), PIECE)
        except TimeoutError:
            return number * len(PIECE)
    raise AssertionError("everything was taken")


@pytest.fixture
def receiver(tmp_path, counters, probes, runs):
    (tmp_path / "queue").mkdir()
    sizes = {"max_bytes": 64 << 20, "batch_max_bytes": 4 << 20}
    with (
        BatchQueue(tmp_path / "queue", batch_max_age_s=0, counters=counters, **sizes) as queue,
        ProbeSettings("agent") as told,
        Receiver(tmp_path / "a.sock", queue, probes, told, runs, max_connections=32, counters=counters) as running,
    ):
        yield running


@pytest.fixture
def path(receiver, tmp_path):
    return tmp_path / "a.sock"


@pytest.fixture
def probe(path, probes):
    with Side(path, "probe") as made:
        eventually(probes.by_pid, "the probe")
        yield made


@pytest.fixture
def operator(path, probe):
    with Side(path, "operator") as made:
        yield made


def test_a_command_goes_to_the_process_and_its_answer_to_who_asked(path, probe, operator):
    operator.command(options={"hz": 50})
    assert probe.next() == (
        Kind.COMMAND,
        {"id": "r1", "do": "start", "tool": "cpu", "seconds": 1, "options": {"hz": 50}},
    )

    with Side(path, "tools") as host:
        host.reply("started", tool="cpu")
        host.chunk("r1", "a.bin", 0, b"abc")
        host.reply("result", document={"tool": "cpu"}, artifacts=[])

        assert operator.next() == (Kind.REPLY, {"id": "r1", "event": "started", "tool": "cpu"})
        assert operator.next() == (Kind.CHUNK, tools.chunk("r1", "a.bin", 0, b"abc"))
        assert operator.next()[1]["event"] == "result"


def test_a_probe_may_answer_by_itself(probe, operator):
    """As the native `stacks` does, on the connection that its spans go by."""
    operator.command(tool="stacks")
    assert probe.next()[0] == Kind.COMMAND

    probe.reply("result", document={}, artifacts=[])
    probe.traces(b"a span")

    assert operator.next()[1]["event"] == "result"


def test_the_end_of_a_run_goes_to_where_it_is_heard_of(path, probe, operator):
    operator.command()
    probe.next()
    with Side(path, "tools") as host:
        host.reply("started")
        operator.next()
        operator.command(do="stop")

        assert host.next() == (Kind.COMMAND, {"id": "r1", "do": "stop"})


def test_an_abort_is_answered_even_if_the_process_does_not(probe, operator, monkeypatch):
    monkeypatch.setattr(runs_module, "ABORTS_WITHIN_S", 0.1)
    operator.command()
    probe.next()
    operator.command(do="abort")

    assert probe.next()[1] == {"id": "r1", "do": "abort"}
    assert operator.next()[1]["reason"] == "aborted"


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ({"pid": 1}, "gone"),
        ({"seconds": 1e9}, "bad_options"),
        ({"seconds": -1}, "bad_options"),
        ({"seconds": "long"}, "bad_options"),
        ({"seconds": True}, "bad_options"),
        ({"seconds": None}, "bad_options"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(command, reason, operator):
    operator.command(**command)
    assert operator.next()[1]["reason"] == reason


def test_the_id_of_a_run_is_its_own(path, probe, operator):
    """Neither may another operator take it, nor end it."""
    operator.command()
    probe.next()
    with Side(path, "operator") as other:
        other.command()
        assert other.next()[1]["reason"] == "bad_options"
        other.command(do="abort")
        other.command(id="r2")

        assert probe.next()[1]["id"] == "r2"


def test_what_nobody_asked_for_is_counted(path, probe, counters):
    with Side(path, "tools") as host:
        host.reply("result", document={}, artifacts=[])
        eventually(lambda: counters.total("sonde.agent.runs.unasked") == 1, "the count")


def test_only_the_process_itself_says_how_its_run_goes(path, probe, operator, counters):
    operator.command()
    probe.next()
    program = (
        "import json, socket, sys; from sonde.wire.frames import *\n"
        "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
        "s.sendall(hello(role='tools') + frame(Kind.REPLY, json.dumps({'id': 'r1', 'event': 'result'}).encode()))\n"
    )
    subprocess.run([sys.executable, "-c", program, path], check=True, timeout=20)

    eventually(lambda: counters.total("sonde.agent.runs.unasked") == 1, "the count")
    assert operator.hears_nothing_for(0.05)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_process_is_its_users_and_roots(tmp_path, path, probe):
    """The kernel says who asks."""
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents:
        if folder.stat().st_uid == 0 and str(folder).startswith("/tmp/pytest"):
            folder.chmod(0o755)
    program = (
        "import json, os, socket, sys\n"
        "from sonde.wire.frames import *\n"
        "s = socket.socket(socket.AF_UNIX); os.setuid(65534); s.connect(sys.argv[1])\n"
        "c = {'id': 'x', 'do': 'start', 'tool': 'cpu', 'seconds': 1, 'pid': int(sys.argv[2])}\n"
        "p = {'id': 'y', 'do': 'processes'}\n"
        "s.sendall(hello(role='operator') + b''.join(frame(Kind.COMMAND, json.dumps(d).encode()) for d in (c, p)))\n"
        "r = FrameReader(); n = 0\n"
        "while n < 2:\n"
        "    for _, payload in r.feed(s.recv(65536)): n += 1; print(payload.decode())\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program, path, str(ME)], check=True, timeout=20, capture_output=True, text=True
    ).stdout.splitlines()

    assert json.loads(said[0])["reason"] == "not_allowed"
    assert json.loads(said[1])["items"] == []


def test_processes_are_listed_as_the_kernel_and_they_say(path, probe, operator):
    with Side(path, "operator") as other:
        other.say(Kind.COMMAND, {"id": "list", "do": "processes"})
        kind, answer = other.next()

    assert (kind, answer["event"]) == (Kind.REPLY, "processes")
    (item,) = answer["items"]
    assert (item["pid"], item["uid"], item["service"], item["language"]) == (ME, os.geteuid(), "shop", "python")


def test_a_process_that_never_answers_is_gone_at_the_deadline(probe, operator, monkeypatch):
    monkeypatch.setattr(runs_module, "ANSWERS_WITHIN_S", 0.1)
    operator.command()
    assert probe.next()[1]["do"] == "start"

    assert operator.next()[1]["reason"] == "gone"
    assert probe.next()[1] == {"id": "r1", "do": "abort"}


def test_a_process_that_falls_silent_is_gone(path, probe, operator, monkeypatch):
    monkeypatch.setattr(runs_module, "SILENT_FOR_S", 0.1)
    operator.command()
    with Side(path, "tools") as host:
        host.reply("started")
        assert operator.next()[1]["event"] == "started"
        assert operator.next()[1]["reason"] == "gone"


def test_a_process_that_goes_ends_its_runs(path, probe, operator):
    """Before it has said a word, and after."""
    operator.command()
    operator.command(id="r2")
    probe.next()
    with Side(path, "tools") as host:
        host.reply("started")
        operator.next()
        probe.socket.close()
        assert operator.next()[1] == tools.failed("r2", "gone", f"process {ME} has gone, or was started anew")
        host.reply("progress", seconds=1)
        assert operator.next()[1]["event"] == "progress", "its tools are still there"
    assert operator.next()[1]["id"] == "r1"


def test_a_vanished_operator_ends_its_runs(path, probe, counters):
    with Side(path, "operator") as operator:
        operator.command()
        probe.next()
    assert probe.next()[1] == {"id": "r1", "do": "abort"}
    eventually(lambda: counters.total("sonde.agent.runs.ended", how="forsaken") == 1, "the count")


@pytest.mark.parametrize(
    "sent",
    [
        b"{",
        b"[]",
        b'{"id": "r1"}',
        b'{"id": "../r", "do": "tools", "pid": 1}',
        b'{"id": "r", "do": "rm", "pid": 1}',
        b'{"id": "r", "do": "start", "pid": "1"}',
        b'{"id": "r", "do": "start", "pid": true}',
        b"[" * 50_000,
        b'"' + b"x" * tools.MAX_COMMAND_BYTES + b'"',
    ],
)
def test_an_operator_that_sends_rubbish_is_sent_away(sent, path, probe, counters):
    """And the probe hears nothing of it."""
    with Side(path, "operator") as operator:
        operator.socket.sendall(frame(Kind.COMMAND, sent))
        assert operator.is_closed_by_agent()
    assert counters.total("sonde.agent.connections.closed", reason="bad_command") == 1
    assert probe.hears_nothing_for(0.05)


@pytest.mark.parametrize(
    ("kind", "sent", "reason"),
    [
        (Kind.REPLY, b"{", "bad_reply"),
        (Kind.REPLY, b'{"id": 5}', "bad_reply"),
        (Kind.REPLY, b'{"id": "r1", "x": "' + b"x" * tools.MAX_REPLY_BYTES + b'"}', "bad_reply"),
        (Kind.CHUNK, b"", "bad_chunk"),
        (Kind.CHUNK, b"\xff\xff{}", "bad_chunk"),
        (Kind.CHUNK, tools.chunk("r1", "../../etc/passwd", 0, b""), "bad_chunk"),
        (Kind.CHUNK, tools.chunk("r1", "a", -1, b""), "bad_chunk"),
        (Kind.CHUNK, tools.chunk("r1", "a", 0, PIECE + b"x"), "bad_chunk"),
    ],
)
def test_tools_that_send_rubbish_are_sent_away(kind, sent, reason, path, probe, operator, counters):
    operator.command()
    probe.next()
    with Side(path, "tools") as host:
        host.reply("started")
        assert operator.next()[1]["event"] == "started"
        host.socket.sendall(frame(kind, sent))
        assert host.is_closed_by_agent()
    assert counters.total("sonde.agent.connections.closed", reason=reason) == 1
    assert operator.next()[1]["reason"] == "gone"


@pytest.mark.parametrize(("role", "kind"), [("probe", Kind.COMMAND), ("tools", Kind.TRACES), ("operator", Kind.REPLY)])
def test_nobody_says_what_is_not_theirs_to_say(role, kind, path, probe, counters):
    with Side(path, role) as side:
        side.socket.sendall(frame(kind, b'{"id": "r1", "do": "processes"}'))
        eventually(lambda: counters.total("sonde.agent.frames.refused") == 1, "the count")


def test_a_connection_keeps_its_role(path, probe, counters):
    with Side(path, "tools") as side:
        side.hello(role="operator")
        assert side.is_closed_by_agent()
    with ProbeSide(path) as side:
        side.hello(role="emperor")
        assert side.is_closed_by_agent()
    assert counters.total("sonde.agent.connections.closed", reason="bad_hello") == 2


def test_a_large_artifact_waits_for_a_slow_operator_and_arrives_whole(path, probe, operator):
    """50 MB: of what the operator has not taken little is held, the rest stays in the process; its events and the spans
    of the process go on meanwhile.
    """
    pieces = 200
    operator.command()
    probe.next()
    with Side(path, "tools") as host:
        host.socket.settimeout(0.3)
        host.reply("started")
        operator.next()
        assert sent_until_stuck(host) < runs_module.MAX_HELD_BYTES + (2 << 20)
        probe.traces(b"goes on")

        # The frame that stopped half way is torn: a new connection, as a new run would have.
    assert operator.next()[0] == Kind.CHUNK
    while operator.next()[0] == Kind.CHUNK:
        pass

    operator.command(id="r2")
    with Side(path, "tools") as host:
        host.say(Kind.REPLY, {"id": "r2", "event": "started"})
        operator.next()
        whole = threading.Thread(
            target=lambda: [host.chunk("r2", "a.bin", number * len(PIECE), PIECE) for number in range(pieces)]
        )
        whole.start()
        at = 0
        while at < pieces * len(PIECE):
            kind, payload = operator.next()
            assert kind == Kind.CHUNK
            head, piece = tools.cut(payload)
            assert head["offset"] == at
            at += len(piece)
            if at % (10 << 20) == 0:
                time.sleep(0.02)  # slow: it is what this is about
        whole.join()
        host.say(Kind.REPLY, {"id": "r2", "event": "result", "document": {}, "artifacts": []})
        assert operator.next()[1]["event"] == "result"


def test_an_operator_that_takes_nothing_loses_its_run(path, probe, operator, counters, monkeypatch):
    monkeypatch.setattr(runs_module, "TAKES_WITHIN_S", 0.2)
    operator.command()
    probe.next()
    with Side(path, "tools") as host:
        host.socket.settimeout(0.2)
        host.reply("started")
        sent_until_stuck(host, or_until=lambda: counters.total("sonde.agent.runs.ended", how="too_slow"))
        eventually(lambda: counters.total("sonde.agent.runs.ended", how="too_slow") == 1, "the end")


def test_an_operator_that_reads_nothing_at_all_is_sent_away(path, probe, counters, monkeypatch):
    monkeypatch.setattr(outgoing, "MAX_BYTES", 1 << 20)
    with Side(path, "operator") as operator, Side(path, "tools") as host:
        operator.command()
        probe.next()
        while not counters.total("sonde.agent.connections.closed", reason="too_slow"):
            host.reply("progress", note="x" * 100_000)
    eventually(lambda: counters.total("sonde.agent.runs.ended", how="forsaken") == 1, "the end")


def test_one_operator_has_few_runs_and_one_host_a_bounded_number(path, probe, operator, monkeypatch):
    for number in range(relay.MAX_RUNS_OF_ONE):
        operator.command(id=f"r{number}")
    operator.command(id="more")
    assert operator.next()[1] == tools.failed("more", "busy", "8 runs of this connection are under way")
    monkeypatch.setattr(runs_module, "MAX_RUNS", relay.MAX_RUNS_OF_ONE)
    with Side(path, "operator") as other:
        other.command(id="other")
        assert other.next()[1]["reason"] == "busy"


def test_a_run_that_makes_too_much_is_ended(path, probe, operator, monkeypatch):
    monkeypatch.setattr(runs_module, "MAX_ARTIFACT_BYTES", 1000)
    operator.command()
    probe.next()
    with Side(path, "tools") as host:
        host.chunk("r1", "a.bin", 0, b"x" * 1001)
        assert operator.next()[1]["reason"] == "error"
        assert host.next()[1]["do"] == "abort"


# -- asked from another thread, as the control channel does ---------------------------------------------------------


def test_another_thread_starts_runs_and_hears_of_them(path, probe, runs, probes):
    changed, heard, over = [], [], threading.Event()
    runs.watch(lambda: changed.append(len(runs.processes())))

    def on_event(event):
        heard.append(event)
        if event["event"] in tools.LAST_EVENTS:
            over.set()

    def on_chunk(head, piece):
        heard.append((head["offset"], piece))
        runs.took("r1", len(piece))

    runs.start(ME, {"id": "r1", "do": "start", "tool": "cpu", "seconds": 1}, on_event, on_chunk)
    probe.next()
    with Side(path, "tools") as host:
        host.reply("started")
        for number in range(20):
            host.chunk("r1", "a.bin", number, PIECE)
        host.reply("result", document={}, artifacts=[])
        assert over.wait(20)

    assert [each["event"] for each in heard if isinstance(each, dict)] == ["started", "result"]
    assert [each[0] for each in heard if isinstance(each, tuple)] == list(range(20))
    assert [each.pid for each in runs.processes()] == [ME]
    probe.socket.close()
    eventually(lambda: changed[-1:] == [0], "the change")


def test_the_end_of_the_agent_is_the_end_of_every_run(tmp_path, counters, probes, runs):
    (tmp_path / "queue").mkdir()
    heard = []
    with (
        BatchQueue(
            tmp_path / "queue", batch_max_age_s=0, counters=counters, max_bytes=1 << 20, batch_max_bytes=1 << 20
        ) as queue,
        ProbeSettings("agent") as told,
        Receiver(tmp_path / "b.sock", queue, probes, told, runs, max_connections=4, counters=counters),
        Side(tmp_path / "b.sock", "probe") as probe,
    ):
        eventually(probes.by_pid, "the probe")
        runs.start(ME, {"id": "r1", "do": "tools"}, heard.append, lambda head, piece: None)
        probe.next()
    assert [event["reason"] for event in heard] == ["gone"]

    runs.__exit__()
    runs.start(ME, {"id": "r2", "do": "tools"}, heard.append, lambda head, piece: None)
    assert heard[1]["message"] == "the agent is stopping"
    runs.__enter__()
