"""Ways to make processes × ways to serve: each is seen under its own name, nothing twice, nothing lost, no deadlock."""

from __future__ import annotations

import importlib.util
import socket
import sys
from collections import Counter

import pytest
from test_run_servers import check_workers

from conftest import fetch, fetch_from_all

PYTHON = sys.executable
NEVER = {"SONDE_FLUSH_INTERVAL_MS": "10000"}
"""What arrives before the end of a test was flushed at the end of a process."""
ENDS_WITHIN_S = 10
WAYS = [
    "fork",
    "grandchildren",
    "fork_with_threads",
    "pool_fork",
    "pool_spawn",
    "pool_forkserver",
    "multiprocessing_pool",
    "execute",
    "children",
    "daemon",
    "asyncio",
    "uvloop",
    "gevent_fork",
]
CORES = ["native", pytest.param("python", marks=pytest.mark.slow)]


def needs(module):
    return pytest.mark.skipif(importlib.util.find_spec(module) is None, reason=f"{module} is not installed")


def check_processes(receiver, output, instances=None):
    """The queries of each process that `output` tells of, once."""
    expected = {int(pid): int(count) for pid, count in (line.split() for line in output.splitlines())}
    total = sum(expected.values())
    spans = receiver.wait(lambda spans: len(spans) >= total)
    assert Counter(span.resource["process.pid"] for span in spans) == expected
    assert len({span.span_id for span in spans}) == total
    assert len({span.trace_id for span in spans}) == total
    by_instance = {span.resource["service.instance.id"]: span.resource["process.pid"] for span in spans}
    assert len(by_instance) == (len(expected) if instances is None else instances)
    assert {hello["pid"] for hello in receiver.hellos} >= set(expected)


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("way", WAYS)
def test_each_process_is_seen_to_its_last_span(start, receiver, way, core):
    if way in {"uvloop", "gevent_fork"}:
        pytest.importorskip(way.partition("_")[0])
    # os.execv is the one end that nothing can be hung on.
    more = {"MATRIX_PAUSE_S": "0.5"} if way == "execute" else NEVER
    program = start(PYTHON, "matrix_app.py", way, SONDE_CORE=core, **more)
    output, error = program.process.communicate(timeout=ENDS_WITHIN_S)

    assert (program.process.returncode, error) == (0, "")
    check_processes(receiver, output, 2 if way == "execute" else None)


@pytest.mark.parametrize("core", CORES)
def test_a_child_ends_with_the_thread_that_forked_it(start, core):
    """Python never ends in such a child: the process does, when its last thread returns."""
    program = start(PYTHON, "matrix_app.py", "fork_in_thread", SONDE_CORE=core)
    _, error = program.process.communicate(timeout=ENDS_WITHIN_S)

    assert (program.process.returncode, error) == (0, "")


GUNICORN = {
    "sync": "flask_app:app",
    "gthread": "flask_app:app",
    "gevent": "flask_app:app",
    "uvicorn.workers.UvicornWorker": "fastapi_app:app",
}


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("kind", GUNICORN)
def test_each_kind_of_gunicorns_workers_is_seen_to_its_last_span(start, receiver, port, kind, core):
    if "." in kind or kind == "gevent":
        pytest.importorskip(kind.partition(".")[0])
    command = (PYTHON, "-m", "gunicorn.app.wsgiapp", "-w", "2", "-k", kind, "-b", f"127.0.0.1:{port}", GUNICORN[kind])
    program = start(*command, SONDE_CORE=core, **NEVER)
    answers = fetch_from_all(port, 2)
    code, error = program.end()

    assert code == 0, error
    check_workers(receiver, answers, port)


@needs("uvloop")
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_uvicorns_workers_are_seen_to_their_last_span(start, receiver, port, loop):
    command = (PYTHON, "-m", "uvicorn", "--workers", "2", "--loop", loop, "--port", str(port), "fastapi_app:app")
    program = start(*command, **NEVER)
    answers = fetch_from_all(port, 2)
    program.end()

    check_workers(receiver, answers, port)


def test_a_worker_that_gunicorn_replaces_loses_nothing(start, receiver, port):
    """By its own limit of requests: two dozen workers, one after the other, some of them while others are forked."""
    flags = ("--max-requests", "3", "--graceful-timeout", "5")
    command = (PYTHON, "-m", "gunicorn.app.wsgiapp", "-w", "2", "-b", f"127.0.0.1:{port}", *flags, "flask_app:app")
    program = start(*command, **NEVER)
    answers = Counter(int(fetch(port)) for _ in range(24))
    code, error = program.end()

    assert code == 0, error
    assert len(answers) > 4
    check_workers(receiver, answers, port)


@needs("gevent")
@pytest.mark.parametrize("core", CORES)
def test_a_hundred_greenlets_keep_their_traces_apart(start, receiver, core):
    with socket.socket() as knock:
        knock.settimeout(1)
        if knock.connect_ex(("127.0.0.1", 6379)):
            pytest.skip("no redis on 127.0.0.1:6379")
    program = start(PYTHON, "gevent_app.py", "6379", SONDE_CORE=core, **NEVER)
    _, error = program.process.communicate(timeout=ENDS_WITHIN_S)

    assert (program.process.returncode, error) == (0, "")
    spans = receiver.wait(lambda spans: sum(span.name.startswith("greenlet ") for span in spans) == 100)
    by_id = {span.span_id: span for span in spans}
    assert len(by_id) == len(spans)
    outer = [span for span in spans if span.name.startswith("greenlet ")]
    assert len({span.trace_id for span in outer}) == 100
    assert all(span.parent_id == "" for span in outer)
    below = Counter()
    for span in spans:
        parent = by_id.get(span.parent_id)
        if span.name == "GET" and "db.system.name" in span.attributes:
            assert parent.name.startswith("greenlet ")
            below["redis", parent.name] += 1
        elif span.name.startswith("inner "):
            assert parent.name == span.name.replace("inner", "greenlet")
        elif span.kind == 3 and "http.request.method" in span.attributes:
            number = span.attributes["url.full"].rpartition("/")[2]
            assert parent.name == f"inner {number}"
            below["http", number] += 1
    assert len(below) == 200
    assert set(below.values()) == {2}
