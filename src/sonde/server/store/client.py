"""The one way to the store: the embedded one over its unix socket, or a ClickHouse elsewhere. Same calls, same SQL."""

from __future__ import annotations

import logging
import re
import socket
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from clickhouse_connect.driver.exceptions import Error
from clickhouse_connect.driver.httpclient import HttpClient
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.poolmanager import PoolManager

from sonde.server.store.errors import StoreError, StoreUnavailable, parse_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from clickhouse_connect.driver.query import QueryResult

__all__ = ["StoreClient", "StoreError", "StoreUnavailable"]

# it logs a trace for every store that is away, and raises it as well
logging.getLogger("clickhouse_connect.driver").setLevel(logging.ERROR)

DATABASE = "sonde"
"""What names without a database mean, unless the address of a store says otherwise."""
POOL_CONNECTIONS = 16
_WAIT_FOR_CONNECTION_S = 30.0
_CONNECT_S = 5
ANSWER_WITHIN_S = 300
_INSERT = re.compile(r"\s*INSERT\s+INTO\s+(.+)\s+FORMAT\s+(\w+)\s*", re.IGNORECASE | re.DOTALL)
_CREATE_DATABASE = re.compile(r"\s*CREATE\s+DATABASE\b", re.IGNORECASE)
_TRY_LATER = frozenset({202, 209, 210, 745, 999})
"""TOO_MANY_SIMULTANEOUS_QUERIES, SOCKET_TIMEOUT, NETWORK_ERROR, SERVER_IS_SHUTTING_DOWN, KEEPER_EXCEPTION."""

_READING: dict[str, object] = {"optimize_move_to_prewhere_if_final": 1}
"""Of tables whose rows replace each other, only rows with the wanted keys are read whole. The engine looks at
conditions on keys alone then, which all rows that replace each other share.
"""


class StoreClient:
    """Thread-safe; connects at first use and again when the store has been away. At most POOL_CONNECTIONS at once.

    Every call raises StoreError for what the store refused, StoreUnavailable where the same call may work later.
    Times come back aware, in UTC unless the column says otherwise; FixedString comes back as bytes.
    """

    def __init__(self, address: Mapping[str, Any], database: str, within_s: int, *, embedded: bool) -> None:
        """Use `embedded` or `remote`. `address`: arguments of clickhouse-connect's HttpClient."""
        self._address = dict(address) | {"send_receive_timeout": within_s}
        self._database = database
        self._embedded = embedded
        self._places = BoundedSemaphore(POOL_CONNECTIONS)
        self._connecting = Lock()
        self._client: HttpClient | None = None

    @classmethod
    def embedded(cls, socket: Path, user: str, within_s: int = ANSWER_WITHIN_S) -> Self:
        """The store process behind `socket`. `user`: `loader` or `web`. `within_s`: how long an answer may take."""
        address: dict[str, Any] = {
            "interface": "http",
            "host": "localhost",
            "port": 80,
            "username": user,
            "password": "",
            "compress": False,
            "pool_mgr": _UnixPools(str(socket)),
        }
        return cls(address, DATABASE, within_s, embedded=True)

    @classmethod
    def remote(cls, url: str, within_s: int = ANSWER_WITHIN_S) -> Self:
        """A ClickHouse server, `http://user:password@host:8123/database?setting=value`. Raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("a store address looks like http://user:password@host:8123/database")
        address: dict[str, Any] = {
            "interface": parts.scheme,
            "host": parts.hostname,
            "port": parts.port or (8443 if parts.scheme == "https" else 8123),
            "username": unquote(parts.username or "default"),
            "password": unquote(parts.password or ""),
            "settings": dict(parse_qsl(parts.query)),
            "compress": "zstd",
            "pool_mgr": PoolManager(maxsize=POOL_CONNECTIONS),
        }
        return cls(address, unquote(parts.path.strip("/")) or DATABASE, within_s, embedded=False)

    def rows(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, settings: Mapping[str, object] | None = None
    ) -> list[tuple[Any, ...]]:
        """The result of a query. `parameters` are the server's own, `{name:Type}` in the text."""
        return [tuple(row) for row in self._query(sql, parameters, settings).result_rows]

    def dicts(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, settings: Mapping[str, object] | None = None
    ) -> list[dict[str, Any]]:
        """Likewise, each row by column name."""
        result = self._query(sql, parameters, settings)
        return [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]

    def command(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, settings: Mapping[str, object] | None = None
    ) -> None:
        """A statement whose result does not matter. It is sent once, never again by itself."""
        in_database = _CREATE_DATABASE.match(sql) is None  # else it may be the one that is not there yet
        with self._connected() as client:
            client.command(sql, _parameters(parameters), settings=_plain(settings), use_database=in_database)

    def insert_file(self, statement: str, path: Path, *, settings: Mapping[str, object]) -> None:
        """`INSERT INTO … FORMAT …` with the rows of a file, sent once.

        The embedded store reads the file where it is: it must lie in the store's spool folder. Elsewhere it is the
        body. With a deduplication token in `settings` the same file may be sent again until it is known to be stored.
        """
        with self._connected() as client:
            if self._embedded:
                named = {"X-Sonde-Spool-File": path.name}
                client.command(statement, settings=_plain(settings), transport_settings=named)
                return
            found = _INSERT.fullmatch(statement)
            if found is None:
                raise ValueError(f"{statement!r} is no INSERT INTO … FORMAT …")
            with path.open("rb") as rows:
                client.raw_insert(found[1], None, rows, settings=_plain(settings), fmt=found[2])

    def regroups(self) -> bool:
        """Whether a service's rows may be told as another app's, or not at all."""
        return False

    def close(self) -> None:
        """Connections close. A later call opens them again."""
        self._address["pool_mgr"].clear()

    def _query(
        self, sql: str, parameters: Mapping[str, object] | None, settings: Mapping[str, object] | None
    ) -> QueryResult:
        with self._connected() as client:
            return client.query(sql, parameters=_parameters(parameters), settings=_READING | _plain(settings))

    @contextmanager
    def _connected(self) -> Iterator[HttpClient]:
        if not self._places.acquire(timeout=_WAIT_FOR_CONNECTION_S):
            message = f"all {POOL_CONNECTIONS} connections to the store are busy for {_WAIT_FOR_CONNECTION_S:g} s"
            raise StoreUnavailable(202, "TOO_MANY_SIMULTANEOUS_QUERIES", message)
        try:
            yield self._client or self._connect()
        except Error as error:
            raise _store_error(error) from error
        finally:
            self._places.release()

    def _connect(self) -> HttpClient:
        with self._connecting:
            if self._client is None:
                client = HttpClient(
                    **self._address,
                    database=None,
                    autogenerate_session_id=False,
                    connect_timeout=_CONNECT_S,
                    query_retries=0,
                    show_clickhouse_errors="scrub",
                    tz_mode="aware",
                )
                # the store judges settings, not a list of 1800 that is read once and kept
                client.server_settings = {}
                client.database = self._database
                self._client = client
            return self._client


def _plain(settings: Mapping[str, object] | None) -> dict[str, Any]:
    return dict(settings or {})


def _parameters(parameters: Mapping[str, object] | None) -> dict[str, Any] | None:
    return dict(parameters) if parameters else None


def _store_error(error: Error) -> StoreError:
    """What clickhouse-connect raised, in our own terms."""
    text = str(error)
    if error.code is None and "Code: " not in text:
        return StoreUnavailable(210, "NETWORK_ERROR", f"the store does not answer: {text}")
    known = parse_error(text)
    code = error.code or known.code
    if code in _TRY_LATER:
        return StoreUnavailable(code, known.name, known.message)
    return StoreError(code, known.name, known.message)


class _UnixConnection(HTTPConnection):
    """HTTP over a unix socket."""

    unix_path = ""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_CONNECT_S)
        try:
            self.sock.connect(self.unix_path)
        except OSError:
            self.sock.close()
            self.sock = None
            raise
        self.sock.settimeout(self.timeout)


class _UnixPools(PoolManager):
    """A pool manager all of whose connections go to one unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__(maxsize=POOL_CONNECTIONS)
        connection = type("_Connection", (_UnixConnection,), {"unix_path": path})
        pool = type("_Pool", (HTTPConnectionPool,), {"ConnectionCls": connection})
        self.pool_classes_by_scheme = {"http": pool}
