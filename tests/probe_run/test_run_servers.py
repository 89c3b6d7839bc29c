"""Servers that make their workers by fork and by spawn: each worker is seen, nothing twice, the tail is not lost."""

from __future__ import annotations

import signal
import sys

import pytest

from conftest import fetch, fetch_from_all

PYTHON = sys.executable


def check_workers(receiver, answers, port):
    """Each request is one server span with its query below, from the process that answered it."""
    entries = receiver.entries(sum(answers.values()))
    assert {pid: sum(entry.resource["process.pid"] == pid for entry in entries) for pid in answers} == answers
    assert len({entry.span_id for entry in entries}) == len(entries)
    assert {entry.name for entry in entries} == {"GET /"}
    by_parent = {span.parent_id: span for span in receiver.spans if span.name == "SELECT"}
    assert {entry.span_id for entry in entries} == set(by_parent)
    instances = {entry.resource["process.pid"]: entry.resource["service.instance.id"] for entry in entries}
    assert len(set(instances.values())) == len(answers)
    assert {entry.resource["service.name"] for entry in entries} == {f"127.0.0.1:{port}"}
    assert {hello["pid"] for hello in receiver.hellos} >= set(answers)


@pytest.mark.parametrize("flags", [[], ["--preload"], ["--worker-class", "gthread", "--threads", "2"]], ids=str)
def test_gunicorn_forks_two_workers(start, receiver, port, flags):
    program = start(PYTHON, "-m", "gunicorn.app.wsgiapp", "-w", "2", "-b", f"127.0.0.1:{port}", *flags, "flask_app:app")
    answers = fetch_from_all(port, 2)
    code, error = program.end()

    assert code == 0, error
    check_workers(receiver, answers, port)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_uvicorn_spawns_two_workers(start, receiver, port, end):
    program = start(PYTHON, "-m", "uvicorn", "--workers", "2", "--port", str(port), "fastapi_app:app")
    answers = fetch_from_all(port, 2)
    program.end(end)

    check_workers(receiver, answers, port)


def test_uvicorn_alone_sends_its_last_spans_though_a_signal_ends_it(start, receiver, port):
    program = start(PYTHON, "-m", "uvicorn", "--port", str(port), "fastapi_app:app", SONDE_FLUSH_INTERVAL_MS="10000")
    pid = int(fetch(port))
    program.end(signal.SIGTERM)

    check_workers(receiver, {pid: 1}, port)


def test_flasks_own_server_under_a_given_name(start, receiver, port):
    program = start(
        PYTHON, "-m", "flask", "--app", "flask_app", "run", "--port", str(port), flags=("--service", "orders")
    )
    pid = int(fetch(port))
    # Before the end: this server's threads are daemons, and SIGINT ends one between its answer and the end of its span.
    entry = receiver.entries(1)[0]
    program.end(signal.SIGINT)

    assert entry.resource["process.pid"] == pid
    assert entry.resource["service.name"] == "orders"
