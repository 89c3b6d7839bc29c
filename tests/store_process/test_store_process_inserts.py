"""Rows on their way in: each format, each way, once or not at all."""

# ruff: noqa: S608 - the names put into statements are the tests' own
from __future__ import annotations

import json
import socket
import struct
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from store_process_harness import until

if TYPE_CHECKING:
    from store_process_harness import Store, StoreProcess

ROWS = [(1, "one"), (2, "two")]
BODIES = {
    "TSV": b"1\tone\n2\ttwo\n",
    "CSV": b'1,"one"\n2,"two"\n',
    "JSONEachRow": b'{"a":1,"b":"one"}\n{"a":2,"b":"two"}\n',
    "Values": b"(1, 'one'), (2, 'two')",
    "RowBinary": b"".join(struct.pack("<iB", a, len(b)) + b.encode() for a, b in ROWS),
    "MsgPack": b"\x01\xa3one\x02\xa3two",
}


def stored(store: Store, table: str) -> list[tuple[int, str]]:
    rows = store.values(f"SELECT a, b FROM {table} ORDER BY a")
    return [(int(a), b) for a, b in (row.split("\t") for row in rows)]


@pytest.mark.parametrize("form", BODIES)
def test_rows_as_body_and_rows_behind_the_statement(store: Store, table: str, form: str) -> None:
    in_address = store.ask(f"INSERT INTO {table} (a, b) FORMAT {form}", BODIES[form])
    assert in_address.status == 200, in_address.text
    assert stored(store, table) == ROWS
    lead = f"INSERT INTO {table} (a, b) SETTINGS max_threads = 1 FORMAT {form}\n".encode()
    in_front = store.ask(body=lead + BODIES[form])
    assert in_front.status == 200, in_front.text
    assert stored(store, table) == sorted(ROWS * 2)


@pytest.mark.parametrize("sql", ["INSERT INTO {t} VALUES", "INSERT INTO {t} SETTINGS max_threads = 1 VALUES"])
def test_values_in_body_address_and_statement(store: Store, table: str, sql: str) -> None:
    lead = sql.format(t=table)
    assert store.ask(lead, b"(1, 'a')").status == 200
    assert store.ask(f"{lead} (2, 'b''c'), (3, lower('D'))").status == 200
    assert store.ask(f"{lead} (4, 'e')", b"").status == 200
    assert stored(store, table) == [(1, "a"), (2, "b'c"), (3, "d"), (4, "e")]


def test_an_insert_from_a_select_needs_no_rows(store: Store, table: str) -> None:
    assert store.ask(f"INSERT INTO {table} SELECT number, 'x' FROM numbers({{n:UInt8}})", param_n=3).status == 200
    assert len(stored(store, table)) == 3


def test_the_summary_counts_what_was_written(store: Store, table: str) -> None:
    got = store.ask(f"INSERT INTO {table} FORMAT TSV", BODIES["TSV"])
    assert json.loads(got.headers["X-ClickHouse-Summary"])["written_rows"] == "2"
    assert "X-ClickHouse-Format" not in got.headers


def test_a_large_body_behind_its_statement(store: Store, table: str) -> None:
    """Larger than what is held in memory: the rows are copied out of the file they came in."""
    rows = b"".join(b"%d\t%b\n" % (n, b"x" * 50) for n in range(60_000))
    assert len(rows) > 3_000_000
    got = store.ask(body=f"INSERT INTO {table} FORMAT TSV\n".encode() + rows)
    assert got.status == 200, got.text
    assert store.values(f"SELECT count(), sum(a), sum(length(b)) FROM {table}") == ["60000\t1799970000\t3000000"]


def test_a_body_in_chunks(store: Store, table: str) -> None:
    pieces = iter([b"1\ton", b"e\n2\t", b"two\n"])
    assert store.ask(f"INSERT INTO {table} FORMAT TSV", pieces).status == 200
    assert stored(store, table) == ROWS


def test_bad_rows_store_nothing(store: Store, table: str) -> None:
    rows = b"".join(b"%d\tx\n" % n for n in range(1000)) + b"no number\tx\n"
    got = store.ask(f"INSERT INTO {table} FORMAT TSV", rows)
    assert (got.status, got.code) == (400, 27)
    assert stored(store, table) == []


def test_a_missing_table_is_told(store: Store) -> None:
    assert store.ask("INSERT INTO not_there FORMAT TSV", b"1\tx\n").code == 60


def test_half_a_body_stores_nothing(process: StoreProcess) -> None:
    process.ask("CREATE TABLE half (a Int32) ENGINE = MergeTree ORDER BY a")
    before = process.counter("sonde_store_statements_total")
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(process.socket))
        raw.sendall(
            b"POST /?query=INSERT+INTO+half+FORMAT+TSV HTTP/1.1\r\nHost: x\r\nX-ClickHouse-User: loader\r\n"
            b"Content-Length: 100\r\n\r\n1\n2\n3\n"
        )
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(process.socket))
        raw.sendall(
            b"POST /?query=INSERT+INTO+half+FORMAT+TSV HTTP/1.1\r\nHost: x\r\nX-ClickHouse-User: loader\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n4\r\n1\n2\n\r\n"
        )
        raw.shutdown(socket.SHUT_WR)
        assert raw.recv(1000) == b""
    assert process.values("SELECT count() FROM half") == ["0"]
    assert process.counter("sonde_store_statements_total") == before + 1


@pytest.mark.parametrize(
    ("coding", "body", "code"),
    [
        ("br", b"x", 89),
        ("gzip", b"this is no gzip", 271),
        ("zstd", b"\x28\xb5\x2f\xfd\x00", 271),
        ("lz4", b"\x04", 271),
    ],
)
def test_a_coding_unknown_or_damaged_is_refused(process: StoreProcess, coding: str, body: bytes, code: int) -> None:
    connection = process.connection()
    got = process.ask(
        "INSERT INTO FUNCTION null('a String') FORMAT TSV",
        body,
        headers={"Content-Encoding": coding},
        connection=connection,
    )
    assert (got.status, got.code) == (400, code), got.text
    connection.close()
    assert process.ask("SELECT 1").text == "1\n"


# -- protobuf, deduplication, spool -----------------------------------------------------------------------------------
PROTO = """syntax = "proto3";
message Scope { repeated Span spans = 2; }
message Resource { repeated Scope scope_spans = 2; }
message Request { repeated Resource resource_spans = 1; }
message Span { string name = 5; bytes trace_id = 1; }
"""
PROTOBUF = {
    "format_schema_source": "string",
    "format_schema": PROTO,
    "format_schema_message_name": "Request",
    "deduplicate_blocks_in_dependent_materialized_views": 1,
}


@pytest.fixture
def intake(process: StoreProcess) -> str:
    """A table without storage, and a view that makes rows in `names` of what arrives in it."""
    for sql in (
        (
            "CREATE TABLE IF NOT EXISTS names (name String) ENGINE = MergeTree ORDER BY name"
            " SETTINGS non_replicated_deduplication_window = 1000"
        ),
        "TRUNCATE TABLE names",
        (
            "CREATE TABLE IF NOT EXISTS arriving (resource_spans Array(Tuple(scope_spans Array(Tuple(spans"
            " Array(Tuple(name String, trace_id String)))))) ) ENGINE = Null"
        ),
        (
            "CREATE MATERIALIZED VIEW IF NOT EXISTS names_of TO names AS SELECT arrayJoin(arrayJoin("
            "arrayJoin(resource_spans).scope_spans).spans).name AS name FROM arriving"
        ),
    ):
        got = process.ask(sql)
        assert got.status == 200, got.text
    return "INSERT INTO arriving (resource_spans) FORMAT Protobuf"


def messages(names: list[str]) -> bytes:
    """Length-delimited requests, as in a spool file."""
    out = b""
    for name in names:
        request = ExportTraceServiceRequest()
        request.resource_spans.add().scope_spans.add().spans.add(name=name, trace_id=b"t" * 16)
        data = request.SerializeToString()
        assert len(data) < 128
        out += bytes([len(data)]) + data
    return out


def test_one_token_is_stored_once_whichever_way_it_comes(process: StoreProcess, intake: str) -> None:
    (process.spool / "7.traces.pb").write_bytes(messages(["a", "b"]))
    token = {"insert_deduplication_token": "7.traces.pb", **PROTOBUF}
    spool = {"X-Sonde-Spool-File": "7.traces.pb"}
    assert process.ask(intake, messages(["a", "b"]), **token).status == 200
    assert process.ask(intake, headers=spool, **token).status == 200
    assert process.ask(intake, b"", headers=spool, **token).status == 200
    assert process.values("SELECT name FROM names ORDER BY name") == ["a", "b"]
    assert list(process.cwd.iterdir()) == [], "nothing is left where the process was started"
    other = process.ask(intake, b"", headers=spool, **{**token, "insert_deduplication_token": "8"})
    assert other.status == 200
    assert process.values("SELECT count() FROM names") == ["4"]


@pytest.mark.parametrize("way", ["body", "spool"])
def test_a_truncated_protobuf_message_stores_nothing(process: StoreProcess, intake: str, way: str) -> None:
    damaged = messages(["a", "b"])[:-3]
    if way == "spool":
        (process.spool / "9.pb").write_bytes(damaged)
        got = process.ask(intake, b"", headers={"X-Sonde-Spool-File": "9.pb"}, **PROTOBUF)
    else:
        got = process.ask(intake, damaged, **PROTOBUF)
    assert got.code in {32, 33}, got.text
    assert process.values("SELECT count() FROM names") == ["0"]


@pytest.mark.parametrize("name", ["../log", "/etc/passwd", ".hidden", "a/b", "..", "x\\y"])
def test_a_spool_file_is_a_plain_name(process: StoreProcess, name: str) -> None:
    got = process.ask("INSERT INTO FUNCTION null('a String') FORMAT TSV", b"", headers={"X-Sonde-Spool-File": name})
    assert (got.status, got.code) == (400, 36)


def test_a_spool_file_that_is_not_there_or_a_link_is_refused(process: StoreProcess) -> None:
    sql = "INSERT INTO FUNCTION null('a String') FORMAT TSV"
    (process.spool / "link").symlink_to("/etc/passwd")
    for name in ("nothing.pb", "link"):
        got = process.ask(sql, b"", headers={"X-Sonde-Spool-File": name})
        assert (got.status, got.code) == (404, 107)


def test_a_spool_file_goes_with_an_insert_that_brings_no_rows(process: StoreProcess) -> None:
    (process.spool / "1.tsv").write_bytes(b"x\n")
    spool = {"X-Sonde-Spool-File": "1.tsv"}
    assert process.ask("SELECT 1", headers=spool).code == 36
    assert process.ask("INSERT INTO FUNCTION null('a String') FORMAT TSV", b"own\n", headers=spool).code == 36


def test_only_the_loader_names_spool_files(process: StoreProcess) -> None:
    (process.spool / "1.tsv").write_bytes(b"x\n")
    got = process.ask(
        "INSERT INTO FUNCTION null('a String') FORMAT TSV", b"", user="web", headers={"X-Sonde-Spool-File": "1.tsv"}
    )
    assert (got.status, got.code) == (403, 497)


def test_bodies_leave_nothing_in_the_data_folder(process: StoreProcess) -> None:
    process.ask("INSERT INTO FUNCTION null('a String') FORMAT TSV", b"x" * 70 + b"\n" + b"y\n" * 1_000_000)
    until(lambda: not list((process.data / "incoming").iterdir()), "incoming is empty")
