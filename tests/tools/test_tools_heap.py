"""heap: what it says of programs whose memory is known."""

from __future__ import annotations

import array
import asyncio
import collections
import gc
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from pathlib import Path

import pytest

from sonde.probe.tools import _heap
from sonde.probe.tools.heap import Heap
from sonde.probe.tools.heap_memory import kernel_memory
from sonde.probe.tools.tool import ToolError

ROOT_STEP = 0


def look(between=None, **options):
    """heap.json of one run; `between` is called between its two looks."""
    chosen = {name: option.default for name, option in Heap.options.items()} | {"max_pause_ms": 1000.0} | options
    found = []

    def host() -> None:
        tool = Heap()
        try:
            tool.start(chosen, Heap.seconds_of(chosen))
            if between:
                between()
            found.append(tool.stop())
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=host)
    thread.start()
    thread.join()
    if isinstance(found[0], BaseException):
        raise found[0]
    return json.loads(found[0].artifacts[0].content) | {"result": found[0]}


def vias(chain):
    """The root, and how each step refers to the next."""
    return [step[0] for step in chain]


def counts(document):
    return {row[0]: row[2] for row in document["types"]}


class Leak:
    def __init__(self, number):
        self.name = f"leaked {number}"


class Slotted:
    __slots__ = ("inner",)


CACHE: dict = {}
"""What the tests fill. Each clears it."""


@pytest.fixture(autouse=True)
def _clean():
    CACHE.clear()
    gc.collect()
    yield
    CACHE.clear()


def test_a_leak_is_on_top_of_the_comparison_with_the_way_to_it():
    CACHE["orders"] = []

    def leaks():
        CACHE["orders"].extend(Leak(number) for number in range(10_000))

    document = look(leaks, again_after_s=0.001)

    holder = document["growth"]["holders"][0]
    assert vias(holder["chain"]) == [f"module {__name__}", ".CACHE", "[str]"]
    assert holder["type"] == "list"
    assert holder["items"] == 10_000
    assert [f"{__name__}.Leak", 10_000] in [kind[:2] for kind in holder["kinds"]]
    grown = {row["type"]: row for row in document["growth"]["grown_types"]}
    leak = grown[f"{__name__}.Leak"]
    assert (leak["grown_objects"], leak["new_objects"], leak["new_below_holder"]) == (10_000, 10_000, 10_000)
    assert vias(leak["example"])[:3] == [f"module {__name__}", ".CACHE", "[str]"]
    assert leak["example"][-1][1] == f"{__name__}.Leak"


@pytest.mark.slow
def test_a_kept_snapshot_is_what_a_later_run_is_compared_with():
    look()
    name = look(keep=True)["snapshot"]
    CACHE["more"] = [Leak(number) for number in range(3000)]

    document = look(baseline=name)

    assert document["growth"]["holders"][0]["new_objects"] >= 6000
    assert vias(document["growth"]["holders"][0]["chain"]) == [f"module {__name__}", ".CACHE"]
    assert document["apart_s"] > 0


def test_a_baseline_that_is_not_there_is_refused():
    with pytest.raises(ToolError) as refused:
        look(baseline="h0")

    assert refused.value.reason == "bad_options"


@pytest.mark.slow
def test_what_is_replaced_does_not_grow():
    CACHE["same"] = [Leak(number) for number in range(5000)]

    def replaces():
        CACHE["same"] = [Leak(number) for number in range(5000)]

    document = look(replaces, again_after_s=0.001)

    grown = {row["type"]: row["grown_objects"] for row in document["growth"]["grown_types"]}
    assert grown.get(f"{__name__}.Leak", 0) == 0


def test_objects_are_counted_once_each_tracked_or_not():
    """A dict and a tuple of numbers are no concern of the collector's: only what holds them is."""
    before = counts(look()).get("complex", 0)
    numbers = [complex(number, 1) for number in range(5000)]
    CACHE["a"] = {"one": 1j, "numbers": tuple(numbers)}
    CACHE["b"] = dict.fromkeys(numbers, 2j)
    CACHE["objects"] = [Slotted() for _ in range(700)]

    after = counts(look())

    assert after[f"{__name__}.Slotted"] == 700
    assert 5000 <= after["complex"] - before < 5010, "the constants may have been there"


def test_retained_bytes_are_those_that_would_be_free():
    shared = "s" * 300_000
    CACHE["only"] = [f"{number} {'x' * 1000}" for number in range(500)]
    CACHE["shared"] = [shared]
    CACHE["also"] = {"value": shared}

    document = look()

    rows = {tuple(vias(row["chain"])): row for row in document["retained"] + document["largest"]}
    only = next(row for row in document["retained"] if row["items"] == 500 and row["type"] == "list")
    assert only["retained_bytes"] == sum(map(sys.getsizeof, CACHE["only"])) + sys.getsizeof(CACHE["only"])
    text = next(row for row in rows.values() if row["type"] == "str" and row["bytes"] == sys.getsizeof(shared))
    assert text["retained_bytes"] == text["bytes"]
    lists = [row for row in rows.values() if row["type"] == "list" and row["bytes"] == sys.getsizeof(CACHE["shared"])]
    assert all(row["retained_bytes"] < 300_000 for row in lists), "two lists hold the text: neither retains it"


def fill_with_ways():
    """No variable leads to what is in there, once this has returned."""
    CACHE["slotted"] = Slotted()
    CACHE["slotted"].inner = ["i" * 500_001]
    CACHE["instance"] = Leak(1)
    CACHE["instance"].attribute = ["a" * 500_002]
    CACHE["set"] = {"e" * 500_003}

    def closure(kept="d" * 500_004):
        return kept

    async def awaits():
        mine = ["m" * 500_005]
        await asyncio.sleep(0)
        return mine

    CACHE["function"] = closure
    CACHE["coroutine"] = awaits()
    CACHE["coroutine"].send(None)


def ways_to_texts(document):
    """By length."""
    return {row["bytes"] - sys.getsizeof(""): row["chain"] for row in document["largest"] if row["type"] == "str"}


def test_ways_through_slots_attributes_defaults_sets_and_coroutines():
    fill_with_ways()

    ways = ways_to_texts(look())
    CACHE["coroutine"].close()

    start = [f"module {__name__}", ".CACHE", "[str]"]
    assert vias(ways[500_001]) == [*start, ".inner", "[0]"]
    assert vias(ways[500_002]) == [*start, ".attribute", "[0]"]
    assert vias(ways[500_003]) == [*start, "(element)"]
    assert vias(ways[500_004]) == [*start, ".__defaults__", "[0]"]
    assert vias(ways[500_005]) == [*start, "mine", "[0]"]


def test_variables_of_threads_are_roots():
    ready, stop = threading.Event(), threading.Event()

    def holds():
        private = ["p" * 400_001]
        ready.set()
        stop.wait()
        return private

    thread = threading.Thread(target=holds)
    thread.start()
    ready.wait()
    try:
        way = ways_to_texts(look())[400_001]
    finally:
        stop.set()
        thread.join()

    assert way[ROOT_STEP][0].startswith("local of test_variables_of_threads")
    assert str(thread.ident) in way[ROOT_STEP][0]
    assert vias(way)[1:] == ["private", "[0]"]


def test_an_attribute_that_is_a_dict_is_no_namespace():
    CACHE["instance"] = Leak(1)
    CACHE["instance"].by_mail = {"user@example.org": "v" * 500_001}

    assert vias(ways_to_texts(look())[500_001])[2:] == ["[str]", ".by_mail", "[str]"]


def test_what_a_module_holds_is_retained_by_it_though_functions_lead_to_it():
    def kept():
        return CACHE

    threading.kept_by_test = kept  # a function of ours, in another module
    CACHE["own"] = ["o" * 30_000_001]
    try:
        document = look()
    finally:
        del threading.kept_by_test

    assert dict(document["roots"])[f"module {__name__}"] >= 30_000_000


def test_the_summary_has_ways_in_one_text():
    CACHE["own"] = ["o" * 30_000_001]

    summary = look()["result"].summary

    assert summary["largest"][0]["chain"] == f"module {__name__}.CACHE[str][0]"


def test_no_text_of_the_application_is_in_the_result():
    CACHE["password"] = {"user@example.org": "hunter2" * 100_000, 5: ["hunter3" * 100_000]}

    document = look(lambda: CACHE.update(more={"other@example.org": "hunter4" * 100_000}), again_after_s=0.001)

    text = json.dumps(document | {"result": repr(document["result"].summary)})
    assert "hunter" not in text
    assert "example.org" not in text
    assert "CACHE" in text


def test_sizes_are_those_of_getsizeof():
    _heap.set_types(collections.deque, array.array)
    things = [
        *("", "a", "é", "中" * 10, "😀", b"", b"abc", bytearray(100), 0, 1, -5, 2**100, True, 1.5, 3j, None),
        *([], [1, 2], list(range(100)), (), (1,), {}, {"a": 1}, dict.fromkeys(range(1000)), set(), {1}, set(range(99))),
        *(frozenset(range(50)), range(3), slice(1), object(), memoryview(b"x"), len, sys, type, Leak(1), Slotted()),
        *(array.array("d", [1] * 77), array.array("b"), collections.deque(), collections.deque(range(1000))),
        *(time.localtime(), test_sizes_are_those_of_getsizeof, Path()),
    ]
    classes = type

    wrong = [thing for thing in things if type(thing) is not classes and _heap.size(thing) != sys.getsizeof(thing)]

    assert not wrong


def test_hostile_objects_are_never_asked_anything():
    asked = []

    def ask(*_, **__):
        asked.append(1)
        raise AssertionError

    class Meta(type):
        __getattribute__ = ask
        __eq__ = ask
        __hash__ = type.__hash__

    names = ("__getattribute__", "__eq__", "__hash__", "__repr__", "__str__", "__len__", "__bool__", "__sizeof__")
    hostile_class = Meta("Hostile", (), dict.fromkeys(names, ask) | {"__class__": property(ask)})
    hostile_dict = type("HostileDict", (dict,), dict.fromkeys((*names, "__iter__", "__getitem__", "items"), ask))
    hostile_list = type("HostileList", (list,), dict.fromkeys((*names, "__iter__", "__getitem__"), ask))
    things = [[object.__new__(hostile_class) for _ in range(50)], hostile_dict(), hostile_list([1])]
    dict.__setitem__(things[1], "key", ["k" * 600_000])
    CACHE["hostile"] = things

    document = look(lambda: things[0].append(object.__new__(hostile_class)), again_after_s=0.001)

    assert not asked
    assert counts(document)[f"{__name__}.Hostile"] == 51
    assert any(row["bytes"] > 600_000 for row in document["largest"])


def test_nothing_is_kept_alive_and_no_callback_is_called():
    called = []
    thing = Leak(1)
    reference = weakref.ref(thing, called.append)
    references = sys.getrefcount(thing)

    look()
    assert not called
    assert sys.getrefcount(thing) == references
    del thing
    assert reference() is None


def test_the_application_waits_for_the_copy_alone():
    CACHE["many"] = [[number] for number in range(300_000)]
    longest, stop = [0.0], threading.Event()

    def ticks():
        last = time.perf_counter()
        while not stop.is_set():
            time.sleep(0)
            now = time.perf_counter()
            longest[0] = max(longest[0], now - last)
            last = now

    thread = threading.Thread(target=ticks)
    thread.start()
    document = look()
    stop.set()
    thread.join()

    assert document["objects"] > 300_000
    assert 0 < document["longest_pause_ms"] < 1000 * longest[0] + 1, "what is said is what was felt, or less"


def children():
    """Pids of all threads' children, zombies included."""
    return {pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()}


def test_it_is_no_child_that_the_application_could_wait_for():
    hears = []
    before = signal.signal(signal.SIGCHLD, lambda *_: hears.append(1))
    try:
        others = children()
        look()
        assert children() == others
    finally:
        signal.signal(signal.SIGCHLD, before)
    assert not hears


def descriptors():
    return {path.name for path in Path("/proc/self/fd").iterdir() if path.exists()}


def test_no_descriptor_is_opened_or_held():
    before = descriptors()
    reader, writer = os.pipe()
    image = _heap.take(1_000_000, sys.modules, None, False, None, None)
    os.close(writer)
    assert os.read(reader, 1) == b"", "the copy holds no end of it"
    while not _heap.ended(image):
        time.sleep(0.001)
    os.close(reader)

    assert descriptors() == before


def test_one_that_takes_too_long_is_ended():
    CACHE["many"] = [[number] for number in range(400_000)]
    tool = Heap()
    chosen = {name: option.default for name, option in Heap.options.items()} | {"time_limit_s": 0.001}

    others = children()

    with pytest.raises(ToolError) as slow:
        tool.start(chosen, 0)

    assert slow.value.reason == "too_slow"
    tool.abort()
    assert children() == others, "no zombie either"


def test_a_copy_that_would_take_too_long_is_not_made():
    with pytest.raises(ToolError) as refused:
        look(max_pause_ms=0.0001)

    assert refused.value.reason == "too_slow"
    assert "max_pause_ms" in str(refused.value)


def test_objects_beyond_the_limit_are_left_out_and_counted():
    CACHE["many"] = [[number] for number in range(100_000)]

    document = look(max_objects=50_000)

    assert document["objects"] <= 50_000 + 2**14
    assert document["left_out"] > 0
    assert any("max_objects" in note for note in document["result"].notes)


def test_when_the_looking_process_dies_this_one_goes_on():
    image = _heap.take(1_000_000, sys.modules, None, False, None, None)
    _heap.end(image)

    assert _heap.ended(image)
    assert _heap.outcome(image)["status"] in {0, signal.SIGKILL}


def test_memory_as_the_kernel_and_the_allocators_see_it():
    CACHE["held"] = bytearray(32 << 20)
    memory = look()["memory"]

    assert memory["kernel"]["rss"] >= memory["kernel"]["private"] >= 32 << 20
    if sys.getallocatedblocks():  # not with PYTHONMALLOC=malloc
        assert memory["objects"]["arena_bytes"] >= memory["objects"]["used_bytes"] > 0
    if memory["native"].get("heap_bytes"):  # a sanitizer's allocator says nothing
        assert memory["native"]["mapped_bytes"] + memory["native"]["heap_bytes"] >= 32 << 20
    assert kernel_memory().keys() >= {"rss", "private"}


def test_the_need_for_memory_is_known_before():
    chosen = {name: option.default for name, option in Heap.options.items()}
    small = Heap.needs_bytes(chosen | {"max_objects": 10_000})

    assert 0 < small < Heap.needs_bytes(chosen)
    assert Heap.needs_bytes(chosen) < sys.getallocatedblocks() * 400 + kernel_memory()["rss"] * 8 + (256 << 20)


@pytest.mark.slow
def test_runs_leave_nothing_behind():
    def blocks():
        for _ in range(3):
            look(lambda: None, again_after_s=0.001)
        gc.collect()
        return sys.getallocatedblocks(), kernel_memory()["rss"]

    blocks()
    before = blocks()
    after = blocks()
    assert after[0] - before[0] < 200
    assert after[1] - before[1] < 8 << 20


def test_a_fork_in_the_midst_leaves_the_copy_to_the_parent(tmp_path):
    program = """
    import gc, json, os, sys, time
    from sonde.probe.tools import _heap
    from sonde.probe.tools.heap import Heap
    filler = [[n] for n in range(300_000)]
    chosen = {name: option.default for name, option in Heap.options.items()}
    tool = Heap()
    tool._native, tool._options = _heap, chosen
    tool._image = _heap.take(2_000_000, sys.modules, None, False, None, None)
    pid = os.fork()
    if pid == 0:
        tool.after_fork()
        gc.collect()
        other = Heap()
        other.start(chosen, 0)
        os._exit(0 if other.stop().summary["objects"] > 300_000 else 1)
    _, status = os.waitpid(pid, 0)
    assert status == 0, status
    while not _heap.ended(tool._image):
        time.sleep(0.01)
    assert json.loads(tool._outcome())["objects"] > 300_000
    print("done")
    """
    script = tmp_path / "program.py"
    script.write_text(textwrap.dedent(program))
    outcome = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False, env=os.environ
    )

    assert outcome.stdout == "done\n", outcome.stderr
