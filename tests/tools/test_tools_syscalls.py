"""syscalls: real calls that are made slow, hooked from a thread beside them as the tool host does."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import selectors
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sonde.probe import core
from sonde.probe.log_records import log_records
from sonde.probe.tools.places import Place
from sonde.probe.tools.syscalls import Syscalls
from sonde.probe.tools.syscalls import watch as watching
from sonde.probe.tools.syscalls.slow import Slow
from sonde.probe.tools.tool import ToolError

_syscalls = pytest.importorskip("sonde.probe.tools._syscalls")

pytestmark = pytest.mark.skipif(bool(_syscalls.init()), reason="system calls cannot be hooked here")

MS = 1_000_000
NOT_OPEN = -1


class Watched:
    """The tool, in a thread of its own between `with` and its end."""

    def __init__(self, **options) -> None:
        self.options = {name: option.default for name, option in Syscalls.options.items()} | options
        self.result = None
        self._on, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        tool = Syscalls()
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
    def calls(self):
        return json.loads(self.result.artifacts[0].content)["calls"]

    def only(self, name):
        (found,) = [call for call in self.calls if call["call"] == name]
        return found


def slow_sleep():
    time.sleep(0.03)


def test_a_slow_call_is_told_with_line_and_duration():
    with Watched() as watched:
        slow_sleep()

    call = watched.only("sleep")
    assert call["line"] == {
        "function": "slow_sleep",
        "file": __file__,
        "line": slow_sleep.__code__.co_firstlineno + 1,
    }
    assert 30 * MS <= call["ns"] < 1000 * MS
    assert call["stack"][1][0] == "test_a_slow_call_is_told_with_line_and_duration"
    (line,) = [line for line in watched.result.summary["lines"] if line["call"] == "sleep"]
    assert (line["function"], line["count"]) == ("slow_sleep", 1)
    profile = json.loads(watched.result.artifacts[1].content)
    assert ["sleep()", "", 0] in profile["frames"]


def test_quick_calls_are_none():
    with Watched(threshold_ms=500.0) as watched:
        slow_sleep()

    assert watched.calls == []


def test_a_socket_is_named_by_its_address_and_never_by_what_came():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        port = server.getsockname()[1]
        there, _ = server.accept()
        timer = threading.Timer(0.05, there.send, (b"a secret",))
        with Watched() as watched:
            timer.start()
            assert client.recv(20) == b"a secret"
        timer.join()
        there.close()

    call = watched.only("recv")
    assert call["what"] == f"tcp 127.0.0.1:{port}"
    assert b"secret" not in watched.result.artifacts[0].content


def test_a_socket_with_a_timeout_waits_in_poll():
    here, there = socket.socketpair()
    here.settimeout(0.05)
    with here, there, Watched() as watched, pytest.raises(TimeoutError):
        here.recv(1)

    assert watched.only("poll")["descriptor"] > 0


def test_a_file_lock_is_a_slow_call_of_that_file(tmp_path):
    path = tmp_path / "lock"
    with path.open("w") as mine, path.open("w") as others:
        fcntl.flock(others, fcntl.LOCK_EX)
        timer = threading.Timer(0.05, fcntl.flock, (others, fcntl.LOCK_UN))
        with Watched() as watched:
            timer.start()
            fcntl.flock(mine, fcntl.LOCK_EX)
        timer.join()

    assert watched.only("flock")["what"] == str(path)


def test_a_child_process_is_waited_for_in_waitpid():
    with Watched() as watched:
        subprocess.run(["sleep", "0.05"], check=True)

    assert watched.only("waitpid")["ns"] > 20 * MS


def test_libraries_that_are_loaded_later_are_hooked_too():
    program = """
import sys, time
from sonde.probe.tools._syscalls import init, rescan, start, counts
assert not init()
before = start(10_000_000, False)
assert "_socket" not in sys.modules
import _socket
assert rescan()
assert counts()["slots"] > before, counts()
assert not rescan()
"""
    subprocess.run([sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}\n{program}"], check=True)


def test_locks_are_told_only_when_asked_for():
    lock = threading.Lock()
    lock.acquire()
    with Watched() as plain:
        lock.acquire(timeout=0.05)
    with Watched(locks=True) as watched:
        lock.acquire(timeout=0.05)

    assert [call for call in plain.calls if call["call"] == "lock"] == []
    mine = [call for call in watched.calls if call["call"] == "lock" and call["line"]["file"] == __file__]
    assert any(call["stack"][0][0] == "test_locks_are_told_only_when_asked_for" for call in mine)


def test_errors_are_as_they_were_and_told():
    here, there = socket.socketpair()
    here.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, b"\0" * 8 + (50_000).to_bytes(8, sys.byteorder))
    with here, there, Watched() as watched, pytest.raises(BlockingIOError):
        here.recv(1)

    assert watched.only("recv")["error"] == "EAGAIN"


def test_what_fails_at_once_fails_the_same(tmp_path):
    with Watched():
        for call, expected in (
            (lambda: os.read(NOT_OPEN, 1), errno.EBADF),
            (lambda: os.open(tmp_path / "none" / "x", os.O_RDONLY), errno.ENOENT),
            (lambda: os.waitpid(os.getpid(), 0), errno.ECHILD),
            (lambda: os.fsync(10_000), errno.EBADF),
        ):
            with pytest.raises(OSError, match="Errno") as raised:
                call()
            assert raised.value.errno == expected


def test_a_new_file_gets_the_mode_that_was_asked_for(tmp_path):
    """open() takes its third argument only where there is one."""
    before = os.umask(0)
    try:
        with Watched():
            os.close(os.open(tmp_path / "made", os.O_CREAT | os.O_WRONLY, 0o640))
            folder = os.open(tmp_path, os.O_RDONLY)
            os.close(os.open("beside", os.O_CREAT | os.O_WRONLY, 0o604, dir_fd=folder))
            os.close(folder)
            with (tmp_path / "made").open() as file:
                flags = fcntl.fcntl(file, fcntl.F_GETFD)
                fcntl.fcntl(file, fcntl.F_SETFD, flags | fcntl.FD_CLOEXEC)
                assert fcntl.fcntl(file, fcntl.F_GETFD) & fcntl.FD_CLOEXEC
    finally:
        os.umask(before)

    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "beside").stat().st_mode & 0o777 == 0o604


def test_a_signal_ends_a_call_as_it_did():
    """The handler raises, and the call ends with it at once."""

    class Rung(Exception):  # noqa: N818 - a bell, no error
        pass

    def ring(*_):
        raise Rung

    before = signal.signal(signal.SIGALRM, ring)
    here, there = socket.socketpair()
    try:
        with here, there, Watched() as watched:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            began = time.monotonic()
            with pytest.raises(Rung):
                here.recv(1)
            assert time.monotonic() - began < 5
    finally:
        signal.signal(signal.SIGALRM, before)

    assert watched.only("recv")["error"] == "EINTR"


def test_a_wait_for_work_is_left_out_and_counted():
    class Server:
        def serve_forever(self):
            with selectors.SelectSelector() as one:
                one.select(0.05)

    place = [Place("BaseServer.serve_forever", "/usr/lib/python3/socketserver.py", 1, 2)]
    select = Place("SelectSelector.select", "/usr/lib/python3/selectors.py", 1, 2)

    def slow(call, *stack):
        return Slow(call, 0, 50 * MS, 1, 0, -1, "", b"", b"", "", None, tuple(stack))

    assert slow("poll", Place("Host._live", watching.__file__, 1, 2)).is_ours
    assert not slow("poll", *place, select).is_ours
    assert slow("poll", *place, select).is_idle
    assert slow("accept").is_idle
    assert not slow("poll", select).is_idle
    assert not slow("recv", *place, select).is_idle
    assert not slow("read").is_idle
    with Watched() as watched:
        Server().serve_forever()
    assert len([call for call in watched.calls if call["call"] == "select"]) == 1


def test_a_slow_call_becomes_an_event_in_the_trace_it_held_up(tmp_path):
    core.start({"service.name": "syscalls"}, str(tmp_path / "nobody.sock"), hello={})
    try:
        log_records.taken()
        with Watched(), core.scope(core.operation("GET /slow", core.SERVER, {})) as span:
            trace = span.trace_id
            slow_sleep()
        taken = log_records.taken()
    finally:
        core.stop(0)

    assert b"sonde.slow_syscall" in taken
    if core.NATIVE:
        assert bytes.fromhex(trace) in taken


def test_off_means_that_every_slot_is_as_it_was():
    with Watched():
        assert _syscalls.counts()["slots"] > 10

    counts = _syscalls.counts()
    assert (counts["slots"], counts["foreign_slots"]) == (0, 0)
    log_records.taken()
    slow_sleep()
    assert _syscalls.taken() == []


def test_forked_children_are_watched_by_nobody():
    with Watched():
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            said = b"failed"
            try:
                slow_sleep()
                said = b"off" if _syscalls.counts()["slots"] == 0 and _syscalls.taken() == [] else b"on"
            finally:
                os.write(writing, said)
                os._exit(0)
        os.waitpid(pid, 0)

    assert os.read(reading, 10) == b"off"
    os.close(reading)
    os.close(writing)


def test_many_threads_fork_and_load_while_it_goes_on_and_off():
    """Nothing waits for anything for ever."""
    over = threading.Event()

    def work():
        while not over.is_set():
            with Path("/dev/null").open("wb") as file:
                file.write(b"x" * 10)
            time.sleep(0.001)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(15):
            with Watched(threshold_ms=0.5):
                subprocess.run(["true"], check=True)
                sqlite3.connect(":memory:").close()
                pid = os.fork()
                if not pid:
                    os._exit(0)
                assert os.waitpid(pid, 0)[1] == 0
    finally:
        over.set()
        for thread in threads:
            thread.join(30)

    assert _syscalls.counts()["slots"] == 0


def test_hooks_that_do_not_work_turn_the_tool_off(monkeypatch):
    monkeypatch.setattr(watching, "_self_test", lambda _: "nothing came")

    with pytest.raises(ToolError, match="nothing came") as raised:
        Syscalls().start({"threshold_ms": 10.0, "locks": False}, 5)

    assert raised.value.reason == "unavailable"
    assert _syscalls.counts()["slots"] == 0
