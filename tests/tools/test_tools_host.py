"""The tool host and its governor, with tools of the tests' own and a socket where the agent would be."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import little_tools
import pytest
from host_harness import AgentSide, command, eventually, in_background

from sonde.probe import guard
from sonde.probe.log_records import log_records
from sonde.probe.tools import given, registry, run
from sonde.probe.tools.governor import MAX_RUNS, SPARE_BYTES, Governor
from sonde.probe.tools.headroom import headroom_bytes
from sonde.probe.tools.host import Host
from sonde.probe.tools.tool import Option, ToolError
from sonde.wire import tools

TASKS = Path("/proc/self/task")


@pytest.fixture(autouse=True)
def little(monkeypatch):
    """The tests' tools are in the registry, and have done nothing yet."""
    for name, place in little_tools.TOOLS.items():
        monkeypatch.setitem(registry.TOOLS, name, place)
    little_tools.done.clear()
    log_records.forget()
    yield
    guard.forget()


@pytest.fixture
def agent(tmp_path_factory):
    with AgentSide(tmp_path_factory.mktemp("a") / "a.sock") as side:
        yield side


@pytest.fixture
def host(agent):
    made = Host(lambda: agent.path)
    yield made
    assert made.end(5), made.running()


def ended(host):
    eventually(lambda: not host.running(), "the end of the runs")


def test_a_run_says_that_it_began_how_far_it_is_and_what_it_found(host, agent):
    host.command(command(seconds=1.5, options={"size": 600_000}))
    events, files = agent.accept().until_the_end()

    assert [event["event"] for event in events] == ["started", "progress", "result"]
    started, progress, result = events
    assert (started["tool"], started["pid"], started["seconds"]) == ("little", os.getpid(), 1.5)
    assert (progress["of"], progress["note"]) == (1.5, "going")
    document = result["document"]
    assert (document["tool"], document["pid"], document["notes"]) == ("little", os.getpid(), ["nothing special"])
    assert document["summary"] == {"given": {"size": 600_000, "share": 0.5, "loud": False, "kind": "a"}}
    assert 1.4 < document["seconds"] < 3
    assert result["artifacts"] == [
        {
            "name": "a.bin",
            "media_type": "application/octet-stream",
            "bytes": 600_000,
            "sha256": hashlib.sha256(files["a.bin"]).hexdigest(),
        }
    ]
    assert little_tools.words() == ["start", "stop"]


def test_a_run_needs_no_thread_that_the_program_sees_and_takes_no_signal(host, agent):
    host.command(command())
    heard = agent.accept()
    assert heard.next()["role"] == "tools"
    assert heard.next()["event"] == "started"

    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("Dummy", "sonde"))]
    blocked = []
    for task in Path("/proc/self/task").iterdir():
        status = (task / "status").read_text().splitlines()
        blocked += [line.split()[1] for line in status if line.startswith("SigBlk")]
    usual = 1 << (signal.SIGTERM - 1)
    assert any(int(mask, 16) & usual for mask in blocked)
    heard.command(id="r1", do="stop")
    assert heard.last()["event"] == "result"


@pytest.mark.parametrize("by", ["agent", "core"])
def test_stop_ends_a_run_early_with_its_result(by, host, agent):
    """It comes by the run's own connection, or by the spans'."""
    host.command(command())
    heard = agent.accept()
    heard.next()
    assert heard.next()["event"] == "started"
    if by == "agent":
        heard.command(id="r1", do="stop")
    else:
        host.command(command(do="stop"))

    assert heard.last()["event"] == "result"
    assert little_tools.words() == ["start", "stop"]


@pytest.mark.parametrize("by", ["agent", "core"])
def test_abort_in_the_middle_switches_off_and_gives_nothing(by, host, agent):
    host.command(command(tool="heavy"))
    heard = agent.accept()
    heard.next()
    heard.next()
    if by == "agent":
        heard.command(id="r1", do="abort")
    else:
        host.command(command(do="abort"))

    assert heard.last()["reason"] == "aborted"
    assert little_tools.words() == ["start", "abort"]
    assert little_tools.Heavy.on == 0


def test_one_heavy_tool_at_a_time_and_light_ones_beside_it(host, agent):
    host.command(command(id="first", tool="heavy"))
    first = agent.accept()
    first.next()
    assert first.next()["event"] == "started"

    host.command(command(id="second", tool="heavy"))
    refused = agent.accept().last()
    assert (refused["reason"], "run first" in refused["message"]) == ("busy", True)
    host.command(command(id="third", tool="at_once"))
    assert agent.accept().last()["event"] == "result"

    first.command(id="first", do="stop")
    assert first.last()["event"] == "result"
    host.command(command(id="fourth", tool="heavy", seconds=0.01))
    assert agent.accept().last()["event"] == "result", "the first one is over"


def test_two_heavy_ones_that_start_at_once_never_both_run(host, agent):
    for round_ in range(20):
        for name in ("a", "b"):
            host.command(command(id=f"{name}{round_}", tool="heavy", seconds=0.02))
        both = [in_background(agent.accept().last) for _ in "ab"]
        ends = sorted(each.get(timeout=20).get("reason", "result") for each in both)
        assert ends in (["busy", "result"], ["result", "result"])
        assert little_tools.Heavy.on == 0
    starts = [word for word in little_tools.words() if word in {"start", "stop"}]
    assert starts == ["start", "stop"] * (len(starts) // 2), "never two starts in a row"


def test_more_runs_than_there_is_room_for_are_refused(host, agent):
    running = []
    for number in range(MAX_RUNS):
        host.command(command(id=f"r{number}"))
        heard = agent.accept()
        heard.next()
        assert heard.next()["event"] == "started"
        running.append(heard)
    host.command(command(id="more"))

    assert agent.accept().last()["reason"] == "busy"


def test_a_tool_that_uses_too_much_cpu_is_ended_with_what_it_has(host, agent):
    host.command(command(tool="greedy"))
    result = agent.accept().last()

    assert result["event"] == "result"
    assert result["document"]["notes"][0].startswith("Ended after ")
    assert "10% of a core" in result["document"]["notes"][0]


def test_memory_is_looked_at_before_a_tool_that_needs_much(host, agent):
    host.command(command(tool="hungry"))
    failed = agent.accept().last()

    assert failed["reason"] == "no_memory"
    assert "1073741824 MiB" in failed["message"]
    assert little_tools.words() == []


def test_memory_that_is_there_is_found_out():
    """The least of host and container, and what is left alone is left alone."""
    left = headroom_bytes()
    assert left is not None
    assert 0 < left < 1 << 50
    governor = Governor(headroom=lambda: (1 << 50) + SPARE_BYTES)
    governor.admit("enough", little_tools.Hungry, {})
    governor = Governor(headroom=lambda: (1 << 50) + SPARE_BYTES - 1)
    with pytest.raises(ToolError, match="hungry needs about"):
        governor.admit("not enough", little_tools.Hungry, {})


def test_a_group_of_processes_with_a_limit_is_believed(tmp_path, monkeypatch):
    from sonde.probe.tools import headroom

    group = tmp_path / "fs" / "box"
    group.mkdir(parents=True)
    (tmp_path / "cgroup").write_text("0::/box\n")
    (group / "memory.max").write_text("1000000\n")
    (group / "memory.current").write_text("900000\n")
    (group / "memory.stat").write_text("anon 1\ninactive_file 50000\n")
    monkeypatch.setattr(headroom, "_CGROUP", str(tmp_path / "cgroup"))
    monkeypatch.setattr(headroom, "_MOUNT", str(tmp_path / "fs"))

    assert headroom_bytes() == 150_000
    (group / "memory.max").write_text("max\n")
    assert headroom_bytes() > 150_000


@pytest.mark.parametrize(
    ("tool", "reason", "says"),
    [
        ("bad_start", "error", "ValueError: start is broken"),
        ("bad_progress", "error", "progress is broken"),
        ("bad_cpu", "error", "cpu_s is broken"),
        ("bad_stop", "error", "stop is broken"),
        ("bad_abort", "error", "stop is broken"),
        ("bad_making", "error", "making is broken"),
        ("bad_summary", "error", "no JSON"),
        ("bad_name", "error", "../../etc/passwd"),
        ("starving", "no_memory", "not enough memory"),
        ("refusing", "unavailable", "not today"),
        ("locked", "unavailable", "the kernel says no; what would help: sysctl kernel.yes=1"),
        ("speechless", "unavailable", "what am I"),
        ("missing", "unavailable", "AttributeError"),
        ("nowhere", "unavailable", "ModuleNotFoundError"),
        ("unheard_of", "unknown_tool", "there is no tool 'unheard_of'"),
        (None, "unknown_tool", "there is no tool"),
        (["little"], "unknown_tool", "there is no tool"),
    ],
)
def test_a_tool_that_fails_anywhere_is_off_and_says_so(tool, reason, says, host, agent, monkeypatch):
    """And the host lives on."""
    monkeypatch.setattr(run, "PROGRESS_EVERY_S", 0.02)
    host.command(command(tool=tool, seconds=0.1))
    failed = agent.accept().last()

    assert (failed["event"], failed["reason"]) == ("failed", reason)
    assert says in failed["message"]
    words = little_tools.words()
    assert words.count("start") == words.count("stop") + words.count("abort")
    ended(host)
    host.command(command(id="next", seconds=0.01))
    assert agent.accept().last()["event"] == "result"


def test_a_summary_that_is_too_long_is_a_file(host, agent):
    host.command(command(tool="long_summary", seconds=0.01))
    events, files = agent.accept().until_the_end()

    assert events[-1]["document"]["summary"] == {}
    assert len(files["summary.json"]) > 2_000_000


@pytest.mark.parametrize("seconds", [0, -1, 1e9, float("inf"), float("nan"), "10", True, [], {}])
def test_absurd_durations_are_refused(seconds, host, agent):
    host.command(command(seconds=seconds))
    assert agent.accept().last()["reason"] == "bad_options"
    assert little_tools.words() == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"size": -1}, "size: the least is 0"),
        ({"size": 1 << 28}, "size: the most is"),
        ({"size": "many"}, "size: 'many' is no int"),
        ({"size": 1.5}, "is no int"),
        ({"size": True}, "is no int"),
        ({"size": None}, "is no int"),
        ({"share": "nan"}, "is no float"),
        ({"share": "1e999"}, "is no float"),
        ({"loud": "perhaps"}, "is no bool"),
        ({"kind": "c"}, "kind: one of a, b"),
        ({"kind": 5}, "is no str"),
        ({"colour": "red"}, "little has no option colour; it has: size, share, loud, kind"),
        ([], "options: an object"),
        ("size=1", "options: an object"),
    ],
)
def test_options_that_cannot_be_are_refused(options, says, host, agent):
    host.command(command(options=options))
    failed = agent.accept().last()
    assert failed["reason"] == "bad_options"
    assert says in failed["message"]


def test_options_may_be_texts():
    said = {"size": "12", "share": "1", "loud": "on", "kind": "b"}
    assert given.options(little_tools.Little, said) == {"size": 12, "share": 1.0, "loud": True, "kind": "b"}
    assert given._typed(Option(2.0, "x").default, 3) == 3.0


def test_what_each_tool_can_do_is_told_and_one_that_cannot_tell_harms_no_other(host, agent):
    host.command(command(id="busy", tool="heavy"))
    busy = agent.accept()
    busy.next()
    assert busy.next()["event"] == "started"
    host.command(command(do="tools"))
    states = {state["name"]: state for state in agent.accept().last()["tools"]}

    assert list(states) == list(registry.TOOLS)
    little = states["little"]
    assert (little["available"], little["exact"], little["running"]) == (True, "everything", False)
    assert little["options"]["kind"]["choices"] == ["a", "b"]
    assert states["heavy"]["running"]
    assert (states["locked"]["why_not"], states["locked"]["unlock"]) == ("the kernel says no", "sysctl kernel.yes=1")
    for name in ("speechless", "missing", "nowhere"):
        assert not states[name]["available"]
        assert states[name]["why_not"]


@pytest.mark.parametrize(
    "payload", [b"", b"{", b"[]", b"{}", b'{"id": "x"}', b'{"id": "x", "do": "dance"}', b"\xff", b"[" * 100_000]
)
def test_rubbish_never_raises_into_the_core(payload, host, monkeypatch):
    """It is counted as a fault."""
    from sonde.probe.tools import host as module

    monkeypatch.setattr(module, "host", host)
    module.command(payload)
    assert guard.faults()["tools.command"].times == 1
    assert host.running() == []


def test_a_run_ends_when_the_agent_has_gone(host, agent):
    """Nobody is there to be told: the tool is off at once, and that nobody heard is counted."""
    host.command(command(tool="heavy"))
    heard = agent.accept()
    heard.next()
    heard.next()
    heard.socket.close()

    ended(host)
    assert little_tools.words() == ["start", "abort"]
    assert host.unheard == 1


def test_without_an_agent_nothing_starts(tmp_path):
    host = Host(lambda: str(tmp_path / "nobody"))
    host.command(command())
    ended(host)
    assert (little_tools.words(), host.unheard) == ([], 1)


def test_an_agent_that_says_rubbish_ends_the_run(host, agent):
    host.command(command())
    heard = agent.accept()
    heard.next()
    heard.next()
    heard.socket.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    ended(host)
    assert little_tools.words() == ["start", "abort"]


def test_a_large_artifact_goes_as_fast_as_it_is_taken_and_an_abort_is_heard_meanwhile(host, agent):
    host.command(command(options={"size": 50 << 20}, seconds=0.01))
    heard = agent.accept()
    assert [heard.next() for _ in range(3)][1]["event"] == "started"
    heard.command(id="r1", do="abort")
    pieces = 0
    while isinstance(said := heard.next(), tuple):
        pieces += 1
    assert said["reason"] == "aborted"
    assert pieces < 20, "of 200"


def test_the_end_of_the_probe_does_not_wait_for_an_agent_that_takes_nothing(host, agent):
    host.command(command(options={"size": 50 << 20}, seconds=0.01))
    heard = agent.accept()
    eventually(lambda: "stop" in little_tools.words(), "the artifact")
    heard.next()
    eventually(lambda: len(heard.socket.recv(1 << 20, socket.MSG_PEEK)) > 100_000, "a full connection")
    assert host.end(5)
    assert host.unheard == 1
    heard.socket.close()


def test_the_end_of_the_probe_is_the_end_of_every_run(host, agent):
    host.command(command(tool="heavy"))
    heard = agent.accept()
    heard.next()
    heard.next()
    last = in_background(heard.last)
    assert host.end(5)
    assert last.get(timeout=20)["message"] == "the probe was stopped, or the process ended"
    assert little_tools.words() == ["start", "abort"]


def test_a_child_runs_none_of_its_parents_tools(host, agent):
    """It holds no lock, no connection, and can run tools of its own at once; the parent's run goes on."""
    host.command(command(tool="heavy"))
    heard = agent.accept()
    heard.next()
    heard.next()
    path = agent.path
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(told)
            host.after_fork()
            mine = [link for link in os.listdir("/proc/self/fd") if _is_to(link, path)]  # noqa: PTH208
            said = f"{little_tools.words()[-1]} {host.running()} {mine} {host.governor._places}"
            os.write(tell, said.encode())
        finally:
            os._exit(0)
    os.close(tell)
    os.waitpid(child, 0)
    assert os.read(told, 1000).decode() == "after_fork [] [] {}"
    os.close(told)
    heard.command(id="r1", do="stop")
    assert heard.last()["event"] == "result"


def test_a_fork_that_python_was_not_told_of_is_found_out(host, agent, monkeypatch):
    """The child's first command finds no run of the parent's in its way."""
    threads = set(TASKS.iterdir())
    host.command(command(id="parent", tool="heavy"))
    parent = agent.accept()
    parent.next()
    assert parent.next()["event"] == "started"
    monkeypatch.setattr(host, "_pid", -1)  # as in the child

    host.command(command(id="child", tool="heavy", seconds=0.01))
    assert "after_fork" in little_tools.words()
    assert agent.accept().last()["event"] == "result"
    parent.socket.close()
    # A child would not have the thread of the parent's run: here it finds its connection gone, and ends.
    eventually(lambda: set(TASKS.iterdir()) <= threads, "the end of both runs")


def _is_to(descriptor, path):
    try:
        copy = os.dup(int(descriptor))
    except OSError:
        return False  # what the list was read by
    try:
        with socket.socket(fileno=copy) as peer:
            return peer.getpeername() == path
    except OSError:
        return False  # no socket, or one that listens


def test_each_run_leaves_an_entry_on_the_timeline(host, agent):
    from opentelemetry.proto.logs.v1.logs_pb2 import ScopeLogs

    host.command(command(id="job-7", seconds=0.05))
    agent.accept().last()
    ended(host)

    (record,) = ScopeLogs.FromString(log_records.taken()).log_records
    attributes = {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in record.attributes}
    assert record.event_name == "sonde.tool"
    assert record.body.string_value == "little: result"
    assert attributes["sonde.tool.run"] == "job-7"
    assert attributes["sonde.tool.outcome"] == "result"
    assert attributes["sonde.duration_ns"] >= 50_000_000
    assert abs(record.time_unix_nano - time.time_ns()) < 20e9


def test_a_refused_run_leaves_none(host, agent):
    host.command(command(tool="unheard_of"))
    agent.accept().last()
    ended(host)
    assert log_records.taken() == b""


PROGRAM = """
import sys, threading, time
sys.path.insert(0, {folder!r})
import little_tools
from sonde.probe.tools import registry, host
registry.TOOLS.update(little_tools.TOOLS)
host.host._socket_path = lambda: {path!r}
host.command(b'{{"id": "r1", "do": "start", "tool": "heavy", "seconds": 600}}')
while not little_tools.Heavy.on:
    time.sleep(0.01)
{then}
"""


def started_program(agent, then):
    text = PROGRAM.format(folder=str(Path(__file__).parent), path=agent.path, then=then)
    process = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    heard = agent.accept()
    heard.next()
    assert heard.next()["event"] == "started"
    return process, heard


def test_a_run_never_holds_up_the_end_of_the_interpreter(agent):
    """The tool is switched off by then, and who asked hears why."""
    process, heard = started_program(agent, "sys.exit(3)")
    began = time.monotonic()
    assert heard.last()["reason"] == "aborted"
    _, error = process.communicate(timeout=20)
    assert (process.returncode, error) == (3, "")
    assert time.monotonic() - began < 5


def test_a_killed_process_hangs_up_also_when_it_has_a_child(agent):
    """The child has no copy of the run's connection."""
    then = "import os\nif os.fork() == 0:\n    time.sleep(30)\ntime.sleep(30)"
    process, heard = started_program(agent, then)
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        eventually(lambda: children.read_text().strip(), "the child")
        child = int(children.read_text())
        time.sleep(0.1)  # for what it does after the fork
        process.kill()
        assert heard.until_the_end()[0] == []
        os.kill(child, signal.SIGKILL)
    finally:
        process.kill()
        process.communicate(timeout=20)


def test_under_gevent_a_run_is_a_real_thread(agent):
    """It goes on while the loop is blocked."""
    pytest.importorskip("gevent")
    then = "end = time.monotonic() + 2\nwhile time.monotonic() < end: sum(range(1000))\nsys.exit(0)"
    text = "from gevent import monkey; monkey.patch_all()\n" + PROGRAM
    # `import time` is gevent's by then: the loop is blocked by `then`, which never gives way.
    program = text.format(folder=str(Path(__file__).parent), path=agent.path, then=then)
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)
    heard = agent.accept()
    heard.next()
    assert heard.next()["event"] == "started"
    assert heard.next()["event"] == "progress"
    assert heard.last()["reason"] == "aborted"
    _, error = process.communicate(timeout=20)
    assert (process.returncode, error) == (0, "")


def test_names_of_the_registry_are_those_of_the_contract():
    assert {"cpu", "calls", "leaks", "stalls", "syscalls", "stacks", "heap"} <= set(registry.TOOLS)
    assert tools.is_name("profile.json")
