"""sqlite3: one client span per statement executed, and per commit or rollback; fetching rows is not timed.

Records the statement with `?` for its literals (setting `record_sql`), its first word and table, the file's name, the
number of rows of an `executemany`, the name of an error. Never records parameters, rows, the values that errors
quote, or the file's directory.

The classes are C types that cannot be wrapped, so `connect` makes subclasses: of `sqlite3.Connection`, or of whatever
factory the user has, likewise for cursors. `isinstance` holds, the user's own methods win, their `super()` calls
reach ours.
"""

from __future__ import annotations

import _sqlite3 as sqlite3  # the C part: the package itself is being imported when this module is
import os
from typing import TYPE_CHECKING, Any

from sonde.probe.guard import fault
from sonde.probe.plugins import dberror
from sonde.probe.plugins.dbapi import DATABASE, Database, Driver, Place, databases, standing_in, subclass
from sonde.probe.plugins.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.core import Operation

_FACTORY_AT = 5
"""Position of `factory` among connect's arguments, where it is not a keyword."""


def _learn(_connection: Any) -> Database:
    """Of a connection whose file is not known: it was not made by `connect`."""
    return databases[Place("sqlite", "")]


_cursors = Driver("connection", _learn, dberror.sqlite)
_connections = Driver("", _learn, dberror.sqlite)
_of_connection = _connections.statement()


def _ending(connection: Any, word: str) -> Operation | None:
    """Of the end of a transaction; None when there is no transaction."""
    try:
        return _of_connection(connection, word) if connection.in_transaction else None
    except sqlite3.ProgrammingError:  # closed, or another thread's: the call itself will say so
        return None


def _commit(connection: Any, /, *_args: Any) -> Operation | None:
    return _ending(connection, "COMMIT")  # timed, because here is where the disk is waited for


def _rollback(connection: Any, /, *_args: Any) -> Operation | None:
    return _ending(connection, "ROLLBACK")


def _exit(connection: Any, /, kind: Any = None, *_args: Any) -> Operation | None:
    return _ending(connection, "COMMIT" if kind is None else "ROLLBACK")


TracedCursor = subclass(
    sqlite3.Cursor,
    {
        "execute": _cursors.around(_cursors.statement()),
        "executemany": _cursors.around(_cursors.many()),
        "executescript": _cursors.around(_cursors.statement()),
    },
)
"""Stands between `sqlite3.Cursor` and the class the user asked for."""


def _cursor(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    def cursor(self: Any, factory: Any = sqlite3.Cursor) -> Any:
        try:
            factory = standing_in(TracedCursor, factory)
        except Exception:
            fault("sqlite3.cursor")
        return wrapped(self, factory)

    return cursor


_new_cursor = _cursor(sqlite3.Connection.cursor)


def _shortcut(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Of a connection, on a new cursor. Not by `self.cursor()`: sqlite3's own do not ask a user's method either."""
    name = wrapped.__name__

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if kwargs:  # there are none: sqlite3 says so in its own words
            return wrapped(self, *args, **kwargs)
        return getattr(_new_cursor(self), name)(*args)

    return call


TracedConnection = subclass(
    sqlite3.Connection,
    {
        "cursor": _cursor,
        "execute": _shortcut,
        "executemany": _shortcut,
        "executescript": _shortcut,
        "commit": _connections.around(_commit),
        "rollback": _connections.around(_rollback),
        "__exit__": _connections.around(_exit),
    },
)
"""Stands between `sqlite3.Connection` and the user's factory."""


def connect(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Takes the place of the user's factory by a subclass of it."""

    def call(*args: Any, **kwargs: Any) -> Any:
        plain = (args, kwargs)
        try:
            if len(args) > _FACTORY_AT:
                args = (
                    *args[:_FACTORY_AT],
                    standing_in(TracedConnection, args[_FACTORY_AT]),
                    *args[_FACTORY_AT + 1 :],
                )
            else:
                factory = standing_in(TracedConnection, kwargs.get("factory", sqlite3.Connection))
                kwargs = {**kwargs, "factory": factory}
        except Exception:
            fault("sqlite3.connect")
            args, kwargs = plain
        connection = wrapped(*args, **kwargs)
        try:
            if isinstance(connection, TracedConnection):
                name = _namespace(args[0] if args else kwargs.get("database"))
                setattr(connection, DATABASE, databases[Place("sqlite", name)])
        except Exception:
            fault("sqlite3.connect")
        return connection

    return call


def _namespace(database: Any) -> str:
    """The file's name. A URI's parameters, like a directory, say more than a name."""
    name = os.fsdecode(database) if isinstance(database, str | bytes | os.PathLike) else ""
    return name.partition("?")[0].rpartition("/")[2]


PLUGIN = Plugin(
    library="python",
    supports=">=3.11",
    points={"sqlite3.dbapi2:connect": connect, "sqlite3:connect": connect},
)
