"""A server that asks databases in every way: one span a statement below its request, in threads and greenlets too."""

from __future__ import annotations

import socket
import sys

import pytest

from conftest import fetch

SYNC = {"sqlite": 0, "psycopg": 5432, "psycopg2": 5432, "pymysql": 3306}
ASYNC = {"aiosqlite": 0, "asyncpg": 5432, "psycopg_async": 5432, "aiomysql": 3306}
SYSTEMS = {0: "sqlite", 5432: "postgresql", 3306: "mariadb"}


def answers(port):
    with socket.socket() as knock:
        knock.settimeout(1)
        return not port or knock.connect_ex(("127.0.0.1", port)) == 0


def test_each_request_has_one_span_for_its_statement(start, receiver, port):
    if not answers(5432) or not answers(3306):
        pytest.skip("no PostgreSQL on 127.0.0.1:5432, or no MariaDB on 127.0.0.1:3306")
    program = start(sys.executable, "-m", "uvicorn", "--port", str(port), "databases_app:app")
    fetch(port)
    ways = {f"/sync/{name}": at for name, at in SYNC.items()} | {f"/async/{name}": at for name, at in ASYNC.items()}
    for path in ways:
        assert [fetch(port, path) for _ in range(3)] == [b"secret"] * 3
    code, error = program.end()

    assert "Traceback" not in error, (code, error)
    entries = receiver.entries(1 + 3 * len(ways))
    for path, server_port in ways.items():
        # The first request connects, and what a driver asks then belongs to it, too.
        _, *later = [entry for entry in entries if entry.attributes["url.path"] == path]
        for entry in later:
            below = [span for span in receiver.spans if span.parent_id == entry.span_id and span.kind == 3]
            (statement,) = (span for span in below if span.name not in {"BEGIN", "ROLLBACK"})
            assert statement.attributes["db.query.text"] == "select ?", path
            assert statement.attributes["db.system.name"] == SYSTEMS[server_port]
            assert statement.trace_id == entry.trace_id
    assert not any("secret" in str(span.attributes) for span in receiver.spans)
