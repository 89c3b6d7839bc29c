"""A guest in a hostile house: whatever a program does, what it writes and how it ends is the same with the probe.

Each program runs twice, without and with. Faults are counted and not raised here, as with a user.
"""

from __future__ import annotations

import functools
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from conftest import APPS, environment

PYTHON = sys.executable
CORES = ["native", pytest.param("python", marks=pytest.mark.slow)]
WITHIN_S = 30
_ADDRESS = re.compile(rb" at 0x[0-9a-f]+")


def run(command, *, under=(), within_s=WITHIN_S, **more):
    """Exit code, standard output, standard error."""
    done = subprocess.run(
        [*under, *command],
        cwd=APPS,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=within_s,
        check=False,
    )
    return done.returncode, _ADDRESS.sub(b"", done.stdout), _ADDRESS.sub(b"", done.stderr)


def probe(path, *, shell=()):
    return [*shell, PYTHON, "-m", "sonde", "run", "--socket", path, "--no-agent", "--"]


@functools.cache
def without(*command):
    return run(command)


def check(receiver, way, core, **more):
    """The same, and the probe was there."""
    command = (PYTHON, "hostile_app.py", way)
    plain = run(command, **more) if more else without(*command)
    with_probe = run(command, under=probe(receiver.path), SONDE_CORE=core, **more)
    assert with_probe == plain
    return with_probe


SEEN = [
    "attributes",
    "statements",
    "wsgi",
    "asgi",
    "patched",
    "imports",
    "huge",
    "tasks",
    "threads",
    "daemons",
    "shutdown",
    "exit_in_thread",
    "unhandled",
    "signals",
    "recursion",
    "streams",
    "arguments",
]


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("way", SEEN)
def test_a_hostile_program_is_what_it_would_be_without_us(receiver, way, core):
    check(receiver, way, core)

    assert receiver.wait(lambda spans: len(spans) > 0)


@pytest.mark.parametrize("core", CORES)
def test_a_first_span_when_the_interpreter_has_all_but_ended(receiver, core):
    command = (PYTHON, "hostile_app.py", "late")

    assert run(command, under=probe(receiver.path), within_s=5, SONDE_CORE=core) == without(*command)


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="the module of sub-interpreters has another name")
@pytest.mark.parametrize("core", ["auto", *CORES])
@pytest.mark.parametrize("way", ["interpreters", "interpreters_to_the_end"])
def test_a_program_with_a_sub_interpreter_ends_as_it_would(receiver, way, core):
    command = (PYTHON, "hostile_app.py", way)

    assert run(command, under=probe(receiver.path), within_s=5, SONDE_CORE=core) == without(*command)


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize(("way", "code"), [("exit_at_once", 7), ("die", -signal.SIGTERM)])
def test_a_program_that_ends_without_python_ends_as_it_would(receiver, way, code, core):
    assert check(receiver, way, core)[0] == code


@pytest.mark.parametrize("core", CORES)
def test_no_memory_for_rings_costs_spans_and_nothing_else(receiver, core):
    code, output, error = check(receiver, "memory", core, SONDE_RING_BYTES=str(64 << 20))

    assert (code, output, error) == (0, b"20\nwent\n", b"")


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("way", ["closerange", "elsewhere"])
def test_a_program_that_closes_everything_or_leaves_its_folder(receiver, tmp_path, way, core):
    (tmp_path / "without").mkdir()
    (tmp_path / "with").mkdir()
    command = (PYTHON, "hostile_app.py", way)
    plain = run(command, HOSTILE_OUTPUT=str(tmp_path / "without"))
    more = {"HOSTILE_OUTPUT": str(tmp_path / "with"), "SONDE_CORE": core}

    assert run(command, under=probe(receiver.path), **more) == plain


@pytest.mark.parametrize("core", CORES)
def test_a_program_without_standard_streams_does_not_find_our_socket_in_their_place(receiver, tmp_path, core):
    shut = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]
    command = (*shut, PYTHON, "hostile_app.py", "closed")
    assert run(command, HOSTILE_OUTPUT=str(tmp_path / "without"))[0] == 0
    more = {"HOSTILE_OUTPUT": str(tmp_path / "with"), "SONDE_CORE": core}
    assert run(command, under=probe(receiver.path), **more)[0] == 0

    assert (tmp_path / "with").read_text() == (tmp_path / "without").read_text()


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("utf8", ["0", "1"])
def test_words_that_are_no_utf8_in_a_plain_locale(receiver, tmp_path, core, utf8):
    script = tmp_path / os.fsdecode(b"\xff\xfe.py")
    script.write_bytes((APPS / "hostile_app.py").read_bytes())
    more = {"LC_ALL": "C", "PYTHONUTF8": utf8, "PYTHONCOERCECLOCALE": "0", "OTEL_SERVICE_NAME": "\udcff"}
    command = (PYTHON, os.fsencode(script), "arguments", b"\xff\xfe", "ä")

    assert run(command, under=probe(receiver.path), SONDE_CORE=core, **more) == run(command, **more)
    assert receiver.wait(lambda spans: len(spans) > 0)


AGENT = """if True:
    import os, socket, sys, time
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen()
    print("listens", flush=True)
    connection, _ = listener.accept()
    if sys.argv[2] == "reads":
        connection.recv(1 << 16)
        print("read", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("fate", ["is killed", "loses its socket's file", "never reads"])
def test_an_agent_that_comes_to_grief_takes_nobody_along(tmp_path_factory, core, fate):
    path = str(tmp_path_factory.mktemp("s") / "a.sock")
    how = "waits" if fate == "never reads" else "reads"
    agent = subprocess.Popen([PYTHON, "-c", AGENT, path, how], stdout=subprocess.PIPE, text=True)
    try:
        assert agent.stdout.readline() == "listens\n"
        plain = without(PYTHON, "hostile_app.py", "daemons")
        began = time.monotonic()

        def strike():
            if agent.stdout.readline() != "read\n":
                return
            if fate == "is killed":
                agent.send_signal(signal.SIGKILL)
            else:
                Path(path).unlink()

        striking = threading.Thread(target=strike, daemon=True)
        striking.start()
        assert run((PYTHON, "hostile_app.py", "daemons"), under=probe(path), SONDE_CORE=core) == plain
        assert time.monotonic() - began < 10
    finally:
        agent.kill()
        agent.wait()
        striking.join(5)
        agent.stdout.close()
