"""calls: the graph of real programs, watched from a thread beside them as the tool host does."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from sonde.probe import core
from sonde.probe.tools.calls import Calls
from sonde.probe.tools.tool import ToolError
from sonde.wire.calls import CALLS, EXCLUSIVE, INCLUSIVE, WAITING, totals

BY_MONITORING = sys.version_info >= (3, 12)
OUTSIDE = -1


class Graph:
    """calls.json, by names."""

    def __init__(self, result) -> None:
        self.result = result
        self.document = json.loads(result.artifacts[0].content)
        self.names = [function[0] for function in self.document["functions"]]
        self.figures = dict(zip(self.names, totals(self.document), strict=True))

    def edge(self, caller, callee):
        """Calls, inclusive, exclusive."""
        found = [0, 0, 0]
        for at, to, *figures in self.document["edges"]:
            if self.names[to] == callee and (at == OUTSIDE) == (caller is None) and caller in {None, self.names[at]}:
                found = [a + b for a, b in zip(found, figures, strict=True)]
        return found

    def callers(self, callee):
        return {
            self.names[at] if at != OUTSIDE else None
            for at, to, *_ in self.document["edges"]
            if self.names[to] == callee
        }


def defaults(**options):
    return {name: option.default for name, option in Calls.options.items()} | options


class Watch:
    """The tool, in a thread of its own between `with` and its end."""

    def __init__(self, **options) -> None:
        self.options = defaults(**options)
        self.tool = Calls()
        self._on, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._host)
        self.error = None
        self.result = None

    def _host(self) -> None:
        try:
            self.tool.start(self.options, 60)
        except BaseException as error:
            self.error = error
            return
        finally:
            self._on.set()
        self._over.wait()
        self.result = self.tool.stop()

    def __enter__(self):
        self._thread.start()
        self._on.wait()
        if self.error:
            self._thread.join()
            raise self.error
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()


def graph_of(function, **options):
    with Watch(**options) as watch:
        function()
    return Graph(watch.result)


def nothing():
    pass


def leaf():
    time.sleep(0.02)


def branch():
    leaf()
    leaf()
    time.sleep(0.01)


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def test_calls_are_counted_by_caller_and_callee_and_times_add_up():
    graph = graph_of(branch)

    calls, inclusive, exclusive = graph.edge("branch", "leaf")
    assert calls == 2
    assert inclusive >= 40e6
    assert exclusive < 10e6, "sleeping is a call of C"
    assert graph.edge(None, "branch")[0] == 1
    assert graph.figures["branch"][INCLUSIVE] >= 50e6
    assert graph.edge("leaf", "time.sleep")[0] == 2
    assert graph.edge("branch", "time.sleep")[0] == 1
    assert graph.figures["time.sleep"][EXCLUSIVE] >= 50e6
    edges = ((None, "branch"), ("branch", "leaf"), ("leaf", "time.sleep"), ("branch", "time.sleep"))
    of_this_thread = sum(graph.edge(*edge)[2] for edge in edges)
    assert of_this_thread <= graph.document["duration_ns"]
    inside = sum(graph.edge("branch", name)[1] for name in ("leaf", "time.sleep"))
    assert inside + graph.figures["branch"][EXCLUSIVE] == pytest.approx(graph.figures["branch"][INCLUSIVE], abs=10)


def test_without_c_functions_their_time_is_their_callers():
    graph = graph_of(branch, c_functions=False)

    assert "time.sleep" not in graph.names
    assert graph.figures["leaf"][EXCLUSIVE] >= 40e6


def test_recursion_counts_inclusive_time_once():
    graph = graph_of(lambda: fib(12))

    assert graph.figures["fib"][CALLS] == 465
    assert graph.edge("fib", "fib")[:2] == [464, 0]
    assert graph.figures["fib"][INCLUSIVE] == pytest.approx(graph.figures["fib"][EXCLUSIVE], rel=0.001)


def test_mutual_recursion_counts_each_once():
    def odd(n):
        return n != 0 and even(n - 1)

    def even(n):
        return n == 0 or odd(n - 1)

    graph = graph_of(lambda: even(100))

    name = "test_mutual_recursion_counts_each_once.<locals>."
    even_figures, odd_figures = graph.figures[f"{name}even"], graph.figures[f"{name}odd"]
    assert (even_figures[CALLS], odd_figures[CALLS]) == (51, 50)
    assert odd_figures[INCLUSIVE] < even_figures[INCLUSIVE] <= graph.document["duration_ns"]


def test_exceptions_that_unwind_many_frames_leave_nothing_open():
    def deep(n):
        if n == 0:
            raise KeyError("found")
        deep(n - 1)

    def caught():
        with pytest.raises(KeyError):
            deep(200)
        nothing()

    graph = graph_of(caught)

    name = "test_exceptions_that_unwind_many_frames_leave_nothing_open.<locals>."
    assert graph.figures[f"{name}deep"][CALLS] == 201
    assert graph.edge(f"{name}caught", "nothing")[0] == 1, "the stack was unwound to where it was caught"


def test_c_functions_that_raise_are_ended():
    def tries():
        for _ in range(10):
            with contextlib.suppress(ValueError):
                int("x")
            try:
                [].pop()
            except IndexError:
                nothing()

    graph = graph_of(tries)

    name = "test_c_functions_that_raise_are_ended.<locals>.tries"
    assert graph.edge(name, "list.pop")[0] == 10
    assert graph.edge(name, "nothing")[0] == 10
    if BY_MONITORING:
        assert graph.edge(name, "int")[0] == 10


def test_bound_methods_of_many_objects_are_one_function():
    def appends():
        for _ in range(100):
            [].append(1)

    graph = graph_of(appends)

    assert graph.figures["list.append"][CALLS] == 100
    assert sum(name.startswith("list.append") for name in graph.names) == 1


def test_callbacks_from_c_have_the_c_function_as_caller():
    def by(value):
        return -value

    graph = graph_of(lambda: sorted(range(10), key=by))

    assert graph.edge("builtins.sorted", "test_callbacks_from_c_have_the_c_function_as_caller.<locals>.by")[0] == 10


def test_time_between_yield_and_resume_belongs_to_nobody():
    def numbers():
        yield 1
        yield 2

    def reads():
        for _ in numbers():
            time.sleep(0.02)

    graph = graph_of(reads)

    generator = graph.figures["test_time_between_yield_and_resume_belongs_to_nobody.<locals>.numbers"]
    assert generator[CALLS] == 1
    assert generator[INCLUSIVE] < 10e6
    assert generator[WAITING] == 0, "only what awaits waits"


def test_coroutines_that_interleave_keep_their_own_times_and_their_waiting():
    async def busy():
        until = time.perf_counter() + 0.01
        while time.perf_counter() < until:
            pass

    async def waits(s):
        await asyncio.sleep(s)
        await busy()

    async def many():
        await asyncio.gather(*(waits(0.05) for _ in range(4)))

    took = []

    def watched():
        began = time.perf_counter_ns()
        asyncio.run(many())
        took.append(time.perf_counter_ns() - began)

    graph = graph_of(watched)

    name = "test_coroutines_that_interleave_keep_their_own_times_and_their_waiting.<locals>."
    waits_figures, busy_figures = graph.figures[f"{name}waits"], graph.figures[f"{name}busy"]
    assert (waits_figures[CALLS], busy_figures[CALLS]) == (4, 4)
    assert waits_figures[WAITING] >= 4 * 45e6
    # One thread: what runs by turns takes no longer together than all of it.
    assert 38e6 <= busy_figures[INCLUSIVE] <= waits_figures[INCLUSIVE] < took[0]
    assert graph.edge(f"{name}waits", f"{name}busy")[0] == 4


def test_a_generator_that_is_closed_or_thrown_into_is_left():
    def guarded():
        try:
            yield 1
            yield 2
        except ValueError:
            yield 3
        finally:
            nothing()

    def uses():
        one = guarded()
        next(one)
        one.close()
        two = guarded()
        next(two)
        two.throw(ValueError)
        list(two)
        leaf()

    graph = graph_of(uses)

    name = "test_a_generator_that_is_closed_or_thrown_into_is_left.<locals>."
    assert graph.edge(f"{name}guarded", "nothing")[0] == 2
    assert graph.edge(f"{name}uses", "leaf")[0] == 1


def test_threads_that_begin_during_the_run_are_seen():
    def fresh():
        for _ in range(50):
            nothing()

    def begins():
        threads = [threading.Thread(target=fresh) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    graph = graph_of(begins)

    assert graph.edge("test_threads_that_begin_during_the_run_are_seen.<locals>.fresh", "nothing")[0] == 250


def test_threads_that_were_there_are_seen_and_what_is_on_their_stacks_is_outside():
    begun, go, stop = threading.Event(), threading.Event(), threading.Event()

    def inner():
        begun.set()
        go.wait()
        nothing()

    def long_there():
        inner()
        leaf()
        stop.wait()

    thread = threading.Thread(target=long_there)
    thread.start()
    begun.wait()

    def lets_go():
        go.set()
        time.sleep(0.1)

    graph = graph_of(lets_go)
    stop.set()
    thread.join()

    assert graph.callers("nothing") == {None}
    assert graph.edge(None, "leaf")[0] == 1
    assert not any(figure < 0 for figures in graph.figures.values() for figure in figures)


def test_calls_still_open_at_the_end_count_up_to_it():
    begun, stop = threading.Event(), threading.Event()

    def stays():
        begun.set()
        stop.wait()

    thread = threading.Thread(target=stays)

    def begins():
        thread.start()
        begun.wait()
        time.sleep(0.05)

    graph = graph_of(begins)
    stop.set()
    thread.join()

    figures = graph.figures["test_calls_still_open_at_the_end_count_up_to_it.<locals>.stays"]
    assert figures[CALLS] == 1
    assert 40e6 <= figures[INCLUSIVE] <= graph.document["duration_ns"]


def test_deep_recursion_is_followed():
    def deep(n):
        return n and deep(n - 1)

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(30_000)
    try:
        graph = graph_of(lambda: deep(20_000))
    finally:
        sys.setrecursionlimit(limit)

    assert graph.figures["test_deep_recursion_is_followed.<locals>.deep"][CALLS] == 20_001


@pytest.mark.skipif(BY_MONITORING, reason="frames are evaluated without us")
def test_recursion_that_would_fill_the_stack_goes_on_uncounted():
    def deep(n):
        return n and 1 + deep(n - 1)

    found = []

    def in_a_thread():
        found.append(deep(20_000))

    limit, size = sys.getrecursionlimit(), threading.stack_size(1 << 20)
    sys.setrecursionlimit(30_000)
    try:
        thread = threading.Thread(target=in_a_thread)
        with Watch(c_functions=False) as watch:
            thread.start()
            thread.join()
            nothing()
    finally:
        sys.setrecursionlimit(limit)
        threading.stack_size(size)

    graph = Graph(watch.result)
    assert found == [20_000]
    name = "test_recursion_that_would_fill_the_stack_goes_on_uncounted.<locals>.deep"
    assert 100 < graph.figures[name][CALLS] < 20_001
    assert graph.figures["nothing"][CALLS] == 1, "it is heard again afterwards"
    assert any("half of a thread's stack" in note for note in watch.result.notes)


def test_python_calls_are_the_same_with_and_without_those_of_c():
    def numbers():
        yield from range(3)

    async def waits():
        await asyncio.sleep(0)
        nothing()

    def fails():
        raise LookupError

    def work():
        fib(10)
        sorted([3, 1, 2], key=lambda n: -n)
        assert list(numbers()) == [0, 1, 2]
        asyncio.run(waits())
        with contextlib.suppress(LookupError):
            fails()
        thread = threading.Thread(target=nothing)
        thread.start()
        thread.join()

    def counts(graph):
        rows = zip(graph.document["functions"], totals(graph.document), strict=True)
        return {name.rpartition(".")[2]: figures[CALLS] for (name, file, _), figures in rows if file == __file__}

    both = counts(graph_of(work))
    python = counts(graph_of(work, c_functions=False))

    assert both == python
    assert {name: python[name] for name in ("fib", "numbers", "waits", "fails", "nothing", "<lambda>")} == {
        "fib": 177,
        "numbers": 1,
        "waits": 1,
        "fails": 1,
        "nothing": 2,
        "<lambda>": 3,
    }


def test_functions_without_room_share_a_row():
    space = {}
    exec("\n".join(f"def f{i}(): pass" for i in range(300)), space)  # noqa: S102 - functions that nobody else has

    graph = graph_of(lambda: [space[f"f{i}"]() for i in range(300)], max_functions=100)

    assert graph.figures["(others)"][CALLS] >= 200
    assert any("max_functions" in note for note in graph.result.notes)


def serve(name):
    """A request, named when it is routed."""
    with core.scope(core.operation("GET", core.SERVER)) as span:
        span.rename(name)
        nothing()
        return span.trace_id


@pytest.mark.skipif(not core.NATIVE, reason="the Python twin does not say which request runs")
def test_only_requests_of_an_endpoint_or_a_trace():
    core.start({}, "", hello={})
    try:
        serves = [f"GET /{name}" for name in "aab"]
        graph = graph_of(lambda: [serve(name) for name in serves], endpoint="GET /a")
        assert graph.figures["nothing"][CALLS] == 2
        assert "serve" not in graph.names
        assert graph_of(lambda: [serve(name) for name in serves], endpoint="GET *").figures["nothing"][CALLS] == 3

        with core.scope(core.operation("job", core.CONSUMER)) as span:

            def work():
                nothing()
                threading.Thread(target=leaf).start()

            graph = graph_of(work, trace=span.trace_id)
        assert graph.figures["nothing"][CALLS] == 1
        assert "leaf" not in graph.names, "another thread is another context"
        assert graph_of(lambda: serve("x"), endpoint="GET /none").document["edges"] == []
    finally:
        core.stop(0)
        core.drain()


@pytest.mark.skipif(not core.NATIVE, reason="the Python twin does not say which request runs")
def test_tasks_of_other_requests_are_left_out():
    async def handler(name):
        with core.scope(core.operation("GET", core.SERVER)) as span:
            span.rename(name)
            for _ in range(10):
                await asyncio.sleep(0)
                nothing()

    async def many():
        await asyncio.gather(*(handler(name) for name in ("GET /a", "GET /b", "GET /a", "GET /b")))

    core.start({}, "", hello={})
    try:
        graph = graph_of(lambda: asyncio.run(many()), endpoint="GET /a")
    finally:
        core.stop(0)
        core.drain()

    assert graph.figures["nothing"][CALLS] == 20


def test_a_trace_that_is_none_is_refused():
    with pytest.raises(ToolError) as refused, Watch(trace="12"):
        pass

    assert refused.value.reason == "bad_options"


@pytest.mark.skipif(not BY_MONITORING, reason="sys.monitoring")
def test_tool_ids_that_others_hold_are_left_to_them():
    monitoring = sys.monitoring
    taken = [number for number in (2, 3, 4, 5) if monitoring.get_tool(number) is None]
    for number in taken:
        monitoring.use_tool_id(number, f"somebody {number}")
    try:
        state = Calls.state()
        assert not state.available
        assert "somebody 3" in state.why_not
        with pytest.raises(ToolError) as refused, Watch():
            pass
        assert refused.value.reason == "unavailable"
        assert monitoring.get_tool(3) == "somebody 3"
    finally:
        for number in taken:
            monitoring.free_tool_id(number)
    assert Calls.state().available


@pytest.mark.skipif(BY_MONITORING, reason="before sys.monitoring there was room for one profiler")
def test_another_profiler_is_left_alone():
    seen = []
    sys.setprofile(lambda *_: seen.append(1))
    try:
        assert not Calls.state().available
        with pytest.raises(ToolError) as refused, Watch():
            pass
        nothing()
    finally:
        sys.setprofile(None)

    assert refused.value.reason == "unavailable"
    assert "profile" in str(refused.value)
    assert seen


def switched_off():
    if BY_MONITORING:
        return all(sys.monitoring.get_tool(number) != "sonde calls" for number in range(6))
    return sys.getprofile() is None and threading.getprofile() is None


def test_nothing_is_left_on_after_stop_or_abort():
    assert graph_of(nothing).figures["nothing"][CALLS] == 1
    assert switched_off()

    with Watch() as watch:
        nothing()
        watch.tool.stop = watch.tool.abort
    assert switched_off()
    assert watch.result is None
    assert graph_of(nothing).figures["nothing"][CALLS] == 1, "and it can begin again"


def test_a_second_run_at_the_same_time_is_refused_and_the_first_goes_on():
    with Watch() as watch:
        with pytest.raises(ToolError), Watch():
            pass
        nothing()

    assert Graph(watch.result).figures["nothing"][CALLS] == 1


def test_runs_leave_no_memory_behind():
    def work():
        fib(8)
        sorted([2, 1], key=lambda value: value)
        with pytest.raises(KeyError):
            {}[1]

    def blocks():
        for _ in range(20):
            graph_of(work)
        gc.collect()
        return sys.getallocatedblocks()

    blocks()
    before = blocks()
    assert blocks() - before < 200


def test_functions_that_end_during_the_run_keep_their_names():
    def makes():
        for number in range(200):
            space = {}
            exec(f"def made_{number}(): pass\nmade_{number}()", space)  # noqa: S102 - functions that nobody else has

    graph = graph_of(makes)

    assert all(graph.figures[f"made_{number}"][CALLS] == 1 for number in range(200))


def test_a_forked_child_is_not_watched(tmp_path):
    program = """
    import os, sys, threading, time
    sys.path[:0] = [{tests!r}]
    from test_tools_calls import Watch, Graph, nothing, switched_off

    with Watch() as watch:
        os.register_at_fork(after_in_child=watch.tool.after_fork)
        pid = os.fork()
        if pid == 0:
            off = switched_off()
            for _ in range(1000): nothing()
            watch.tool.abort()
            os._exit(0 if off else 1)
        _, status = os.waitpid(pid, 0)
        nothing()
    assert status == 0, status
    assert Graph(watch.result).figures["nothing"][0] == 1
    print("done")
    """
    script = tmp_path / "program.py"
    script.write_text(textwrap.dedent(program).format(tests=str(Path(__file__).parent)))
    outcome = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False, env=os.environ
    )

    assert outcome.stdout == "done\n", outcome.stderr


def test_threads_that_come_and_go_leave_nothing_behind():
    def short():
        nothing()

    def begins():
        for _ in range(300):
            thread = threading.Thread(target=short)
            thread.start()
            thread.join()

    graph = graph_of(begins)

    assert graph.figures["nothing"][CALLS] == 300


def test_hostile_callables_are_named_without_running_them():
    class Meta(type):
        def __getattribute__(cls, name):
            raise AssertionError(name)

    class Hostile(metaclass=Meta):
        def __getattribute__(self, name):
            raise AssertionError(name)

        def __eq__(self, other):
            raise AssertionError

        __hash__ = None

        def __call__(self):
            return 1

    hostile = Hostile()
    graph = graph_of(lambda: (hostile(), Hostile()))

    assert any(name.endswith("Hostile.__call__") for name in graph.names)
