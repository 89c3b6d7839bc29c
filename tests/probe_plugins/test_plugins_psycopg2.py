"""psycopg2 against a real PostgreSQL; tables of our own, taken away again."""
# ruff: noqa: S608 - statements with names of our own

from __future__ import annotations

import contextlib
import io
import logging
import secrets
import socket

import psycopg2
import psycopg2.errors
import psycopg2.extensions
import psycopg2.extras
import psycopg2.pool
import pytest
from psycopg2 import sql

from sonde.probe import core, guard
from sonde.probe.plugins import dbapi, options
from sonde.probe.plugins.engine import Engine

HOST, PORT, DATABASE = "127.0.0.1", 5432, "test"
TABLE = f"sonde_psycopg2_{secrets.token_hex(4)}"
DSN = f"host={HOST} port={PORT} dbname={DATABASE} user=postgres"
ENTRY = core.operation("entry", core.SERVER)
SERVER = {"db.system.name": "postgresql", "db.namespace": DATABASE, "server.address": HOST, "server.port": PORT}


def _answers() -> bool:
    with socket.socket() as knock:
        knock.settimeout(1)
        return knock.connect_ex((HOST, PORT)) == 0


pytestmark = pytest.mark.skipif(not _answers(), reason="no PostgreSQL on 127.0.0.1:5432")


@pytest.fixture
def connection(spans):
    dbapi.databases.clear()
    connection = psycopg2.connect(DSN)
    with connection, connection.cursor() as cursor:
        cursor.execute(f"create table {TABLE} (id int primary key, who text)")
    spans.take(2)
    yield connection
    options.record_sql = "masked"
    connection.rollback()
    with connection, connection.cursor() as cursor:
        cursor.execute(f"drop table {TABLE}")
    connection.close()


@pytest.fixture
def cursor(connection):
    with connection.cursor() as cursor:
        yield cursor


def names(found):
    return [span.name for span in found]


def test_a_query_is_a_client_span_with_its_shape_and_without_its_values(spans, cursor):
    with core.scope(ENTRY):
        cursor.execute(f"insert into {TABLE} values (1, 'ann')")
        cursor.execute(f"select who from {TABLE} where id = 1 and who = %s", ("ann",))
    assert cursor.fetchall() == [("ann",)]

    _, select, entry = spans.take(3)
    assert (select.kind, select.name, select.parent_id) == ("client", f"SELECT {TABLE}", entry.span_id)
    assert select.attributes == {
        **SERVER,
        "db.operation.name": "SELECT",
        "db.query.text": f"select who from {TABLE} where id = ? and who = %s",
    }


@pytest.mark.parametrize(("record", "text"), [("off", None), ("full", "select 'a'")])
def test_the_setting_decides_about_the_text(spans, cursor, record, text):
    options.record_sql = record
    cursor.execute("select 'a'")

    assert spans.only().attributes.get("db.query.text") == text


@pytest.mark.parametrize("factory", [None, psycopg2.extras.DictCursor, psycopg2.extras.NamedTupleCursor])
def test_fetching_from_a_cursor_of_the_server_is_timed(spans, connection, factory):
    """There a statement is declared in no time, and runs when rows are asked for."""
    with connection.cursor("mine", cursor_factory=factory) as named:
        named.execute("select generate_series(1, 30)")
        assert named.fetchone()[0] == 1
        assert len(named.fetchmany(10)) == 10
        assert len(named.fetchall()) == 19
    with connection.cursor(cursor_factory=factory) as cursor:
        cursor.execute("select generate_series(1, 30)")
        assert len(cursor.fetchall()) == 30

    found = spans.take(5)
    assert names(found) == ["SELECT", "FETCH", "FETCH", "FETCH", "SELECT"]
    assert found[1].attributes == {**SERVER, "db.operation.name": "FETCH", "db.query.text": "FETCH"}


def test_every_way_to_execute_is_seen_once(spans, connection, cursor):
    cursor.execute(query="select %s", vars=(1,))
    cursor.executemany(f"insert into {TABLE} values (%s, %s)", [(1, "a"), (2, "secret")])
    cursor.callproc("int4pl", (40, 2))
    assert cursor.fetchone() == (42,)
    cursor.copy_from(io.StringIO("3\tsecret\n"), TABLE)
    cursor.copy_to(io.StringIO(), TABLE)
    cursor.copy_expert(f"copy (select id from {TABLE}) to stdout", io.StringIO())
    with connection.cursor("mine") as named:
        named.execute("select generate_series(1, 3000)")
        assert len(list(named)) == 3000

    found = spans.take(7)
    assert names(found) == [
        "SELECT",
        f"INSERT {TABLE}",
        "SELECT int4pl",
        *[f"COPY {TABLE}"] * 3,
        "SELECT",
    ]
    assert found[1].attributes["db.operation.batch.size"] == 2
    assert not any("secret" in str(span.attributes) for span in found)


def test_a_transaction_ends_with_a_span_when_there_is_one(spans, connection, cursor):
    connection.commit()
    cursor.execute("select 1")
    connection.commit()
    connection.rollback()
    with contextlib.suppress(LookupError), connection:
        cursor.execute("select 2")
        raise LookupError
    connection.autocommit = True
    cursor.execute("select 3")
    connection.commit()
    connection.autocommit = False

    assert names(spans.take(5)) == ["SELECT", "COMMIT", "SELECT", "ROLLBACK", "SELECT"]


def test_execute_values_and_batch_are_a_span_a_page(spans, cursor):
    rows = [(number, "secret") for number in range(250)]
    psycopg2.extras.execute_values(cursor, f"insert into {TABLE} (id, who) values %s", rows)
    psycopg2.extras.execute_batch(cursor, f"update {TABLE} set who = %s where id = %s", [("secret", 1), ("secret", 2)])

    *pages, batch = spans.take(4)
    for page in pages:
        assert page.name == f"INSERT {TABLE}"
        assert page.attributes["db.query.text"].startswith(f"insert into {TABLE} (id, who) values (?)")
        assert "secret" not in page.attributes["db.query.text"]
    assert batch.attributes["db.query.text"] == ";".join([f"update {TABLE} set who = ? where id = ?"] * 2)
    cursor.execute(f"select count(*) from {TABLE}")
    assert cursor.fetchone() == (250,)
    spans.take(1)


def test_functions_that_look_at_types_take_our_objects(spans, connection, cursor):
    psycopg2.extras.register_uuid(conn_or_curs=connection)
    psycopg2.extras.register_default_jsonb(cursor)
    psycopg2.extensions.register_type(psycopg2.extensions.UNICODE, cursor)
    psycopg2.extensions.register_type(psycopg2.extensions.UNICODE, connection)
    assert psycopg2.extensions.quote_ident("a", cursor) == '"a"'
    assert psycopg2.extensions.quote_ident("a", connection) == '"a"'
    assert sql.Identifier("a").as_string(cursor) == '"a"'
    assert psycopg2.extensions.adapt("it's").getquoted() == b"'it''s'"
    adapted = psycopg2.extensions.adapt("it's")
    adapted.prepare(connection)
    assert adapted.getquoted() == b"'it''s'"
    assert psycopg2.extensions.encodings[cursor.connection.encoding] == "utf_8"
    spans.take(0)

    cursor.execute(f"create type {TABLE}_pair as (a int, b int)")
    psycopg2.extras.register_composite(f"{TABLE}_pair", cursor)
    cursor.execute(f"select row(1, 2)::{TABLE}_pair")
    assert cursor.fetchone()[0] == (1, 2)
    assert len(spans.take(3)) == 3


def test_objects_are_what_the_user_takes_them_for(connection, cursor):
    assert isinstance(connection, psycopg2.extensions.connection)
    assert isinstance(cursor, psycopg2.extensions.cursor)
    assert repr(type(connection)) == repr(psycopg2.extensions.connection)
    assert repr(type(cursor)) == repr(psycopg2.extensions.cursor)
    assert type(cursor) is type(connection.cursor())
    assert cursor.connection is connection
    assert connection.cursor_factory is None
    assert connection.get_dsn_parameters()["dbname"] == DATABASE


def test_the_users_own_classes_keep_working(spans, connection):
    class Cursor(psycopg2.extras.RealDictCursor):
        def execute(self, query, vars=None):  # noqa: A002 - its name
            seen.append("cursor")
            return super().execute(query, vars)

    class Connection(psycopg2.extensions.connection):
        def cursor(self, *args, **kwargs):
            seen.append("connection")
            return super().cursor(*args, **kwargs)

        def commit(self):
            seen.append("commit")
            super().commit()

    seen = []
    with psycopg2.connect(DSN, connection_factory=Connection, cursor_factory=Cursor) as other:
        assert isinstance(other, Connection)
        assert other.cursor_factory is Cursor
        with other.cursor() as cursor:
            assert isinstance(cursor, Cursor)
            cursor.execute("select 7 as seven")
            assert cursor.fetchone() == {"seven": 7}
        with other.cursor(None, psycopg2.extras.NamedTupleCursor) as cursor:
            cursor.execute("select 8 as eight")
            assert cursor.fetchone().eight == 8
    other.close()

    assert seen == ["connection", "cursor", "connection", "commit"]
    assert names(spans.take(3)) == ["SELECT", "SELECT", "COMMIT"]


def test_the_librarys_own_classes_keep_working(spans, connection, caplog):
    logger = logging.getLogger(__name__)
    caplog.set_level(logging.DEBUG)
    for factory in (psycopg2.extras.DictConnection, psycopg2.extras.LoggingConnection):
        other = psycopg2.connect(DSN, connection_factory=factory)
        if factory is psycopg2.extras.LoggingConnection:
            other.initialize(logger)
        with other, other.cursor() as cursor:
            cursor.execute("select 9 as nine")
            assert cursor.fetchone()[0] == 9
        other.close()
    pool = psycopg2.pool.ThreadedConnectionPool(1, 2, DSN)
    pooled = pool.getconn()
    pooled.cursor().execute("select 10")
    pool.putconn(pooled)
    pool.closeall()

    assert "select 9" in caplog.text
    assert names(spans.take(6)) == ["SELECT", "COMMIT"] * 2 + ["SELECT", "ROLLBACK"]


def test_a_factory_that_is_a_function_is_left_alone(spans, connection):
    other = psycopg2.connect(DSN, connection_factory=lambda dsn, *_more, **_also: psycopg2.extensions.connection(dsn))
    assert type(other) is psycopg2.extensions.connection
    other.cursor().execute("select 1")
    other.close()

    spans.take(0)


def test_a_replication_connection_can_be_made(connection):
    try:
        other = psycopg2.connect(DSN, connection_factory=psycopg2.extras.LogicalReplicationConnection)
    except psycopg2.OperationalError as refused:
        pytest.skip(str(refused))
    with other.cursor() as cursor:
        assert isinstance(cursor, psycopg2.extras.ReplicationCursor)
    other.close()


def test_an_error_passes_and_is_recorded_with_its_code_and_without_values(spans, connection, cursor):
    cursor.execute(f"insert into {TABLE} values (1, 'ann')")
    cursor.execute(f"alter table {TABLE} add unique (who)")
    connection.commit()
    spans.take(3)
    for record in ("masked", "full"):
        options.record_sql = record
        with pytest.raises(psycopg2.errors.UniqueViolation, match="secret"):
            cursor.execute(f"insert into {TABLE} values (2, %s), (3, %s)", ("secret", "secret"))
        (data,) = core.drain()
        assert b"psycopg2.errors.UniqueViolation: duplicate key value violates unique constraint" in data
        assert b"23505" in data
        assert (b"secret" in data) is (record == "full")
        connection.rollback()
        core.drain()


def test_objects_of_sql_are_statements_without_their_literals(spans, cursor):
    query = sql.SQL("select {} from {} where who = {} or id in ({})").format(
        sql.Identifier("id"),
        sql.Identifier("public", TABLE),
        sql.Placeholder("name"),
        sql.SQL(", ").join([sql.Literal(1), sql.Literal(2)]),
    )
    cursor.execute(query, {"name": "secret"})
    cursor.execute(b"select 'secret'")

    composed, plain = spans.take(2)
    expected = f'select "id" from "public"."{TABLE}" where who = %(name)s or id in (?)'
    assert composed.attributes["db.query.text"] == expected
    assert plain.attributes["db.query.text"] == "select ?"


def test_errors_of_wrong_use_are_psycopg2s_own(spans, connection):
    cursor = connection.cursor()
    with pytest.raises(TypeError):
        cursor.execute()
    with pytest.raises(TypeError):
        cursor.execute(42)
    with pytest.raises(TypeError):
        connection.cursor(cursor_factory=42)
    other = psycopg2.connect(DSN)
    closed = other.cursor()
    other.close()
    with pytest.raises(psycopg2.InterfaceError, match="closed"):
        closed.execute("select 1")
    with pytest.raises(psycopg2.InterfaceError, match="closed"):
        other.commit()

    spans.take(0)


def test_over_a_unix_socket_the_address_is_its_path(spans, connection):
    folder = "/var/run/postgresql"
    try:
        other = psycopg2.connect(f"host={folder} dbname={DATABASE} user=postgres")
    except psycopg2.OperationalError:
        pytest.skip("the server's socket is not to be reached")
    other.cursor().execute("select 1")
    other.close()

    span = spans.only()
    assert span.attributes["server.address"] == f"{folder}/.s.PGSQL.5432"
    assert "server.port" not in span.attributes


def test_a_fault_of_ours_leaves_the_query_alone(spans, cursor, monkeypatch):
    def broken(*_args):
        raise RuntimeError("our fault")

    monkeypatch.setattr(guard, "raised", False)
    monkeypatch.setattr(dbapi.Database, "__missing__", broken)
    cursor.execute("select 4711")
    assert cursor.fetchone() == (4711,)

    assert guard.faults()["cursor.execute"].last == "RuntimeError: our fault"
    monkeypatch.undo()
    guard.forget()
    spans.take(0)


def test_connections_made_before_the_end_work_after_it():
    plain = psycopg2._connect
    core.start({}, "", hello={}, debug=True)
    engine = Engine()
    engine.start()
    assert psycopg2._connect is not plain
    connection = psycopg2.connect(DSN)
    engine.stop()
    core.stop(0)

    assert psycopg2._connect is plain
    cursor = connection.cursor()
    cursor.execute("select 1")
    assert cursor.fetchone() == (1,)
    connection.close()
