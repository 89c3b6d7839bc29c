"""aiomysql against a real MariaDB; tables of our own, taken away again."""
# ruff: noqa: S608 - statements with names of our own

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket

import aiomysql
import pymysql
import pytest

from sonde.probe import core, guard
from sonde.probe.plugins import dbapi, options
from sonde.probe.plugins.engine import Engine

HOST, PORT, DATABASE = "127.0.0.1", 3306, "test"
TABLE = f"sonde_aiomysql_{secrets.token_hex(4)}"
ENTRY = core.operation("entry", core.SERVER)
SERVER = {"db.system.name": "mariadb", "db.namespace": DATABASE, "server.address": HOST, "server.port": PORT}
LOGIN = {"host": HOST, "port": PORT, "user": "root", "password": "", "db": DATABASE}


def _answers() -> bool:
    with socket.socket() as knock:
        knock.settimeout(1)
        return knock.connect_ex((HOST, PORT)) == 0


pytestmark = pytest.mark.skipif(not _answers(), reason="no MariaDB on 127.0.0.1:3306")


def run(work, **options):
    """Run `work(connection, cursor)`."""

    async def connected():
        connection = await aiomysql.connect(**LOGIN, **options)
        try:
            async with connection.cursor() as cursor:
                return await work(connection, cursor)
        finally:
            connection.close()

    return asyncio.run(connected())


@pytest.fixture
def table(spans):
    dbapi.databases.clear()
    run(lambda _, cursor: cursor.execute(f"create table {TABLE} (id int primary key, who varchar(20))"))
    spans.take(1)
    yield TABLE
    options.record_sql = "masked"
    run(lambda _, cursor: cursor.execute(f"drop table {TABLE}"))


def names(found):
    return [span.name for span in found]


def test_a_query_is_a_client_span_with_its_shape_and_without_its_values(spans, table):
    async def work(_, cursor):
        with core.scope(ENTRY):
            await cursor.execute(f"insert into {TABLE} values (1, 'ann')")
            await cursor.execute(f"select who from {TABLE} where id = 1 and who = %s", ("ann",))
            return await cursor.fetchall()

    assert run(work) == (("ann",),)
    _, select, entry = spans.take(3)
    assert (select.kind, select.name, select.parent_id) == ("client", f"SELECT {TABLE}", entry.span_id)
    assert select.attributes == {
        **SERVER,
        "db.operation.name": "SELECT",
        "db.query.text": f"select who from {TABLE} where id = ? and who = %s",
    }


@pytest.mark.parametrize(("record", "text"), [("off", None), ("full", "select 'it\\'s'"), ("masked", "select ?")])
def test_the_setting_decides_about_the_text(spans, table, record, text):
    options.record_sql = record
    run(lambda _, cursor: cursor.execute("select 'it\\'s'"))

    assert spans.only().attributes.get("db.query.text") == text


def test_executemany_is_one_span_with_the_number_of_rows(spans, table):
    async def work(_, cursor):
        await cursor.executemany(f"insert into {TABLE} values (%s, %s)", [(1, "ann"), (2, "secret")])
        await cursor.executemany(f"update {TABLE} set who = %s where id = %s", [("secret", 1), ("secret", 2)])
        await cursor.executemany(f"insert into {TABLE} values (%s, %s)", [])
        await cursor.execute("select 1")

    run(work)
    insert, update, after = spans.take(3)
    assert insert.attributes["db.query.text"] == f"insert into {TABLE} values (%s, %s)"
    assert [span.attributes["db.operation.batch.size"] for span in (insert, update)] == [2, 2]
    assert after.name == "SELECT"


def test_begin_commit_and_rollback_are_spans(spans, table):
    async def work(connection, _):
        await connection.begin()
        await connection.commit()
        await connection.rollback()

    run(work)
    assert names(spans.take(3)) == ["BEGIN", "COMMIT", "ROLLBACK"]


def test_a_procedure_is_one_span_without_its_arguments(spans, table):
    name = f"sonde_aiotwice_{secrets.token_hex(4)}"

    async def work(_, cursor):
        await cursor.execute(f"create procedure {name}(in number int, in word varchar(9)) select number * 2, word")
        try:
            await cursor.callproc(name, (21, "secret"))
            assert await cursor.fetchone() == (42, "secret")
        finally:
            await cursor.execute(f"drop procedure {name}")

    run(work)
    _, call, _ = spans.take(3)
    assert (call.name, call.attributes["db.query.text"]) == (f"CALL {name}", f"CALL {name}")


def test_the_database_is_the_one_that_was_selected(spans, table):
    async def work(connection, cursor):
        await connection.select_db("information_schema")
        await cursor.execute("select 1")

    run(work)
    assert spans.only().attributes["db.namespace"] == "information_schema"


def test_an_error_passes_and_is_recorded_with_its_number_and_without_values(spans, table):
    async def work(_, cursor):
        await cursor.execute(f"alter table {TABLE} modify who varchar(20) unique")
        spans.take(1)
        for record in ("masked", "full"):
            options.record_sql = record
            with pytest.raises(pymysql.IntegrityError, match="secret"):
                await cursor.execute(f"insert into {TABLE} values (1, %s), (2, %s)", ("secret", "secret"))
            (data,) = core.drain()
            assert b"pymysql.err.IntegrityError" in data
            assert b"1062" in data
            assert (b"secret" in data) is (record == "full")

    run(work)


def test_a_cancelled_query_is_no_failure(spans, table):
    async def work(_, cursor):
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(cursor.execute("select sleep(1)"), 0.1)

    run(work)
    span = spans.only()
    assert not span.is_error
    assert span.attributes["sonde.cancelled"] is True


def test_the_users_own_cursors_keep_working(spans, table):
    class Mine(aiomysql.DictCursor):
        async def execute(self, query, args=None):
            seen.append(query)
            return await super().execute(query, args)

    async def work(connection, _):
        async with connection.cursor(Mine) as cursor:
            await cursor.execute(query="select 7 as seven")
            assert await cursor.fetchone() == {"seven": 7}
        async with connection.cursor(aiomysql.SSCursor) as cursor:
            await cursor.execute("select 8")
            assert await cursor.fetchall() == [(8,)]

    seen = []
    run(work)
    assert seen == ["select 7 as seven"]
    assert names(spans.take(2)) == ["SELECT", "SELECT"]


def test_tasks_of_a_pool_keep_their_own_requests(spans, table):
    async def request(pool, number):
        with core.scope(ENTRY, f"request {number}"):
            async with pool.acquire() as connection, connection.cursor() as cursor:
                for _ in range(3):
                    await cursor.execute("select %s", (number,))

    async def work():
        async with aiomysql.create_pool(**LOGIN, minsize=2, maxsize=3) as pool:
            await asyncio.gather(*(request(pool, number) for number in range(6)))

    asyncio.run(work())
    found = spans.take(6 * 4)
    entries = {span.span_id for span in found if span.kind == "server"}
    assert len(entries) == 6
    assert sorted(span.parent_id for span in found if span.kind == "client") == sorted([*entries] * 3)


def test_a_closed_cursor_fails_as_it_does_without_us(spans, table):
    async def work(_, cursor):
        with pytest.raises(TypeError):
            await cursor.execute()
        await cursor.close()
        with pytest.raises(pymysql.ProgrammingError, match="Cursor closed"):
            await cursor.execute("select 1")

    run(work)
    spans.take(0)


def test_a_fault_of_ours_leaves_the_query_alone(spans, table, monkeypatch):
    def broken(*_args):
        raise RuntimeError("our fault")

    monkeypatch.setattr(guard, "raised", False)
    monkeypatch.setattr(dbapi.Database, "__missing__", broken)
    assert run(lambda _, cursor: cursor.execute("select 4711")) == 1

    assert guard.faults()["Cursor.execute"].last == "RuntimeError: our fault"
    monkeypatch.undo()
    guard.forget()
    spans.take(0)


def test_the_end_puts_every_function_back_and_connections_work_on():
    owners = (aiomysql.Cursor, aiomysql.Connection)
    before = {owner: {name: value for name, value in vars(owner).items() if callable(value)} for owner in owners}

    async def work(_, cursor):
        await cursor.execute("select 1")
        engine.stop()
        return await cursor.execute("select 1")

    core.start({}, "", hello={}, debug=True)
    engine = Engine()
    engine.start()
    assert aiomysql.Cursor.execute is not before[aiomysql.Cursor]["execute"]
    assert asyncio.iscoroutinefunction(aiomysql.Cursor.execute)
    assert run(work) == 1
    core.drain()
    core.stop(0)

    for owner, functions in before.items():
        assert all(vars(owner)[name] is function for name, function in functions.items())
