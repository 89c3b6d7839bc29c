"""The sampler sees where time goes, for whom it was asked, and leaves nothing behind."""

import json
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from sonde.probe.tools import cpu
from sonde.probe.tools.cpu import Cpu
from sonde.probe.tools.tool import ToolError
from sonde.wire.profile import NO_PARENT, read

DEFAULTS = {name: option.default for name, option in Cpu.options.items()}
needs_native = pytest.mark.skipif(cpu._native()[0] is None, reason=cpu._native()[1])


@pytest.fixture(params=["native", "python"])
def way(request, monkeypatch):
    if request.param == "native" and cpu._native()[0] is None:
        pytest.skip(cpu._native()[1])
    if request.param == "python":
        monkeypatch.setattr(cpu, "_native", lambda: (None, "the test wants it so"))
    return request.param


def seen_while(work, **options):
    """What a run sees of `work()`, which this thread does; the run has a thread of its own, as in the host."""
    begun, done, results = threading.Event(), threading.Event(), []

    def run():
        tool = Cpu()
        tool.start(DEFAULTS | options, 60)
        begun.set()
        done.wait(60)
        assert isinstance(tool.progress(), str)
        assert tool.cpu_s() >= 0
        results.append(tool.stop())

    host = threading.Thread(target=run, name="host")
    host.start()
    assert begun.wait(30)
    try:
        work()
    finally:
        done.set()
        host.join(60)
    (result,) = results
    json.dumps(result.summary, allow_nan=False)
    return result


def burn(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        sum(range(500))


def heavy(seconds):
    burn(seconds)


def light(seconds):
    burn(seconds)


def rows(result, key="functions"):
    return {row["name"]: row for row in result.summary[key]}


def test_time_is_seen_where_it_was_spent(way):
    def work():
        for _ in range(20):
            heavy(0.035)
            light(0.015)

    result = seen_while(work, hz=500)

    found = rows(result)
    share = found["heavy"]["total_ns"] / (found["heavy"]["total_ns"] + found["light"]["total_ns"])
    assert 0.62 < share < 0.78
    assert found["burn"]["self_ns"] > 0.8 * result.summary["total_ns"]
    assert 0.5e9 < result.summary["total_ns"] < 2e9


def test_the_profile_is_the_whole_of_what_the_summary_says(way):
    result = seen_while(lambda: heavy(0.2), hz=200)

    profile = read(result.artifacts[0].content)
    assert result.artifacts[0].name == "profile.json"
    assert sum(sample.weight for sample in profile.samples) == result.summary["total_ns"]
    assert sum(sample.times for sample in profile.samples) == result.summary["samples"]
    assert profile.period_ns == 5_000_000
    lines = {node.line for node in profile.nodes if profile.frames[node.frame].name == "burn"}
    first = burn.__code__.co_firstlineno
    assert lines
    assert lines <= {first + 1, first + 2, first + 3}


@needs_native
def test_cpu_time_is_exact_whatever_the_rate():
    """Weights are what the kernel says that the thread used, not looks times a period."""
    before = time.thread_time()
    result = seen_while(lambda: heavy(0.5), hz=20)
    used = time.thread_time() - before

    assert rows(result, "threads")["MainThread"]["cpu_ns"] == pytest.approx(used * 1e9, rel=0.25)


@needs_native
def test_cpu_time_is_not_put_where_a_thread_went_to_sleep_after_it():
    def work():
        for _ in range(40):
            heavy(0.004)
            time.sleep(0.008)

    result = seen_while(work, hz=100)

    found = rows(result)
    asleep = found["test_cpu_time_is_not_put_where_a_thread_went_to_sleep_after_it.<locals>.work"]["self_ns"]
    assert found["heavy"]["total_ns"] > 0.1e9
    assert asleep < 0.4 * found["heavy"]["total_ns"], "all of it, where it is put at the next look"


@needs_native
def test_a_look_that_is_due_happens_or_is_counted_as_missed():
    result = seen_while(lambda: heavy(0.5), hz=1000)

    due = result.summary["duration_ns"] / 1e6
    assert result.summary["rounds"] + result.summary["missed"] == pytest.approx(due, rel=0.05)
    assert result.summary["rounds"] > 0.3 * due


def test_waiting_counts_with_the_time_that_passes(way):
    def work():
        heavy(0.2)
        time.sleep(0.4)

    result = seen_while(work, mode="wall", hz=200)

    found = rows(result)
    name = "test_waiting_counts_with_the_time_that_passes.<locals>.work"
    assert found[name]["self_ns"] == pytest.approx(0.4e9, rel=0.4)
    waited = seen_while(lambda: time.sleep(0.3), mode="cpu", hz=200)
    assert waited.summary["total_ns"] < 0.1e9


@needs_native
def test_threads_that_wait_for_work_are_left_out_unless_asked_for():
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2, thread_name_prefix="pool") as pool:
        list(pool.map(lambda _: time.sleep(0.02), range(2)))
        without = seen_while(lambda: time.sleep(0.2), mode="wall", hz=200)
        whole = seen_while(lambda: time.sleep(0.2), mode="wall", hz=200, idle=True)

    assert "_worker" not in rows(without)
    assert without.summary["idle"] > 20
    assert rows(whole)["_worker"]["self_ns"] > 0.2e9


def test_only_the_threads_that_were_named_are_seen(way):
    barrier = threading.Barrier(2)

    def waits():
        barrier.wait(30)
        heavy(0.3)

    wanted = threading.Thread(target=waits, name="wanted-0")
    wanted.start()

    def both():
        barrier.wait(30)
        light(0.3)
        wanted.join()

    result = seen_while(both, threads="wanted-*, none", hz=200)

    assert "heavy" in rows(result)
    assert "light" not in rows(result)


@needs_native
def test_each_thread_can_have_its_own_root():
    def work():
        threads = [threading.Thread(target=heavy, args=(0.2,), name=f"worker {at}") for at in range(2)]
        for thread in threads:
            thread.start()
        light(0.2)
        while threads[0].is_alive() or threads[1].is_alive():
            sum(range(100))

    begun = threading.Event()
    results = []

    def run():
        tool = Cpu()
        tool.start(DEFAULTS | {"by_thread": True, "hz": 200}, 60)
        begun.set()
        while sum(thread.name.startswith("worker") for thread in threading.enumerate()) < 2:
            time.sleep(0.001)
        tool.progress()  # where names of new threads are learned
        time.sleep(0.2)
        results.append(tool.stop())

    host = threading.Thread(target=run)
    host.start()
    begun.wait(30)
    work()
    host.join(30)
    profile = read(results[0].artifacts[0].content)
    roots = {profile.frames[node.frame].name for node in profile.nodes if node.parent == NO_PARENT}
    assert {"MainThread", "worker 0", "worker 1"} <= roots


def test_a_full_tree_counts_what_it_leaves_out(way):
    source = "\n".join(f"def f{at}(burn): burn(0.0005)" for at in range(800))
    space: dict = {}
    exec(source, space)  # noqa: S102

    def work():
        for at in range(800):
            space[f"f{at}"](burn)

    result = seen_while(work, hz=1000, max_nodes=100)

    assert result.summary["dropped"] > 0
    assert len(read(result.artifacts[0].content).nodes) <= 100


def test_a_trace_that_is_none_is_refused():
    with pytest.raises(ToolError, match="32 hex digits") as refused:
        Cpu().start(DEFAULTS | {"trace": "xyz"}, 1)
    assert refused.value.reason == "bad_options"


def test_without_the_native_sampler_a_filter_by_request_is_refused(monkeypatch):
    monkeypatch.setattr(cpu, "_native", lambda: (None, "the test wants it so"))

    with pytest.raises(ToolError) as refused:
        Cpu().start(DEFAULTS | {"endpoint": "GET /"}, 1)
    assert refused.value.reason == "unavailable"


@needs_native
def test_after_an_abort_nothing_is_on_and_another_run_can_begin():
    native, _ = cpu._native()
    threads = sorted(Path("/proc/self/task").iterdir())
    tool = Cpu()
    tool.start(DEFAULTS, 10)
    assert native.running()
    tool.abort()

    assert not native.running()
    assert sorted(Path("/proc/self/task").iterdir()) == threads
    assert seen_while(lambda: heavy(0.05)).summary["rounds"] > 0


@needs_native
def test_a_second_run_at_once_is_refused_and_harms_nobody():
    def work():
        with pytest.raises(ToolError):
            Cpu().start(DEFAULTS, 10)
        heavy(0.1)

    assert "heavy" in rows(seen_while(work))


def run_python(source):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(source)], capture_output=True, text=True, timeout=120, check=False
    )


BEGIN = """
import os, sys, threading, time
from sonde.probe.tools.cpu import Cpu
DEFAULTS = {name: option.default for name, option in Cpu.options.items()}
def burn(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        sum(range(100))
"""


@needs_native
def test_a_child_runs_none_of_its_parents_sampler():
    result = run_python(
        BEGIN
        + """
tool = Cpu()
threading.Thread(target=tool.start, args=(DEFAULTS | {"hz": 1000}, 10)).start()
burn(0.05)
pid = os.fork()
if pid == 0:
    tool.after_fork()
    assert len(os.listdir("/proc/self/task")) == 1
    mine = Cpu()
    host = threading.Thread(target=mine.start, args=(DEFAULTS | {"hz": 500}, 10))
    host.start(); host.join()
    burn(0.2)
    assert any(row["name"] == "burn" for row in mine.stop().summary["functions"])
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
burn(0.05)
assert any(row["name"] == "burn" for row in tool.stop().summary["functions"])
"""
    )

    assert result.returncode == 0, result.stderr


@needs_native
@pytest.mark.parametrize(
    "how", ["pass", "os.execv(sys.executable, [sys.executable, '-c', ''])", "sys.exit(0)", "os._exit(0)"]
)
def test_a_process_that_ends_while_it_is_sampled_ends_well(how):
    result = run_python(
        BEGIN
        + f"""
tool = Cpu()
host = threading.Thread(target=tool.start, args=(DEFAULTS | {{"hz": 1000}}, 10))
host.start(); host.join()
burn(0.1)
{how}
"""
    )

    assert (result.returncode, result.stderr) == (0, "")


@needs_native
def test_threads_generators_deep_stacks_and_garbage_do_not_disturb_it():
    result = run_python(
        BEGIN
        + """
import asyncio, gc, re, json
sys.setrecursionlimit(5000)
until = time.monotonic() + 2
def short(): return [x for x in range(50)]
def churn():
    while time.monotonic() < until:
        threads = [threading.Thread(target=short) for _ in range(10)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
def deep(n): return deep(n - 1) if n else burn(0.001)
def descend():
    while time.monotonic() < until: deep(1000)
def numbers():
    for at in range(100): yield from (json.loads(json.dumps([at])) for _ in range(2))
def iterate():
    while time.monotonic() < until:
        list(numbers()); re.compile("(a|b)*c").match("ababababc"); exec("def f(): return 1\\nf()"); gc.collect(0)
async def step(n): return await step(n - 1) if n else await asyncio.sleep(0)
async def steps():
    while time.monotonic() < until: await asyncio.gather(*(step(20) for _ in range(10)))
work = [churn, descend, iterate, lambda: asyncio.run(steps())]
tool = Cpu()
host = threading.Thread(target=tool.start, args=(DEFAULTS | {"hz": 1000}, 10))
host.start(); host.join()
threads = [threading.Thread(target=one) for one in work]
for thread in threads: thread.start()
for thread in threads: thread.join()
summary = tool.stop().summary
names = {row["name"] for row in summary["functions"]}
assert {"deep", "numbers", "steps", "churn"} <= names, names
bad = summary["torn"] / summary["samples"]
assert bad < 0.05, (summary["samples"], summary["torn"])
print(summary["samples"], summary["torn"])
"""
    )

    assert result.returncode == 0, result.stderr


@needs_native
def test_a_thousand_threads_leave_most_of_the_machine_to_the_program():
    result = run_python(
        BEGIN
        + """
stop = threading.Event()
threading.stack_size(64 << 10)
threads = [threading.Thread(target=stop.wait) for _ in range(1000)]
for thread in threads: thread.start()
tool = Cpu()
host = threading.Thread(target=tool.start, args=(DEFAULTS | {"hz": 1000, "mode": "wall"}, 10))
host.start(); host.join()
burn(1)
used = tool.cpu_s()
summary = tool.stop().summary
stop.set()
for thread in threads: thread.join()
assert any(row["name"] == "burn" for row in summary["functions"])
assert used < 0.3 * summary["duration_ns"] / 1e9, (used, summary["duration_ns"])
"""
    )

    assert result.returncode == 0, result.stderr


SPANS = (
    BEGIN
    + """
import asyncio
from sonde.probe.core import _core as core
core.start({}, "", hello={})
def served(name, work):
    with core.scope(core.operation(name, core.SERVER)):
        work()
def fast(): burn(0.3)
def slow(): burn(0.3)
def sampled(work, **options):
    tool = Cpu()
    host = threading.Thread(target=tool.start, args=(DEFAULTS | {"hz": 500} | options, 10))
    host.start(); host.join()
    work()
    return tool.stop()
def total(result): return {row["name"]: row["total_ns"] / 1e9 for row in result.summary["functions"]}
"""
)


@needs_native
def test_only_requests_of_one_endpoint_are_seen():
    result = run_python(
        SPANS
        + """
def work():
    threads = [threading.Thread(target=served, args=pair) for pair in (("GET /fast", fast), ("GET /slow/{id}", slow))]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    burn(0.1)
result = sampled(work, endpoint="GET /slow/*")
found = total(result)
assert "fast" not in found and 0.2 < found["slow"] < 0.4, found
assert found["burn"] < found["slow"] + 0.02, found
assert result.summary["elsewhere"] > 100
none = sampled(lambda: burn(0.1), endpoint="GET /other")
assert not none.summary["samples"] and "did a request of it come" in none.notes[0], none.notes
"""
    )

    assert result.returncode == 0, result.stderr


@needs_native
def test_only_one_trace_is_seen_where_tasks_of_several_take_turns_in_one_thread():
    """The span is looked up in the context that the thread runs in now, which is the task's."""
    result = run_python(
        SPANS
        + """
ids = {}
async def part(work):
    for _ in range(60):
        work()
        await asyncio.sleep(0)
def mine(): burn(0.005)
def others(): burn(0.005)
async def request(name, work):
    with core.scope(core.operation(name, core.SERVER)) as span:
        ids[name] = span.trace_id
        ready.append(name)
        while len(ready) < 3: await asyncio.sleep(0)
        await asyncio.gather(part(work), part(work))
async def main(tool_ready):
    tasks = [asyncio.create_task(request("a", mine)), asyncio.create_task(request("b", others))]
    while len(ready) < 2: await asyncio.sleep(0)
    tool_ready()
    ready.append("tool")
    await asyncio.gather(*tasks)
ready = []
tool = Cpu()
def begin():
    host = threading.Thread(target=tool.start, args=(DEFAULTS | {"hz": 500, "trace": ids["a"]}, 10))
    host.start(); host.join()
asyncio.run(main(begin))
found = total(tool.stop())
assert found["mine"] > 0.4, found
assert found.get("others", 0) < 0.02, found
"""
    )

    assert result.returncode == 0, result.stderr
