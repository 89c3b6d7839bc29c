"""`sonde debug` from the terminal to the tool and back: by an agent, in its place, and from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import APPS, DEADLINE_S, environment
from sonde.cli.debugging.agents import has_probe

LITTLE = str(Path(__file__).parents[1] / "tools")


PLAIN = """
import time
def spin():
    while True:
        sum(range(20_000))
print("up", flush=True)
spin()
"""


class App:
    """A program that works; without `sonde`, one that has never heard of it."""

    def __init__(self, folder, *arguments, sonde=True, **settings):
        self.folder = folder
        self.socket = folder / "a.sock"
        words = [sys.executable, *([str(APPS / "debugged.py"), *arguments] if sonde else ["-c", PLAIN])]
        under = [sys.executable, "-m", "sonde", "run", "--service", "shop", "--socket", str(self.socket), "--no-agent"]
        self.process = subprocess.Popen(
            [*under, "--", *words] if sonde else words,
            env=environment(**settings),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = str(self.process.pid)
        assert self.process.stdout.readline() == "up\n"

    def tell(self, word):
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def debug(self, *arguments):
        """Started; see `ended`."""
        return subprocess.Popen(
            [sys.executable, "-m", "sonde", "debug", *arguments],
            env=environment(SONDE_QUEUE_DIR=str(self.folder / "queue"), COLUMNS="120"),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def debugged(self, *arguments):
        return ended(self.debug(self.pid, *arguments))


def ended(process):
    """Exit code, output, what was said."""
    out, error = process.communicate(timeout=60)
    return process.returncode, out, error


@pytest.fixture
def app(request, tmp_path):
    made = App(tmp_path, *getattr(request, "param", ()))
    yield made
    made.process.kill()
    made.process.communicate(timeout=DEADLINE_S)


with_little_tools = pytest.mark.parametrize("app", [(LITTLE,)], indirect=True)


@pytest.fixture
def agent(app):
    """`sonde agent`, where the application looks for it; its server is not there."""
    command = [sys.executable, "-m", "sonde", "agent", "--socket", str(app.socket), "--no-host-metrics"]
    command += ["--queue-dir", str(app.folder / "agent-queue"), "--server", "http://127.0.0.1:9"]
    process = subprocess.Popen(
        command, env=environment(SONDE_AGENT_FLUSH_MS="0"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout.readline() == b"ready\n"
    yield process
    process.terminate()
    process.communicate(timeout=DEADLINE_S)


def until_on(app, tool="heavy"):
    """The tests' tool runs."""
    deadline = time.monotonic() + DEADLINE_S
    while "start" not in app.tell("words"):
        assert time.monotonic() < deadline, f"{tool} does not start"
        time.sleep(0.05)


def test_with_an_agent_the_hot_line_is_found(app, agent):
    code, out, error = app.debugged("cpu", "--seconds", "1", "--out", "found")

    assert (code, error) == (0, "")
    assert f"cpu of process {app.pid}" in out
    assert "spin" in out
    profile = json.loads((app.folder / "found" / "profile.json").read_text())
    assert profile["format"] == "sonde.profile.v1"
    assert "spin" in [name for name, _, _ in profile["frames"]]
    assert (app.folder / "found" / "profile.json").stat().st_mode & 0o077 == 0


def test_without_an_agent_its_place_is_taken_and_spans_are_kept(app):
    """The next agent of the host finds them in the queue."""
    code, out, error = app.debugged("stacks", "--json")

    assert (code, error) == (0, "")
    found = json.loads(out)
    assert (found["document"]["tool"], found["document"]["pid"]) == ("stacks", int(app.pid))
    assert all(Path(app.folder / name).is_file() for name in found["files"])
    assert not app.socket.exists()
    assert [batch for batch in (app.folder / "queue").glob("*.batch") if batch.stat().st_size > 100]


def test_what_each_tool_can_do_there_is_listed(app, agent):
    code, out, _ = app.debugged()
    assert code == 0
    assert "✓ cpu" in out

    code, out, _ = app.debugged("--json")
    states = {state["name"]: state for state in json.loads(out)}
    assert states["cpu"]["available"]
    assert {"cpu", "calls", "leaks", "stalls", "syscalls", "stacks", "heap"} <= set(states)


def test_processes_are_listed_also_those_without_an_agent(app):
    code, out, _ = ended(app.debug("--json"))
    (mine,) = [item for item in json.loads(out)["items"] if item["pid"] == int(app.pid)]
    assert code == 0
    assert mine["agent"] == "none: sonde debug takes its place"


def test_processes_are_listed_as_their_agent_knows_them(app, agent):
    deadline = time.monotonic() + DEADLINE_S
    mine: dict = {}
    while "service" not in mine:
        assert time.monotonic() < deadline
        (mine,) = [item for item in json.loads(ended(app.debug("--json"))[1])["items"] if item["pid"] == int(app.pid)]
    assert (mine["service"], mine["language"], mine["agent"]) == ("shop", "python", str(app.socket))


@with_little_tools
def test_ctrl_c_ends_the_run_and_the_result_is_still_shown(app, agent):
    debug = app.debug(app.pid, "little", "--seconds", "600")
    until_on(app)
    debug.send_signal(signal.SIGINT)
    code, out, _ = ended(debug)

    assert code == 0
    assert "nothing special" in out
    assert app.tell("words") == "start stop"


@with_little_tools
def test_ctrl_c_twice_aborts(app, agent):
    debug = app.debug(app.pid, "little", "--seconds", "600")
    until_on(app)
    debug.send_signal(signal.SIGTERM)
    code, out, error = ended(debug)

    assert (code, out) == (130, "")
    assert "aborted" in error
    assert app.tell("words") == "start abort"


@with_little_tools
def test_who_asks_and_is_killed_leaves_nothing_running(app, agent):
    debug = app.debug(app.pid, "heavy", "--seconds", "600")
    until_on(app)
    debug.kill()
    ended(debug)
    deadline = time.monotonic() + DEADLINE_S
    while app.tell("words") != "start abort":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert app.debugged("heavy", "--seconds", "0.1")[0] == 0


@with_little_tools
def test_two_heavy_tools_at_once_are_one_too_many(app, agent):
    first = app.debug(app.pid, "heavy", "--seconds", "600")
    until_on(app)
    code, _, error = app.debugged("heavy", "--seconds", "1")
    assert code == 1
    assert error.startswith("sonde debug: busy: another heavy tool runs in this process, run debug-")
    first.send_signal(signal.SIGINT)
    assert ended(first)[0] == 0


@with_little_tools
def test_a_process_that_is_killed_under_a_tool_is_gone(app, agent):
    debug = app.debug(app.pid, "heavy", "--seconds", "600")
    until_on(app)
    app.process.kill()
    code, _, error = ended(debug)
    assert (code, error.split(":")[1]) == (1, " gone")


@with_little_tools
def test_a_process_that_forks_under_a_tool_goes_on_and_its_child_runs_none(app, agent):
    debug = app.debug(app.pid, "heavy", "--seconds", "600")
    until_on(app)
    child = int(app.tell("fork"))
    try:
        debug.send_signal(signal.SIGINT)
        assert ended(debug)[0] == 0
        assert app.tell("words") == "start stop", "the parent"
    finally:
        os.kill(child, signal.SIGKILL)


@with_little_tools
def test_the_end_of_the_probe_is_the_end_of_the_run(app, agent):
    debug = app.debug(app.pid, "heavy", "--seconds", "600")
    until_on(app)
    assert app.tell("stop") == "stopped"
    code, _, error = ended(debug)
    assert code == 1
    assert "the probe was stopped" in error
    assert app.tell("words") == "start abort"


@with_little_tools
def test_50_megabytes_arrive_whole(app, agent):
    code, _, error = app.debugged("little", "--seconds", "0.1", "--option", "size=50000000", "--out", "big")
    assert (code, error) == (0, "")
    assert (app.folder / "big" / "a.bin").read_bytes() == b"x" * 50_000_000
    assert [path.name for path in (app.folder / "big").iterdir()] == ["a.bin"]


@with_little_tools
@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["little", "--option", "colour=red"], 1, "bad_options: little has no option colour"),
        (["unheard_of"], 1, "unknown_tool: there is no tool 'unheard_of'"),
        (["hungry"], 1, "no_memory: hungry needs about"),
        (["bad_stop", "--seconds", "0.1"], 1, "error: bad_stop failed: ValueError: stop is broken"),
        (["little", "--option", "colour"], 2, "'colour' is no NAME=VALUE"),
        (["little", "--seconds", "1e9"], 2, "no number above 0, of at most 3600"),
        (["little", "--seconds", "nan"], 2, "no number above 0"),
    ],
)
def test_what_cannot_be_done_is_said(app, agent, arguments, code, says):
    ended_with, out, error = app.debugged(*arguments)
    assert (ended_with, out) == (code, "")
    assert says in error


def test_a_process_that_is_not_there_is_said(app):
    code, _, error = ended(app.debug("4194304", "cpu"))
    assert (code, error) == (1, "sonde debug: there is no process 4194304\n")


def test_a_process_without_a_probe_is_looked_at_from_outside(tmp_path):
    app = App(tmp_path, sonde=False)
    try:
        assert not has_probe(int(app.pid))
        code, out, _ = app.debugged("stacks", "--out", "s")
        assert code == 0
        assert "spin" in out
        code, out, _ = app.debugged("cpu", "--seconds", "1", "--out", "c")
        assert code == 0
        frames = json.loads((tmp_path / "c" / "profile.json").read_text())["frames"]
        assert "spin" in [name for name, _, _ in frames]
        code, _, error = app.debugged("leaks")
        assert code == 1
        assert "sonde run -- CMD" in error
    finally:
        app.process.kill()
        app.process.communicate(timeout=DEADLINE_S)


@pytest.mark.parametrize("core", ["native", "python"])
def test_what_the_probe_itself_waits_for_is_nobodys_slow_system_call(core, tmp_path):
    """With the least threshold, locks included, and an agent that is spoken to meanwhile."""
    app = App(tmp_path, SONDE_CORE=core, SONDE_RUNTIME_METRICS_INTERVAL_S="0.2")
    try:
        code, _, error = app.debugged(
            *("syscalls", "--seconds", "2", "--option", "threshold_ms=1", "--option", "locks=yes", "--out", "found")
        )
    finally:
        app.process.kill()
        app.process.communicate(timeout=DEADLINE_S)

    assert code == 0, error
    calls = json.loads((tmp_path / "found" / "syscalls.json").read_text())["calls"]
    assert "spin" in {call["stack"][0][0] for call in calls}, "the application's own sleep is shown"
    assert [call["stack"] for call in calls if "/sonde/probe/" in str(call["stack"])] == []
