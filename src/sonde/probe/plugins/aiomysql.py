"""aiomysql: one client span per statement executed, per procedure called, and per begin, commit or rollback.

Records the statement with `?` for its literals (setting `record_sql`), its first word and table, the server's address
and port, the database at the time of the first statement or the last `select_db`, the number of rows of an
`executemany`, the number of an error. Never records parameters, rows, or the values that errors quote. Fetching
rows is not timed, nor is connecting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe.guard import fault
from sonde.probe.plugins import dberror
from sonde.probe.plugins.dbapi import DATABASE, Database, Driver, databases
from sonde.probe.plugins.plugin import Plugin
from sonde.probe.plugins.pymysql import place

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.core import Operation


def _learn(connection: Any) -> Database | None:
    version = getattr(connection, "server_version", None)  # not before it is connected
    return None if version is None else databases[place(connection, version, connection.db)]


_cursors = Driver("_connection", _learn, dberror.mysql)
_connections = Driver("", _learn, dberror.mysql)
_execute = _cursors.statement()


def _executemany(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    return _cursors.around_async(_cursors.many())(_cursors.quiet_async(wrapped))


def _callproc(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    return _cursors.around_async(_call)(_cursors.quiet_async(wrapped))


def _call(cursor: Any, /, procname: Any = "", *_args: Any, **_more: Any) -> Operation | None:
    return _execute(cursor, f"CALL {procname}")


def _select_db(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    async def call(self: Any, db: Any) -> Any:
        answer = await wrapped(self, db)
        try:
            setattr(self, DATABASE, databases[place(self, self.server_version, db)])
        except Exception:
            fault("aiomysql.select_db")
        return answer

    return call


PLUGIN = Plugin(
    library="aiomysql",
    supports=">=0.1.1,<1",
    points={
        "aiomysql.cursors:Cursor.execute": _cursors.around_async(_execute),
        "aiomysql.cursors:Cursor.executemany": _executemany,
        "aiomysql.cursors:Cursor.callproc": _callproc,
        "aiomysql.connection:Connection.begin": _connections.around_async(_connections.word("BEGIN")),
        "aiomysql.connection:Connection.commit": _connections.around_async(_connections.word("COMMIT")),
        "aiomysql.connection:Connection.rollback": _connections.around_async(_connections.word("ROLLBACK")),
        "aiomysql.connection:Connection.select_db": _select_db,
    },
)
