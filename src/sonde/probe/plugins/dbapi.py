"""What the plugins of databases share: operations by statement, kept with the connection's database, and the wrappers.

A driver's connection keeps its `Database` in an attribute of ours. So a call looks up an attribute and a statement,
nothing more. The rest happens when a connection, or a statement, is seen for the first time.
"""

from __future__ import annotations

from functools import lru_cache, update_wrapper
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.plugins import options
from sonde.probe.plugins.bounded import Learned
from sonde.probe.plugins.dberror import failed
from sonde.probe.plugins.statement import LONGEST, described

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.core import Operation, Span
    from sonde.probe.plugins.dberror import Reading
    from sonde.probe.plugins.leaf import Start
    from sonde.probe.plugins.plugin import Wrapper

DATABASE = "_sonde_database"
"""Attribute of a connection that holds its `Database`; None while its statements are part of a call that is timed."""
_STATEMENTS = 512
_CHARACTERS = 1 << 20
BEGINNING = 2048
"""Characters looked at of a statement that is not kept: an attribute has no room for more."""


class Place(NamedTuple):
    """Where statements go."""

    system: str
    """`postgresql`, `mysql`, `mariadb`, `sqlite`."""
    namespace: str
    address: str = ""
    """Host, or path of the unix socket."""
    port: int = 0
    backslash: bool = False
    r"""Whether `\'` in a string is a quote."""


class Database(dict[str, "Operation"]):
    """A database's operations by statement: `database[sql]`.

    Full, it forgets all and learns anew. So statements with values in them, each seen once, cost those that come again
    next to nothing, and memory has a bound: in statements, and in their characters.
    """

    __slots__ = ("_characters", "_constants", "_dialect")

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._dialect = {"backslash": place.backslash, "mysql": place.system in {"mysql", "mariadb"}}
        self._characters = 0
        named = {
            "db.system.name": place.system,
            "db.namespace": place.namespace,
            "server.address": place.address,
            "server.port": place.port,
        }
        self._constants: dict[str, object] = {key: value for key, value in named.items() if value}

    def __missing__(self, sql: str) -> Operation:
        size = len(sql)
        if size > LONGEST:
            return self.once(sql)
        operation = self._made(sql)
        if len(self) >= _STATEMENTS or self._characters + size > _CHARACTERS:
            self.clear()
            self._characters = 0
        self._characters += size
        self[sql] = operation
        return operation

    def once(self, sql: str) -> Operation:
        """For a statement that hardly comes again, or is too long to be kept: with values in it, most likely.

        What is left of it without them does come again.
        """
        beginning = sql[:BEGINNING]
        if options.record_sql == "full":
            return self._made(beginning)
        text = described(beginning, "masked", **self._dialect).text
        return self[text]

    def describe(self, span: Span) -> None:
        """Say of a span that it is this database's."""
        span.set_many(self._constants)

    def named(self, word: str) -> Operation:
        """For work that is no statement."""
        key = f"\n{word}"
        operation = self.get(key)
        if operation is None:
            constants = {**self._constants, "db.operation.name": word}
            operation = self[key] = core.operation(word, core.CLIENT, constants)
        return operation

    def _made(self, sql: str) -> Operation:
        said = described(sql, options.record_sql, **self._dialect)
        constants = dict(self._constants)
        if said.operation:
            constants["db.operation.name"] = said.operation
        if said.text:
            constants["db.query.text"] = said.text
        return core.operation(said.summary, core.CLIENT, constants)


databases: Learned[Place, Database] = Learned(Database, room=64)
"""Connections to one database share what is known of its statements."""


def plain(query: object) -> str | None:
    """The text of a statement that is not a `str` itself; None for what is no statement."""
    if isinstance(query, str):
        return str.__str__(query)
    if isinstance(query, bytes | bytearray):
        return query[:BEGINNING].decode("utf-8", "replace")
    return None


class Driver:
    """How one library is wrapped: where its cursors have the connection, what is known of that, what its errors say."""

    def __init__(
        self,
        connection: str,
        learn: Callable[[Any], Database | None],
        reading: Reading,
        text: Callable[[object], str | None] = plain,
        *,
        owner: str = "",
    ) -> None:
        """`connection`: a cursor's attribute; empty for methods of the connection itself.

        `learn` gets the connection when it is first seen; None is asked again. `owner`: the object that keeps the
        database, where the connection has no room for it.
        """
        kept = ".".join(filter(None, (connection, owner)))
        self._connection = _getter(connection)
        self._owner = _getter(kept)
        self._known: Callable[[Any], Database | None] = attrgetter(f"{kept}.{DATABASE}".lstrip("."))
        self._learn = learn
        self._text = text

        def ended(span: Span, error: BaseException, place: str) -> None:
            failed(span, error, place, reading)

        self._leaf_of = self.statement()
        self.failed = ended
        """Ends a span with an error of this library."""

    def around(self, start: Start) -> Wrapper:
        """Wrapper for a function that is timed when `start` says so."""
        return lambda wrapped: core.around(wrapped, start, None, self.failed, fault)

    def around_async(self, start: Start) -> Wrapper:
        """The same for a coroutine function."""
        return lambda wrapped: core.around_async(wrapped, start, None, self.failed, fault)

    def connecting(self, operation: Operation) -> Wrapper:
        """Wrapper for a function that makes a connection: it has a span inside of a trace. What a pool connects in
        advance, or a program at its start, is nobody's.
        """
        return lambda wrapped: core.around(wrapped, _inside(operation), self._connected, self.failed, fault)

    def connecting_async(self, operation: Operation) -> Wrapper:
        """The same for a coroutine function."""
        return lambda wrapped: core.around_async(wrapped, _inside(operation), self._connected, self.failed, fault)

    def _connected(self, span: Span, connection: Any) -> None:
        database = self._learn(connection)
        if database is not None:
            database.describe(span)

    def database(self, cursor: Any) -> Database | None:
        """Of a cursor's connection; None where nothing is recorded now."""
        try:
            return self._known(cursor)
        except AttributeError:
            return self._first_seen(cursor)

    def statement(self, name: str = "query") -> Callable[..., Operation | None]:
        """Start of a method whose first argument, called `name`, is a statement."""
        known, first_seen, other = self._known, self._first_seen, self._other

        def start(cursor: Any, /, query: Any = None, *_args: Any, **more: Any) -> Operation | None:
            try:
                database = known(cursor)
            except AttributeError:
                database = first_seen(cursor)
            if database is None:
                return None
            if type(query) is str:
                return database[query]
            return other(database, more.get(name) if query is None else query)

        return start

    def many(self, name: str = "query") -> Callable[..., Span | None]:
        """Start of `executemany`: with the number of rows, where that is known without asking the user's code."""
        statement = self.statement(name)

        def start(cursor: Any, /, query: Any = None, rows: Any = None, *_args: Any, **more: Any) -> Span | None:
            size = len(rows) if type(rows) in {list, tuple} else -1
            operation = statement(cursor, query, **more) if size else None  # without rows the server is not asked
            if operation is None:
                return None
            span = core.leaf(operation)
            if size > 0:
                span.set("db.operation.batch.size", size)
            return span

        return start

    def word(self, sql: str) -> Start:
        """Start of a method that stands for a statement: `commit`."""
        statement = self.statement()
        return lambda cursor, /, *_args, **_more: statement(cursor, sql)

    def leaf(self, cursor: Any, query: object) -> Span | None:
        """A span to be ended by hand, or None. Raises nothing."""
        try:
            operation = self._leaf_of(cursor, query)
            return None if operation is None else core.leaf(operation)
        except Exception:
            fault("dbapi.leaf")
            return None

    def quiet(self, wrapped: Callable[..., Any]) -> Callable[..., Any]:
        """`wrapped`, a method that calls `execute` for its work, without spans for these calls."""

        def call(cursor: Any, /, *args: Any, **kwargs: Any) -> Any:
            hushed = self._hush(cursor)
            try:
                return wrapped(cursor, *args, **kwargs)
            finally:
                _unhush(hushed)

        call.__qualname__ = wrapped.__qualname__
        return call

    def quiet_async(self, wrapped: Callable[..., Any]) -> Callable[..., Any]:
        """The same for a coroutine function."""

        async def call(cursor: Any, /, *args: Any, **kwargs: Any) -> Any:
            hushed = self._hush(cursor)
            try:
                return await wrapped(cursor, *args, **kwargs)
            finally:
                _unhush(hushed)

        call.__qualname__ = wrapped.__qualname__
        return call

    def _first_seen(self, cursor: Any) -> Database | None:
        connection = self._connection(cursor)
        if connection is None:  # the cursor is closed: the call itself will say so
            return None
        database = self._learn(connection)
        if database is not None:
            setattr(self._owner(cursor), DATABASE, database)
        return database

    def _other(self, database: Database, query: object) -> Operation | None:
        text = self._text(query)
        if text is None:
            return None
        long = isinstance(query, bytes | bytearray) and len(query) > BEGINNING
        return database.once(text) if long else database[text]

    def _hush(self, cursor: Any) -> tuple[Any, Database | None] | None:
        try:
            owner = self._owner(cursor)
            if not hasattr(owner, DATABASE):
                return None
            hushed = owner, getattr(owner, DATABASE)
            setattr(owner, DATABASE, None)
        except Exception:
            fault("dbapi.quiet")
            return None
        return hushed


def connect_to(system: str) -> Operation:
    """The operation of making a connection."""
    return core.operation("CONNECT", core.CLIENT, {"db.system.name": system, "db.operation.name": "CONNECT"})


def _inside(operation: Operation) -> Start:
    return lambda *_args, **_more: operation if core.current() is not None else None


def _getter(path: str) -> Callable[[Any], Any]:
    return attrgetter(path) if path else lambda itself: itself


@lru_cache(maxsize=256)
def standing_in(traced: type, factory: Any) -> Any:
    """A subclass of `factory` with `traced` right above the library's own C type; what is none of it is left as it is.

    For types that cannot be wrapped. `isinstance` holds, the user's own methods win, their `super()` calls reach ours.
    """
    above = traced.__mro__[1]
    if not isinstance(factory, type) or not issubclass(factory, above) or issubclass(factory, traced):
        return factory
    bases = (traced,) if factory is above else (factory, traced)
    names = {"__module__": factory.__module__, "__qualname__": factory.__qualname__, "__doc__": factory.__doc__}
    metaclass: Any = type(factory)
    return metaclass(factory.__name__, bases, names)


def subclass(above: Any, methods: dict[str, Wrapper]) -> type:
    """A subclass of a C type that goes by its name, with wrapped methods. See `standing_in`."""
    names: dict[str, Any] = {
        "__module__": above.__module__,
        "__qualname__": above.__qualname__,
        "__doc__": above.__doc__,
    }
    for name, wrapper in methods.items():
        plain_method = getattr(above, name)
        names[name] = update_wrapper(wrapper(plain_method), plain_method)
    return type(above.__name__, (above,), names)


def _unhush(hushed: tuple[Any, Database | None] | None) -> None:
    if hushed is not None:
        try:
            setattr(hushed[0], DATABASE, hushed[1])
        except Exception:
            fault("dbapi.quiet")
