"""SQLAlchemy over real drivers and servers: one span a statement, below the request, however it gets there."""

from __future__ import annotations

import asyncio
import secrets
import socket
import threading

import pytest
import sqlalchemy
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session, registry

from sonde.probe import core
from sonde.probe.plugins import dbapi
from sonde.probe.plugins.engine import Engine

ENTRY = core.operation("entry", core.SERVER)
TABLE = f"sonde_sqlalchemy_{secrets.token_hex(4)}"
SYNC = {
    "sqlite": "sqlite:///{folder}/orders.db",
    "psycopg": "postgresql+psycopg://postgres@127.0.0.1/test",
    "psycopg2": "postgresql+psycopg2://postgres@127.0.0.1/test",
    "pymysql": "mysql+pymysql://root:@127.0.0.1/test",
}
ASYNCIO = {
    "aiosqlite": "sqlite+aiosqlite:///{folder}/orders.db",
    "psycopg": "postgresql+psycopg://postgres@127.0.0.1/test",
    "asyncpg": "postgresql+asyncpg://postgres@127.0.0.1/test",
    "aiomysql": "mysql+aiomysql://root:@127.0.0.1/test",
}
Base = registry().generate_base()


class Order(Base):
    __tablename__ = TABLE
    id = sqlalchemy.Column(sqlalchemy.Integer, primary_key=True)
    who = sqlalchemy.Column(sqlalchemy.String(20))


def url(template, folder):
    port = {"postgresql": 5432, "mysql": 3306}.get(template.partition("+")[0])
    if port is not None:
        with socket.socket() as knock:
            knock.settimeout(1)
            if knock.connect_ex(("127.0.0.1", port)) != 0:
                pytest.skip(f"no server on 127.0.0.1:{port}")
    if "+psycopg:" in template and sqlalchemy.__version__ < "2":
        pytest.skip("SQLAlchemy 1.4 does not know psycopg")
    return template.format(folder=folder)


@pytest.fixture(params=SYNC)
def engine(spans, tmp_path, request):
    dbapi.databases.clear()
    engine = sqlalchemy.create_engine(url(SYNC[request.param], tmp_path))
    Base.metadata.create_all(engine)
    core.drain()
    yield engine
    Base.metadata.drop_all(engine)
    engine.dispose()


@pytest.fixture(params=ASYNCIO)
def run(spans, tmp_path, request):
    """Runs `work(engine)` with the table there."""
    address = url(ASYNCIO[request.param], tmp_path)

    def ran(work, **options):
        async def run():
            engine = create_async_engine(address, **options)
            try:
                async with engine.begin() as connection:
                    await connection.run_sync(Base.metadata.create_all)
                core.drain()
                try:
                    return await work(engine)
                finally:
                    async with engine.begin() as connection:
                        await connection.run_sync(Base.metadata.drop_all)
            finally:
                await engine.dispose()

        return asyncio.run(run())

    dbapi.databases.clear()
    return ran


def statements(found):
    """First words of what is neither begin nor end of a transaction; all of it is below the one entry.

    Nor FETCH: psycopg streams by a cursor of the server, which is asked for rows.
    """
    (entry,) = (span for span in found if span.kind == "server")
    clients = [span for span in found if span.kind == "client"]
    assert {span.parent_id for span in clients} == {entry.span_id}
    names = [span.name.partition(" ")[0] for span in clients]
    return [name for name in names if name not in {"BEGIN", "COMMIT", "FETCH", "ROLLBACK"}], names


def test_core_gives_one_span_a_statement(spans, engine):
    with core.scope(ENTRY), engine.begin() as connection:
        connection.execute(Order.__table__.insert(), {"who": "ann"})
        connection.execute(Order.__table__.insert(), [{"who": "bob"}, {"who": "secret"}])
        assert connection.execute(sqlalchemy.select(Order.who).where(Order.id == 1)).scalar() == "ann"
        connection.execute(sqlalchemy.text("select 'secret'"))

    found = spans.now()
    words, names = statements(found)
    assert words == ["INSERT", "INSERT", "SELECT", "SELECT"]
    assert names.count("COMMIT") == 1
    assert not any("secret" in str(span.attributes) for span in found)


def test_the_orm_gives_one_span_a_statement(spans, engine):
    with core.scope(ENTRY), Session(engine) as session:
        session.add(Order(who="ann"))
        session.commit()
        order = session.execute(sqlalchemy.select(Order).where(Order.who == "ann")).scalar_one()
        order.who = "secret"
        session.flush()
        session.delete(order)
        session.rollback()

    words, names = statements(spans.now())
    assert words == ["INSERT", "SELECT", "UPDATE"]
    assert names.count("COMMIT") == 1
    assert "ROLLBACK" in names  # MySQL's drivers ask the server for one at each return to the pool


def test_asyncio_core_gives_one_span_a_statement(spans, run):
    async def work(engine):
        with core.scope(ENTRY):
            async with engine.begin() as connection:
                await connection.execute(Order.__table__.insert(), {"who": "ann"})
                await connection.execute(Order.__table__.insert(), [{"who": "bob"}, {"who": "secret"}])
                assert (await connection.execute(sqlalchemy.select(Order.who).where(Order.id == 1))).scalar() == "ann"
                rows = await connection.stream(sqlalchemy.select(Order.id))
                assert len(await rows.all()) == 3
        return spans.now()

    found = run(work)
    words, names = statements(found)
    assert words == ["INSERT", "INSERT", "SELECT", "SELECT"]
    assert names.count("COMMIT") == 1
    assert not any("secret" in str(span.attributes) for span in found)


def test_the_asyncio_orm_gives_one_span_a_statement(spans, run):
    async def work(engine):
        with core.scope(ENTRY):
            async with AsyncSession(engine) as session:
                session.add(Order(who="ann"))
                await session.commit()
                order = (await session.execute(sqlalchemy.select(Order).where(Order.who == "ann"))).scalar_one()
                order.who = "secret"
                await session.flush()
                await session.rollback()
        return spans.now()

    words, names = statements(run(work))
    assert sorted(words) == ["INSERT", "SELECT", "UPDATE"]  # each thread of aiosqlite has an order of its own
    assert names.count("COMMIT") == 1
    assert "ROLLBACK" in names


def test_tasks_keep_their_own_requests_over_greenlets(spans, run):
    async def request(engine, number):
        with core.scope(ENTRY, f"request {number}"):
            async with engine.connect() as connection:
                for _ in range(3):
                    await connection.execute(sqlalchemy.select(sqlalchemy.literal(number)))
                    await asyncio.sleep(0)

    async def work(engine):
        await asyncio.gather(*(request(engine, number) for number in range(8)))
        return spans.now()

    found = run(work, poolclass=sqlalchemy.pool.AsyncAdaptedQueuePool, pool_size=2, max_overflow=1)
    entries = [span.span_id for span in found if span.kind == "server"]
    selects = [span.parent_id for span in found if span.name == "SELECT"]
    assert len(entries) == 8
    # What a driver asks when it connects belongs to whose request made it connect.
    assert all(selects.count(entry) >= 3 for entry in entries)
    assert set(selects) == set(entries)


def test_an_error_of_a_statement_is_the_drivers_and_passes(spans, engine):
    with core.scope(ENTRY), engine.connect() as connection, pytest.raises(sqlalchemy.exc.DBAPIError) as caught:
        connection.execute(sqlalchemy.text("select * from nowhere"))

    (failed,) = (span for span in spans.now() if span.is_error)
    assert failed.name == "SELECT nowhere"
    assert failed.attributes["error.type"] == type(caught.value.orig).__qualname__
    assert failed.attributes["db.response.status_code"]


def test_an_asyncio_error_of_a_statement_is_the_drivers_and_passes(spans, run):
    async def work(engine):
        with core.scope(ENTRY):
            async with engine.connect() as connection:
                with pytest.raises(sqlalchemy.exc.DBAPIError):
                    await connection.execute(sqlalchemy.text("select * from nowhere"))
        return spans.now()

    (failed,) = (span for span in run(work) if span.is_error)
    assert failed.name == "SELECT nowhere"
    assert failed.attributes["db.response.status_code"]


def test_who_waits_for_a_connection_has_a_span_for_it(spans, tmp_path):
    """And who does not wait has none."""
    engine = sqlalchemy.create_engine(
        f"sqlite:///{tmp_path}/orders.db",
        poolclass=sqlalchemy.pool.QueuePool,
        pool_size=1,
        max_overflow=0,
        pool_logging_name="orders",
        connect_args={"check_same_thread": False},
    )
    first = engine.connect()
    core.drain()
    thread = threading.Timer(0.05, first.close)
    thread.start()
    with core.scope(ENTRY), engine.connect():
        pass
    thread.join()

    wait, entry = (span for span in spans.now() if span.kind in {"internal", "server"})
    assert (wait.name, wait.kind, wait.parent_id) == ("pool wait", "internal", entry.span_id)
    assert wait.attributes == {"db.client.connection.max": 1, "db.client.connection.pool.name": "orders"}
    assert wait.duration_ns >= 20_000_000
    engine.dispose()


def test_who_waits_in_vain_has_a_span_that_failed(spans, tmp_path):
    engine = sqlalchemy.create_engine(
        f"sqlite:///{tmp_path}/orders.db",
        poolclass=sqlalchemy.pool.QueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=0.05,
    )
    with engine.connect():
        with pytest.raises(sqlalchemy.exc.TimeoutError):
            engine.connect()
        (wait,) = (span for span in spans.now() if span.kind == "internal")

    assert wait.is_error
    assert wait.attributes["error.type"] == "TimeoutError"
    engine.dispose()


def test_a_task_that_waits_for_a_connection_has_a_span_for_it(spans, run):
    async def work(engine):
        async with engine.connect():
            waiting = asyncio.create_task(other(engine))
            await asyncio.sleep(0.05)
        await waiting
        return spans.now()

    async def other(engine):
        with core.scope(ENTRY):
            async with engine.connect():
                pass

    pool = {"poolclass": sqlalchemy.pool.AsyncAdaptedQueuePool, "pool_size": 1, "max_overflow": 0}
    found = run(work, **pool)
    (entry,) = (span for span in found if span.kind == "server")
    (wait,) = (span for span in found if span.kind == "internal")
    assert (wait.name, wait.parent_id) == ("pool wait", entry.span_id)
    assert wait.duration_ns >= 20_000_000


def test_the_end_puts_the_function_back():
    plain = sqlalchemy.pool.QueuePool._do_get
    core.start({}, "", hello={}, debug=True)
    engine = Engine()
    engine.start()
    assert sqlalchemy.pool.QueuePool._do_get is not plain
    engine.stop()
    core.stop(0)

    assert sqlalchemy.pool.QueuePool._do_get is plain


def test_an_error_that_goes_up_to_the_request_takes_no_values_along(spans):
    from sonde.probe.core.failures import describe

    engine = sqlalchemy.create_engine("sqlite://")
    add = sqlalchemy.text("insert into users values (:name)")
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("create table users (name unique)"))
        connection.execute(add, {"name": "ann@example.org"})
        with pytest.raises(sqlalchemy.exc.IntegrityError) as caught:
            connection.execute(add, {"name": "ann@example.org"})
    engine.dispose()

    assert "ann@example.org" in str(caught.value)
    said = describe(caught.value)
    assert "ann@example.org" not in said.message + said.stacktrace
    assert "UNIQUE constraint failed: users.name" in said.message
    spans.now()
