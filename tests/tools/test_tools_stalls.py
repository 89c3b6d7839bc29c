"""stalls: real loops that are blocked on purpose, watched from a thread beside them as the tool host does."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sonde.probe import core
from sonde.probe.log_records import log_records
from sonde.probe.tools.longest import Longest
from sonde.probe.tools.places import Place, own_line, stack_text
from sonde.probe.tools.stalls import Stalls
from sonde.probe.tools.stalls import watch as watching
from sonde.probe.tools.stalls.verdict import heaviest_path
from sonde.probe.tools.tool import ToolError

_stalls = pytest.importorskip("sonde.probe.tools._stalls")

pytestmark = pytest.mark.skipif(bool(_stalls.init()), reason="frames cannot be read on this Python")

MS = 1_000_000
TASKS = Path("/proc/self/task")


class Watched:
    """The tool, in a thread of its own between `with` and its end."""

    def __init__(self, **options) -> None:
        self.options = {"threshold_ms": 10.0} | options
        self.result = None
        self._on, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        tool = Stalls()
        tool.start(self.options, 60)
        self._on.set()
        self._over.wait(60)
        tool.progress()
        self.result = tool.stop()

    def __enter__(self):
        self._thread.start()
        assert self._on.wait(30)
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join(60)

    @property
    def document(self):
        return json.loads(self.result.artifacts[0].content)

    @property
    def stalls(self):
        return self.document["stalls"]


def blocked_here(seconds):
    time.sleep(seconds)  # the line that tests look for


SLEEPS_AT = blocked_here.__code__.co_firstlineno + 1


def runners():
    found = [pytest.param(asyncio.run, id="asyncio")]
    try:
        import uvloop
    except ImportError:
        return found
    return [*found, pytest.param(uvloop.run, id="uvloop")]


@pytest.mark.parametrize("run", runners())
def test_a_blocked_loop_is_told_with_line_cause_and_duration(run):
    async def main():
        await asyncio.sleep(0.001)
        blocked_here(0.06)
        await asyncio.sleep(0.001)

    with Watched() as watched:
        run(main())

    (stall,) = watched.stalls
    assert stall["line"] == {"function": "blocked_here", "file": __file__, "line": SLEEPS_AT}
    assert (stall["cause"], stall["system_call"]) == ("system_call", "clock_nanosleep")
    assert 60 * MS <= stall["ns"] < 1000 * MS
    assert stall["coroutine"].endswith("main")
    assert [stack[0] for stack in stall["stack"][:2]] == ["blocked_here", main.__qualname__]
    assert watched.result.summary["count"] == 1
    assert json.loads(watched.result.artifacts[1].content)["format"] == "sonde.profile.v1"


def test_a_loop_that_runs_before_the_tool_is_watched_too():
    async def main():
        with Watched() as watched:
            await asyncio.sleep(0.001)
            blocked_here(0.04)
            await asyncio.sleep(0.001)
        return watched

    watched = asyncio.run(main())

    assert SLEEPS_AT in [stall["line"]["line"] for stall in watched.stalls if stall["line"]]


def test_tasks_and_callbacks_are_named():
    async def work():
        blocked_here(0.03)

    async def main():
        await asyncio.create_task(work(), name="the worker")
        asyncio.get_running_loop().call_soon(blocked_here, 0.03)
        await asyncio.sleep(0.001)

    with Watched() as watched:
        asyncio.run(main())

    first, second = sorted(watched.stalls, key=lambda stall: stall["began_unix_ns"])
    assert (first["task"], first["coroutine"], first["callback"]) == ("the worker", work.__qualname__, "")
    assert (second["task"], second["coroutine"], second["callback"]) == ("", "", "blocked_here")


def test_what_is_quick_is_no_stall():
    async def main():
        for _ in range(200):
            await asyncio.sleep(0)
        await asyncio.sleep(0.2)

    with Watched(threshold_ms=150.0) as watched:
        asyncio.run(main())

    assert watched.stalls == []
    assert watched.result.summary["loops"] >= 1


def test_a_wait_for_the_gil_names_who_had_it():
    over = threading.Event()

    def hog():
        while not over.is_set():
            sum(range(3000))

    async def main():
        thread = threading.Thread(target=hog)
        thread.start()
        await asyncio.sleep(0.01)
        until = time.monotonic() + 0.2
        while time.monotonic() < until:
            time.sleep(0.0001)  # noqa: ASYNC251 - gives the GIL away each time
        over.set()
        thread.join()

    with Watched() as watched:
        asyncio.run(main())

    held = [stall for stall in watched.stalls if stall["cause"] == "gil_wait"]
    assert held, watched.stalls
    assert "hog" in held[0]["held_by"]


def test_a_stall_that_is_mostly_garbage_collection_says_so():
    async def main():
        kept = [[] for _ in range(400_000)]
        await asyncio.sleep(0.001)
        gc.collect()
        gc.collect()
        await asyncio.sleep(0.001)
        del kept

    gc.disable()
    try:
        with Watched(threshold_ms=5.0) as watched:
            asyncio.run(main())
    finally:
        gc.enable()

    stalls = [stall for stall in watched.stalls if stall["cause"] == "gc"]
    assert stalls, watched.stalls
    assert stalls[0]["gc_ns"] > stalls[0]["ns"] / 2
    assert stalls[0]["line"]["file"] == __file__
    pauses = watched.document["gc_pauses"]
    assert {pause["generation"] for pause in pauses} == {2}
    assert pauses[0]["stack"]


def test_a_stall_becomes_an_event_in_the_trace_it_held_up(tmp_path):
    operation = core.operation("GET /slow", core.SERVER, {})
    core.start({"service.name": "stalls"}, str(tmp_path / "nobody.sock"), hello={})
    log_records.taken()
    found = {}

    async def main():
        await asyncio.sleep(0.001)
        with core.scope(operation) as span:
            found["trace"], found["span"] = span.trace_id, span.span_id
            blocked_here(0.05)
        await asyncio.sleep(0.001)

    with Watched() as watched:
        asyncio.run(main())
    core.stop(0)
    taken = log_records.taken()

    assert b"sonde.stall" in taken
    assert b"test_tools_stalls.py" in taken
    (stall,) = watched.stalls
    if core.NATIVE:
        assert bytes.fromhex(found["trace"]) in taken
        assert (stall["trace_id"], stall["span_id"]) == (found["trace"], found["span"])
        assert stall["endpoint"] == "GET /slow"


def test_a_stall_that_goes_on_is_told_as_such():
    tool = Stalls()
    stuck, go_on = threading.Event(), threading.Event()

    async def main():
        await asyncio.sleep(0.001)
        stuck.set()
        go_on.wait(30)

    tool.start({"threshold_ms": 10.0}, 60)
    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    assert stuck.wait(30)
    deadline = time.monotonic() + 30
    while not watching.watch.ongoing() and time.monotonic() < deadline:
        time.sleep(0.01)

    result = tool.stop()
    go_on.set()
    thread.join(30)

    (stall,) = json.loads(result.artifacts[0].content)["stalls"]
    assert (stall["ended"], stall["cause"]) == (False, "lock_wait")
    assert result.summary["ongoing"] == 1


def test_off_means_that_everything_is_as_it_was():
    run, callbacks, threads = asyncio.Handle._run, list(gc.callbacks), set(TASKS.iterdir())
    finders, sources = list(sys.meta_path), list(log_records.sources)

    with Watched():
        assert asyncio.Handle._run is not run

    assert asyncio.Handle._run is run
    assert gc.callbacks == callbacks
    assert sys.meta_path == finders
    assert log_records.sources == sources
    deadline = time.monotonic() + 30
    while not set(TASKS.iterdir()) <= threads:  # a thread that was joined may still be on its way out
        assert time.monotonic() < deadline, "a thread was left behind"
        time.sleep(0.01)


def test_who_wrapped_after_us_is_left_alone(monkeypatch):
    original = asyncio.Handle._run
    called = []

    with Watched():
        ours = asyncio.Handle._run

        def theirs(self):
            called.append(self)
            return ours(self)

        monkeypatch.setattr(asyncio.Handle, "_run", theirs)
    asyncio.run(asyncio.sleep(0))

    assert asyncio.Handle._run is theirs
    assert called
    monkeypatch.setattr(asyncio.Handle, "_run", original)


def test_exceptions_go_where_they_went():
    async def main():
        await asyncio.sleep(0.001)
        blocked_here(0.02)
        raise KeyboardInterrupt

    seen = []

    async def fails_in_callback():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: seen.append(type(context["exception"])))
        loop.call_soon(lambda: 1 / 0)
        await asyncio.sleep(0.001)

    with Watched() as watched:
        with pytest.raises(KeyboardInterrupt):
            asyncio.run(main())
        asyncio.run(fails_in_callback())

    assert seen == [ZeroDivisionError]
    assert len(watched.stalls) == 1


def state_here():
    """The threads of ours, and what the watch has in place. Other libraries' are there again after a fork, too."""
    names = sorted((task / "comm").read_text().strip() for task in TASKS.iterdir())
    return {
        "threads": [name for name in names if name.startswith("sonde-")],
        "hears of collections": _stalls.collection in gc.callbacks,
        "runs callbacks": type(asyncio.Handle._run).__name__,
    }


def test_a_forked_child_is_watched_by_nobody():
    with Watched():
        asyncio.run(asyncio.sleep(0.001))
        deadline = time.monotonic() + 10
        while "sonde-stalls" not in state_here()["threads"]:  # it says so itself, once it runs
            assert time.monotonic() < deadline
            time.sleep(0.001)
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            said = "nothing"
            try:
                asyncio.run(asyncio.sleep(0.02))
                said = json.dumps(state_here())
            except BaseException as error:
                said = repr(error)
            finally:
                os.write(writing, said.encode())
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as told:
            said = told.read()
        os.waitpid(pid, 0)

    found = json.loads(said)
    assert (found["hears of collections"], found["runs callbacks"]) == (False, "function")
    assert found["threads"] == []


def test_two_runs_at_once_each_have_their_threshold():
    async def main():
        await asyncio.sleep(0.001)
        blocked_here(0.03)
        await asyncio.sleep(0.001)

    with Watched(threshold_ms=500.0) as patient:
        with Watched() as hasty:
            asyncio.run(main())
        asyncio.run(main())

    assert (len(patient.stalls), len(hasty.stalls)) == (0, 1)


def test_it_says_what_is_wrong_when_it_does_not_run():
    with pytest.raises(ToolError, match="does not run"):
        Stalls().stop()


PLACES = [Place(name, f"/srv/app/{name}.py", 1, 2) for name in "abcd"]


def test_the_blame_goes_as_deep_as_half_of_the_time_goes_the_same_way():
    a, b, c, d = PLACES

    assert heaviest_path([(10, (a, b, c)), (10, (a, b, d))]) in {(a, b, c), (a, b, d)}
    assert heaviest_path([(10, (a, b, c)), (9, (a, b, d)), (9, (a, b, a))]) == (a, b)
    assert heaviest_path([(1, (a, b)), (10, (c,))]) == (c,)
    assert heaviest_path([]) == ()


def test_the_line_is_the_applications_own_where_there_is_one():
    library = Place("dumps", json.__file__, 1, 2)

    assert own_line((PLACES[0], PLACES[1], library)) == PLACES[1]
    assert own_line((library,)) == library
    assert own_line(()) is None


def test_the_text_of_a_stack_has_an_end():
    text = stack_text([Place("f" * 100, "/srv/" + "x" * 400, 1, line) for line in range(100)])

    assert len(text.encode()) <= 4096
    assert text.startswith("f" * 100)
    assert text.splitlines()[0].endswith(":99)")


def test_only_the_longest_are_kept():
    longest = Longest(3)

    for ns in (5, 1, 9, 7, 7, 2):
        longest.add(ns, ns)

    assert longest.all() == [9, 7, 7]
    assert longest.count == 6


STANDS = """
import asyncio, os, sys, time
import sonde

sonde.start(service="stands", socket="{socket}", stalls_threshold_ms={stalls}, syscalls_threshold_ms={syscalls})
tools = [name for name in sys.modules if name.startswith("sonde.probe.tools")]
threads = len(os.listdir("/proc/self/task"))


async def main():
    for _ in range(5):  # one is missed where the watchdog gets no processor for all of it: not each
        await asyncio.sleep(0.001)
        time.sleep(0.05)
    await asyncio.sleep(0.001)


def told():
    from sonde.probe.log_records import log_records

    taken = log_records.taken()
    return [name for name in (b"sonde.stall", b"sonde.slow_syscall") if b"b" + bytes([len(name)]) + name in taken]


pid = os.fork()
asyncio.run(main())
found = told()
if not pid:
    os._exit(0 if found == {expected} else 1)
assert os.waitpid(pid, 0)[1] == 0
assert found == {expected}, found
sonde.stop()
told()  # the wait for the child, too
assert asyncio.Handle._run.__class__.__name__ == "function"
asyncio.run(main())
assert told() == []
print(len(tools), threads)
"""


def stands(tmp_path, stalls, syscalls, expected):
    """A program under the settings: what it says, and modules of the tools and threads it has right after the start."""
    program = STANDS.format(socket=tmp_path / "nobody.sock", stalls=stalls, syscalls=syscalls, expected=expected)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return [int(word) for word in done.stdout.split()]


def test_a_watch_that_always_stands_tells_of_stalls_and_starts_no_thread_before_the_first_loop(tmp_path):
    _, threads = stands(tmp_path, 10, 0, [b"sonde.stall"])

    assert threads == 1


def test_both_watches_can_stand(tmp_path):
    stands(tmp_path, 10, 10, [b"sonde.stall", b"sonde.slow_syscall"])


def test_without_the_settings_nothing_of_the_tools_is_imported(tmp_path):
    before, _ = stands(tmp_path, 10, 0, [b"sonde.stall"])
    modules, _ = stands(tmp_path, 0, 0, [])

    assert modules < before
