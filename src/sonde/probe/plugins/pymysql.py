"""PyMySQL: one client span per statement executed, per procedure called, per begin, commit or rollback, and per
connection made inside of a trace.

Records the statement with `?` for its literals (setting `record_sql`), its first word and table, the server's address
and port, the database at the time of the first statement or the last `select_db`, the number of rows of an
`executemany`, the number of an error. Never records parameters, rows, or the values that errors quote. Fetching
rows is not timed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.plugins import beside, dberror
from sonde.probe.plugins.dbapi import DATABASE, Database, Driver, Place, connect_to, databases
from sonde.probe.plugins.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.core import Operation, Span

NO_BACKSLASH_ESCAPES = 512
"""In the protocol's server status, and a name in `sql_mode`: a backslash is nothing special."""


def place_name(database: object) -> str:
    """Of a database, as text; empty: none is chosen."""
    return database.decode("utf-8", "replace") if isinstance(database, bytes) else str(database or "")


def _system(server_version: str) -> str:
    return "mariadb" if "mariadb" in server_version.lower() else "mysql"


def place(connection: Any, server_version: str, database: object) -> Place:
    """Of PyMySQL's connections, and of those that are modelled on them."""
    text = place_name(database)
    system = _system(server_version)
    plain = connection.server_status & NO_BACKSLASH_ESCAPES or "NO_BACKSLASH" in str(connection.sql_mode or "")
    if connection.unix_socket:
        return Place(system, text, str(connection.unix_socket), 0, not plain)
    return Place(system, text, str(connection.host), int(connection.port), not plain)


def _learn(connection: Any) -> Database | None:
    version = getattr(connection, "server_version", None)  # not before it is connected
    return None if version is None else databases[place(connection, version, connection.db)]


_cursors = Driver("connection", _learn, dberror.mysql)
_connections = Driver("", _learn, dberror.mysql)


def _many(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    return _cursors.around(_cursors.many())(_cursors.quiet(wrapped))


def _callproc(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    return _cursors.around(_call)(_cursors.quiet(wrapped))


_execute = _cursors.statement()


def _call(cursor: Any, /, procname: Any = "", *_args: Any, **_more: Any) -> Operation | Span | None:
    return _execute(cursor, f"CALL {procname}")


def _select_db(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, db: Any) -> Any:
        answer = wrapped(self, db)
        try:
            setattr(self, DATABASE, databases[place(self, self.server_version, db)])
        except Exception:
            fault("pymysql.select_db")
        return answer

    return call


_CONNECT = {system: connect_to(system) for system in ("mysql", "mariadb")}
_CONNECTING = "_sonde_connecting"
_systems: dict[object, str] = {}
"""By address: what was found there. A server says which it is when it answers."""
_MOST_SYSTEMS = 64


def _address(connection: Any) -> object:
    return connection.unix_socket or (connection.host, connection.port)


def _connecting(connection: Any, /, *_args: Any, **_more: Any) -> Span | None:
    if core.current() is None:  # a pool's in advance, or the program's at its start
        return None
    span = core.leaf(_CONNECT[_systems.get(_address(connection), "mysql")])
    if connection.db:
        span.set("db.namespace", place_name(connection.db))
    if connection.unix_socket:
        span.set("server.address", str(connection.unix_socket))
    else:
        span.set("server.address", str(connection.host))
        span.set("server.port", int(connection.port))
    beside.keep(connection, _CONNECTING, span)
    return span


def _connected(connection: Any) -> None:
    span, system = beside.taken(connection, _CONNECTING), _system(connection.server_version)
    if span is None or _systems.get(_address(connection)) == system:
        return
    span.set("db.system.name", system)
    if len(_systems) < _MOST_SYSTEMS:
        _systems[_address(connection)] = system


def _connect(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        answer = wrapped(self, *args, **kwargs)
        try:
            _connected(self)
        except Exception:
            fault("pymysql.connect")
        return answer

    call.__qualname__ = wrapped.__qualname__
    return _connections.around(_connecting)(call)


PLUGIN = Plugin(
    library="pymysql",
    supports=">=1.0.2,<2",
    points={
        "pymysql.cursors:Cursor.execute": _cursors.around(_execute),
        "pymysql.cursors:Cursor.executemany": _many,
        "pymysql.cursors:Cursor.callproc": _callproc,
        "pymysql.connections:Connection.connect": _connect,
        "pymysql.connections:Connection.begin": _connections.around(_connections.word("BEGIN")),
        "pymysql.connections:Connection.commit": _connections.around(_connections.word("COMMIT")),
        "pymysql.connections:Connection.rollback": _connections.around(_connections.word("ROLLBACK")),
        "pymysql.connections:Connection.select_db": _select_db,
    },
)
