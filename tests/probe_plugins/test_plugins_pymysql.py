"""PyMySQL against a real MariaDB; tables of our own, taken away again."""
# ruff: noqa: S608 - statements with names of our own

from __future__ import annotations

import secrets
import socket

import pymysql
import pymysql.cursors
import pytest

from sonde.probe import core, guard
from sonde.probe.plugins import dbapi, options
from sonde.probe.plugins.engine import Engine

HOST, PORT, DATABASE = "127.0.0.1", 3306, "test"
TABLE = f"sonde_pymysql_{secrets.token_hex(4)}"
ENTRY = core.operation("entry", core.SERVER)
SERVER = {"db.system.name": "mariadb", "db.namespace": DATABASE, "server.address": HOST, "server.port": PORT}


def _answers() -> bool:
    with socket.socket() as knock:
        knock.settimeout(1)
        return knock.connect_ex((HOST, PORT)) == 0


pytestmark = pytest.mark.skipif(not _answers(), reason="no MariaDB on 127.0.0.1:3306")


def connected(**options):
    return pymysql.connect(host=HOST, port=PORT, user="root", password="", database=DATABASE, **options)


@pytest.fixture
def connection(spans):
    dbapi.databases.clear()
    connection = connected()
    with connection.cursor() as cursor:
        cursor.execute(f"create table {TABLE} (id int primary key, who varchar(20))")
    spans.take(1)
    yield connection
    options.record_sql = "masked"
    if not connection.open:
        connection = connected()
    connection.rollback()
    with connection.cursor() as cursor:
        cursor.execute(f"drop table if exists {TABLE}")
    connection.close()


def test_a_query_is_a_client_span_with_its_shape_and_without_its_values(spans, connection):
    with core.scope(ENTRY), connection.cursor() as cursor:
        cursor.execute(f"insert into {TABLE} values (1, 'ann')")
        assert cursor.execute(f"select who from {TABLE} where id = 1 and who = %s", ("ann",)) == 1
        assert cursor.fetchall() == (("ann",),)

    _, select, entry = spans.take(3)
    assert (select.kind, select.name, select.parent_id) == ("client", f"SELECT {TABLE}", entry.span_id)
    assert select.attributes == {
        **SERVER,
        "db.operation.name": "SELECT",
        "db.query.text": f"select who from {TABLE} where id = ? and who = %s",
    }


@pytest.mark.parametrize(("record", "text"), [("off", None), ("full", "select 'it\\'s'")])
def test_the_setting_decides_about_the_text(spans, connection, record, text):
    options.record_sql = record
    with connection.cursor() as cursor:
        cursor.execute("select 'it\\'s'")

    assert spans.only().attributes.get("db.query.text") == text


def test_a_quote_behind_a_backslash_does_not_end_a_string(spans, connection):
    with connection.cursor() as cursor:
        cursor.execute("select 'it\\'s secret', \"secret\", 'x' # it's")

    assert spans.only().attributes["db.query.text"] == "select ?, ?, ?"


def test_where_backslashes_mean_nothing_they_end_no_mask(spans):
    dbapi.databases.clear()
    with connected(sql_mode="NO_BACKSLASH_ESCAPES") as connection, connection.cursor() as cursor:
        cursor.execute(r"select 'a\', 'secret'")
        assert cursor.fetchone() == ("a\\", "secret")

    assert [span.attributes["db.query.text"] for span in spans.take(2)] == ["SET sql_mode=%s", "select ?, ?"]


@pytest.mark.parametrize("statement", ["insert into {} values (%s, %s)", "update {} set id = %s where who = %s"])
def test_executemany_is_one_span_with_the_number_of_rows(spans, connection, statement):
    with connection.cursor() as cursor:
        cursor.executemany(statement.format(TABLE), [(1, "ann"), (2, "bob"), (3, "secret")])
        cursor.execute("select 1")

    many, after = spans.take(2)
    assert many.attributes["db.query.text"] == statement.format(TABLE)
    assert many.attributes["db.operation.batch.size"] == 3
    assert after.name == "SELECT"


def test_executemany_without_rows_asks_the_server_nothing(spans, connection):
    with connection.cursor() as cursor:
        cursor.executemany(f"insert into {TABLE} values (%s, %s)", [])

    spans.take(0)


def test_begin_commit_and_rollback_are_spans(spans, connection):
    connection.begin()
    connection.commit()
    connection.rollback()

    found = spans.take(3)
    assert [span.name for span in found] == ["BEGIN", "COMMIT", "ROLLBACK"]
    assert found[1].attributes == {**SERVER, "db.operation.name": "COMMIT", "db.query.text": "COMMIT"}


def test_a_procedure_is_one_span_without_its_arguments(spans, connection):
    name = f"sonde_twice_{secrets.token_hex(4)}"
    with connection.cursor() as cursor:
        cursor.execute(f"create procedure {name}(in number int, in word varchar(9)) select number * 2, word")
        try:
            cursor.callproc(name, (21, "secret"))
            assert cursor.fetchone() == (42, "secret")
        finally:
            cursor.execute(f"drop procedure {name}")

    _, call, _ = spans.take(3)
    assert (call.name, call.attributes["db.query.text"]) == (f"CALL {name}", f"CALL {name}")


def test_an_error_passes_and_is_recorded_with_its_number_and_without_values(spans, connection):
    with connection.cursor() as cursor:
        cursor.execute(f"insert into {TABLE} values (1, 'ann')")
        with pytest.raises(pymysql.IntegrityError, match="Duplicate entry '1'") as caught:
            cursor.execute(f"insert into {TABLE} values (1, 'secret')")
        with pytest.raises(pymysql.ProgrammingError, match="nowhere"):
            cursor.execute("select * from nowhere")

    assert caught.value.args[0] == 1062
    _, duplicate, missing = spans.take(3)
    assert duplicate.is_error
    assert duplicate.events == ["exception"]
    assert duplicate.attributes["error.type"] == "IntegrityError"
    assert duplicate.attributes["db.response.status_code"] == "1062"
    assert missing.attributes["db.response.status_code"] == "1146"


@pytest.mark.parametrize(
    "statement", ["insert into {} values (1, %s)", "insert into {} values (%s, 'x')", "select '%s"]
)
def test_a_message_tells_no_values_unless_statements_do(spans, connection, statement):
    """A key twice, text for a number, a syntax error: MariaDB shows the value in each."""
    with connection.cursor() as cursor:
        cursor.execute("set sql_mode = 'STRICT_ALL_TABLES'")
        cursor.execute(f"alter table {TABLE} modify who varchar(20) unique")
        cursor.execute(f"insert into {TABLE} values (0, 'it''s secret')")
        spans.take(3)
        for record in ("masked", "full"):
            options.record_sql = record
            with pytest.raises(pymysql.MySQLError) as caught:
                cursor.execute(statement.format(TABLE), ("it's secret",))
            (data,) = core.drain()
            assert b"pymysql/cursors.py" in data
            assert type(caught.value).__name__.encode() in data
            assert (b"secret" in data) is (record == "full")


def test_a_connection_that_is_lost_fails_its_span(spans, connection):
    with connected() as other, other.cursor() as cursor:
        cursor.execute(f"kill {connection.thread_id()}")
    with connection.cursor() as cursor, pytest.raises(pymysql.OperationalError):
        cursor.execute("select 1")

    _, lost = spans.take(2)
    assert lost.is_error
    assert lost.attributes["db.response.status_code"] in {"2006", "2013"}


def test_the_users_own_cursors_keep_working(spans, connection):
    class Mine(pymysql.cursors.DictCursor):
        def execute(self, query, args=None):
            seen.append(query)
            return super().execute(query, args)

    seen = []
    with connection.cursor(Mine) as cursor:
        cursor.execute(query="select 7 as seven", args=None)
        assert cursor.fetchone() == {"seven": 7}
    with connection.cursor(pymysql.cursors.SSCursor) as cursor:
        cursor.execute("select 8")
        assert list(cursor) == [(8,)]

    assert seen == ["select 7 as seven"]
    assert [span.name for span in spans.take(2)] == ["SELECT", "SELECT"]


def test_bytes_are_a_statement_and_what_is_none_fails_as_it_does_without_us(spans, connection):
    with connection.cursor() as cursor:
        cursor.execute(b"select 'secret'")
        with pytest.raises(TypeError):
            cursor.execute()
        with pytest.raises(TypeError):
            cursor.execute(42)
    with pytest.raises(pymysql.ProgrammingError, match="Cursor closed"):
        cursor.execute("select 1")

    assert spans.only().attributes["db.query.text"] == "select ?"


def test_a_connection_that_is_not_connected_fails_as_it_does_without_us(spans, connection):
    later = connected(defer_connect=True)
    with pytest.raises(pymysql.InterfaceError):
        later.cursor().execute("select 1")
    with pytest.raises(pymysql.InterfaceError):
        later.commit()
    spans.take(0)

    later.connect()
    assert later.cursor().execute("select 1") == 1
    later.close()
    assert spans.only().attributes["db.namespace"] == DATABASE


def test_the_database_is_the_one_that_was_selected(spans, connection):
    connection.select_db("information_schema")
    with connection.cursor() as cursor:
        cursor.execute("select 1")
    connection.select_db(DATABASE)

    assert spans.only().attributes["db.namespace"] == "information_schema"


def test_over_a_unix_socket_the_address_is_its_path(spans, connection):
    with connection.cursor() as cursor:
        cursor.execute("select @@socket")
        (path,) = cursor.fetchone()
    try:
        other = pymysql.connect(unix_socket=path, user="root", password="")
    except pymysql.OperationalError:
        pytest.skip("the server's socket is not to be reached")
    with other, other.cursor() as cursor:
        cursor.execute("select 1")

    _, span = spans.take(2)
    assert span.attributes["server.address"] == path
    assert not span.attributes.keys() & {"server.port", "db.namespace"}


def test_many_different_statements_do_not_grow_our_tables(spans, connection):
    with connection.cursor() as cursor:
        for number in range(1100):
            cursor.execute(f"select {number}")
        cursor.execute("select " + ", ".join(f"'{number}'" for number in range(5000)))

    found = spans.take(1101)
    assert {span.attributes["db.query.text"] for span in found[:-1]} == {"select ?"}
    assert found[-1].attributes["db.query.text"].startswith("select ?, ?, ?")
    assert all(len(database) <= 512 for database in dbapi.databases.values())


def test_a_fault_of_ours_leaves_the_query_alone(spans, connection, monkeypatch):
    def broken(*_args):
        raise RuntimeError("our fault")

    monkeypatch.setattr(guard, "raised", False)
    monkeypatch.setattr(dbapi.Database, "__missing__", broken)
    with connection.cursor() as cursor:
        assert cursor.execute("select 4711") == 1

    assert guard.faults()["Cursor.execute"].last == "RuntimeError: our fault"
    guard.forget()
    spans.take(0)
    monkeypatch.undo()


def test_the_end_puts_every_function_back_and_connections_work_on():
    before = {
        owner: {name: value for name, value in vars(owner).items() if callable(value)}
        for owner in (pymysql.cursors.Cursor, pymysql.connections.Connection)
    }
    core.start({}, "", hello={}, debug=True)
    engine = Engine()
    engine.start()
    assert pymysql.cursors.Cursor.execute is not before[pymysql.cursors.Cursor]["execute"]
    connection = connected()
    with connection.cursor() as cursor:
        cursor.execute("select 1")
    engine.stop()
    core.drain()
    core.stop(0)

    for owner, functions in before.items():
        assert all(vars(owner)[name] is function for name, function in functions.items())
    with connection.cursor() as cursor:
        assert cursor.execute("select 1") == 1
    connection.close()


def test_connecting_inside_of_a_trace_is_a_span(spans, connection):
    connected().close()
    with core.scope(ENTRY):
        connected().close()

    made, entry = spans.take(2)
    assert (made.name, made.kind, made.parent_id) == ("CONNECT", "client", entry.span_id)
    assert made.attributes == SERVER | {"db.operation.name": "CONNECT"}


def test_which_system_it_is_the_server_says_and_is_known_from_then_on(spans, monkeypatch):
    monkeypatch.setattr("sonde.probe.plugins.pymysql._systems", {})
    with core.scope(ENTRY):
        for _ in range(2):
            connected().close()
    made = [span for span in spans.take(3) if span.name == "CONNECT"]
    assert [span.attributes for span in made] == [SERVER | {"db.operation.name": "CONNECT"}] * 2

    core.sample(0, 0, True)
    try:
        with core.scope(ENTRY):
            connected().close()
        counted = [constants for name, _, constants, *_ in core.take_tallies() if name == "CONNECT"]
    finally:
        core.sample(1, 0, True)
    assert [b"mariadb" in constants for constants in counted] == [True]


def test_a_connection_that_is_refused_fails_its_span(spans):
    with core.scope(ENTRY), pytest.raises(pymysql.OperationalError):
        pymysql.connect(host=HOST, port=1, user="root", password="secret")

    refused, _ = spans.take(2)
    assert (refused.name, refused.is_error) == ("CONNECT", True)
    assert (refused.attributes["server.port"], "secret" in str(refused)) == (1, False)
