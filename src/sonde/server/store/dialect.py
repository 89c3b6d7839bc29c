"""ClickHouse's HTTP dialect: what a request asks for, and how an answer or an error is said. Pure.

Source: ClickHouse, src/Server/HTTPHandler.cpp, src/Server/HTTP/exceptionCodeToHTTPStatus.cpp; docs/interfaces/http.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl

from sonde.server.store.compression import chosen
from sonde.server.store.errors import StoreError
from sonde.server.store.multipart import form_fields
from sonde.server.store.sessions import DEFAULT_TIMEOUT_S, MAX_TIMEOUT_S
from sonde.server.store.statement import Statement, decoded, read_statement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sonde.server.store.engine import Answer

MAX_STATEMENT_BYTES = 4 << 20
"""Also of a form with a statement and its parameters. The engine's limit (max_query_size) is above it."""
SPOOL_HEADER = "x-sonde-spool-file"
DEFAULT_FORMAT = "TabSeparated"

CONCATENABLE = frozenset(
    {
        *("Native", "RowBinary", "JSONEachRow", "JSONCompactEachRow", "JSONLines", "NDJSON", "LineAsString", "RawBLOB"),
        *("TabSeparated", "TSV", "TabSeparatedRaw", "TSVRaw", "Raw", "CSV"),
    }
)
"""Formats without head and tail: pieces of a result in a row are the result. (The engine drops TOTALS in pieces.)"""

_CONTENT_TYPES = {
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
    "TSV": "text/tab-separated-values; charset=UTF-8",
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "CSVWithNames": "text/csv; charset=UTF-8; header=present",
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "XML": "application/xml; charset=UTF-8",
    "Markdown": "text/markdown; charset=UTF-8",
}
_BINARY = re.compile(r"Native|RowBinary|Parquet|Arrow|ORC|Avro|MsgPack|Protobuf|Npy|BSON|RawBLOB", re.ASCII)

_NO_SETTINGS = frozenset(
    {
        *("query", "database", "default_format", "user", "password", "query_id", "quota_key", "role", "stacktrace"),
        *("session_id", "session_timeout", "session_check", "close_session", "wait_end_of_query", "buffer_size"),
        *(
            "compress",
            "decompress",
            "enable_http_compression",
            "http_zlib_compression_level",
            "client_protocol_version",
        ),
        *("send_progress_in_http_headers", "http_headers_progress_interval_ms", "add_http_cors_header"),
        *("cancel_http_readonly_queries_on_client_close", "http_wait_end_of_query", "http_response_buffer_size"),
        *("http_write_exception_in_output_format",),
    }
)
"""Words of the address that speak to the HTTP side, not to the engine."""
_SETTING_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

_STATUS = {
    **dict.fromkeys((194, 516), 401),
    **dict.fromkeys((192, 193, 497, 512, 164, 291), 403),
    **dict.fromkeys((1, 6, 15, 16, 25, 26, 27, 36, 38, 41, 44, 53, 62, 72, 117, 271, 89, 427, 456, 457), 400),
    **dict.fromkeys((46, 47, 50, 56, 60, 63, 73, 81, 107, 115, 372, 511), 404),
    **dict.fromkeys((159,), 408),
    **dict.fromkeys((307,), 413),
    **dict.fromkeys((48, 404), 501),
    **dict.fromkeys((202, 209, 236, 439, 745), 503),
}
"""HTTP status by error code; all others are 500."""


@dataclass(frozen=True, slots=True)
class Request:
    """The head of a request. Header names are in small letters; of a header sent twice the last one stands."""

    method: str
    target: str
    headers: Mapping[str, str]
    keep_alive: bool = True
    http_1_0: bool = False
    """The client knows no chunks: the end of the connection is the end of the reply."""

    @property
    def path(self) -> str:
        """Without the query string."""
        return self.target.partition("?")[0]

    @property
    def parameters(self) -> dict[str, str]:
        """Of the query string. Raises StoreError if there are too many."""
        try:
            return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True, max_num_fields=2000))
        except ValueError as error:
            raise StoreError(36, "BAD_ARGUMENTS", f"the query string cannot be read: {error}") from None

    @property
    def is_form(self) -> bool:
        """The body holds fields, no statement and no rows."""
        return self.headers.get("content-type", "").lower().startswith("multipart/form-data")


@dataclass(frozen=True, slots=True)
class Call:
    """What a request asks for."""

    statement: Statement
    rows_at: int | None
    """Where in the body the rows of an INSERT begin; None: the body has none."""
    inline_rows: bytes
    """The rows that stand in the address, behind the statement."""
    spool_file: str
    """Base name of the file that has them instead."""
    parameters: dict[str, str]
    settings: dict[str, str]
    database: str
    output_format: str
    query_id: str
    whole: bool
    """Nothing is answered before all is known: no error in the middle."""
    coding: str
    """Content coding of the answer, empty for none."""
    session_id: str = ""
    session_timeout_s: int = DEFAULT_TIMEOUT_S
    session_must_exist: bool = False

    @property
    def sql(self) -> str:
        """The statement as text."""
        return decoded(self.statement.text)


class Beginning(Protocol):
    """A body, as far as the dialect has to look into it."""

    size: int

    def head(self, length: int) -> bytes:
        """The first bytes, at most `length`."""


def call_of(request: Request, body: Beginning) -> Call:
    """What `request` asks for. `body` is decompressed. Raises StoreError."""
    said = request.parameters
    if request.is_form:
        said |= form_fields(request.headers.get("content-type", ""), _text(body))
        body = _NOTHING
    spool_file = request.headers.get(SPOOL_HEADER, "")
    address = said.get("query", "").encode()
    statement, rows_at = _statement(address, body)
    inline = address[statement.rows_at :] if statement.takes_rows and rows_at is None else b""
    if spool_file:
        if not statement.takes_rows or inline or body.head(MAX_STATEMENT_BYTES)[rows_at:].strip():
            raise StoreError(
                36, "BAD_ARGUMENTS", "a spool file goes with an INSERT … FORMAT that brings no rows itself"
            )
        rows_at = None
    return Call(
        statement=statement,
        rows_at=rows_at,
        inline_rows=inline,
        spool_file=spool_file,
        parameters={name[6:]: value for name, value in said.items() if name.startswith("param_")},
        settings=_settings(said),
        database=said.get("database") or request.headers.get("x-clickhouse-database", ""),
        output_format=_output_format(statement, said, request.headers),
        query_id=said.get("query_id") or str(uuid.uuid4()),
        whole=_is_on(said, "wait_end_of_query") or _is_on(said, "http_wait_end_of_query"),
        coding=_coding(said, request.headers),
        session_id=said.get("session_id", ""),
        session_timeout_s=_session_timeout_s(said),
        session_must_exist=_is_on(said, "session_check"),
    )


def _statement(address: bytes, body: Beginning) -> tuple[Statement, int | None]:
    """The statement, and where in the body its rows begin.

    It stands in the address or in the body, or begins in one and ends in the other. A body of rows alone is not looked
    into.
    """
    if not address.strip():
        statement = read_statement(body.head(MAX_STATEMENT_BYTES))
        if statement.takes_rows:
            return statement, statement.rows_at
        return (statement if body.size <= MAX_STATEMENT_BYTES else read_statement(_text(body))), None
    statement = read_statement(address)
    if not statement.takes_rows:
        rest = _text(body)
        return (read_statement(address + b"\n" + rest) if rest.strip() else statement), None
    if not address[statement.rows_at :].strip():
        return statement, 0
    if body.size and _text(body).strip():
        message = "the rows of an INSERT begin in the address and go on in the body: send all of them in one place"
        raise StoreError(48, "NOT_IMPLEMENTED", message)
    return statement, None


def _text(body: Beginning) -> bytes:
    """The whole body, where it holds a statement or its parameters."""
    if body.size > MAX_STATEMENT_BYTES:
        raise StoreError(
            62, "SYNTAX_ERROR", f"Max query size exceeded: a statement has at most {MAX_STATEMENT_BYTES} bytes"
        )
    return body.head(MAX_STATEMENT_BYTES)


class _Nothing:
    """No body."""

    size = 0

    def head(self, length: int) -> bytes:  # noqa: ARG002 - there is nothing of any length
        return b""


_NOTHING = _Nothing()


def _settings(said: Mapping[str, str]) -> dict[str, str]:
    settings = {}
    for name, value in said.items():
        if name in _NO_SETTINGS or name.startswith("param_"):
            continue
        if not _SETTING_NAME.fullmatch(name):
            raise StoreError(115, "UNKNOWN_SETTING", f"Unknown setting {name!r}")
        settings[name] = value
    return settings


def _output_format(statement: Statement, said: Mapping[str, str], headers: Mapping[str, str]) -> str:
    if statement.format and not statement.takes_rows:
        return statement.format
    return said.get("default_format") or headers.get("x-clickhouse-format") or DEFAULT_FORMAT


def _coding(said: Mapping[str, str], headers: Mapping[str, str]) -> str:
    for name in ("compress", "decompress"):
        if _is_on(said, name):
            advice = "use enable_http_compression=1 with Accept-Encoding, or Content-Encoding"
            raise StoreError(
                48, "NOT_IMPLEMENTED", f"{name}=1 (ClickHouse's own block compression) is not known: {advice}"
            )
    return chosen(headers.get("accept-encoding", "")) if _is_on(said, "enable_http_compression") else ""


def _is_on(said: Mapping[str, str], name: str) -> bool:
    return said.get(name, "0").lower() not in {"", "0", "false"}


def _session_timeout_s(said: Mapping[str, str]) -> int:
    text = said.get("session_timeout", str(DEFAULT_TIMEOUT_S))
    if not text.isascii() or not text.isdigit() or int(text) > MAX_TIMEOUT_S:
        message = f"session_timeout is {text!r}, it must be a number of seconds up to {MAX_TIMEOUT_S}"
        raise StoreError(374, "INVALID_SESSION_TIMEOUT", message)
    return int(text)


@dataclass(slots=True)
class Voice:
    """How answers to one call are said: the headers that go with all of them, and the errors."""

    version: str
    timezone: str
    query_id: str = ""
    tag: str = field(default_factory=lambda: uuid.uuid4().hex[:16])
    """Tells an error in the middle of a result from the result's own bytes."""

    def head(self, **more: str) -> dict[str, str]:
        """Headers of every answer."""
        return {
            "X-ClickHouse-Server-Display-Name": "sonde",
            "X-ClickHouse-Timezone": self.timezone,
            "X-ClickHouse-Query-Id": self.query_id,
            **more,
        }

    def result_head(self, call: Call, summary: str) -> dict[str, str]:
        """Headers of a result, or of the success of a statement that has none."""
        head = self.head()
        head["X-ClickHouse-Summary"] = summary
        head["X-ClickHouse-Exception-Tag"] = self.tag
        head["Content-Type"] = content_type(call.output_format)
        if call.statement.has_result:
            head["X-ClickHouse-Format"] = call.output_format
        if call.coding:
            head["Content-Encoding"] = call.coding
        return head

    def error_text(self, error: StoreError) -> bytes:
        """The body of an error."""
        return f"{error.text} (version {self.version} (official build))\n".encode(errors="replace")

    def error_block(self, error: StoreError) -> bytes:
        """The end of a result that could not be finished."""
        text, tag = self.error_text(error), self.tag.encode()
        return b"\r\n__exception__\r\n%b\r\n%b%d %b\r\n__exception__\r\n" % (tag, text, len(text), tag)


def status_of(error: StoreError) -> int:
    """HTTP status."""
    return _STATUS.get(error.code, 500)


def content_type(form: str) -> str:
    """Of a result in `form`."""
    if form in _CONTENT_TYPES:
        return _CONTENT_TYPES[form]
    if form.startswith(("TabSeparated", "TSV")):
        return _CONTENT_TYPES["TSV"]
    if _BINARY.search(form):
        return "application/octet-stream"
    return "application/json; charset=UTF-8" if form.startswith("JSON") else "text/plain; charset=UTF-8"


def summary_of(answer: Answer | None, elapsed_s: float) -> str:
    """The value of X-ClickHouse-Summary: counts as text."""
    counts = {
        "read_rows": answer.read_rows if answer else 0,
        "read_bytes": answer.read_bytes if answer else 0,
        "written_rows": answer.written_rows if answer else 0,
        "written_bytes": 0,
        "total_rows_to_read": 0,
        "result_rows": (answer.written_rows or answer.rows) if answer else 0,
        "result_bytes": len(answer.data) if answer else 0,
        "elapsed_ns": int(elapsed_s * 1e9),
    }
    return json.dumps({name: str(value) for name, value in counts.items()}, separators=(",", ":"))
