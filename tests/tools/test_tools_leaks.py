"""leaks: what is said of loops of real code, and what is left when the hooks have gone."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import subprocess
import sys
import textwrap
import threading
import tracemalloc
from pathlib import Path

import pytest

from sonde.probe.tools import _leaks
from sonde.probe.tools.leaks import tracker as tracking
from sonde.probe.tools.leaks.report import report
from sonde.probe.tools.leaks.tracker import Tracker

HERE = __file__


class Allocator(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ("context", "malloc", "calloc", "realloc", "free")]


def allocators():
    found = []
    for domain in range(3):
        one = Allocator()
        ctypes.pythonapi.PyMem_GetAllocator(domain, ctypes.byref(one))
        found.append(tuple(getattr(one, name) for name, _ in Allocator._fields_))
    return found


@pytest.fixture
def told():
    return []


@pytest.fixture
def tracker(told):
    before = allocators()
    made = Tracker(told.append, confirm=False)
    made.start()
    yield made
    assert made.stop()
    assert allocators() == before, "an allocator was left behind"


def run(tracker, handler, loops, route=""):
    for i in range(loops):
        loop = tracker.new()
        tracker.begin(loop, route)
        handler(i)
        tracker.end(loop)
        del loop


def finished(tracker):
    gc.collect()
    tracker.finish()
    return report(tracker)


def line_of(marker):
    lines = Path(HERE).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.endswith(f"# {marker}"))


def sites(document, word="leak"):
    return {
        (site["line"], site["type"]) for site in document["sites"] if site["verdict"] == word and site["file"] == HERE
    }


def test_the_first_loop_is_never_judged(tracker, told):
    kept = []

    run(tracker, lambda i: kept.append("first" * 50 + str(i)), 1)
    run(tracker, lambda _: None, 6)

    assert [one.loop for one in told] == [2, 3, 4, 5, 6], "neither the first, nor the last, which nobody followed"
    assert all(not one.lines for one in told), "what the first loop has left is nobody's leak"
    assert kept


@pytest.mark.skipif(sys.version_info < (3, 12), reason="there is no sys.monitoring")
def test_what_the_interpreter_notes_of_watched_code_is_no_loops_memory(tracker, told):
    """A debugger, a measuring of coverage or the tool `calls` has it made for all code, at its next run."""
    first_runs = [eval("lambda: None") for _ in range(8)]  # noqa: S307 - each has code of its own
    watching = sys.monitoring
    watching.use_tool_id(watching.PROFILER_ID, "test")
    watching.set_events(watching.PROFILER_ID, watching.events.PY_START | watching.events.LINE)
    try:
        run(tracker, lambda i: first_runs[i](), 8)
    finally:
        watching.set_events(watching.PROFILER_ID, 0)
        watching.free_tool_id(watching.PROFILER_ID)

    assert [one.lines for one in told] == [[]] * 6


def test_what_the_next_loop_frees_is_no_leak_of_either(tracker, told):
    last = [None]

    def handler(i):
        last[0] = "x" * 1000 + str(i)

    run(tracker, handler, 12)

    assert [one.lines for one in told] == [[]] * 10


def test_what_a_later_loop_frees_is_told_as_negative_bytes_with_the_loop_it_is_from(tracker, told):
    window = []

    def handler(i):
        window.append(bytes(500))  # window
        if len(window) > 3:
            window.pop(0)  # freed here

    run(tracker, handler, 12)

    late = told[-1]
    kept, freed = sorted(late.lines, key=lambda line: -line.size)
    size = sys.getsizeof(bytes(500))
    assert (kept.place, kept.size) == (f"{HERE}:{line_of('window')}", size)
    assert (freed.place, freed.size) == (f"{HERE}:{line_of('freed here')}", -size)
    assert freed.earlier == ((late.loop - 3, kept.place, size),)


def test_a_line_that_allocates_more_each_time_is_told_after_five_times_even_if_all_is_freed(tracker, told):
    rows = []

    def handler(_):
        rows.append(None)
        return len(list(rows))  # copies

    run(tracker, handler, 30)

    place = f"{HERE}:{line_of('copies')}"
    growing = {one.loop: one for one in told if any(each.place == place for each in one.growing)}
    assert min(growing) >= 6, "the first gives the measure, five more have grown"
    assert max(one.growing[0].times for one in growing.values()) >= 5


def test_bytes_and_blocks_of_a_leak_add_up(tracker):
    kept = []

    run(tracker, lambda i: kept.append(b"k" * 300 + bytes([i])), 40)
    document = finished(tracker)

    (site,) = [site for site in document["sites"] if site["type"] == "bytes" and site["verdict"] == "leak"]
    assert site["blocks"] == 38 + 1, "of all loops but the last, which is not judged; the first one's live, too"
    assert site["bytes"] == 39 * sys.getsizeof(kept[0])
    assert site["bytes_per_loop"] == pytest.approx(sys.getsizeof(kept[0]), rel=0.05)
    assert "kept" in site["held_by"]
    assert document["leaked_bytes"] == sum(s["bytes"] for s in document["sites"] if s["verdict"] == "leak")


def test_requests_that_take_turns_on_one_loop_are_not_mixed(tracker):
    """Only one of two concurrent requests keeps memory, and a timer's work between them is nobody's."""
    leaked, beside = [], []

    async def request(i):
        loop = tracker.new()
        tracker.begin(loop, "leaks" if i % 2 else "clean")
        for _ in range(3):
            await asyncio.sleep(0)
            if i % 2:
                leaked.append("leak" * 20 + str(i))  # interleaved
        tracker.end(loop)

    async def housekeeping():
        for i in range(200):
            beside.append("beside" * 30 + str(i))  # side work
            await asyncio.sleep(0)

    async def serve():
        work = asyncio.create_task(housekeeping())
        for first in range(0, 60, 4):
            await asyncio.gather(*(request(first + i) for i in range(4)))
        work.cancel()
        return finished(tracker)

    document = asyncio.run(serve())

    assert (line_of("interleaved"), "str") in sites(document)
    assert all(site["line"] != line_of("side work") for site in document["sites"])
    routes = {route["route"]: route for route in document["routes"]}
    assert routes["leaks"]["bytes"] > 20 * 100
    assert routes["clean"]["bytes"] < routes["leaks"]["bytes"] / 20


def test_a_requests_tasks_are_waited_for_and_counted(tracker, told):
    kept = []

    async def later(i, go):
        await go.wait()
        kept.append("late" * 25 + str(i))  # in a task
        del kept[:-4]

    async def serve():
        go = asyncio.Event()

        async def request(i):
            loop = tracker.new()
            tracker.begin(loop)
            task = asyncio.create_task(later(i, go))
            tracker.end(loop)
            return task

        tasks = [await asyncio.create_task(request(i)) for i in range(4)]
        assert told == [], "their tasks still work for them"
        go.set()
        await asyncio.gather(*tasks)
        del tasks
        await asyncio.sleep(0)
        run(tracker, lambda _: None, 3)

    asyncio.run(serve())

    lines = [line for one in told for line in one.lines if line.place == f"{HERE}:{line_of('in a task')}"]
    assert len(lines) == 3, "of each but the first"


def test_a_task_that_never_ends_is_waited_for_within_bounds(tracker, told, monkeypatch):
    monkeypatch.setattr(tracking, "WAITS_LOOPS", 5)

    async def serve():
        never = asyncio.Event()
        tasks = []

        async def request():
            loop = tracker.new()
            tracker.begin(loop)
            tasks.append(asyncio.create_task(never.wait()))
            tracker.end(loop)

        for _ in range(12):
            await asyncio.create_task(request())
        for task in tasks:
            task.cancel()

    asyncio.run(serve())

    assert tracker.gave_up_waiting >= 4
    assert told


def test_other_threads_may_free_what_a_loop_has_made(tracker):
    """Threads free and make memory the whole time; what loops keep is the same as without them."""
    kept, handed, stop = [], [], threading.Event()

    def consume():
        while not stop.is_set():
            if handed:
                handed.pop()
            [bytes(100) for _ in range(20)]

    threads = [threading.Thread(target=consume) for _ in range(3)]
    for thread in threads:
        thread.start()

    def handler(i):
        handed.extend([f"handed {i} {n}" for n in range(20)])
        kept.append("kept" * 10 + str(i))  # beside threads

    run(tracker, handler, 60)
    while handed:
        pass
    stop.set()
    for thread in threads:
        thread.join()
    document = finished(tracker)

    assert (line_of("beside threads"), "str") in sites(document)
    assert all(line == line_of("beside threads") for line, kind in sites(document) if kind == "str")


def test_what_finds_no_room_is_counted_and_the_rest_goes_on():
    tracker = Tracker(most_blocks=1000, confirm=False)
    tracker.start()
    try:
        kept = []
        run(tracker, lambda i: kept.append([str(i) + "n" * n for n in range(200)]), 20)
        figures = tracker.figures()
    finally:
        assert tracker.stop()

    assert figures["blocks_lost"] > 0
    assert figures["old"] + figures["young"] <= 2 * 1024


def test_marks_cost_nothing_and_tell_nothing_once_the_hooks_are_gone():
    tracker = Tracker(confirm=False)
    tracker.start()
    loop = tracker.new()
    tracker.begin(loop)
    assert tracker.stop()

    tracker.end(loop)

    assert _leaks.figures()["open"] == 0
    assert not _leaks.running()
    assert _leaks.changed() == []


def test_memory_that_was_there_before_may_be_freed_and_grow_meanwhile(tracker):
    before = [bytes(200) for _ in range(2000)]
    rows = list(range(100))

    def handler(i):
        del before[-20:]
        rows.append(i)

    run(tracker, handler, 50)
    document = finished(tracker)

    assert all(site["bytes"] < 3000 for site in document["sites"]), "how large a list was before is no loop's doing"


def test_where_the_application_has_frozen_its_objects_they_stay_frozen(tracker):
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        kept = []
        run(tracker, lambda i: kept.append({"n": i, "text": "t" * 50 + str(i)}), 20)
        document = finished(tracker)
        assert gc.get_freeze_count() > frozen * 0.9
    finally:
        gc.unfreeze()

    assert any(site["type"] == "str" and site["verdict"] == "leak" for site in document["sites"])


def test_where_the_application_has_switched_the_collector_off_it_stays_off_and_nothing_is_collected(tracker):
    collected = []
    gc.callbacks.append(lambda phase, info: collected.append(info["collected"]) if phase == "stop" else None)
    gc.disable()
    try:

        class Node:
            pass

        def handler(_):
            node = Node()
            node.me = node  # a cycle

        run(tracker, handler, 30)
        tracker.finish()
        document = report(tracker)
    finally:
        gc.enable()
        gc.callbacks.pop()

    assert sum(collected) == 0, "the free lists are emptied by a collection of nothing"
    assert any(site["type"] == "Node" and site["verdict"] == "leak" for site in document["sites"])


def test_garbage_in_cycles_is_no_leak_while_the_collector_is_on(tracker):
    class Node:
        pass

    def handler(_):
        node = Node()
        node.me = node

    run(tracker, handler, 30)

    assert sites(finished(tracker)) == set()


@pytest.mark.parametrize("first", ["theirs", "ours"])
def test_tracemalloc_may_run_before_and_begin_and_end_meanwhile(first):
    tracker = Tracker(confirm=False)
    before = allocators()
    kept = []
    if first == "theirs":
        tracemalloc.start()
    tracker.start()
    if first == "ours":
        tracemalloc.start()
    try:
        run(tracker, lambda i: kept.append("traced" * 10 + str(i)), 20)
        document = finished(tracker)
        assert tracemalloc.get_object_traceback(kept[-1]) is not None, "it is not disturbed"
    finally:
        if first == "ours":
            tracemalloc.stop()
        clean = tracker.stop()
        tracemalloc.stop()

    assert clean
    assert allocators() == before
    assert any(site["type"] == "str" and site["verdict"] == "leak" for site in document["sites"])
    assert not document["exact"]


def test_hooks_that_somebody_else_has_gone_above_stay_and_do_nothing_and_can_be_set_again():
    before = allocators()
    tracker = Tracker(confirm=False)
    tracker.start()
    tracemalloc.start()
    assert not tracker.stop(), "tracemalloc has kept ours, to call them"
    [str(n) for n in range(1000)]
    again = Tracker(confirm=False)
    again.start()
    kept = []
    run(again, lambda i: kept.append("again" * 10 + str(i)), 20)
    document = finished(again)
    again.stop()
    tracemalloc.stop()

    assert any(site["type"] == "str" and site["verdict"] == "leak" for site in document["sites"])
    last = Tracker(confirm=False)
    last.start()
    run(last, lambda i: kept.append("last" * 10 + str(i)), 20)
    document = finished(last)
    assert last.stop()
    assert any(site["type"] == "str" and site["verdict"] == "leak" for site in document["sites"])
    assert allocators() == before


def test_a_child_that_is_forked_meanwhile_has_no_hooks(tracker):
    kept = []
    run(tracker, lambda i: kept.append("parent" * 10 + str(i)), 10)
    loop = tracker.new()
    tracker.begin(loop)

    child = os.fork()
    if child == 0:
        try:
            tracker.after_fork()
            answer = 0 if not _leaks.running() and _leaks.figures()["old"] == 0 else 3
            [str(n) * 10 for n in range(1000)]
        except BaseException:
            answer = 4
        os._exit(answer)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    tracker.end(loop)
    run(tracker, lambda i: kept.append("parent" * 10 + str(i)), 20)
    assert any(site["verdict"] == "leak" for site in finished(tracker)["sites"])


@pytest.mark.parametrize("what", ["hooks", "open loop", "thread"])
def test_a_process_may_end_while_they_are_on(what):
    program = textwrap.dedent(
        f"""
        import threading, time
        from sonde.probe.tools.leaks.tracker import Tracker
        tracker = Tracker()
        tracker.start()
        kept = []
        class Last:
            def __del__(self):
                [str(n) * 3 for n in range(100)]
        for i in range(20):
            loop = tracker.new()
            tracker.begin(loop)
            kept.append([Last(), str(i) * 10])
            if {what == "open loop"} and i == 19:
                break
            tracker.end(loop)
        if {what == "thread"}:
            def work():
                while True:
                    inner = tracker.new()
                    tracker.begin(inner)
                    [str(n) for n in range(100)]
                    tracker.end(inner)
            threading.Thread(target=work, daemon=True).start()
            time.sleep(0.05)
        print("end")
        """
    )
    ran = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", program], capture_output=True, text=True, timeout=60, check=False
    )

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "end\n"
