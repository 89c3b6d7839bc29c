"""psycopg against a real PostgreSQL; tables of our own, taken away again."""
# ruff: noqa: S608 - statements with names of our own

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket

import psycopg
import pytest
from psycopg import sql

from sonde.probe import core, guard
from sonde.probe.plugins import dbapi, options
from sonde.probe.plugins.engine import Engine
from sonde.probe.plugins.psycopg import composed

HOST, PORT, DATABASE = "127.0.0.1", 5432, "test"
TABLE = f"sonde_psycopg_{secrets.token_hex(4)}"
DSN = f"host={HOST} port={PORT} dbname={DATABASE} user=postgres"
ENTRY = core.operation("entry", core.SERVER)
SERVER = {"db.system.name": "postgresql", "db.namespace": DATABASE, "server.address": HOST, "server.port": PORT}


def _answers() -> bool:
    with socket.socket() as knock:
        knock.settimeout(1)
        return knock.connect_ex((HOST, PORT)) == 0


pytestmark = pytest.mark.skipif(not _answers(), reason="no PostgreSQL on 127.0.0.1:5432")


@pytest.fixture
def table(spans):
    """A table of two columns; whatever is done to it is taken back."""
    dbapi.databases.clear()
    with psycopg.connect(DSN, autocommit=True) as connection:
        connection.execute(f"create table {TABLE} (id int primary key, who text)")
        spans.take(1)
        yield TABLE
        options.record_sql = "masked"
        connection.execute(f"drop table {TABLE}")


@pytest.fixture
def connection(table):
    with psycopg.connect(DSN) as connection:
        yield connection
        connection.rollback()


def in_async(work):
    """Run `work(connection)` with an asyncio connection."""

    async def run():
        async with await psycopg.AsyncConnection.connect(DSN) as connection:
            answer = await work(connection)
            await connection.rollback()
            return answer

    return asyncio.run(run())


def names(found):
    return [span.name for span in found]


def test_a_query_is_a_client_span_with_its_shape_and_without_its_values(spans, connection):
    with core.scope(ENTRY):
        connection.execute(f"insert into {TABLE} values (1, 'ann')")
        cursor = connection.execute(f"select who from {TABLE} where id = 1 and who = %s", ("ann",))
        assert cursor.fetchall() == [("ann",)]

    _, select, entry = spans.take(3)
    assert (select.kind, select.name, select.parent_id) == ("client", f"SELECT {TABLE}", entry.span_id)
    assert select.attributes == {
        **SERVER,
        "db.operation.name": "SELECT",
        "db.query.text": f"select who from {TABLE} where id = ? and who = %s",
    }


def test_an_asyncio_query_is_the_same(spans, table):
    async def work(connection):
        with core.scope(ENTRY):
            async with connection.cursor() as cursor:
                await cursor.execute(f"select who from {TABLE} where id = 1 and who = %s", ("ann",))
                return await cursor.fetchall()

    assert in_async(work) == []
    select, entry, rollback = spans.take(3)
    assert (select.name, select.parent_id) == (f"SELECT {TABLE}", entry.span_id)
    assert select.attributes["db.query.text"] == f"select who from {TABLE} where id = ? and who = %s"
    assert rollback.attributes == {**SERVER, "db.operation.name": "ROLLBACK", "db.query.text": "ROLLBACK"}


@pytest.mark.parametrize(("record", "text"), [("off", None), ("full", "select 'a'")])
def test_the_setting_decides_about_the_text(spans, connection, record, text):
    options.record_sql = record
    connection.execute("select 'a'")

    assert spans.only().attributes.get("db.query.text") == text


def test_executemany_is_one_span_with_the_number_of_rows(spans, connection):
    with connection.cursor() as cursor:
        cursor.executemany(f"insert into {TABLE} values (%s, %s)", [(1, "ann"), (2, "secret")])
        cursor.executemany(f"insert into {TABLE} values (%s, 'x')", ((number,) for number in (3, 4)))
    connection.commit()

    many, lazy, _ = spans.take(3)
    assert many.attributes["db.operation.batch.size"] == 2
    assert many.attributes["db.query.text"] == f"insert into {TABLE} values (%s, %s)"
    assert "db.operation.batch.size" not in lazy.attributes
    assert connection.execute(f"select count(*) from {TABLE}").fetchone() == (4,)
    spans.take(1)


def test_an_asyncio_executemany_is_the_same(spans, table):
    async def work(connection):
        async with connection.cursor() as cursor:
            await cursor.executemany(f"insert into {TABLE} values (%s, %s)", [(1, "ann"), (2, "bob")])

    in_async(work)
    assert names(spans.take(2)) == [f"INSERT {TABLE}", "ROLLBACK"]


def test_a_transaction_ends_with_a_span_when_there_is_one(spans, connection):
    connection.commit()
    connection.execute("select 1")
    connection.commit()
    connection.execute("select 1")
    connection.rollback()
    connection.rollback()

    assert names(spans.take(4)) == ["SELECT", "COMMIT", "SELECT", "ROLLBACK"]


def test_transaction_blocks_are_spans(spans, connection):
    with connection.transaction():
        connection.execute("select 1")
        with contextlib.suppress(LookupError), connection.transaction():
            raise LookupError
        with connection.transaction():
            pass
    with connection.transaction(force_rollback=True):
        pass

    assert names(spans.take(9)) == [
        "BEGIN",
        "SELECT",
        "SAVEPOINT",
        "ROLLBACK",
        "SAVEPOINT",
        "RELEASE",
        "COMMIT",
        "BEGIN",
        "ROLLBACK",
    ]


def test_asyncio_transaction_blocks_are_spans(spans, table):
    async def work(connection):
        await connection.set_autocommit(True)
        async with connection.transaction():
            await connection.execute("select 1")

    in_async(work)
    assert names(spans.take(3)) == ["BEGIN", "SELECT", "COMMIT"]


def test_a_copy_is_one_span_from_begin_to_end(spans, connection):
    with core.scope(ENTRY), connection.cursor() as cursor:
        with cursor.copy(f"copy {TABLE} (id, who) from stdin") as copy:
            copy.write_row((1, "secret"))
            copy.write_row((2, "bob"))
        with cursor.copy(f"copy (select who from {TABLE} where id > %s) to stdout", (0,)) as copy:
            assert [row for (row,) in copy.rows()] == ["secret", "bob"]

    into, out, entry = spans.take(3)
    assert (into.name, into.parent_id) == (f"COPY {TABLE}", entry.span_id)
    assert into.attributes["db.query.text"] == f"copy {TABLE} (id, who) from stdin"
    assert out.name == f"COPY {TABLE}"


def test_an_asyncio_copy_is_the_same(spans, table):
    async def work(connection):
        async with connection.cursor() as cursor:
            async with cursor.copy(f"copy {TABLE} from stdin") as copy:
                await copy.write_row((1, "ann"))
            return cursor.rowcount

    assert in_async(work) == 1
    assert names(spans.take(2)) == [f"COPY {TABLE}", "ROLLBACK"]


def test_a_copy_that_fails_fails_its_span(spans, connection):
    with (
        pytest.raises(psycopg.errors.InvalidTextRepresentation),
        connection.cursor() as cursor,
        cursor.copy(f"copy {TABLE} from stdin") as copy,
    ):
        copy.write("secret\tann\n")

    span = spans.only()
    assert span.is_error
    assert span.attributes["db.response.status_code"] == "22P02"


def test_a_stream_is_one_span_until_its_first_row(spans, connection):
    connection.autocommit = True  # who leaves a stream cancels its query, and loses the transaction
    with core.scope(ENTRY), connection.cursor() as cursor:
        rows = cursor.stream("select generate_series(1, %s)", (3,))
        assert next(rows) == (1,)
        (first,) = spans.take(1)
        assert list(rows) == [(2,), (3,)]
        assert list(cursor.stream(f"select * from {TABLE}")) == []
        for row in cursor.stream("select generate_series(1, 100000)"):
            assert row == (1,)
            break
        with pytest.raises(psycopg.errors.UndefinedTable):
            next(cursor.stream("select * from nowhere"))
        with pytest.raises(TypeError):
            cursor.stream()

    empty, left, failed, entry = spans.take(4)
    assert {span.parent_id for span in (first, empty, left, failed)} == {entry.span_id}
    assert [span.is_error for span in (first, empty, left, failed)] == [False, False, False, True]


def test_an_asyncio_stream_is_the_same(spans, table):
    async def work(connection):
        await connection.set_autocommit(True)
        async with connection.cursor() as cursor:
            found = [row async for (row,) in cursor.stream("select generate_series(1, 3)")]
            rows = cursor.stream("select generate_series(1, 100000)")
            async for (row,) in rows:
                found.append(row)
                break
            await rows.aclose()
            await cursor.execute("select 4")
            return found

    assert in_async(work) == [1, 2, 3, 1]
    assert names(spans.take(3)) == ["SELECT", "SELECT", "SELECT"]


def test_a_loop_over_a_cursor_of_the_server_has_one_span(spans, connection):
    with connection.cursor("mine") as cursor:
        cursor.execute("select generate_series(1, 300)")
        assert len(list(cursor)) == 300

    assert spans.only().attributes["db.query.text"] == "select generate_series(?)"


def test_fetching_from_a_cursor_of_the_server_is_timed(spans, connection):
    """There a statement is declared in no time, and runs when rows are asked for."""
    with connection.cursor("mine") as cursor:
        cursor.execute("select generate_series(1, 30)")
        assert cursor.fetchone() == (1,)
        assert len(cursor.fetchmany(10)) == 10
        assert len(cursor.fetchall()) == 19

    found = spans.take(4)
    assert names(found) == ["SELECT", "FETCH", "FETCH", "FETCH"]
    assert found[1].attributes == {**SERVER, "db.operation.name": "FETCH", "db.query.text": "FETCH"}


def test_fetching_from_an_asyncio_cursor_of_the_server_is_timed(spans, table):
    async def work(connection):
        async with connection.cursor("mine") as cursor:
            await cursor.execute("select generate_series(1, 300)")
            return len(await cursor.fetchall())

    assert in_async(work) == 300
    assert names(spans.take(3)) == ["SELECT", "FETCH", "ROLLBACK"]


def test_a_pipeline_works_and_its_end_is_a_span(spans, connection):
    with core.scope(ENTRY):
        with connection.pipeline() as pipeline:
            first = connection.execute(f"insert into {TABLE} values (1, 'ann') returning id")
            second = connection.execute("select 2")
            pipeline.sync()
            assert second.fetchone() == (2,)
            with connection.cursor() as cursor:
                cursor.executemany(f"insert into {TABLE} values (%s, 'x')", [(2,), (3,)])
        assert first.fetchone() == (1,)

    found = spans.take(6)
    assert {span.parent_id for span in found[:-1]} == {found[-1].span_id}
    assert names(found[:-1]) == ["INSERT " + TABLE, "SELECT", "PIPELINE", "INSERT " + TABLE, "PIPELINE"]


def test_an_error_passes_and_is_recorded_with_its_code_and_without_values(spans, connection):
    with pytest.raises(psycopg.errors.UndefinedTable, match="nowhere"):
        connection.execute("select * from nowhere")

    span = spans.only()
    assert span.is_error
    assert span.events == ["exception"]
    assert span.attributes["error.type"] == "UndefinedTable"
    assert span.attributes["db.response.status_code"] == "42P01"


@pytest.mark.parametrize(
    "statement",
    [
        "insert into {} values (1, %s), (2, %s)",
        "select %s::text::int, %s",
        "select %s::text::date, %s",
        "select 'secret' 'secret', %s, %s",
    ],
)
def test_a_message_tells_no_values_unless_statements_do(spans, connection, statement):
    """A key twice, text for a number or a date, syntax errors: PostgreSQL shows the value in each."""
    connection.execute(f"alter table {TABLE} add unique (who)")
    connection.commit()
    spans.take(2)
    for record in ("masked", "full"):
        options.record_sql = record
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(statement.format(TABLE), ("a secret", "a secret"))
        (data,) = core.drain()
        assert type(caught.value).__name__.encode() in data
        assert (b"secret" in data) is (record == "full")
        connection.rollback()
        core.drain()


def test_a_cancelled_query_is_no_failure(spans, table):
    async def run():
        connection = await psycopg.AsyncConnection.connect(DSN)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(connection.execute("select pg_sleep(2)"), 0.1)
        await connection.close()

    asyncio.run(run())
    span = spans.only()
    assert not span.is_error
    assert span.attributes["sonde.cancelled"] is True


def test_tasks_keep_their_own_requests(spans, table):
    async def request(number):
        with core.scope(ENTRY, f"request {number}"):
            async with await psycopg.AsyncConnection.connect(DSN, autocommit=True) as connection:
                for _ in range(3):
                    await connection.execute("select %s", (number,))

    async def work():
        await asyncio.gather(*(request(number) for number in range(5)))

    asyncio.run(work())
    found = spans.take(25)
    entries = {span.span_id for span in found if span.kind == "server"}
    assert len(entries) == 5
    assert sorted(span.parent_id for span in found if span.kind == "client") == sorted([*entries] * 4)


def test_objects_of_sql_are_statements_without_their_literals(spans, connection):
    query = sql.SQL("select {}, {} from {} where who = {} or id in ({})").format(
        sql.Identifier("id"),
        sql.Identifier(TABLE, "who"),
        sql.Identifier(TABLE),
        sql.Placeholder("name"),
        sql.SQL(", ").join([sql.Literal(1), sql.Literal(2)]),
    )
    assert connection.execute(query, {"name": "secret"}).fetchall() == []
    assert connection.execute(sql.SQL("select ") + sql.Literal("secret")).fetchone() == ("secret",)
    assert connection.execute(b"select 'secret'").fetchone() == ("secret",)

    found = spans.take(3)
    assert found[0].name == f'SELECT "{TABLE}"'
    expected = f'select "id", "{TABLE}"."who" from "{TABLE}" where who = %(name)s or id in (?)'
    assert [span.attributes["db.query.text"] for span in found] == [expected, "select ?", "select ?"]


def test_a_template_string_is_a_statement_without_its_values():
    class Part:
        def __init__(self, value, format_spec=""):
            self.value, self.format_spec = value, format_spec

    class Template(list):
        interpolations = ()

    inner = Template([" where name = ", Part("secret")])
    template = Template(["select ", Part("a", "i"), ", ", Part("secret", "l"), " from t", Part(inner, "q")])

    assert composed(template, sql) == 'select "a", ? from t where name = %s'


def test_what_is_no_statement_fails_as_it_does_without_us(spans, connection):
    with pytest.raises(TypeError):
        connection.cursor().execute()
    with pytest.raises((TypeError, AttributeError)):
        connection.execute(42)
    with psycopg.connect(DSN) as other:
        cursor = other.cursor()
    with pytest.raises(psycopg.OperationalError, match="closed"):
        cursor.execute("select 1")

    spans.take(0)


def test_the_users_own_classes_keep_working(spans, table):
    class Cursor(psycopg.ClientCursor):
        def execute(self, query, *args, **options):
            seen.append("cursor")
            return super().execute(query, *args, **options)

    class Connection(psycopg.Connection):
        def commit(self):
            seen.append("connection")
            super().commit()

    seen = []
    with Connection.connect(DSN, cursor_factory=Cursor) as connection:
        assert type(connection) is Connection
        assert connection.execute(query="select %s", params=(7,)).fetchone() == (7,)

    assert seen == ["cursor", "connection"]
    assert names(spans.take(2)) == ["SELECT", "COMMIT"]


def test_over_a_unix_socket_the_address_is_its_path(spans, table):
    folder = "/var/run/postgresql"
    try:
        connection = psycopg.connect(f"host={folder} dbname={DATABASE} user=postgres")
    except psycopg.OperationalError:
        pytest.skip("the server's socket is not to be reached")
    with connection:
        connection.execute("select 1")

    span, _ = spans.take(2)
    assert span.attributes["server.address"] == f"{folder}/.s.PGSQL.5432"
    assert "server.port" not in span.attributes


def test_a_fault_of_ours_leaves_the_query_alone(spans, connection, monkeypatch):
    def broken(*_args):
        raise RuntimeError("our fault")

    monkeypatch.setattr(guard, "raised", False)
    monkeypatch.setattr(dbapi.Database, "__missing__", broken)
    assert connection.execute("select 4711").fetchone() == (4711,)

    assert guard.faults()["Cursor.execute"].last == "RuntimeError: our fault"
    monkeypatch.undo()
    guard.forget()
    spans.take(0)


def test_the_end_puts_every_function_back_and_connections_work_on():
    owners = (psycopg.Cursor, psycopg.AsyncCursor, psycopg.Connection, psycopg.Transaction, psycopg.Pipeline)
    before = {owner: {name: value for name, value in vars(owner).items() if callable(value)} for owner in owners}
    core.start({}, "", hello={}, debug=True)
    engine = Engine()
    engine.start()
    assert psycopg.Cursor.execute is not before[psycopg.Cursor]["execute"]
    assert asyncio.iscoroutinefunction(psycopg.AsyncCursor.execute)
    connection = psycopg.connect(DSN)
    connection.execute("select 1")
    engine.stop()
    core.drain()
    core.stop(0)

    for owner, functions in before.items():
        assert all(vars(owner)[name] is function for name, function in functions.items())
    assert connection.execute("select 1").fetchone() == (1,)
    connection.close()


def test_a_long_object_of_sql_and_long_bytes_are_statements_as_well(spans, connection):
    many = sql.SQL(", ").join([sql.Literal(number) for number in range(20_000)])
    connection.execute(sql.SQL("select 1 where 1 in ({})").format(many))
    connection.execute(b"select 1 where '' in (" + b", ".join([b"'secret'"] * 1000) + b")")

    composed, plain = spans.take(2)
    assert composed.attributes["db.query.text"].startswith("select ? where ? in (?")
    assert plain.attributes["db.query.text"].startswith("select ? where ? in (?")
    assert "secret" not in plain.attributes["db.query.text"]


def test_connecting_inside_of_a_trace_is_a_span(spans):
    def connect():
        psycopg.connect(DSN).close()

    connect()
    with core.scope(ENTRY):
        connect()
        psycopg.Connection.connect(DSN).close()

        async def run():
            await (await psycopg.AsyncConnection.connect(DSN)).close()

        asyncio.run(run())

    *made, entry = spans.take(4)
    assert {(span.name, span.kind, span.parent_id) for span in made} == {("CONNECT", "client", entry.span_id)}
    assert [span.attributes for span in made] == [SERVER | {"db.operation.name": "CONNECT"}] * 3


def test_a_connection_that_is_refused_fails_its_span(spans):
    with core.scope(ENTRY), pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"host={HOST} port=1 dbname={DATABASE} user=postgres password=secret")

    refused, _ = spans.take(2)
    assert (refused.name, refused.is_error) == ("CONNECT", True)
    assert "secret" not in str(refused)
