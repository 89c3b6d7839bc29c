"""The embedded ClickHouse engine (chDB). The only file that imports it.

One process owns one data directory; a second owner is refused at once. An engine connection does one thing at a time
and keeps SET and USE until it is closed, so every request opens one of its own (some 60 µs): settings then die with
the request, as HTTP wants it.

Never `send_insert`: chdb-core 26.9 reports success for rows it could not store (full disk, a view that fails).
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import os
import re
from dataclasses import dataclass
from threading import Condition, Lock
from typing import TYPE_CHECKING, Any, Self

from sonde.server.store.errors import StoreError, parse_error
from sonde.server.store.readers import Outside

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping
    from pathlib import Path

MARK_BYTES = 8
_MARK_PREFIX = len("/**/ ") + 2 * MARK_BYTES
_POSITION = re.compile(r"(failed at position |\(line 1, col )(\d+)")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_STREAM_LEAD = "Streaming query failed: "

_DEFAULT_DATABASE = "50e5de00-0000-4000-8000-000000000001"

_CACHES = {
    "mark_cache_size": 64 << 20,
    "index_mark_cache_size": 16 << 20,
    "primary_index_cache_size": 64 << 20,
    "uncompressed_cache_size": 0,
    "query_condition_cache_size": 16 << 20,
    "mmap_cache_size": 0,
}
"""Bytes. The engine's own defaults are sized for a server with tens of gigabytes."""
_WORKERS = {
    "background_pool_size": 2,
    "background_common_pool_size": 2,
    "background_schedule_pool_size": 2,
    "background_move_pool_size": 1,
    "background_fetches_pool_size": 1,
    "asynchronous_metrics_update_period_s": 60,
    "memory_worker_period_ms": 500,
}
"""One machine, no replicas: two merges at a time, no gathering of metrics nobody reads, and a look at the memory in use
twice a second: at the engine's 20 times that alone is 0.2 % of a core."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A result, or a piece of one. `data` lives as long as this object."""

    data: memoryview
    rows: int
    read_rows: int
    read_bytes: int
    written_rows: int
    """Views count too: one row into a table with a view is two."""
    held: object
    """The engine's own object, whose memory `data` shows."""


class Engine:
    """The open data directory. Thread-safe; its connections are not."""

    def __init__(self, path: str, main: Any, chdb: Any, lock: int) -> None:
        self._path = path
        self._lock = lock
        self._chdb = chdb
        self._main = main
        self._main_lock = Lock()
        self._links = 0
        self._links_changed = Condition()
        self._use_plain_default_database()
        self.version, self.timezone = self._ask("SELECT version(), timezone()")
        self.outside = Outside.of_engine(
            iter(self._ask("SELECT name FROM system.table_functions")),
            iter(self._ask("SELECT name FROM system.functions")),
        )

    @classmethod
    def open(cls, data: Path, *, memory_bytes: int) -> Self:
        """Opens or makes `data`. Raises StoreError, 76 where another process has it open."""
        data.mkdir(parents=True, exist_ok=True)
        lock = _own(data)
        chdb = importlib.import_module("chdb._chdb")
        (data / "metadata" / "default.sql").unlink(missing_ok=True)  # see _use_plain_default_database
        server = {"max_server_memory_usage": memory_bytes, **_CACHES, **_WORKERS}
        with _errors_of_the_engine():
            main = chdb.connect(_connection_string(str(data), server))
        return cls(str(data), main, chdb, lock)

    def connect(self, settings: Mapping[str, str], database: str = "") -> Link:
        """A connection of its own for one request or one session.

        `settings` are ours, not a client's: they go into the engine's connection string, which saves a statement but
        knows no quoting. Raises StoreError 81 for a database that is not there.
        """
        plain = bool(_PLAIN_NAME.fullmatch(database))
        options = {"implicit_select": "0", **settings, **({"database": database} if plain else {})}
        with _errors_of_the_engine():
            link = Link(self._chdb.connect(_connection_string(self._path, options)), self._chdb, self._link_closed)
        with self._links_changed:
            self._links += 1
        if database and not plain:
            try:
                link.use(database)
            except StoreError:
                link.close()
                raise
        return link

    def kill(self, mark: str) -> None:
        """Asks the statement that runs under `mark` to end. It may not have begun: ask again while it lives."""
        self._ask(f"KILL QUERY WHERE startsWith(query, '/*{mark}*/') ASYNC")

    def query_id(self, mark: str) -> str | None:
        """The engine's own id of the statement that runs under `mark`."""
        sql = f"SELECT query_id FROM system.processes WHERE startsWith(query, '/*{mark}*/')"  # noqa: S608 - marks are hex
        ids = self._ask(sql)
        return ids[0] if ids else None

    def close(self, timeout_s: float) -> bool:
        """Waits until all links are closed; False if they are not in time.

        Then the engine is left open, and an interpreter that ends in order would crash in it: use os._exit.
        """
        with self._links_changed:
            if not self._links_changed.wait_for(lambda: self._links == 0, timeout_s):
                return False
        with self._main_lock:
            self._main.close()
        os.close(self._lock)
        return True

    def _link_closed(self) -> None:
        with self._links_changed:
            self._links -= 1
            self._links_changed.notify_all()

    def _ask(self, sql: str) -> list[str]:
        with self._main_lock, _errors_of_the_engine():
            return str(self._main.query(sql, "TSV").bytes().decode()).split()

    def _use_plain_default_database(self) -> None:
        """The engine's `default` shows each file of the machine as a table, to readers too. This one has only tables.

        The engine puts its own one there at every start, and keeps the id of ours if it finds its file: then ours
        cannot be attached any more. So the file goes before the start, and an id that is always the same finds the
        tables again.
        """
        self._ask("DETACH DATABASE default")
        self._ask(f"ATTACH DATABASE default UUID '{_DEFAULT_DATABASE}' ENGINE = Atomic")


class Link:
    """One connection to the engine. Used by one thread at a time."""

    def __init__(self, connection: Any, chdb: Any, on_close: Callable[[], None]) -> None:
        self._connection = connection
        self._on_close = on_close
        self._classes = chdb.query_class

    def set(self, settings: str) -> None:
        """`name = value, …` from here on, in this order."""
        self._command(f"SET {settings}")

    def use(self, database: str) -> None:
        """Names without a database mean this one from here on."""
        self._command(f"USE {quoted_name(database)}")

    def values(self, sql: str) -> list[str]:
        """A small result, one text a row."""
        with _errors_of_the_engine():
            return str(self._connection.query(sql, "TSVRaw").bytes().decode()).splitlines()

    def reads_only(self, sql: str) -> bool:
        """The engine's parser finds that `sql` leaves no trace. Nothing runs (20 µs). Raises StoreError 62."""
        with _errors_of_the_engine():
            seen = self._connection.classify_query(sql)["query_class"]
        if seen == self._classes.UNKNOWN:
            self._raise_syntax_error(sql)
        return bool(seen == self._classes.READ_ONLY)

    def run(self, sql: str, form: str, parameters: Mapping[str, str], mark: str) -> Answer:
        """The whole result in format `form`. Raises StoreError."""
        with _errors_of_the_engine(_MARK_PREFIX):
            return _answer(self._connection.query(f"/*{mark}*/ {sql}", form, params=dict(parameters)))

    def stream(self, sql: str, form: str, parameters: Mapping[str, str], mark: str) -> Generator[Answer]:
        """The result in pieces of about 65k rows, each a document of its own in format `form`.

        Only for formats whose documents concatenate, see `dialect.CONCATENABLE`. An empty result gives no piece.
        """
        with _errors_of_the_engine(_MARK_PREFIX):
            stream = self._connection.send_query(f"/*{mark}*/ {sql}", form, params=dict(parameters))
        ended = False
        try:
            while True:
                with _errors_of_the_engine(_MARK_PREFIX):
                    piece = self._connection.streaming_fetch_result(stream)
                if piece is None or not piece.rows_read():
                    ended = True
                    return
                yield _answer(piece)
        except StoreError:
            ended = True
            raise
        finally:
            if not ended:
                self._connection.streaming_cancel_query(stream)

    def close(self) -> None:
        """Settings, current database and temporary tables go."""
        self._connection.close()
        self._on_close()

    def _raise_syntax_error(self, sql: str) -> None:
        """`classify_query` does not say why it could not read `sql`, `formatQuery` does."""
        try:
            self._command(f"SELECT formatQuery({quoted_text(sql)})")
        except StoreError as error:
            own, _, _ = error.message.partition(": In scope SELECT formatQuery(")
            raise StoreError(error.code, error.name, own) from None

    def _command(self, sql: str) -> None:
        with _errors_of_the_engine():
            self._connection.query(sql, "Null")


def _own(data: Path) -> int:
    """The descriptor of a lock on `data`. The engine has one too, but does not say so when it is taken."""
    lock = os.open(data / "owner", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise StoreError(76, "CANNOT_OPEN_FILE", f"another process owns {data}") from None
    return lock


def _answer(result: Any) -> Answer:
    shown = result.get_memview()
    return Answer(
        shown.view(),
        result.rows_read(),
        result.storage_rows_read(),
        result.storage_bytes_read(),
        result.rows_written(),
        (result, shown),
    )


@contextlib.contextmanager
def _errors_of_the_engine(shift: int = 0) -> Iterator[None]:
    """The engine raises RuntimeError with its text, or UnicodeDecodeError where that text holds somebody's bytes.

    `shift`: how many characters before the statement are not the client's.
    """
    try:
        yield
    except UnicodeDecodeError as error:
        raise _error(error.object.decode("utf-8", "replace"), shift) from None
    except RuntimeError as error:
        raise _error(str(error), shift) from None


def _error(text: str, shift: int) -> StoreError:
    shifted = _POSITION.sub(lambda found: f"{found[1]}{max(int(found[2]) - shift, 1)}", text)
    return parse_error(shifted.removeprefix(_STREAM_LEAD))


def _connection_string(path: str, options: Mapping[str, object]) -> str:
    return f"{path}?" + "&".join(f"{name}={value}" for name, value in options.items())


def quoted_name(name: str) -> str:
    """`name` as an identifier in SQL."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def quoted_text(text: str) -> str:
    """`text` as a string literal in SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
