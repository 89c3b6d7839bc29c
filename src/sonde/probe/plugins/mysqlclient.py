"""mysqlclient (MySQLdb): one client span per statement executed, per procedure called, and per begin, commit or
rollback.

Records the statement with `?` for its literals (setting `record_sql`), its first word and table, the server's address
and port, the database at the time of the connect or the last `select_db`, the number of rows of an `executemany`, the
number of an error. Never records parameters, rows, or the values that errors quote. Fetching rows is not timed, nor
is connecting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe.guard import fault
from sonde.probe.plugins import dberror
from sonde.probe.plugins.dbapi import DATABASE, Database, Driver, Place, databases
from sonde.probe.plugins.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.core import Operation

_ARGUMENTS = "_sonde_arguments"
"""Attribute of a connection: what of its arguments it does not remember itself. Database, socket, mode of SQL."""
_DATABASE_AT = 3
"""Position of the database among the arguments of a connection; two further on stands the unix socket."""


def _learn(connection: Any) -> Database | None:
    if not connection.open:
        return None
    database, socket, mode = getattr(connection, _ARGUMENTS, (getattr(connection, "db", ""), "", ""))
    return databases[_place(connection, database, socket, mode)]


def _place(connection: Any, database: object, socket: object, mode: object) -> Place:
    name = database.decode("utf-8", "replace") if isinstance(database, bytes) else str(database or "")
    system = "mariadb" if "mariadb" in connection.get_server_info().lower() else "mysql"
    backslash = "NO_BACKSLASH" not in str(mode)
    host, _, how = connection.get_host_info().partition(" via ")
    if "TCP" in how:
        return Place(system, name, host, int(connection.port), backslash)
    return Place(system, name, str(socket or host.lower()), 0, backslash)


def _init(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **kwargs: Any) -> None:
        wrapped(self, *args, **kwargs)
        try:
            database = args[_DATABASE_AT] if len(args) > _DATABASE_AT else kwargs.get("database") or kwargs.get("db")
            socket = args[_DATABASE_AT + 2] if len(args) > _DATABASE_AT + 2 else kwargs.get("unix_socket")
            setattr(self, _ARGUMENTS, (database, socket, kwargs.get("sql_mode")))
        except Exception:
            fault("mysqlclient.connect")

    return call


_cursors = Driver("connection", _learn, dberror.mysql)
_connections = Driver("", _learn, dberror.mysql)
_execute = _cursors.statement()


def _executemany(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    return _cursors.around(_cursors.many())(_cursors.quiet(wrapped))


def _callproc(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    return _cursors.around(_call)(_cursors.quiet(wrapped))


def _call(cursor: Any, /, procname: Any = "", *_args: Any, **_more: Any) -> Operation | None:
    name = procname.decode("utf-8", "replace") if isinstance(procname, bytes) else procname
    return _execute(cursor, f"CALL {name}")


def _select_db(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, *args: Any) -> Any:
        answer = wrapped(self, *args)
        try:
            _, socket, mode = getattr(self, _ARGUMENTS, ("", "", ""))
            setattr(self, _ARGUMENTS, (args[0], socket, mode))
            setattr(self, DATABASE, _learn(self))
        except Exception:
            fault("mysqlclient.select_db")
        return answer

    return call


PLUGIN = Plugin(
    library="mysqlclient",
    supports=">=2.1.1,<3",
    points={
        "MySQLdb.connections:Connection.__init__": _init,
        "MySQLdb.connections:Connection.begin": _connections.around(_connections.word("BEGIN")),
        "MySQLdb.connections:Connection.commit": _connections.around(_connections.word("COMMIT")),
        "MySQLdb.connections:Connection.rollback": _connections.around(_connections.word("ROLLBACK")),
        "MySQLdb.connections:Connection.select_db": _select_db,
        "MySQLdb.cursors:BaseCursor.execute": _cursors.around(_execute),
        "MySQLdb.cursors:BaseCursor.executemany": _executemany,
        "MySQLdb.cursors:BaseCursor.callproc": _callproc,
    },
)
