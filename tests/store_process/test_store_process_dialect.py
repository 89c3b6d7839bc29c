"""What a client of ClickHouse's HTTP dialect may rely on, of this process and of a real server."""

# ruff: noqa: S608 - the names put into statements are the tests' own
from __future__ import annotations

import gzip
import json
import struct
import zlib
from typing import TYPE_CHECKING

import lz4.frame
import pytest
from backports import zstd

if TYPE_CHECKING:
    from store_process_harness import Store

TRICKY = "a'b\\c\n\tü\"`{x}"


def test_ping_and_the_bare_address_say_ok(store: Store) -> None:
    assert store.ask(path="/ping", method="GET").text == "Ok.\n"
    assert store.ask(path="/", method="GET").text == "Ok.\n"


def test_an_unknown_path_is_404(store: Store) -> None:
    assert store.ask(path="/nothing/here", method="GET").status == 404


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_query_in_the_address(store: Store, method: str) -> None:
    got = store.ask("SELECT 1, 'x'", b"", method=method)
    assert (got.status, got.text) == (200, "1\tx\n")


def test_a_query_in_the_body(store: Store) -> None:
    assert store.ask("SELECT 1 + 1").text == "2\n"


def test_a_query_that_begins_in_the_address_and_ends_in_the_body(store: Store) -> None:
    assert store.ask("SELECT 40 +", b"2").text == "42\n"


def test_headers_tell_format_id_and_counts(store: Store) -> None:
    got = store.ask("SELECT number FROM numbers(3) FORMAT JSONEachRow", query_id="my-own-id", wait_end_of_query=1)
    assert got.headers["X-ClickHouse-Query-Id"] == "my-own-id"
    assert got.headers["X-ClickHouse-Format"] == "JSONEachRow"
    assert got.headers["X-ClickHouse-Timezone"]
    assert json.loads(got.headers["X-ClickHouse-Summary"])["read_rows"] == "3"


def test_a_connection_serves_many_requests(store: Store) -> None:
    connection = store.connection()
    assert [store.ask(f"SELECT {n}", connection=connection).text for n in range(5)] == [f"{n}\n" for n in range(5)]
    assert store.ask("SELECT nonsense FROM nowhere", connection=connection).status == 404
    assert store.ask("SELECT 7", connection=connection).text == "7\n"
    connection.close()


def test_head_has_no_body(store: Store) -> None:
    connection = store.connection()
    got = store.ask("SELECT 1", method="HEAD", body=b"", connection=connection)
    assert (got.status, got.body) == (200, b"")
    assert store.ask("SELECT 2", connection=connection).text == "2\n"
    connection.close()


# -- parameters -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "sent", "seen"),
    [
        ("UInt8", "7", "7"),
        ("String", "it's", "it's"),
        ("String", r"tab\tnew\nback\\slash", "tab\tnew\nback\\slash"),
        ("Array(UInt8)", "[1,2,3]", "[1,2,3]"),
        ("Array(String)", "['a','b\\'c']", "['a','b\\'c']"),
        ("Nullable(String)", r"\N", r"\N"),
        ("DateTime64(3, 'UTC')", "2026-01-02 03:04:05.678", "2026-01-02 03:04:05.678"),
        ("Map(String, UInt8)", "{'a':1}", "{'a':1}"),
        ("Tuple(UInt8, String)", "(1,'x')", "(1,'x')"),
    ],
)
def test_a_parameter_of_each_kind(store: Store, kind: str, sent: str, seen: str) -> None:
    got = store.ask(f"SELECT {{x:{kind}}} FORMAT TSVRaw", param_x=sent)
    assert (got.status, got.text) == (200, seen + "\n")


def test_an_identifier_as_parameter(store: Store) -> None:
    assert store.values("SELECT count() FROM {t:Identifier}.one", param_t="system") == ["1"]


def test_a_missing_parameter_is_refused(store: Store) -> None:
    got = store.ask("SELECT {x:UInt8}")
    assert (got.status, got.code) == (400, 456)


def test_a_form_carries_a_statement_and_parameters_too_long_for_an_address(store: Store) -> None:
    long = "x" * 300_000
    fields = {"query": "SELECT length({long:String}), {short:String}", "param_long": long, "param_short": "é"}
    parts = [f'--edge\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
    body = ("".join(parts) + "--edge--\r\n").encode()
    got = store.ask(body=body, headers={"Content-Type": "multipart/form-data; boundary=edge"})
    assert got.text == "300000\té\n"


# -- settings, database, formats --------------------------------------------------------------------------------------
def test_a_setting_lives_as_long_as_its_request(store: Store) -> None:
    connection = store.connection()
    sql = "SELECT getSetting('max_block_size')"
    before = store.ask(sql, connection=connection).text
    assert store.ask(sql, connection=connection, max_block_size=1234).text == "1234\n"
    assert store.ask(sql, connection=connection).text == before
    connection.close()


def test_an_unknown_setting_is_refused(store: Store) -> None:
    got = store.ask("SELECT 1", no_such_setting=1)
    assert (got.status, got.code) == (404, 115)


def test_the_database_of_a_request(store: Store) -> None:
    assert store.values("SELECT currentDatabase()", database="system") == ["system"]
    by_header = store.ask("SELECT currentDatabase()", headers={"X-ClickHouse-Database": "system"})
    assert by_header.text == "system\n"
    assert store.values("SELECT currentDatabase()") == ["default"]
    missing = store.ask("SELECT 1", database="not_there")
    assert (missing.status, missing.code) == (404, 81)


SQL = "SELECT number AS n, toString(number) AS s FROM numbers(3)"


@pytest.mark.parametrize(
    ("form", "content_type", "expected"),
    [
        ("TabSeparated", "text/tab-separated-values", b"0\t0\n1\t1\n2\t2\n"),
        ("CSV", "text/csv", b'0,"0"\n1,"1"\n2,"2"\n'),
        ("TSVWithNames", "text/tab-separated-values", b"n\ts\n0\t0\n1\t1\n2\t2\n"),
        ("JSONEachRow", "application/", b'{"n":0,"s":"0"}\n{"n":1,"s":"1"}\n{"n":2,"s":"2"}\n'),
        ("RowBinary", "application/octet-stream", b"".join(struct.pack("<QBc", n, 1, b"%d" % n) for n in range(3))),
        ("Values", "text/plain", b"(0,'0'),(1,'1'),(2,'2')"),
    ],
)
def test_a_format_by_clause_and_by_default(store: Store, form: str, content_type: str, expected: bytes) -> None:
    asked = store.ask(f"{SQL} FORMAT {form}", output_format_json_quote_64bit_integers=0)
    assert asked.body == expected
    assert asked.headers["Content-Type"].startswith(content_type)
    assert store.ask(SQL, default_format=form, output_format_json_quote_64bit_integers=0).body == expected
    assert store.ask(SQL, headers={"X-ClickHouse-Format": form}).headers["X-ClickHouse-Format"] == form


@pytest.mark.parametrize("form", ["JSON", "JSONCompact", "JSONStrings"])
def test_json_documents_are_whole_also_for_many_rows(store: Store, form: str) -> None:
    got = store.ask(f"SELECT number AS n FROM numbers(100000) FORMAT {form}").json
    assert (got["rows"], len(got["data"])) == (100_000, 100_000)


def test_json_of_nothing_is_a_document(store: Store) -> None:
    got = store.ask("SELECT 1 AS n WHERE 0 FORMAT JSON").json
    assert (got["meta"], got["data"]) == ([{"name": "n", "type": "UInt8"}], [])


def test_json_columns(store: Store) -> None:
    assert store.ask(f"{SQL} FORMAT JSONCompactColumns").json == [[0, 1, 2], ["0", "1", "2"]]


@pytest.mark.parametrize(("form", "magic"), [("Parquet", b"PAR1"), ("Arrow", b"ARROW1"), ("Native", b"\x02\x03\x01n")])
def test_binary_formats(store: Store, form: str, magic: bytes) -> None:
    got = store.ask(f"{SQL} FORMAT {form}")
    assert got.body.startswith(magic)
    assert got.headers["Content-Type"] == "application/octet-stream"


def test_totals_stay(store: Store) -> None:
    sql = "SELECT number % 2 AS k, count() FROM numbers(4) GROUP BY k WITH TOTALS ORDER BY k FORMAT TSV"
    assert store.ask(sql).text == "0\t2\n1\t2\n\n0\t4\n"


def test_words_of_clauses_may_be_names(store: Store) -> None:
    got = store.ask("SELECT format, settings FROM (SELECT 1 AS format, 2 AS settings) SETTINGS max_threads = 1")
    assert got.text == "1\t2\n"


def test_show_describe_exists_explain(store: Store) -> None:
    assert "system" in store.values("SHOW DATABASES")
    assert store.values("DESCRIBE TABLE system.one")[0].startswith("dummy\tUInt8")
    assert store.values("EXISTS TABLE system.one") == ["1"]
    assert store.values("EXPLAIN SYNTAX SELECT 1")[0] == "SELECT 1"


# -- compression ------------------------------------------------------------------------------------------------------
DECODED = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "zstd": zstd.decompress,
    "lz4": lz4.frame.decompress,
}


@pytest.mark.parametrize("coding", DECODED)
def test_an_answer_is_compressed_if_both_sides_say_so(store: Store, coding: str) -> None:
    sql = "SELECT number FROM numbers(100000) FORMAT TSV"
    got = store.ask(sql, headers={"Accept-Encoding": coding}, enable_http_compression=1)
    assert got.headers["Content-Encoding"] == coding
    assert DECODED[coding](got.body) == b"".join(b"%d\n" % n for n in range(100_000))
    assert (
        "Content-Encoding" not in store.ask(sql, headers={"Accept-Encoding": coding}, enable_http_compression=0).headers
    )


ENCODED = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstd.compress, "lz4": lz4.frame.compress}


@pytest.mark.parametrize("coding", ENCODED)
def test_a_compressed_body_is_read(store: Store, table: str, coding: str) -> None:
    rows = b"".join(b"%d\tx\n" % n for n in range(150_000))
    got = store.ask(f"INSERT INTO {table} FORMAT TSV", ENCODED[coding](rows), headers={"Content-Encoding": coding})
    assert got.status == 200, got.text
    assert store.values(f"SELECT count(), sum(a) FROM {table}") == ["150000\t11249925000"]


# -- errors -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("sql", "status", "code", "name"),
    [
        ("SELEC 1", 400, 62, "SYNTAX_ERROR"),
        ("SELECT * FROM not_there", 404, 60, "UNKNOWN_TABLE"),
        ("SELECT no_function(1)", 404, 46, "UNKNOWN_FUNCTION"),
        ("SELECT no_column FROM system.one", 404, 47, "UNKNOWN_IDENTIFIER"),
        ("SELECT toInt32('x')", 400, 6, "CANNOT_PARSE_TEXT"),
        ("SELECT 1 FORMAT NoFormat", 404, 73, "UNKNOWN_FORMAT"),
        ("SELECT 1 INTO OUTFILE '/tmp/never'", 400, 1, "UNSUPPORTED_METHOD"),
        ("SELECT 1; SELECT 2", 400, 62, "SYNTAX_ERROR"),
        ("1 + 1", 400, 62, "SYNTAX_ERROR"),
        ("", 400, 62, "SYNTAX_ERROR"),
        ("SELECT throwIf(1)", 500, 395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"),
        ("DROP TABLE not_there", 404, 60, "UNKNOWN_TABLE"),
    ],
)
def test_an_error_has_its_code_and_status(store: Store, sql: str, status: int, code: int, name: str) -> None:
    got = store.ask(sql, b"" if not sql else None)
    assert (got.status, got.code) == (status, code), got.text
    assert got.text.startswith(f"Code: {code}. DB::Exception: ")
    assert f"({name})" in got.text
    assert "(version " in got.text


def test_a_position_in_a_statement_is_counted_from_its_own_start(store: Store) -> None:
    assert "failed at position 14 (x)" in store.ask("SELECT 1 FRO x y").text
    assert "failed at position 12 ('y')" in store.ask("SELECT 'x' 'y'").text


def test_a_statement_may_end_in_a_semicolon(store: Store) -> None:
    assert store.ask("SELECT 1;").text == "1\n"
    assert store.ask("SELECT 1 ; -- done").text == "1\n"


def test_a_get_writes_nothing(store: Store, table: str) -> None:
    got = store.ask(f"INSERT INTO {table} VALUES (1, 'x')", method="GET")
    assert (got.status, got.code) == (500 if not store.embedded else 403, 164)
    assert store.values(f"SELECT count() FROM {table}") == ["0"]


def test_an_error_in_the_middle_of_a_result_ends_it_with_a_tagged_block(store: Store) -> None:
    got = store.ask(
        "SELECT throwIf(number = 300000, 'just here') FROM numbers(1000000) FORMAT TSV", max_block_size=10_000
    )
    assert got.status == 200
    tag = got.headers["X-ClickHouse-Exception-Tag"].encode()
    before, _, block = got.body.partition(b"\r\n__exception__\r\n" + tag + b"\r\n")
    assert set(before) == set(b"0\n")
    text, length = block.removesuffix(b" " + tag + b"\r\n__exception__\r\n").rsplit(b"\n", 1)
    assert len(text) + 1 == int(length)
    assert text.startswith(b"Code: 395.")
    assert b"just here" in text


def test_an_error_after_waiting_for_the_end_has_a_status(store: Store) -> None:
    sql = "SELECT throwIf(number = 300000) FROM numbers(1000000) FORMAT TSV"
    got = store.ask(sql, max_block_size=10_000, wait_end_of_query=1)
    assert (got.status, got.code) == (500, 395)


def test_an_error_with_somebodys_bytes_in_it_can_be_read(store: Store) -> None:
    got = store.ask("SELECT throwIf(1, unhex('ff00fe'))")
    assert (got.status, got.code) == (500, 395)
    assert store.ask("SELECT 1").text == "1\n"


# -- sessions ---------------------------------------------------------------------------------------------------------
def test_a_session_keeps_temporary_tables_and_set(store: Store) -> None:
    session = {"session_id": "kept-" + store.__class__.__name__}
    assert store.ask("CREATE TEMPORARY TABLE mine (a UInt8)", **session).status == 200
    assert store.ask("INSERT INTO mine VALUES (1), (2)", **session).status == 200
    assert store.ask("SET max_block_size = 777", **session).status == 200
    assert store.values("SELECT sum(a), getSetting('max_block_size') FROM mine", **session) == ["3\t777"]
    assert store.ask("SELECT * FROM mine").code == 60


def test_what_a_request_of_a_session_sets_in_its_address_is_gone_after_it(store: Store) -> None:
    session = {"session_id": "clean-" + store.__class__.__name__}
    sql = "SELECT getSetting('max_block_size'), currentDatabase()"
    store.ask("SET max_block_size = 555", **session)
    assert store.values(sql, **session, max_block_size=666, database="system") == ["666\tsystem"]
    assert store.values(sql, **session) == ["555\tdefault"]


def test_a_session_that_must_exist_and_does_not(store: Store) -> None:
    got = store.ask("SELECT 1", session_id="never-seen", session_check=1)
    assert (got.status, got.code) == (404, 372)


def test_a_session_cannot_last_for_ever(store: Store) -> None:
    assert store.ask("SELECT 1", session_id="x", session_timeout=10**9).code == 374


# -- the client as it is ----------------------------------------------------------------------------------------------
def test_clickhouse_connect_queries_inserts_and_streams(store: Store, table: str) -> None:
    client = store.client()
    client.insert(table, [[1, TRICKY], [2, "y"]], column_names=["a", "b"])
    got = client.query(
        f"SELECT a, b FROM {table} WHERE b = {{b:String}} OR a IN {{a:Array(Int32)}} ORDER BY a",
        parameters={"b": TRICKY, "a": [2]},
    )
    assert got.result_rows == [(1, TRICKY), (2, "y")]
    assert got.summary["read_rows"] == "2"
    with client.query_row_block_stream("SELECT number FROM numbers(300000)") as stream:
        assert sum(len(block) for block in stream) == 300_000
    assert client.query(f"SELECT * FROM {table} LIMIT 0").column_names == ("a", "b")
    assert client.command("SELECT 1") == 1
    client.close()


@pytest.mark.parametrize("coding", ["lz4", "zstd", "gzip", False])
def test_clickhouse_connect_with_each_compression(store: Store, table: str, coding: str | bool) -> None:
    client = store.client(compress=coding, autogenerate_session_id=False)
    client.insert(table, [[n, str(n)] for n in range(20_000)], column_names=["a", "b"])
    assert client.query(f"SELECT sum(a) FROM {table}").first_row == (199_990_000,)
    assert len(client.query(f"SELECT b FROM {table}").result_rows) == 20_000
    client.close()


def test_clickhouse_connect_raises_an_error_with_its_code(store: Store) -> None:
    client = store.client()
    with pytest.raises(Exception, match="UNKNOWN_TABLE") as caught:
        client.query("SELECT * FROM not_there")
    assert caught.value.code == 60
    with (
        pytest.raises(Exception, match="FUNCTION_THROW_IF"),
        client.query_row_block_stream(
            "SELECT throwIf(number = 300000) FROM numbers(1000000)", settings={"max_block_size": 10_000}
        ) as stream,
    ):
        list(stream)
    client.close()


def test_clickhouse_connect_sends_settings_and_raw_rows(store: Store, table: str) -> None:
    client = store.client(settings={"max_threads": 1})
    assert client.query("SELECT getSetting('max_threads')").first_row == (1,)
    client.raw_insert(table, ["a", "b"], b"1,x\n2,y\n", fmt="CSV")
    client.raw_insert(table, ["a", "b"], iter([b'{"a":3,"b":"z"}\n', b'{"a":4}\n']), fmt="JSONEachRow")
    assert client.raw_query(f"SELECT a FROM {table} ORDER BY a", fmt="CSV") == b"1\n2\n3\n4\n"
    client.close()
