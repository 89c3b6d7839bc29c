"""aiosqlite with real files: what its threads do belongs to who asked for it."""

from __future__ import annotations

import asyncio
import sqlite3

import aiosqlite
import pytest

from sonde.probe import core
from sonde.probe.plugins import dbapi
from sonde.probe.plugins.engine import Engine

ENTRY = core.operation("entry", core.SERVER)


def sorted_out(found):
    """The entry, then the statements in their order: each thread has its own."""
    (entry,) = (span for span in found if span.kind == "server")
    return entry, *(span for span in found if span.kind == "client")


@pytest.fixture
def path(spans, tmp_path):
    dbapi.databases.clear()
    return tmp_path / "orders.db"


def test_statements_of_the_thread_are_below_the_callers_span(spans, path):
    async def work():
        async with aiosqlite.connect(path) as connection:
            with core.scope(ENTRY):
                await connection.execute("create table orders (id integer primary key, who text)")
                await connection.executemany("insert into orders values (?, ?)", [(1, "ann"), (2, "secret")])
                await connection.commit()
                async with connection.execute("select who from orders where id = 1") as cursor:
                    assert await cursor.fetchall() == [("ann",)]
                cursor = await connection.cursor()
                await cursor.execute("select 2")
                await cursor.executescript("select 3")
                await connection.execute_fetchall("select 4")
                await cursor.close()
            await connection.execute("select 5")

    asyncio.run(work())
    entry, *below, after = sorted_out(spans.take(9))
    names = ["CREATE orders", "INSERT orders", "COMMIT", "SELECT orders", "SELECT", "SELECT", "SELECT"]
    assert [span.name for span in below] == names
    assert {span.parent_id for span in below} == {entry.span_id}
    assert after.parent_id == ""
    assert below[3].attributes == {
        "db.system.name": "sqlite",
        "db.namespace": "orders.db",
        "db.operation.name": "SELECT",
        "db.query.text": "select who from orders where id = ?",
    }


def test_tasks_on_one_connection_keep_their_own_requests(spans, path):
    async def request(connection, number):
        with core.scope(ENTRY, f"request {number}"):
            for _ in range(5):
                async with connection.execute("select ?", (number,)) as cursor:
                    assert await cursor.fetchone() == (number,)

    async def work():
        async with aiosqlite.connect(path) as connection:
            await asyncio.gather(*(request(connection, number) for number in range(10)))

    asyncio.run(work())
    found = spans.take(60)
    entries = [span.span_id for span in found if span.kind == "server"]
    assert len(entries) == 10
    assert sorted(span.parent_id for span in found if span.kind == "client") == sorted(entries * 5)


def test_an_error_passes_and_fails_its_span(spans, path):
    async def work():
        async with aiosqlite.connect(path) as connection:
            with core.scope(ENTRY), pytest.raises(sqlite3.OperationalError, match="nowhere"):
                await connection.execute("select * from nowhere")

    asyncio.run(work())
    entry, failed = sorted_out(spans.take(2))
    assert failed.is_error
    assert failed.parent_id == entry.span_id


def test_functions_of_the_user_and_keywords_reach_the_thread(spans, path):
    async def work():
        async with aiosqlite.connect(path) as connection:
            with core.scope(ENTRY):
                await connection.create_function("double", 1, lambda number: number * 2, deterministic=True)
                async with connection.execute("select double(21)") as cursor:
                    return await cursor.fetchone()

    assert asyncio.run(work()) == (42,)
    entry, select = sorted_out(spans.take(2))
    assert select.parent_id == entry.span_id


def test_the_end_puts_the_function_back():
    plain = aiosqlite.core.Connection._execute
    core.start({}, "", hello={}, debug=True)
    engine = Engine()
    engine.start()
    assert aiosqlite.core.Connection._execute is not plain
    assert asyncio.iscoroutinefunction(aiosqlite.core.Connection._execute)
    engine.stop()
    core.stop(0)

    assert aiosqlite.core.Connection._execute is plain
