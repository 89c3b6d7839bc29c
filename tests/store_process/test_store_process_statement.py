"""What the front reads out of a statement."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonde.server.store.errors import StoreError, parse_error
from sonde.server.store.statement import read_statement


@pytest.mark.parametrize(
    ("sql", "verb", "form"),
    [
        ("select 1", "SELECT", ""),
        ("/* c */ SELECT 1 FORMAT JSON", "SELECT", "JSON"),
        ("SELECT 1 format `JSON` ;", "SELECT", "JSON"),
        ("SELECT 1 FORMAT JSON SETTINGS max_threads = 1", "SELECT", "JSON"),
        ("SELECT 1 SETTINGS max_threads = 1, x = 'a' FORMAT JSON", "SELECT", "JSON"),
        ("SELECT format FROM t", "SELECT", ""),
        ("SELECT format x", "SELECT", ""),
        ("SELECT format, 1 FORMAT CSV", "SELECT", "CSV"),
        ("SELECT ' FORMAT JSON'", "SELECT", ""),
        ("SELECT 1 -- FORMAT JSON", "SELECT", ""),
        ("SELECT (SELECT 1 FORMAT JSON)", "SELECT", ""),
        ("(SELECT 1) UNION ALL (SELECT 2) FORMAT CSV", "(", "CSV"),
        ("WITH x AS (SELECT 1) SELECT * FROM x FORMAT TSV", "WITH", "TSV"),
        ("FROM numbers(1) SELECT * FORMAT TSV", "FROM", "TSV"),
        ("SHOW TABLES FORMAT JSON", "SHOW", "JSON"),
    ],
)
def test_verb_and_format(sql: str, verb: str, form: str) -> None:
    statement = read_statement(sql.encode())
    assert (statement.verb, statement.format, statement.takes_rows) == (verb, form, False)


@pytest.mark.parametrize(
    ("sql", "settings"),
    [
        ("SELECT 1 SETTINGS a = 1, `b` = 'x''y', c = 0.5", {"a": "1", "b": "x'y", "c": "0.5"}),
        ("SELECT 1 SETTINGS a = 1 FORMAT JSON", {"a": "1"}),
        ("SELECT 1 FORMAT JSON SETTINGS a = 1;", {"a": "1"}),
        ("SELECT settings = 1", {}),
        ("SELECT 1 SETTINGS a = 1 UNION ALL SELECT 2", {}),
        ("SELECT * FROM (SELECT 1 SETTINGS a = 1)", {}),
        ("CREATE TABLE t (a Int8) ENGINE = MergeTree ORDER BY a SETTINGS a = 1", {}),
    ],
)
def test_the_settings_that_end_a_query(sql: str, settings: dict[str, str]) -> None:
    assert read_statement(sql.encode()).settings == settings


@pytest.mark.parametrize(
    ("sql", "reading"),
    [
        ("INSERT INTO t FORMAT TSV\n", "INSERT INTO t  FROM INFILE '/f' COMPRESSION 'none'  FORMAT TSV"),
        (
            "insert into t (format, `values`) Format CSV ",
            "insert into t (format, `values`)  FROM INFILE '/f' COMPRESSION 'none'  FORMAT CSV",
        ),
        (
            "INSERT INTO t SETTINGS a=1 VALUES",
            "INSERT INTO t  FROM INFILE '/f' COMPRESSION 'none' SETTINGS a=1  FORMAT Values",
        ),
        (
            "INSERT INTO TABLE d.format FORMAT TSV\r\n",
            "INSERT INTO TABLE d.format  FROM INFILE '/f' COMPRESSION 'none'  FORMAT TSV",
        ),
        (
            "INSERT INTO FUNCTION null('a Int8') FORMAT TSV\n",
            "INSERT INTO FUNCTION null('a Int8')  FROM INFILE '/f' COMPRESSION 'none'  FORMAT TSV",
        ),
    ],
)
@given(rows=st.binary(max_size=50))
def test_an_insert_and_where_its_rows_begin(sql: str, reading: str, rows: bytes) -> None:
    """Whatever follows is not looked at, even if it is no text."""
    lead = sql.encode()
    if not sql.endswith("\n"):  # a blank or a line end would belong to the statement
        rows = b"(" + rows
    statement = read_statement(lead + rows)
    assert statement.takes_rows
    assert (lead + rows)[statement.rows_at :] == rows
    assert statement.reading("/f") == reading


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t SELECT 1",
        "INSERT INTO t (a) SELECT 'VALUES' FORMAT TSV",
        "INSERT INTO t (a) WITH 1 AS x SELECT x",
        "INSERT INTO t (SELECT 1)",
    ],
)
def test_an_insert_from_a_select_takes_no_rows(sql: str) -> None:
    assert not read_statement(sql.encode()).takes_rows


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("", 62),
        ("  -- nothing\n", 62),
        ("INSERT INTO t FORMAT", 62),
        ("INSERT INTO t FORMAT TSV; 1\t2", 62),
        ("SELECT 1 INTO OUTFILE 'x'", 1),
        ("INSERT INTO t FROM INFILE 'x' FORMAT TSV", 48),
        ("INSERT INTO t (a)FROM/**/infile 'x'", 48),
    ],
)
def test_what_nobody_may_say(sql: str, code: int) -> None:
    with pytest.raises(StoreError) as caught:
        read_statement(sql.encode())
    assert caught.value.code == code


def test_several_statements_are_noticed_and_one_semicolon_is_not_several() -> None:
    assert read_statement(b"SELECT 1; SELECT 2").several
    assert read_statement(b"SELECT 1;;").several
    assert not read_statement(b"SELECT ';';").several
    assert not read_statement(b"SELECT 1; -- ;").several


def test_string_literals_can_be_exchanged() -> None:
    statement = read_statement(b"KILL QUERY WHERE query_id IN ('a', 'b') /* 'a' */")
    assert statement.with_strings({"a": "own"}) == "KILL QUERY WHERE query_id IN ('own', 'b') /* 'a' */"


@given(st.text(max_size=100))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(StoreError):
        read_statement(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(
    ("text", "code", "name", "message"),
    [
        (
            "Code: 60. DB::Exception: No table x. (UNKNOWN_TABLE) (version 26.9.2.1 (official build))\n",
            60,
            "UNKNOWN_TABLE",
            "No table x",
        ),
        (
            "Code: 164. DB::Exception: Code: 164. DB::Exception: No. (READONLY) (version 26.9.2.1). (READONLY)",
            164,
            "READONLY",
            "No",
        ),
        (
            "Code: 521. DB::ErrnoException: Cannot rename: , errno: 17. (ATOMIC_RENAME_FAIL)",
            521,
            "ATOMIC_RENAME_FAIL",
            "Cannot rename: , errno: 17",
        ),
        ("something else", 1002, "UNKNOWN_EXCEPTION", "something else"),
        ("Received: Code: 395. DB::Exception: a (b) c (THROWN)", 395, "THROWN", "a (b) c"),
    ],
)
def test_the_text_of_an_error_is_read(text: str, code: int, name: str, message: str) -> None:
    error = parse_error(text)
    assert (error.code, error.name, error.message) == (code, name, message)
    assert parse_error(error.text).message == message
