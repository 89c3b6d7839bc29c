"""asyncpg against a real PostgreSQL; tables of our own, taken away again."""
# ruff: noqa: S608 - statements with names of our own

from __future__ import annotations

import asyncio
import contextlib
import inspect
import io
import secrets
import socket

import asyncpg
import asyncpg.cursor
import pytest

from sonde.probe import core, guard
from sonde.probe.plugins import dbapi, options
from sonde.probe.plugins.engine import Engine

HOST, PORT, DATABASE = "127.0.0.1", 5432, "test"
TABLE = f"sonde_asyncpg_{secrets.token_hex(4)}"
DSN = f"postgresql://postgres@{HOST}:{PORT}/{DATABASE}"
ENTRY = core.operation("entry", core.SERVER)
SERVER = {"db.system.name": "postgresql", "db.namespace": DATABASE, "server.address": HOST, "server.port": PORT}


def _answers() -> bool:
    with socket.socket() as knock:
        knock.settimeout(1)
        return knock.connect_ex((HOST, PORT)) == 0


pytestmark = pytest.mark.skipif(not _answers(), reason="no PostgreSQL on 127.0.0.1:5432")


def run(work, **options):
    """Run `work(connection)`."""

    async def connected():
        connection = await asyncpg.connect(DSN, **options)
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(connected())


@pytest.fixture
def table(spans):
    dbapi.databases.clear()
    run(lambda connection: connection.execute(f"create table {TABLE} (id int primary key, who text)"))
    spans.take(1)
    yield TABLE
    options.record_sql = "masked"
    run(lambda connection: connection.execute(f"drop table {TABLE}"))


def names(found):
    return [span.name for span in found]


def test_a_query_is_a_client_span_with_its_shape_and_without_its_values(spans, table):
    async def work(connection):
        with core.scope(ENTRY):
            await connection.execute(f"insert into {TABLE} values (1, 'ann')")
            return await connection.fetch(f"select who from {TABLE} where id = 1 and who = $1", "ann")

    assert run(work) == [("ann",)]
    _, select, entry = spans.take(3)
    assert (select.kind, select.name, select.parent_id) == ("client", f"SELECT {TABLE}", entry.span_id)
    assert select.attributes == {
        **SERVER,
        "db.operation.name": "SELECT",
        "db.query.text": f"select who from {TABLE} where id = ? and who = $1",
    }


@pytest.mark.parametrize(("record", "text"), [("off", None), ("full", "select 'a'")])
def test_the_setting_decides_about_the_text(spans, table, record, text):
    options.record_sql = record
    run(lambda connection: connection.fetchval("select 'a'"))

    assert spans.only().attributes.get("db.query.text") == text


def test_every_way_to_execute_is_seen_once(spans, table):
    async def work(connection):
        await connection.execute("select 1")
        await connection.execute("select $1::int", 1)
        await connection.executemany(f"insert into {TABLE} values ($1, $2)", [(1, "ann"), (2, "secret")])
        await connection.fetch(query="select 2")
        assert await connection.fetchval("select 3") == 3
        assert (await connection.fetchrow("select 4 as four"))["four"] == 4
        if hasattr(connection, "fetchmany"):
            await connection.fetchmany("select $1::int", [(5,), (6,)])
        else:
            await connection.executemany("select $1::int", [(5,), (6,)])

    run(work)
    found = spans.take(7)
    assert names(found) == ["SELECT", "SELECT", f"INSERT {TABLE}", "SELECT", "SELECT", "SELECT", "SELECT"]
    assert [found[at].attributes["db.operation.batch.size"] for at in (2, 6)] == [2, 2]


def test_a_prepared_statement_is_a_span_each_time_it_is_executed(spans, table):
    async def work(connection):
        insert = await connection.prepare(f"insert into {TABLE} values ($1, 'x')")
        await insert.executemany([(1,), (2,)])
        select = await connection.prepare(f"select id from {TABLE} where id = $1")
        assert await select.fetchval(2) == 2
        assert await select.fetchrow(1) == (1,)
        assert await select.fetch(7) == []
        assert "Plan" in (await select.explain(1))[0]
        if hasattr(select, "fetchmany"):
            assert await select.fetchmany([(1,), (2,)]) == [(1,), (2,)]
        else:
            await select.executemany([(1,), (2,)])

    run(work)
    found = spans.take(6)
    assert names(found) == [f"INSERT {TABLE}", *[f"SELECT {TABLE}"] * 3, "EXPLAIN", f"SELECT {TABLE}"]
    assert [found[at].attributes["db.operation.batch.size"] for at in (0, 5)] == [2, 2]


def test_a_statement_that_cannot_be_prepared_is_a_span_that_failed(spans, table):
    async def work(connection):
        with pytest.raises(asyncpg.UndefinedTableError):
            await connection.prepare("select * from nowhere")

    run(work)
    span = spans.only()
    assert (span.name, span.is_error) == ("SELECT nowhere", True)
    assert span.attributes["db.response.status_code"] == "42P01"


def test_a_cursor_has_one_span(spans, table):
    async def work(connection):
        async with connection.transaction():
            rows = [row[0] async for row in connection.cursor("select generate_series(1, $1::int)", 120)]
            assert len(rows) == 120
            cursor = await connection.cursor("select generate_series(1, 9)")
            assert await cursor.fetchrow() == (1,)
            assert len(await cursor.fetch(5)) == 5
            statement = await connection.prepare("select generate_series(1, 3)")
            assert len([row async for row in statement.cursor()]) == 3

    run(work)
    assert names(spans.take(5)) == ["BEGIN", "SELECT", "SELECT", "SELECT", "COMMIT"]


def test_transactions_are_spans(spans, table):
    async def work(connection):
        async with connection.transaction(isolation="serializable"):
            with contextlib.suppress(LookupError):
                async with connection.transaction():
                    raise LookupError
            async with connection.transaction():
                pass
        transaction = connection.transaction()
        await transaction.start()
        await transaction.rollback()

    run(work)
    assert names(spans.take(8)) == [
        "BEGIN",
        "SAVEPOINT",
        "ROLLBACK",
        "SAVEPOINT",
        "RELEASE",
        "COMMIT",
        "BEGIN",
        "ROLLBACK",
    ]


def test_copies_are_spans(spans, table):
    async def work(connection):
        await connection.copy_records_to_table(TABLE, records=[(1, "secret")])
        await connection.copy_to_table(TABLE, source=io.BytesIO(b"2\tsecret\n"), schema_name="public")
        await connection.copy_from_table(TABLE, output=io.BytesIO())
        await connection.copy_from_query(f"select who from {TABLE} where who = $1", "secret", output=io.BytesIO())
        return await connection.fetchval(f"select count(*) from {TABLE}")

    assert run(work) == 2
    *found, _ = spans.take(5)
    assert [span.attributes["db.query.text"] for span in found] == [
        f"COPY {TABLE} FROM STDIN",
        f"COPY public.{TABLE} FROM STDIN",
        f"COPY {TABLE} TO STDOUT",
        f"COPY (select who from {TABLE} where who = $1) TO STDOUT",
    ]
    assert found[3].name == f"COPY {TABLE}"


def test_a_pool_is_seen_like_a_connection(spans, table):
    async def work():
        async with asyncpg.create_pool(DSN, min_size=1, max_size=2) as pool:
            with core.scope(ENTRY):
                assert await pool.fetchval("select 1") == 1
                async with pool.acquire() as connection:
                    await connection.execute("select 2")
                    assert inspect.ismethod(connection.execute)
                with pytest.raises(asyncpg.InterfaceError, match="released back"):
                    await connection.execute("select 3")

    asyncio.run(work())
    found = spans.take(5)
    assert names(found) == ["SELECT", "RESET", "SELECT", "RESET", "entry"]
    assert {span.parent_id for span in found[:-1]} == {found[-1].span_id}
    assert found[1].attributes == {**SERVER, "db.operation.name": "RESET"}


def test_the_users_own_connections_keep_working(spans, table):
    class Mine(asyncpg.Connection):
        async def fetchval(self, query, *args, **options):
            seen.append(query)
            return await super().fetchval(query, *args, **options)

    async def work(connection):
        assert type(connection) is Mine
        return await connection.fetchval("select 7")

    seen = []
    assert run(work, connection_class=Mine) == 7
    assert seen == ["select 7"]
    spans.take(1)


@pytest.mark.parametrize(
    ("statement", "arguments"),
    [
        ("insert into {} values (1, $1), (2, $1)", ["a secret"]),
        ("select $1::text::int", ["a secret"]),
        ("select $1::int", ["a secret"]),
        ("select 'secret' 'secret'", []),
    ],
)
def test_a_message_tells_no_values_unless_statements_do(spans, table, statement, arguments):
    """A key twice, text for a number at the server's and at the client's, a syntax error."""

    async def work(connection):
        await connection.execute(f"alter table {TABLE} add unique (who)")
        spans.take(1)
        for record in ("masked", "full"):
            options.record_sql = record
            with pytest.raises(asyncpg.PostgresError) as caught:
                await connection.fetch(statement.format(TABLE), *arguments)
            (data,) = core.drain()
            assert type(caught.value).__name__.encode() in data
            assert caught.value.sqlstate.encode() in data
            assert record == "full" or b"secret" not in data

    run(work)


def test_a_cancelled_query_is_no_failure_and_one_that_takes_too_long_is(spans, table):
    async def work(connection):
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(connection.execute("select pg_sleep(2)"), 0.1)
        with contextlib.suppress(asyncio.TimeoutError):
            await connection.execute("select pg_sleep(2)", timeout=0.1)

    run(work)
    cancelled, late = spans.take(2)
    assert not cancelled.is_error
    assert cancelled.attributes["sonde.cancelled"] is True
    assert late.is_error
    assert late.attributes["error.type"] == "TimeoutError"


def test_tasks_keep_their_own_requests(spans, table):
    async def request(pool, number):
        with core.scope(ENTRY, f"request {number}"):
            async with pool.acquire() as connection:
                for _ in range(3):
                    await connection.fetch("select $1::int", number)

    async def work():
        async with asyncpg.create_pool(DSN, min_size=3, max_size=3) as pool:
            await asyncio.gather(*(request(pool, number) for number in range(6)))

    asyncio.run(work())
    found = spans.take(6 * 5)
    entries = {span.span_id for span in found if span.kind == "server"}
    assert len(entries) == 6
    assert sorted(span.parent_id for span in found if span.name == "SELECT") == sorted([*entries] * 3)


def test_errors_of_wrong_use_are_asyncpgs_own(spans, table):
    async def work(connection):
        with pytest.raises(TypeError):
            await connection.fetch()
        with pytest.raises(Exception, match=r"."):
            await connection.fetch(42)
        await connection.close()
        with pytest.raises(asyncpg.InterfaceError, match="closed"):
            await connection.fetch("select 1")

    run(work)
    closed = spans.only()
    assert closed.attributes["error.type"] == "InterfaceError"


def test_over_a_unix_socket_the_address_is_its_path(spans, table):
    async def work():
        connection = await asyncpg.connect(host="/var/run/postgresql", user="postgres", database=DATABASE)
        await connection.execute("select 1")
        await connection.close()

    try:
        asyncio.run(work())
    except (OSError, asyncpg.PostgresError):
        pytest.skip("the server's socket is not to be reached")

    span = spans.only()
    assert span.attributes["server.address"] == "/var/run/postgresql/.s.PGSQL.5432"
    assert "server.port" not in span.attributes


def test_a_fault_of_ours_leaves_the_query_alone(spans, table, monkeypatch):
    def broken(*_args):
        raise RuntimeError("our fault")

    monkeypatch.setattr(guard, "raised", False)
    monkeypatch.setattr(dbapi.Database, "__missing__", broken)
    assert run(lambda connection: connection.fetchval("select 4711")) == 4711

    assert guard.faults()["Connection.fetchval"].last == "RuntimeError: our fault"
    monkeypatch.undo()
    guard.forget()
    spans.take(0)


def test_the_end_puts_every_function_back_and_connections_work_on():
    owners = (asyncpg.Connection, asyncpg.prepared_stmt.PreparedStatement, asyncpg.cursor.BaseCursor)
    before = {owner: {name: value for name, value in vars(owner).items() if callable(value)} for owner in owners}

    async def work(connection):
        await connection.execute("select 1")
        engine.stop()
        assert await connection.fetchval("select 1") == 1

    core.start({}, "", hello={}, debug=True)
    engine = Engine()
    engine.start()
    assert asyncpg.Connection.execute is not before[asyncpg.Connection]["execute"]
    assert asyncio.iscoroutinefunction(asyncpg.Connection.execute)
    run(work)
    core.drain()
    core.stop(0)

    for owner, functions in before.items():
        assert all(vars(owner)[name] is function for name, function in functions.items())


def test_connecting_inside_of_a_trace_is_a_span(spans):
    async def work():
        await (await asyncpg.connect(DSN)).close()
        with core.scope(ENTRY):
            await (await asyncpg.connect(DSN)).close()
            async with asyncpg.create_pool(DSN, min_size=1, max_size=1) as pool, pool.acquire():
                pass

    asyncio.run(work())

    *made, entry = spans.take(4)
    assert names(made) == ["CONNECT", "CONNECT", "RESET"]
    assert {span.parent_id for span in made} == {entry.span_id}
    assert [span.attributes for span in made[:2]] == [SERVER | {"db.operation.name": "CONNECT"}] * 2


def test_a_connection_that_is_refused_fails_its_span(spans):
    async def work():
        with core.scope(ENTRY), pytest.raises(OSError, match="Connect"):
            await asyncpg.connect(f"postgresql://postgres:secret@{HOST}:1/{DATABASE}")

    asyncio.run(work())

    refused, _ = spans.take(2)
    assert (refused.name, refused.is_error) == ("CONNECT", True)
    assert "secret" not in str(refused)
