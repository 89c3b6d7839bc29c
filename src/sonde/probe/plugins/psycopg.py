"""psycopg: one client span per statement executed, copied or streamed, per begin, commit or rollback that asks the
server, per pipeline that is waited for, and per connection made inside of a trace; sync and asyncio.

Records the statement with `?` for its literals (setting `record_sql`), its first word and table, the server's address
and port, the database, the number of rows of an `executemany`, the SQLSTATE of an error. Never records parameters,
literals of `psycopg.sql`, rows, or the values that errors quote. A statement in a pipeline takes as long as it
takes to send it, a stream until its first row. A server's cursor has a span per `fetchone`, `fetchmany` and `fetchall`,
which ask the server; fetching rows is not timed otherwise.
"""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from sonde.probe.guard import fault
from sonde.probe.plugins import beside, dberror
from sonde.probe.plugins.dbapi import Database, Driver, Place, connect_to, databases, plain
from sonde.probe.plugins.plugin import Plugin
from sonde.probe.plugins.statement import LONGEST

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator

    from sonde.probe.core import Operation, Span

_MANY = "_sonde_executemany"
"""Attribute of a connection while its pipeline is that of an `executemany`."""
_VENDORS = {"PostgreSQL": "postgresql", "CockroachDB": "cockroachdb"}


def _learn(connection: Any) -> Database | None:
    if connection.closed:
        return None
    info = connection.info
    backslash = info.parameter_status("standard_conforming_strings") == "off"
    system = _VENDORS.get(getattr(info, "vendor", "PostgreSQL"), "postgresql")
    return databases[place(system, info.dbname, info.host, info.port, backslash=backslash)]


def place(system: str, namespace: str, host: str, port: int, *, backslash: bool) -> Place:
    """Of a connection of libpq, for which a unix socket is a folder and a port."""
    if host.startswith("/"):
        return Place(system, namespace, f"{host}/.s.PGSQL.{port}", 0, backslash)
    return Place(system, namespace, host, port, backslash)


def composed(query: object, sql: Any) -> str | None:
    """The text of an object of a module `psycopg.sql` or `psycopg2.sql`, or of a template string.

    Not by the library's own means: those ask the user's adapters, and the server's connection.
    """
    if isinstance(query, sql.SQL):
        return str(query.as_string(None))
    if isinstance(query, sql.Placeholder):
        return str(query.as_string(None))
    if isinstance(query, sql.Identifier):
        names = query.strings if hasattr(query, "strings") else query._obj  # noqa: SLF001 - psycopg has no other way
        return ".".join(_quoted(name) for name in names)
    if isinstance(query, sql.Composed):
        return _joined(query, lambda part: composed(part, sql) or "?")
    if isinstance(query, sql.Composable):  # a literal, or a kind of the user's
        return "?"
    if hasattr(query, "interpolations"):
        return _joined(query, lambda part: part if isinstance(part, str) else _interpolated(part, sql))
    return plain(query)


def _joined(parts: Any, text: Callable[[Any], str]) -> str:
    """As much of it as is looked at."""
    pieces, size = [], 0
    for part in parts:
        piece = text(part)
        pieces.append(piece)
        size += len(piece)
        if size > LONGEST:
            break
    return "".join(pieces)


def _interpolated(part: Any, sql: Any) -> str:
    if part.format_spec == "i" and isinstance(part.value, str):
        return _quoted(part.value)
    if part.format_spec in {"i", "q"}:
        return composed(part.value, sql) or "?"
    return "?" if part.format_spec == "l" else "%s"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(query: object) -> str | None:
    return composed(query, sys.modules["psycopg.sql"])  # loaded by the package


_cursors = Driver("_conn", _learn, dberror.postgresql, _text)
_connections = Driver("", _learn, dberror.postgresql, _text)
_of_connection = _connections.statement()


def _ending(word: str) -> Callable[..., Operation | None]:
    """Start of commit and rollback. Outside of a transaction (status 0) they ask the server nothing."""

    def start(connection: Any, /, *_args: Any, **_more: Any) -> Operation | None:
        return _of_connection(connection, word) if connection.pgconn.transaction_status else None

    return start


def _entered(transaction: Any, /) -> Operation | None:
    connection = transaction.connection
    return _of_connection(connection, "SAVEPOINT" if connection.pgconn.transaction_status else "BEGIN")


def _left(transaction: Any, /, _kind: Any = None, error: Any = None, *_more: Any) -> Operation | None:
    if transaction.pgconn.status:  # the connection is lost
        return None
    well = error is None and not transaction.force_rollback
    if transaction._outer_transaction:  # noqa: SLF001 - known nowhere else
        return _of_connection(transaction.connection, "COMMIT" if well else "ROLLBACK")
    return _of_connection(transaction.connection, "RELEASE SAVEPOINT" if well else "ROLLBACK TO SAVEPOINT")


def _pipelined(pipeline: Any, /, *_args: Any) -> Operation | None:
    """Start of what sends a pipeline's end and waits for the answers."""
    connection = pipeline._conn  # noqa: SLF001 - likewise
    if not pipeline.result_queue or beside.kept(connection, _MANY):
        return None
    database = _connections.database(connection)
    return None if database is None else database.named("PIPELINE")


def _executemany(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        _mark(self)
        try:
            return wrapped(self, *args, **kwargs)
        finally:
            _unmark(self)

    call.__qualname__ = wrapped.__qualname__
    return _cursors.around(_cursors.many())(call)


def _executemany_async(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    async def call(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        _mark(self)
        try:
            return await wrapped(self, *args, **kwargs)
        finally:
            _unmark(self)

    call.__qualname__ = wrapped.__qualname__
    return _cursors.around_async(_cursors.many())(call)


def _mark(cursor: Any) -> None:
    try:
        beside.keep(cursor.connection, _MANY, True)
    except Exception:
        fault("Cursor.executemany")


def _unmark(cursor: Any) -> None:
    try:
        beside.keep(cursor.connection, _MANY, None)
    except Exception:
        fault("Cursor.executemany")


def _copy(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """From the begin of a COPY to its end: in between, server and application wait for each other."""

    @contextmanager
    def timed(copying: Any, cursor: Any, statement: object) -> Iterator[Any]:
        span = _cursors.leaf(cursor, statement)
        try:
            with copying as copy:
                yield copy
        except BaseException as error:
            _end(span, error, "Cursor.copy")
            raise
        _end(span, None, "Cursor.copy")

    def call(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        return timed(wrapped(self, *args, **kwargs), self, args[0] if args else kwargs.get("statement"))

    return call


def _copy_async(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    @asynccontextmanager
    async def timed(copying: Any, cursor: Any, statement: object) -> AsyncIterator[Any]:
        span = _cursors.leaf(cursor, statement)
        try:
            async with copying as copy:
                yield copy
        except BaseException as error:
            _end(span, error, "AsyncCursor.copy")
            raise
        _end(span, None, "AsyncCursor.copy")

    def call(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        return timed(wrapped(self, *args, **kwargs), self, args[0] if args else kwargs.get("statement"))

    return call


def _stream(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Until the first row: the time of the others is mostly the application's."""

    def timed(rows: Any, cursor: Any, query: object) -> Generator[Any, None, None]:
        span = _cursors.leaf(cursor, query)
        try:
            for row in rows:
                _end(span, None, "Cursor.stream")
                yield row
                break
            yield from rows
        except BaseException as error:
            _end(span, error, "Cursor.stream")
            raise
        finally:
            rows.close()
            _end(span, None, "Cursor.stream")

    def call(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        return timed(wrapped(self, *args, **kwargs), self, args[0] if args else kwargs.get("query"))

    return call


def _stream_async(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    async def timed(rows: Any, cursor: Any, query: object) -> AsyncGenerator[Any, None]:
        span = _cursors.leaf(cursor, query)
        try:
            async for row in rows:
                if span is not None:
                    _end(span, None, "AsyncCursor.stream")
                    span = None
                yield row
        except BaseException as error:
            _end(span, error, "AsyncCursor.stream")
            raise
        finally:
            await rows.aclose()
            _end(span, None, "AsyncCursor.stream")

    def call(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        return timed(wrapped(self, *args, **kwargs), self, args[0] if args else kwargs.get("query"))

    return call


def _end(span: Span | None, error: BaseException | None, place: str) -> None:
    """End a span, the first time."""
    if span is None or span.finished:
        return
    try:
        if error is None:
            span.finish()
        else:
            _cursors.failed(span, error, place)
    except Exception:
        fault(place)


_fetch = _cursors.word("FETCH")


_CONNECT = connect_to("postgresql")
PLUGIN = Plugin(
    library="psycopg",
    supports=">=3.1.8,<4",
    points={
        "psycopg:connect": _connections.connecting(_CONNECT),  # a method of the class that was bound before
        "psycopg:Connection.connect": _connections.connecting(_CONNECT),
        "psycopg:AsyncConnection.connect": _connections.connecting_async(_CONNECT),
        "psycopg:Cursor.execute": _cursors.around(_cursors.statement()),
        "psycopg:Cursor.executemany": _executemany,
        "psycopg:Cursor.copy": _copy,
        "psycopg:Cursor.stream": _stream,
        "psycopg:ServerCursor.execute": _cursors.around(_cursors.statement()),
        "psycopg:ServerCursor.fetchone": _cursors.around(_fetch),
        "psycopg:ServerCursor.fetchmany": _cursors.around(_fetch),
        "psycopg:ServerCursor.fetchall": _cursors.around(_fetch),
        "psycopg:Connection.commit": _connections.around(_ending("COMMIT")),
        "psycopg:Connection.rollback": _connections.around(_ending("ROLLBACK")),
        "psycopg:Transaction.__enter__": _connections.around(_entered),
        "psycopg:Transaction.__exit__": _connections.around(_left),
        "psycopg:Pipeline.sync": _connections.around(_pipelined),
        "psycopg:Pipeline.__exit__": _connections.around(_pipelined),
        "psycopg:AsyncCursor.execute": _cursors.around_async(_cursors.statement()),
        "psycopg:AsyncCursor.executemany": _executemany_async,
        "psycopg:AsyncCursor.copy": _copy_async,
        "psycopg:AsyncCursor.stream": _stream_async,
        "psycopg:AsyncServerCursor.execute": _cursors.around_async(_cursors.statement()),
        "psycopg:AsyncServerCursor.fetchone": _cursors.around_async(_fetch),
        "psycopg:AsyncServerCursor.fetchmany": _cursors.around_async(_fetch),
        "psycopg:AsyncServerCursor.fetchall": _cursors.around_async(_fetch),
        "psycopg:AsyncConnection.commit": _connections.around_async(_ending("COMMIT")),
        "psycopg:AsyncConnection.rollback": _connections.around_async(_ending("ROLLBACK")),
        "psycopg:AsyncTransaction.__aenter__": _connections.around_async(_entered),
        "psycopg:AsyncTransaction.__aexit__": _connections.around_async(_left),
        "psycopg:AsyncPipeline.sync": _connections.around_async(_pipelined),
        "psycopg:AsyncPipeline.__aexit__": _connections.around_async(_pipelined),
    },
)
