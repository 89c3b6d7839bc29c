"""sqlite3 with real files, the user's own factories, and everything that must not change."""

from __future__ import annotations

import sqlite3

import pytest

from sonde.probe import core, guard
from sonde.probe.plugins import dbapi, options


@pytest.fixture(autouse=True)
def _forgotten_statements():
    dbapi.databases.clear()


@pytest.fixture
def orders(spans, tmp_path):
    connection = sqlite3.connect(tmp_path / "orders.db")
    connection.execute("create table orders (id integer primary key, who text)")
    spans.take(1)
    yield connection
    connection.close()


def test_a_query_is_a_client_span_with_its_shape_and_without_its_values(spans, orders):
    orders.execute("insert into orders values (1, 'ann')")
    rows = orders.execute("select who from orders where id = 1 and who = ?", ("ann",)).fetchall()

    _, select = spans.take(2)
    assert rows == [("ann",)]
    assert (select.kind, select.name) == ("client", "SELECT orders")
    assert select.attributes == {
        "db.system.name": "sqlite",
        "db.namespace": "orders.db",
        "db.operation.name": "SELECT",
        "db.query.text": "select who from orders where id = ? and who = ?",
    }


@pytest.mark.parametrize(("record", "text"), [("off", None), ("full", "select 42")])
def test_the_setting_decides_about_the_text(spans, orders, record, text):
    options.record_sql = record
    orders.execute("select 42")

    assert spans.only().attributes.get("db.query.text") == text


def test_every_way_to_execute_is_seen_once(spans, orders):
    cursor = orders.cursor()
    cursor.execute("select 1")
    cursor.executemany("insert into orders values (?, ?)", [(1, "a"), (2, "b")])
    orders.executemany("insert into orders values (?, ?)", [(3, "c")])
    orders.commit()
    cursor.executescript("delete from orders; select 2")
    orders.executescript("select 3")

    found = spans.take(6)
    names = [span.name for span in found]
    assert found[1].attributes["db.operation.batch.size"] == 2
    assert names == ["SELECT", "INSERT orders", "INSERT orders", "COMMIT", "DELETE orders", "SELECT"]


def test_a_transaction_ends_with_a_span_when_there_is_one(spans, orders):
    with orders:
        orders.execute("insert into orders values (1, 'a')")
    with pytest.raises(sqlite3.IntegrityError), orders:
        orders.executemany("insert into orders values (?, 'b')", [(2,), (2,)])
    orders.commit()
    orders.rollback()

    assert [span.name for span in spans.take(4)] == ["INSERT orders", "COMMIT", "INSERT orders", "ROLLBACK"]
    assert orders.execute("select count(*) from orders").fetchone() == (1,)
    spans.take(1)


def test_an_error_passes_and_is_recorded(spans, orders):
    with pytest.raises(sqlite3.OperationalError, match="no such table: nowhere"):
        orders.execute("select * from nowhere")

    span = spans.only()
    assert span.is_error
    assert span.attributes["error.type"] == "OperationalError"
    assert span.attributes["db.response.status_code"] == "SQLITE_ERROR"


def test_a_message_tells_no_values_unless_statements_do(spans, orders):
    """SQLite shows where it stopped to understand, which may be in a string."""
    for record in ("masked", "full"):
        options.record_sql = record
        with pytest.raises(sqlite3.OperationalError, match="secret"):
            orders.execute("select 'secret")
        (data,) = core.drain()
        assert b"sqlite3.OperationalError: unrecognized token: " in data
        assert (b"secret" in data) is (record == "full")


def test_objects_are_what_the_user_takes_them_for(spans, orders):
    cursor = orders.cursor()

    assert isinstance(orders, sqlite3.Connection)
    assert isinstance(cursor, sqlite3.Cursor)
    assert type(orders).__name__ == "Connection"
    assert type(cursor).__name__ == "Cursor"
    assert cursor.connection is orders
    assert orders.execute("select 1").fetchone() == (1,)
    spans.take(1)


def test_the_users_own_classes_keep_working(spans):
    class Cursor(sqlite3.Cursor):
        def execute(self, *args):
            seen.append("cursor")
            return super().execute(*args)

    class Connection(sqlite3.Connection):
        def cursor(self):
            seen.append("connection")
            return super().cursor(Cursor)

    seen = []
    connection = sqlite3.connect(":memory:", factory=Connection)
    cursor = connection.cursor()
    assert cursor.execute("select 1").fetchone() == (1,)
    assert isinstance(connection, Connection)
    assert isinstance(cursor, Cursor)
    assert seen == ["connection", "cursor"]
    assert connection.execute("select 2").fetchone() == (2,)
    assert seen == ["connection", "cursor"]
    connection.close()

    assert [span.name for span in spans.take(2)] == ["SELECT", "SELECT"]


def test_a_factory_that_is_no_connection_is_left_as_it_is(spans):
    class Other:
        def __init__(self, *arguments, **more):
            self.arguments = arguments

    made = sqlite3.connect(":memory:", factory=Other)

    assert type(made) is Other
    assert made.arguments == (":memory:",)


def test_a_wrong_call_fails_in_sqlite3s_own_words(spans, orders):
    with pytest.raises(TypeError, match="keyword argument"):
        orders.execute("select 1", parameters=())


def test_a_factory_by_position_and_one_that_is_a_function_work(spans):
    class Mine(sqlite3.Connection):
        pass

    with_class = sqlite3.connect(":memory:", 5.0, 0, "", True, Mine)
    with_function = sqlite3.connect(":memory:", factory=lambda *args, **more: Mine(*args, **more))  # noqa: PLW0108 - no class
    assert isinstance(with_class, Mine)
    assert type(with_function) is Mine
    with_class.execute("select 1")
    with_function.execute("select 1")
    with_class.close()
    with_function.close()

    spans.take(1)


def test_row_and_text_factories_and_isolation_work(spans):
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    assert connection.execute("select 7 as seven").fetchone()["seven"] == 7
    assert connection.cursor().execute("select 8 as eight").fetchone()["eight"] == 8
    connection.close()

    spans.take(2)


def test_errors_of_wrong_use_are_sqlites_own(spans, orders):
    with pytest.raises(TypeError):
        orders.execute()
    with pytest.raises(TypeError):
        orders.execute(42)
    with pytest.raises(TypeError):
        sqlite3.connect()
    orders.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
        orders.commit()
    with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
        orders.execute("select 1")

    spans.take(0)


def test_a_query_string_and_a_folder_are_not_recorded(spans, tmp_path):
    connection = sqlite3.connect(f"file:{tmp_path}/secret/../data.db?mode=memory&key=1", uri=True)
    connection.execute("select 1")
    connection.close()

    assert spans.only().attributes["db.namespace"] == "data.db"


def test_many_different_statements_do_not_grow_our_tables(spans, orders):
    for number in range(2000):
        orders.execute(f"select {number}")

    assert all(len(database) <= 512 for database in dbapi.databases.values())
    assert {span.attributes["db.query.text"] for span in spans.take(2000)} == {"select ?"}


def test_a_fault_of_ours_leaves_the_query_alone(spans, orders, monkeypatch):
    monkeypatch.setattr(guard, "raised", False)

    def broken(*_args):
        raise RuntimeError("our fault")

    monkeypatch.setattr(dbapi.Database, "__missing__", broken)
    assert orders.execute("select 1").fetchone() == (1,)
    assert guard.faults()["Cursor.execute"].last == "RuntimeError: our fault"
    monkeypatch.undo()
    guard.forget()
    spans.take(0)


def test_connections_made_before_the_end_work_after_it(tmp_path):
    from sonde.probe import core
    from sonde.probe.plugins.engine import Engine

    plain = sqlite3.connect
    core.start({}, "", hello={}, debug=True)
    engine = Engine()
    engine.start()
    connection = sqlite3.connect(":memory:")
    engine.stop()
    core.stop(0)

    assert sqlite3.connect is plain
    assert connection.execute("select 1").fetchone() == (1,)
    connection.close()
