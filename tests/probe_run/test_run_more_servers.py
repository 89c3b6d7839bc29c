"""Hypercorn, Granian, waitress and uWSGI: each worker is seen, nothing twice, the tail is not lost."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import pytest
from test_run_servers import check_workers

from conftest import fetch, fetch_from_all

PYTHON = sys.executable
NEVER = {"SONDE_FLUSH_INTERVAL_MS": "10000", "SONDE_EXIT_FLUSH_MS": "10000"}
"""Of itself, the probe sends nothing while a test runs: what arrives is what was sent at the end."""


def fetch_at_once_from_all(port, workers):
    """Like `fetch_from_all`, several at a time: one of Granian's workers may take all that come one by one."""
    answers = Counter([int(fetch(port))])
    with ThreadPoolExecutor(8) as threads:
        for _ in range(200):
            answers.update(int(answer) for answer in threads.map(lambda _: fetch(port), range(8)))
            if len(answers) == workers:
                return answers
    raise AssertionError(f"only {answers} of {workers} workers answered")


def needs(module):
    return pytest.mark.skipif(importlib.util.find_spec(module) is None, reason=f"{module} is not installed")


@needs("hypercorn")
@pytest.mark.parametrize(
    ("kind", "application"),
    [
        ("asyncio", "fastapi_app:app"),
        ("asyncio", "flask_app:app"),
        pytest.param("trio", "fastapi_app:app", marks=needs("trio")),  # with WSGI it does not come up
    ],
)
def test_hypercorn_spawns_two_workers(start, receiver, port, kind, application):
    program = start(PYTHON, "-m", "hypercorn", "-k", kind, "-w", "2", "-b", f"127.0.0.1:{port}", application)
    answers = fetch_from_all(port, 2)
    # Before the end: when the first worker has ended, Hypercorn kills the others.
    receiver.entries(sum(answers.values()))
    program.end()

    check_workers(receiver, answers, port)


@needs("hypercorn")
@pytest.mark.parametrize("end", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
@pytest.mark.parametrize("workers", ["0", "1", "3"])
def test_hypercorn_sends_its_last_spans(start, receiver, port, workers, end):
    """Without workers it serves itself; of several, those that end later than the first are killed by SIGTERM."""
    if workers == "0" and version("hypercorn") < "0.15":
        pytest.skip("Hypercorn does so from 0.15 on")
    command = (PYTHON, "-m", "hypercorn", "-w", workers, "-b", f"127.0.0.1:{port}", "fastapi_app:app")
    program = start(*command, **NEVER)
    answers = fetch_at_once_from_all(port, max(1, int(workers)))
    program.end(end)

    check_workers(receiver, answers, port)


@needs("granian")
@pytest.mark.parametrize("end", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("interface", "application"),
    [("asgi", "fastapi_app:app"), ("asginl", "fastapi_app:app"), ("wsgi", "flask_app:app")],
)
def test_granian_serves_from_two_workers(start, receiver, port, interface, application, end):
    command = (PYTHON, "-m", "granian", "--interface", interface, "--workers", "2", "--port", str(port), application)
    program = start(*command, **NEVER)
    answers = fetch_at_once_from_all(port, 2)
    program.end(end)

    check_workers(receiver, answers, port)


@needs("granian")
def test_concurrent_requests_of_granian_do_not_mix(start, receiver, port):
    program = start(PYTHON, "-m", "granian", "--interface", "asgi", "--port", str(port), "asgi_app:app")
    fetch(port)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: fetch(port, f"/{number}"), range(40)))
    entries = receiver.entries(41)
    program.end()

    queries = [span for span in receiver.spans if span.name == "SELECT"]
    assert sorted(span.parent_id for span in queries) == sorted([entry.span_id for entry in entries] * 2)
    assert len({entry.trace_id for entry in entries}) == 41


@needs("waitress")
@pytest.mark.parametrize("end", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_waitress_serves_from_its_threads_and_sends_its_last_spans(start, receiver, port, end):
    """At SIGTERM Python ends without a word; the recorder's thread puts that off until it has sent."""
    program = start(PYTHON, "-m", "waitress", "--listen", f"127.0.0.1:{port}", "flask_app:app", **NEVER)
    pid = int(fetch(port))
    for _ in range(3):
        fetch(port)
    program.end(end)

    check_workers(receiver, {pid: 4}, port)


@pytest.mark.skipif(shutil.which("uwsgi_python3") is None, reason="uWSGI with Python is not installed")
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="Debian's uWSGI is made for Python 3.11")
@pytest.mark.parametrize("more", [[], ["--lazy-apps"], ["--py-call-osafterfork"]], ids=str)
def test_uwsgi_serves_frameworks_from_two_workers(start, receiver, port, more):
    """The server is no Python and has nothing to wrap: the framework opens the span."""
    options = ["--master", "--processes", "2", "--die-on-term", "--enable-threads", *more]
    serve = ["--http-socket", f"127.0.0.1:{port}", "--virtualenv", sys.prefix, "--module", "flask_app:app"]
    # It calls itself by the host's name.
    program = start("uwsgi_python3", *serve, *options, flags=("--service", f"127.0.0.1:{port}"))
    answers = fetch_from_all(port, 2)
    # Before the end: a worker that is still busy with its last request then skips Python's exit, and our flush in it.
    receiver.entries(sum(answers.values()))
    program.end()

    check_workers(receiver, answers, port)


@pytest.mark.skipif(shutil.which("uwsgi_python3") is None, reason="uWSGI with Python is not installed")
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="Debian's uWSGI is made for Python 3.11")
@pytest.mark.parametrize("core", ["native", "python"])
def test_workers_of_uwsgi_that_have_nothing_to_do_send_their_last_spans(start, receiver, port, core):
    """Python is not told of these forks."""
    options = ["--master", "--processes", "2", "--die-on-term", "--enable-threads"]
    serve = ["--http-socket", f"127.0.0.1:{port}", "--virtualenv", sys.prefix, "--module", "flask_app:app"]
    name = ("--service", f"127.0.0.1:{port}")
    program = start("uwsgi_python3", *serve, *options, flags=name, SONDE_CORE=core, **NEVER)
    answers = fetch_from_all(port, 2)
    time.sleep(1)  # longer than a worker takes from the last byte of an answer to its next look for a request
    program.end()

    check_workers(receiver, answers, port)
