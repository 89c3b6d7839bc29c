"""asyncpg: one client span per statement executed, fetched or copied, of a connection, a pool, a prepared statement or
a cursor, per begin, commit or rollback, per reset of a connection that goes back to its pool, and per connection made
inside of a trace.

Records the statement with `?` for its literals (setting `record_sql`), its first word and table, the server's address
and port, the database, the number of rows of an `executemany`, the SQLSTATE of an error. Never records arguments, rows,
or the values that errors quote. A cursor's span ends with its first rows; fetching more is not timed, nor is
`prepare`, which has a span only when it fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe.guard import fault
from sonde.probe.plugins import dberror
from sonde.probe.plugins.dbapi import Database, Driver, Place, connect_to, databases
from sonde.probe.plugins.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.core import Operation, Span


def _learn(connection: Any) -> Database | None:
    if connection.is_closed():
        return None
    settings = connection.get_settings()
    system = "cockroachdb" if hasattr(settings, "crdb_version") else "postgresql"
    backslash = getattr(settings, "standard_conforming_strings", "on") == "off"
    namespace, address = connection._params.database or "", connection._addr  # noqa: SLF001 - known nowhere else
    if isinstance(address, str):
        return databases[Place(system, namespace, address, 0, backslash)]
    host, port = address[:2]
    return databases[Place(system, namespace, str(host), int(port), backslash)]


# A connection has slots and no room for an attribute of ours; its protocol has.
_connections = Driver("", _learn, dberror.postgresql, owner="_protocol")
_statements = Driver("_connection", _learn, dberror.postgresql, owner="_protocol")
_of_connection = _connections.statement()


def _prepared(statement: Any, /, *_args: Any, **_more: Any) -> Operation | None:
    """Start of a method of a prepared statement or cursor: it knows its statement."""
    database = _statements.database(statement)
    return None if database is None else database[statement._query]  # noqa: SLF001 - `get_query` asks for more


_many = _statements.many()


def _prepared_many(statement: Any, /, args: Any = None, *_more: Any, **_also: Any) -> Span | None:
    return _many(statement, statement._query, args)  # noqa: SLF001 - likewise


def _table(table: object, schema: object) -> str:
    return f"{schema}.{table}" if schema else str(table)


def _copy_out(connection: Any, /, table_name: Any = "", **more: Any) -> Operation | None:
    return _of_connection(connection, f"COPY {_table(table_name, more.get('schema_name'))} TO STDOUT")


def _copy_query(connection: Any, /, query: Any = "", *_args: Any, **_more: Any) -> Operation | None:
    return _of_connection(connection, f"COPY ({query}) TO STDOUT")


def _copy_in(connection: Any, /, table_name: Any = "", **more: Any) -> Operation | None:
    return _of_connection(connection, f"COPY {_table(table_name, more.get('schema_name'))} FROM STDIN")


def _copy_query_quietly(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    return _connections.around_async(_copy_query)(_connections.quiet_async(wrapped))  # it has arguments quoted first


def _reset(connection: Any, /, *_args: Any, **_more: Any) -> Operation | None:
    database = _connections.database(connection)
    return None if database is None else database.named("RESET")


def _reset_quietly(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    return _connections.around_async(_reset)(_connections.quiet_async(wrapped))


def _prepare(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """A statement that is prepared has its span when it is executed; one that cannot be would have none."""

    async def call(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        try:
            return await wrapped(self, *args, **kwargs)
        except BaseException as error:
            try:
                span = _connections.leaf(self, args[0] if args else kwargs.get("query"))
                if span is not None:
                    _connections.failed(span, error, "Connection.prepare")
            except Exception:
                fault("Connection.prepare")
            raise

    return call


# Connections are wrapped when the pool is loaded, not before: the pool's proxies copy what are functions there.
PLUGIN = Plugin(
    library="asyncpg",
    supports=">=0.27,<1",
    points={
        "asyncpg.connect_utils:_connect": _connections.connecting_async(connect_to("postgresql")),
        "asyncpg.pool:connection.Connection.execute": _connections.around_async(_of_connection),
        "asyncpg.pool:connection.Connection.executemany": _connections.around_async(_connections.many("command")),
        "asyncpg.pool:connection.Connection.fetch": _connections.around_async(_of_connection),
        "asyncpg.pool:connection.Connection.fetchval": _connections.around_async(_of_connection),
        "asyncpg.pool:connection.Connection.fetchrow": _connections.around_async(_of_connection),
        "asyncpg.pool:connection.Connection.fetchmany": _connections.around_async(_connections.many()),
        "asyncpg.pool:connection.Connection.copy_from_table": _connections.around_async(_copy_out),
        "asyncpg.pool:connection.Connection.copy_from_query": _copy_query_quietly,
        "asyncpg.pool:connection.Connection.copy_to_table": _connections.around_async(_copy_in),
        "asyncpg.pool:connection.Connection.copy_records_to_table": _connections.around_async(_copy_in),
        "asyncpg.pool:connection.Connection.prepare": _prepare,
        "asyncpg.pool:connection.Connection.reset": _reset_quietly,
        "asyncpg.prepared_stmt:PreparedStatement.fetch": _statements.around_async(_prepared),
        "asyncpg.prepared_stmt:PreparedStatement.fetchval": _statements.around_async(_prepared),
        "asyncpg.prepared_stmt:PreparedStatement.fetchrow": _statements.around_async(_prepared),
        "asyncpg.prepared_stmt:PreparedStatement.fetchmany": _statements.around_async(_prepared_many),
        "asyncpg.prepared_stmt:PreparedStatement.executemany": _statements.around_async(_prepared_many),
        "asyncpg.cursor:BaseCursor._bind_exec": _statements.around_async(_prepared),
        "asyncpg.cursor:Cursor._init": _statements.around_async(_prepared),
    },
    optional=frozenset(
        {
            "asyncpg.pool:connection.Connection.fetchmany",
            "asyncpg.prepared_stmt:PreparedStatement.fetchmany",
        }
    ),
)
