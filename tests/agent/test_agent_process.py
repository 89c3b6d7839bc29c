"""The whole agent, as a process: what it forwards, when it ends, what it leaves behind."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from agent_harness import AgentProcess, FakeServer, Script, eventually, payload

if TYPE_CHECKING:
    from pathlib import Path


def test_what_a_probe_sends_arrives_under_the_agents_token(agent, server):
    with agent.probe().hello() as probe:
        probe.traces(b"one")
        probe.traces(b"two")
        eventually(lambda: server.bodies() == payload(b"one") + payload(b"two"), "both payloads, joined")
    assert {(request.path, request.token, request.encoding) for request in server.requests} == {
        ("/v1/traces", "app-token", "gzip")
    }


def test_a_probe_with_its_own_token_is_forwarded_under_it(agent, server):
    with agent.probe().hello() as ours, agent.probe().hello(token="other") as other:
        ours.traces(b"a")
        other.traces(b"b")
        eventually(lambda: server.bodies(token="app-token") == payload(b"a"), "the agent's own")
        eventually(lambda: server.bodies(token="other") == payload(b"b"), "the other app's")


def test_nothing_stays_on_disk_once_it_is_stored(agent, server):
    with agent.probe().hello() as probe:
        probe.traces(b"one")
        eventually(server.bodies, "arrival")
    eventually(lambda: not list(agent.queue_dir.glob("*.batch")), "an empty queue folder")


def test_data_sent_while_the_server_is_away_arrives_when_it_is_back(tmp_path):
    server = FakeServer()
    with server:
        pass  # takes a port, and leaves it
    with AgentProcess(tmp_path, server.url) as agent:
        with agent.probe().hello() as probe:
            probe.traces(b"early")
            eventually(lambda: list(agent.queue_dir.glob("*.batch")), "the batch on disk")
            with server:
                eventually(lambda: server.bodies() == payload(b"early"), "arrival")
        assert agent.stop() == 0


def test_sigterm_forwards_what_was_sent_removes_the_socket_and_exits_with_0(tmp_path, server):
    with AgentProcess(tmp_path, server.url, "--batch-max-age-ms", "60000") as agent:
        with agent.probe().hello() as probe:
            probe.traces(b"just in time")
        assert agent.stop() == 0
        assert server.bodies() == payload(b"just in time")
        assert not agent.socket_path.exists()


def test_sigterm_while_the_server_is_away_keeps_the_data_for_the_next_start(tmp_path):
    server = FakeServer()
    with server:
        pass
    agent = AgentProcess(tmp_path, server.url)
    with agent:
        with agent.probe().hello() as probe:
            probe.traces(b"kept")
        assert agent.stop() == 0
    with server, agent:
        eventually(lambda: server.bodies() == payload(b"kept"), "arrival after the second start")


def test_sigterm_during_an_exchange_with_a_server_that_does_not_answer_ends_it(tmp_path, server):
    asked = []
    block = socket.socketpair()

    def never_answers(request) -> None:
        asked.append(request)
        block[0].recv(1)

    server.answer = lambda request: Script(before=never_answers)
    with AgentProcess(tmp_path, server.url, "--flush-ms", "200") as agent:
        with agent.probe().hello() as probe:
            probe.traces(b"stuck")
            eventually(lambda: asked, "the exchange")
        assert agent.stop() == 0
        assert len(list(agent.queue_dir.glob("*.batch"))) == 1
    for end in block:
        end.close()


def test_a_second_agent_on_the_same_socket_says_so_and_leaves_the_first_alone(agent, server, tmp_path):
    second = subprocess.run(
        [sys.executable, "-m", "sonde", "agent", "--socket", agent.socket_path, "--queue-dir", tmp_path / "q2"],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert second.returncode == 1
    assert f"another agent listens at {agent.socket_path}" in second.stderr
    with agent.probe().hello() as probe:
        probe.traces(b"still here")
        eventually(lambda: server.bodies() == payload(b"still here"), "arrival")


def test_a_second_agent_on_the_same_queue_says_so(agent, tmp_path):
    second = subprocess.run(
        [sys.executable, "-m", "sonde", "agent", "--socket", tmp_path / "b.sock", "--queue-dir", agent.queue_dir],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert second.returncode == 1
    assert "another agent uses the queue folder" in second.stderr


def test_the_socket_file_of_a_killed_agent_is_replaced(tmp_path, server):
    agent = AgentProcess(tmp_path, server.url).start()
    agent.kill()
    assert agent.socket_path.exists()
    with agent, agent.probe().hello() as probe:
        probe.traces(b"again")
        eventually(lambda: server.bodies() == payload(b"again"), "arrival")


@pytest.mark.skipif(os.geteuid() != 0, reason="root's agent serves everybody, a user's agent that user")
def test_the_agent_of_root_lets_every_local_user_in(agent):
    assert stat.S_IMODE(agent.socket_path.stat().st_mode) == 0o666


def test_the_queue_is_its_owners_alone(agent):
    assert stat.S_IMODE(agent.queue_dir.stat().st_mode) == 0o700


def test_exit_with_ends_after_the_process_and_the_last_probe(tmp_path, server):
    """The agent flushes what they sent, and outlives a child that is still connected."""
    companion = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    agent = AgentProcess(tmp_path, server.url, "--exit-with", str(companion.pid), "--batch-max-age-ms", "60000")
    with agent:
        with agent.probe().hello() as child:
            companion.communicate(b"\n")
            child.traces(b"from a child that lived longer")
        assert agent.wait() == 0
    assert server.bodies() == payload(b"from a child that lived longer")


def test_exit_with_a_process_that_is_gone_already_ends_at_once(tmp_path, server):
    companion = subprocess.Popen([sys.executable, "-c", ""])
    companion.wait()
    with AgentProcess(tmp_path, server.url, "--exit-with", str(companion.pid)) as agent:
        assert agent.wait() == 0


def test_exit_with_leaves_ctrl_c_to_the_process_it_serves(tmp_path, server):
    with AgentProcess(tmp_path, server.url, "--exit-with", str(os.getpid())) as agent:
        agent.process.send_signal(signal.SIGINT)
        with agent.probe().hello() as probe:
            probe.traces(b"after ctrl-c")
            eventually(lambda: server.bodies() == payload(b"after ctrl-c"), "arrival")
        assert agent.stop() == 0


def test_ctrl_c_ends_an_agent_that_stands_alone(agent):
    agent.process.send_signal(signal.SIGINT)
    assert agent.wait() == 0


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--server", "ftp://x"], "server: 'ftp://x' is no address like http://host:8600"),
        (["--compression", "lzma"], "compression: 'lzma' is none of gzip, zstd, none"),
        (["--log-level", "loud"], "log_level: 'loud' is none of debug, info, warning, error"),
        (["--queue-max-bytes", "5"], "queue_max_bytes: the caller says 5, the least is 1048576"),
    ],
)
def test_a_bad_setting_is_one_line_and_exit_code_2(flags: list[str], says: str, tmp_path: Path):
    command = [
        sys.executable,
        "-m",
        "sonde",
        "agent",
        "--queue-dir",
        tmp_path / "q",
        "--socket",
        tmp_path / "s",
        *flags,
    ]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (ended.returncode, ended.stderr) == (2, f"sonde: {says}\n")
