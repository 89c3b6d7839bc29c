"""What a process is doing now: its threads, its tasks and who waits for whom, also while it is stuck."""

import asyncio
import json
import os
import select
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from host_harness import DEADLINE_S, AgentSide, command

from sonde.probe.tools import stacks
from sonde.probe.tools.stacks import Stacks
from sonde.wire.frames import FrameReader, Kind, frame

DEFAULTS = {name: option.default for name, option in Stacks.options.items()}
needs_native = pytest.mark.skipif(stacks._native()[0] is None, reason=stacks._native()[1])


@pytest.fixture(params=["native", "python"])
def way(request, monkeypatch):
    if request.param == "native" and stacks._native()[0] is None:
        pytest.skip(stacks._native()[1])
    if request.param == "python":
        monkeypatch.setattr(stacks, "_native", lambda: (None, "the test wants it so"))
    return request.param


def looked(**options):
    """What another thread sees, as the host's would."""
    results = []

    def run():
        tool = Stacks()
        tool.start(DEFAULTS | options, 0)
        results.append(tool.stop())

    host = threading.Thread(target=run, name="host")
    host.start()
    host.join(60)
    (result,) = results
    json.dumps(result.summary, allow_nan=False)
    return result


def whole(result):
    return json.loads(result.artifacts[0].content)


def test_each_thread_is_there_with_its_name_and_where_it_stands(way):
    go_on = threading.Event()

    def stands():
        go_on.wait(30)

    threads = [threading.Thread(target=stands, name=f"worker {at}") for at in range(3)]
    for thread in threads:
        thread.start()
    try:
        result = looked()
    finally:
        go_on.set()
        for thread in threads:
            thread.join()

    found = {row["name"]: row for row in whole(result)["threads"]}
    assert {"MainThread", "worker 0", "worker 1", "worker 2"} <= set(found)
    assert "host" not in found
    names = [frame[0] for frame in found["worker 1"]["frames"]]
    assert "Event.wait" in names
    (line,) = {line for name, _, line in found["worker 1"]["frames"] if name.endswith(".stands")}
    assert line == stands.__code__.co_firstlineno + 1
    assert found["MainThread"]["main"]
    assert result.summary["threads"][0]["name"] == "MainThread"
    assert found["worker 1"]["tid"] == threads[1].native_id
    text = result.artifacts[1].content.decode()
    assert "'worker 2'" in text
    assert f".stands ({__file__}:{line})" in text


@needs_native
def test_the_kernel_says_what_a_thread_waits_in():
    reading, writing = os.pipe()
    thread = threading.Thread(target=os.read, args=(reading, 1), name="reader")
    thread.start()
    try:
        deadline = time.monotonic() + DEADLINE_S
        while True:
            (row,) = [row for row in whole(looked())["threads"] if row["name"] == "reader"]
            if row["syscall"] or time.monotonic() > deadline:
                break
    finally:
        os.write(writing, b"x")
        thread.join()
        os.close(reading)
        os.close(writing)

    assert (row["state"], row["syscall"]) == ("S", "read")
    assert not row["holds_gil"]


@needs_native
def test_who_holds_the_gil_is_told():
    on = True

    def spin():
        while on:
            pass

    thread = threading.Thread(target=spin, name="spinner")
    thread.start()
    try:
        held = [[row["name"] for row in whole(looked())["threads"] if row["holds_gil"]] for _ in range(10)]
    finally:
        on = False
        thread.join()

    assert ["spinner"] in held
    assert all(len(names) <= 1 for names in held)


def test_long_stacks_are_cut_at_their_outer_end(way):
    def deep(n):
        return deep(n - 1) if n else looked(frames=10)

    result = deep(40)

    (row,) = [row for row in whole(result)["threads"] if row["main"]]
    assert len(row["frames"]) == 10
    assert row["depth"] > 40


def loop_of(result, task):
    """The one with this task; browser tests may have left one of their own in this process."""
    (loop,) = (loop for loop in whole(result)["loops"] if any(it["name"] == task for it in loop["tasks"]))
    return loop


def test_tasks_are_there_with_who_waits_for_whom(way):
    async def leaf(arrived):
        arrived.append(1)
        await asyncio.sleep(60)

    async def middle(arrived):
        await leaf(arrived)

    async def gathers(arrived):
        await asyncio.gather(
            asyncio.create_task(leaf(arrived), name="g1"), asyncio.create_task(middle(arrived), name="g2")
        )

    async def waits(arrived):
        await asyncio.wait([asyncio.create_task(leaf(arrived), name="w1")])

    async def waits_for(arrived):
        await asyncio.wait_for(asyncio.create_task(leaf(arrived), name="f1"), 60)

    async def directly(arrived):
        await asyncio.create_task(leaf(arrived), name="d1")

    async def grouped(arrived):
        async with asyncio.TaskGroup() as group:
            group.create_task(leaf(arrived), name="t1")

    async def main():
        arrived = []
        tasks = [
            asyncio.create_task(function(arrived), name=function.__name__)
            for function in (gathers, waits, waits_for, directly, grouped, middle)
        ]
        while len(arrived) < 7:  # noqa: ASYNC110 - each step of each task is one turn of the loop
            await asyncio.sleep(0)
        result = await asyncio.to_thread(looked)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return result

    result = asyncio.run(main())

    loop = loop_of(result, "gathers")
    found = {task["name"]: task for task in loop["tasks"]}
    awaited = {name: found[name]["awaited_by"] for name in ("g1", "g2", "w1", "f1", "d1", "t1")}
    assert awaited == {
        "g1": ["gathers"],
        "g2": ["gathers"],
        "w1": ["waits"],
        "f1": ["waits_for"],
        "d1": ["directly"],
        "t1": ["grouped"],
    }
    assert found["gathers"]["waits_for"] == "all of g1, g2"
    assert found["directly"]["waits_for"] == "task d1"
    assert found["waits"]["waits_for"] == "task w1"
    names = [name for name, _, _ in found["middle"]["frames"]]
    here = "test_tasks_are_there_with_who_waits_for_whom.<locals>."
    assert names == ["sleep", f"{here}leaf", f"{here}middle"]
    assert loop["tid"] == threading.main_thread().native_id
    assert {found[name]["state"] for name in awaited} == {"waiting"}


def test_a_task_that_runs_is_the_current_one(way):
    async def blocks():
        return looked()

    async def main():
        return await asyncio.create_task(blocks(), name="blocker")

    loop = loop_of(asyncio.run(main()), "blocker")

    assert [(task["name"], task["state"]) for task in loop["tasks"] if task["current"]] == [("blocker", "running")]


def test_without_asyncio_nothing_of_it_is_imported():
    source = """
        import sys
        from sonde.probe.tools.stacks import Stacks
        tool = Stacks()
        tool.start({"tasks": True, "frames": 5}, 0)
        assert tool.stop().summary["loops"] == []
        assert "asyncio" not in sys.modules
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(source)], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr


# -- by command, through the probe --

PROGRAM = """
import ctypes, os, sys, threading
import sonde
from sonde.probe import core
sonde.start()
operation = core.operation("GET /stuck", core.SERVER)
with core.scope(operation):
    pass
core.flush(10)

def say(text):
    print(text, flush=True)

def stuck(seconds):
    '''The GIL is held by a call into C that does not come back.'''
    say("stuck")
    ctypes.PyDLL(None).usleep(int(seconds * 1e6))

arrived = threading.Semaphore(0)

def deep(n, stop):
    if n:
        return deep(n - 1, stop)
    arrived.release()
    return stop.wait()
"""


class Process:
    """A program under the probe, and the agent's end of its connections."""

    def __init__(self, agent, source):
        self._agent = agent
        environment = os.environ | {"SONDE_SOCKET": agent.path, "SONDE_SERVICE": "shop"}
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM + textwrap.dedent(source)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.pid = self._process.pid
        self._sender = agent.accept().socket
        self._reader = FrameReader()
        assert self._process.stdout.readline().strip() == "stuck"

    def close(self):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def ask(self, **members):
        self._sender.sendall(frame(Kind.COMMAND, command(tool="stacks", seconds=0, **members)))

    def replies(self):
        """Of the sender's own connection, up to the last of a run."""
        events = []
        while not events or events[-1]["event"] not in {"result", "failed"}:
            data = self._sender.recv(1 << 18)
            assert data
            events += [json.loads(payload) for kind, payload in self._reader.feed(data) if kind == Kind.REPLY]
        return events

    def is_silent(self):
        """Whether the sender's connection has nothing more to say of a run."""
        if not select.select([self._sender], [], [], 0)[0]:
            return True
        return Kind.REPLY not in [kind for kind, _ in self._reader.feed(self._sender.recv(1 << 18))]


@pytest.fixture
def agent(tmp_path_factory):
    with AgentSide(tmp_path_factory.mktemp("a") / "a.sock") as side:
        yield side


@pytest.fixture
def process(agent):
    made = []

    def start(source):
        made.append(Process(agent, source))
        return made[-1]

    yield start
    for one in made:
        one.close()


@needs_native
def test_a_process_that_holds_the_gil_for_ever_still_says_where_it_stands(process):
    one = process(
        """
        stop = threading.Event()
        threading.Thread(target=deep, args=(20, stop), daemon=True).start()
        arrived.acquire()
        with core.scope(operation) as span:
            say_trace = span.trace_id
            stuck(600)
        """
    )

    one.ask(id="run-1")
    started, result = one.replies()

    assert (started["event"], started["pid"], result["id"]) == ("started", one.pid, "run-1")
    document = result["document"]
    assert (document["tool"], document["pid"], document["python"]) == ("stacks", one.pid, sys.version.split()[0])
    assert "Python did not answer" in document["notes"][0]
    # the probe's own threads may be there, too: they wait for the GIL to hear the same command
    threads = document["summary"]["threads"]
    (main,) = [row for row in threads if row["main"]]
    (other,) = [row for row in threads if "deep" in [frame[0] for frame in row["frames"]]]
    assert main["holds_gil"]
    assert [row[0] for row in main["frames"]] == ["stuck", "<module>"]
    assert main["frames"][0][2] == 1 + PROGRAM[: PROGRAM.index("ctypes.PyDLL")].count("\n")
    assert main["syscall"] == "clock_nanosleep"
    assert (main["span"]["name"], main["span"]["endpoint"]) == ("GET /stuck", "GET /stuck")
    assert [row[0] for row in other["frames"]].count("deep") == 21
    assert not other["holds_gil"]
    assert not other["span"]


@needs_native
def test_a_stuck_process_with_many_threads_answers_within_bounds(process):
    one = process(
        """
        stop = threading.Event()
        threading.stack_size(256 << 10)
        for _ in range(300):
            threading.Thread(target=deep, args=(80, stop), daemon=True).start()
        stuck(600)
        """
    )

    one.ask()
    _, result = one.replies()

    assert len(json.dumps(result)) < 80 << 10
    shown = len(result["document"]["summary"]["threads"])
    assert 5 < shown < 301
    assert "threads found no room" in result["document"]["notes"][1]


@needs_native
def test_a_process_that_is_well_is_answered_for_by_python_alone(process, agent):
    one = process("stuck(0)\nthreading.Event().wait()")

    one.ask()
    events, files = agent.accept().until_the_end()

    assert [event["event"] for event in events] == ["started", "result"]
    assert set(files) == {"stacks.json", "stacks.txt"}
    assert events[-1]["document"]["summary"]["threads"][0]["name"] == "MainThread"
    time.sleep(1.6)  # as long as the native answer would wait
    assert one.is_silent()


@needs_native
def test_python_does_not_answer_a_run_that_was_answered_while_it_was_stuck(process, agent):
    one = process("stuck(3)\nthreading.Event().wait()")

    one.ask(id="early")
    *_, result = one.replies()
    late = agent.accept().last()
    one.ask(id="later")
    events, _ = agent.accept().until_the_end()

    assert result["event"] == "result"
    assert (late["event"], late["reason"]) == ("failed", "aborted")
    assert events[-1]["event"] == "result"
