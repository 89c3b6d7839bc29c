"""psycopg2: one client span per statement executed or copied, per procedure called, and per commit or rollback.

Records the statement with `?` for its literals (setting `record_sql`), its first word and table, the server's address
and port, the database, the number of rows of an `executemany`, the SQLSTATE of an error. Never records parameters,
literals of `psycopg2.sql`, rows, or the values that errors quote. A cursor of the server (one with a name) has a span
per `fetchone`, `fetchmany` and `fetchall`, which ask the server; looping over it and fetching from others is not timed,
nor is connecting.

The classes are C types that cannot be wrapped, so `connect` makes subclasses: of `psycopg2.extensions.connection`, or
of whatever factory the user has, likewise for cursors. `isinstance` holds, the user's own methods win, their `super()`
calls reach ours. Connections and cursors that are made without `connect` and `cursor` are not seen.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from sonde.probe.guard import fault
from sonde.probe.plugins import dberror
from sonde.probe.plugins.dbapi import Database, Driver, databases, plain, standing_in, subclass
from sonde.probe.plugins.plugin import Plugin
from sonde.probe.plugins.psycopg import composed, place

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.core import Operation

_BEGUN = 2
"""Status of a connection in a transaction. In any other, commit and rollback ask the server nothing."""
_CURSOR_FACTORY_AT = 1
"""Position of `cursor_factory` among the arguments of `cursor`, where it is not a keyword."""


def _learn(connection: Any) -> Database | None:
    if connection.closed:
        return None
    info = connection.info
    backslash = info.parameter_status("standard_conforming_strings") == "off"
    return databases[place("postgresql", info.dbname, info.host or "", info.port, backslash=backslash)]


def _text(query: object) -> str | None:
    sql = sys.modules.get("psycopg2.sql")
    return plain(query) if sql is None else composed(query, sql)


_cursors = Driver("connection", _learn, dberror.postgresql, _text)
_connections = Driver("", _learn, dberror.postgresql, _text)
_execute = _cursors.statement()
_of_connection = _connections.statement()


def _call(cursor: Any, /, procname: Any = "", *_args: Any, **_more: Any) -> Operation | None:
    return _execute(cursor, f"SELECT * FROM {procname}()")  # noqa: S608 - for a span's text


def _copy_from(cursor: Any, /, _file: Any = None, table: Any = "", *_args: Any, **_more: Any) -> Operation | None:
    return _execute(cursor, f"COPY {table} FROM STDIN")


def _copy_to(cursor: Any, /, _file: Any = None, table: Any = "", *_args: Any, **_more: Any) -> Operation | None:
    return _execute(cursor, f"COPY {table} TO STDOUT")


def _ending(word: str) -> Callable[..., Operation | None]:
    def start(connection: Any, /, *_args: Any) -> Operation | None:
        return _of_connection(connection, word) if connection.status == _BEGUN else None

    return start


def _traced(extensions: Any) -> type:
    """The class that stands between the library's connection and the user's factory."""
    methods = {
        "execute": _cursors.around(_execute),
        "executemany": _cursors.around(_cursors.many()),
        "callproc": _cursors.around(_call),
        "copy_from": _cursors.around(_copy_from),
        "copy_to": _cursors.around(_copy_to),
        "copy_expert": _cursors.around(_cursors.statement("sql")),
    }
    fetch = _cursors.around(_cursors.word("FETCH"))
    traced_cursor = subclass(extensions.cursor, methods)
    traced_of_server = subclass(
        extensions.cursor, {**methods, "fetchone": fetch, "fetchmany": fetch, "fetchall": fetch}
    )

    def factory_of(connection: Any, name: Any, factory: Any) -> Any:
        traced = traced_cursor if name is None else traced_of_server
        return standing_in(traced, factory or connection.cursor_factory or extensions.cursor)

    def cursor(wrapped: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            given = args, kwargs
            try:
                if len(args) > _CURSOR_FACTORY_AT:
                    name, factory, *rest = args
                    args = (name, factory_of(self, name, factory), *rest)
                else:
                    name = args[0] if args else kwargs.get("name")
                    kwargs = {**kwargs, "cursor_factory": factory_of(self, name, kwargs.get("cursor_factory"))}
            except Exception:
                fault("psycopg2.cursor")
                args, kwargs = given
            return wrapped(self, *args, **kwargs)

        return call

    return subclass(
        extensions.connection,
        {
            "cursor": cursor,
            "commit": _connections.around(_ending("COMMIT")),
            "rollback": _connections.around(_ending("ROLLBACK")),
        },
    )


def _connect(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Takes the place of the user's factory by a subclass of it."""
    extensions: Any = sys.modules["psycopg2.extensions"]  # loaded by the package, whose function is being wrapped
    traced, plain_connection = _traced(extensions), extensions.connection

    def call(*args: Any, **kwargs: Any) -> Any:
        given = args, kwargs
        try:
            if len(args) > 1:
                args = (args[0], standing_in(traced, args[1] or plain_connection), *args[2:])
            else:
                factory = kwargs.get("connection_factory") or plain_connection
                kwargs = {**kwargs, "connection_factory": standing_in(traced, factory)}
        except Exception:
            fault("psycopg2.connect")
            args, kwargs = given
        return wrapped(*args, **kwargs)

    return call


PLUGIN = Plugin(
    library="psycopg2",
    also=("psycopg2-binary",),
    supports=">=2.9.5,<3",
    points={"psycopg2:_connect": _connect},
)
