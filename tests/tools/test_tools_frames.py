"""Frames read from memory are those that Python says a thread has: functions, files, first lines and lines."""

import asyncio
import contextlib
import gc
import os
import subprocess
import sys
import textwrap
import threading
import traceback

import pytest

# ruff: noqa: S102 - code of odd shapes is made here

_stacks = pytest.importorskip("sonde.probe.tools._stacks")

pytestmark = pytest.mark.skipif(bool(_stacks.init()), reason="frames cannot be read on this Python")


def said_by_python(frame):
    rows = []
    while frame is not None:
        code = frame.f_code
        rows.append((code.co_qualname, code.co_filename, code.co_firstlineno, frame.f_lineno))
        frame = frame.f_back
    return rows


def read(frames):
    return [row[:4] for row in frames]


def own_and_said():
    return _stacks.own(), said_by_python(sys._getframe())


def check_here():
    """Everything but this helper's line, which moves between the two."""
    own, said = own_and_said()
    assert [row[:3] for row in own[:2]] == [row[:3] for row in said[:2]]
    assert read(own)[1:] == said[1:]
    return len(own)


@contextlib.contextmanager
def held(function, *args):
    """A thread that stands still inside of `function(stop, *args)`."""
    stands, go_on = threading.Event(), threading.Event()

    def stop():
        stands.set()
        go_on.wait(30)

    thread = threading.Thread(target=function, args=(stop, *args))
    thread.start()
    try:
        assert stands.wait(30)
        yield thread
    finally:
        go_on.set()
        thread.join(30)


def settled(thread):
    """Where it stands, once it does: inside of the wait."""
    while True:
        said = said_by_python(sys._current_frames()[thread.ident])
        found = read(_stacks.walk(thread.native_id))
        if said[0][0] == "Condition.wait" and found[0][0] == "Condition.wait":
            return found, said


def test_the_calling_threads_frames_are_those_of_its_traceback():
    class Shop:
        @property
        def price(self):
            return [check_here() for _ in range(1)][0]  # noqa: RUF015 - a frame of its own before 3.12

    assert [look() for look in [lambda: Shop().price]][0] > 3  # noqa: RUF015


def test_frames_of_generators_and_coroutines_are_there():
    def inner():
        yield check_here()

    def outer():
        yield from inner()

    async def step():
        return next(outer())

    async def main():
        return await asyncio.create_task(step())

    assert asyncio.run(main()) > 6


def test_frames_called_back_from_c_are_there():
    assert max([3, 1, 2], key=lambda _: check_here()) in {1, 2, 3}
    assert sorted(map(lambda _: check_here(), [1])) != []  # noqa: C417


def test_a_line_is_found_in_code_of_any_shape():
    """Long jumps of lines, lines that go back, lines without columns, and no lines at all."""
    source = (
        "def f(check):\n"
        + "\n" * 3000
        + "    x = [\n"
        + "        0,\n" * 400
        + "        check(\n        ),\n    ]\n"
        + "    return x\n"
    )
    space = {}
    exec(compile(source, "wide.py", "exec"), space)

    assert space["f"](check_here)[-1] > 3
    exec(compile("check()", "λ/ünï😀.py", "exec"), {"check": check_here})


def test_a_table_of_lines_that_no_compiler_made_is_read_all_the_same():
    """Another thread's code may be gone while it is read. `make sanitize` would say that a sum was too large."""
    source = "def reading():\n" + "    x = 1\n" * 40 + "    return own()"
    scope = {"own": _stacks.own}
    exec(source, scope)
    eight_units_far_below = b"\xf7\x7e\x7f\x7f\x7f\x3f"  # Objects/locations.md of CPython: 2**29 - 1 lines further
    reading = scope["reading"]
    reading.__code__ = reading.__code__.replace(co_linetable=eight_units_far_below * 40)

    name, _, first, line = reading()[0][:4]

    wrapped = {(first + at * (2**29 - 1) + 2**31) % 2**32 - 2**31 for at in range(1, 41)}
    assert (name, line in wrapped) == ("reading", True)


def test_another_threads_frames_are_read_while_it_stands():
    with held(lambda stop: stop()) as thread:
        found, said = settled(thread)

    assert found == said
    assert found[-1][0] == "Thread._bootstrap"


def test_a_stack_of_a_thousand_frames_is_read_whole():
    def deep(stop, depth):
        return deep(stop, depth - 1) if depth else stop()

    with held(deep, 900) as thread:
        found, said = settled(thread)

    assert len(found) > 900
    assert found == said


def test_a_frame_too_large_for_a_piece_of_stack_is_read():
    names = ", ".join(f"a{at}" for at in range(9000))
    space = {}
    exec(f"def wide(stop):\n    ({names}) = range(9000)\n    return inner(stop)\ndef inner(stop):\n    stop()", space)

    with held(space["wide"]) as thread:
        found, said = settled(thread)

    assert found == said
    assert "wide" in [row[0] for row in found]


def test_a_coroutine_deep_in_others_is_read_while_it_blocks():
    def run(stop):
        async def down(depth):
            if depth:
                return await down(depth - 1)
            return stop()

        asyncio.run(down(50))

    with held(run) as thread:
        found, said = settled(thread)

    assert [row[0] for row in found].count(
        "test_a_coroutine_deep_in_others_is_read_while_it_blocks.<locals>.run.<locals>.down"
    ) == 51
    assert found == said


def test_a_thread_that_is_not_there_is_nobody():
    assert _stacks.walk(os.getpid() + 10_000_000) is None
    thread = threading.Thread(target=bool)
    thread.start()
    thread.join()
    while _stacks.walk(thread.native_id) is not None:  # Python forgets it a moment after it can be joined
        gc.collect()


def run_python(source, *arguments, **more):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(source), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **more,
    )


def test_a_child_reads_its_own_memory_and_not_its_parents():
    """The child's stack is longer: were the parent's read, it would be the parent's."""

    def in_child():
        try:
            check_here()
        except AssertionError:
            traceback.print_exc()
            return 1
        thread_rows = read(_stacks.walk(threading.get_native_id()))
        return 0 if "in_child" in thread_rows[0][0] or "in_child" in str(thread_rows) else 2

    pid = os.fork()
    if pid == 0:
        os._exit(in_child())
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_where_process_vm_readv_is_refused_the_memory_file_is_read():
    """As under a container's seccomp profile: the call answers EPERM."""
    result = run_python(
        """
        import ctypes, errno, struct, sys, threading
        libc = ctypes.CDLL(None, use_errno=True)
        number = {"x86_64": 310, "aarch64": 270}[__import__("platform").machine()]
        # load the number of the call; if it is that one, EPERM, else go on
        program = b"".join(struct.pack("HBBI", *line) for line in (
            (0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050000 | errno.EPERM), (0x06, 0, 0, 0x7FFF0000)))
        buffer = ctypes.create_string_buffer(program)
        class Filter(ctypes.Structure):
            _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
        assert libc.prctl(38, 1, 0, 0, 0) == 0
        wanted = Filter(4, ctypes.addressof(buffer))
        assert libc.prctl(22, 2, ctypes.byref(wanted), 0, 0) == 0
        from sonde.probe.tools import _stacks
        assert _stacks.init() == "", _stacks.init()
        def here():
            return [row[0] for row in _stacks.own()], [row[0] for row in _stacks.walk(threading.get_native_id())]
        own, read = here()
        assert own == read == ["here", "<module>"], (own, read)
        import os
        if os.fork() == 0:
            def in_child():
                return here()
            own, read = in_child()
            os._exit(own != ["here", "in_child", "<module>"] or read != own)
        assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
        print(_stacks.way())
        """
    )

    assert result.stdout.strip() == "/proc/self/mem", result.stderr


def test_reading_while_threads_come_and_go_never_fails():
    """Threads that live for a moment, code that is made and thrown away, collections of garbage."""
    result = run_python(
        """
        import gc, threading, time
        from sonde.probe.tools import _stacks
        assert not _stacks.init()
        until = time.monotonic() + 2
        def short():
            space = {}
            exec("def f(n):\\n    return f(n - 1) if n else n\\nf(20)", space)
        def churn():
            while time.monotonic() < until:
                thread = threading.Thread(target=short)
                thread.start()
                thread.join()
                gc.collect(0)
        churners = [threading.Thread(target=churn) for _ in range(3)]
        for thread in churners:
            thread.start()
        seen = rounds = 0
        while time.monotonic() < until:
            content, threads, left_out, cut = _stacks.capture(0, 50)
            seen, rounds = max(seen, threads), rounds + 1
        for thread in churners:
            thread.join()
        print(seen, rounds)
        """
    )

    assert result.returncode == 0, result.stderr
    seen, rounds = map(int, result.stdout.split())
    assert seen >= 4
    assert rounds > 20


def test_a_sub_interpreter_is_told_that_it_cannot():
    result = run_python(
        """
        try:
            import _xxsubinterpreters as interpreters
        except ImportError:
            import _interpreters as interpreters
        one = interpreters.create()
        tried = "try:\\n  from sonde.probe.tools import _stacks\\nexcept ImportError:\\n  print('refused', flush=True)"
        interpreters.run_string(one, tried)
        from sonde.probe.tools import _stacks
        print(repr(_stacks.init()))
        """
    )

    assert result.stdout.split() == ["refused", "''"], result.stderr
