"""A Django project under its own server, under gunicorn and under uvicorn."""

from __future__ import annotations

import os
import signal
import sys

import pytest
from test_run_servers import check_workers

from conftest import fetch, fetch_from_all

pytest.importorskip("django")
PYTHON = sys.executable
PROJECT = "django_project"


@pytest.mark.parametrize("reloader", [True, False], ids=["autoreload", "noreload"])
def test_djangos_own_server_is_seen_once_with_and_without_its_reloader(start, receiver, port, reloader):
    """The reloader serves from a child that it starts; it has no spans of its own."""
    flags = [] if reloader else ["--noreload"]
    program = start(PYTHON, f"{PROJECT}/manage.py", "runserver", f"127.0.0.1:{port}", *flags)
    pid = int(fetch(port))
    fetch(port, "/shop/orders/7/")
    entries = receiver.entries(2)

    try:
        assert (pid == program.process.pid) is not reloader
        assert [entry.name for entry in entries] == ["GET /", "GET /shop/orders/<int:pk>/"]
        assert {entry.resource["process.pid"] for entry in entries} == {pid}
        # The server itself asks its database, too, before it serves.
        assert entries[0].span_id in {span.parent_id for span in receiver.spans if span.name == "SELECT"}
    finally:
        if reloader:
            os.kill(pid, signal.SIGINT)  # as a terminal does: to both
        program.end(signal.SIGINT)


def test_gunicorn_serves_a_project_from_two_workers(start, receiver, port):
    address = f"127.0.0.1:{port}"
    program = start(
        PYTHON, "-m", "gunicorn.app.wsgiapp", "-w", "2", "-b", address, "--chdir", PROJECT, "shop.wsgi:application"
    )
    answers = fetch_from_all(port, 2)
    code, error = program.end()

    assert code == 0, error
    check_workers(receiver, answers, port)


def test_uvicorn_serves_a_project_from_two_workers(start, receiver, port):
    pytest.importorskip("uvicorn")
    program = start(
        PYTHON, "-m", "uvicorn", "--workers", "2", "--port", str(port), "--app-dir", PROJECT, "shop.asgi:application"
    )
    answers = fetch_from_all(port, 2)
    program.end()

    check_workers(receiver, answers, port)
