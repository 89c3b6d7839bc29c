"""Tokens as the engine sees them: where they differ, a forbidden word could hide."""

# ruff: noqa: S608 - the statements are made to be strange
from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sonde.server.store.lexer import tokens, unquoted

if TYPE_CHECKING:
    from store_process_harness import StoreProcess


def seen(sql: str) -> list[str]:
    return [token.text.decode() for token in tokens(sql.encode())]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1", ["SELECT", "1"]),
        ("a.b", ["a", ".", "b"]),
        ("'it''s' x", ["'it''s'", "x"]),
        (r"'a\'b' x", [r"'a\'b'", "x"]),
        (r"'a\\' x", [r"'a\\'", "x"]),
        ('`a``b` "c""d"', ["`a``b`", '"c""d"']),
        ("1 -- ' \n 2", ["1", "2"]),
        ("1 # ' \n 2 #! ' \n 3", ["1", "2", "3"]),
        ("1 // ' \n 2", ["1", "2"]),
        ("#x", ["#", "x"]),
        ("1 /* /* ' */ ' */ 2", ["1", "2"]),
        ("1 /* open", ["1"]),
        ("$$ ' $$ x", ["$$ ' $$", "x"]),
        ("$a$ $b$ $a$ x", ["$a$ $b$ $a$", "x"]),
        ("a$b$ c", ["a$b$", "c"]),
        ("$x y", ["$x", "y"]),
        ("‘ ' ’ x", ["‘ ' ’", "x"]),
        ("“ ' ” x", ["“ ' ”", "x"]),
        ("a\u00a0b\u3000c", ["a", "b", "c"]),
        ("$x, 1 $x, 1 $x", ["$x", ",", "1", "$x", ",", "1", "$x"]),
        ("url\u2028\ufeff\u200b\u0085(", ["url", "("]),
        ("'open", ["'open"]),
        ("", []),
    ],
)
def test_a_statement_is_cut_where_the_engine_cuts_it(sql: str, expected: list[str]) -> None:
    assert seen(sql) == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"'a\n\'\\'", "a\n'\\"),
        ("'a''b'", "a'b"),
        ("`a\\`b`", "a`b"),
        ("$t$ it's $t$", " it's "),
        ("‘x’", "x"),
        (r"'\x41'", "A"),
    ],
)
def test_what_a_literal_stands_for(text: str, value: str) -> None:
    assert unquoted(text.encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_cut_into_pieces_in_order(data: bytes) -> None:
    at = 0
    for token in tokens(data):
        assert at <= token.at < token.end <= len(data)
        assert token.text == data[token.at : token.end]
        at = token.end


_QUIET = st.text(alphabet="ab '\"`\\*/-#$‘’“”;(),\n", max_size=8)
_NOISE = st.one_of(
    _QUIET.map(lambda t: "/*" + t.replace("*/", "").replace("/*", "").rstrip("*/") + "*/"),
    st.tuples(_QUIET, _QUIET).map(lambda t: "/* /* " + "".join(t).replace("/", "") + " */ ' */"),
    _QUIET.map(lambda t: "--" + t.replace("\n", " ") + "\n"),
    _QUIET.map(lambda t: "// " + t.replace("\n", " ") + "\n"),
    _QUIET.map(lambda t: "# " + t.replace("\n", " ") + "\n"),
    st.sampled_from([" ", "\n", "\u00a0"]),
)
_STRING = st.one_of(
    _QUIET.map(lambda t: "'" + t.replace("\\", "\\\\").replace("'", "''") + "'"),
    _QUIET.map(lambda t: "'" + t.replace("\\", "\\\\").replace("'", "\\'") + "'"),
    _QUIET.map(lambda t: "$$" + t.replace("$", "") + "$$"),
    _QUIET.map(lambda t: "$a_1$" + t.replace("$", "") + "$a_1$"),
    _QUIET.map(lambda t: "‘" + t.replace("’", "") + "’"),
)
_CALL = st.sampled_from(
    ["file('x')", "`file`('x')", "“file”('x')", "file\u2028('x')", "file /* ' */ ('x')", "$$file('x')$$", "' file('"]
)
_NAME = st.sampled_from(["1 AS $x", "1 AS $a$", "1 AS a$b$", "$x", "1", "x'41'", "'\\\\'"])
_EXPRESSION = st.one_of(_STRING, _NAME, _CALL)
_QUERY = st.lists(st.tuples(_NOISE, _EXPRESSION, _NOISE).map("".join), min_size=1, max_size=6).map(
    lambda items: "SELECT " + ",".join(items)
)


def calls_file(sql: str) -> bool:
    found = list(tokens(sql.encode()))
    return any(token.name == "file" and after.text == b"(" for token, after in pairwise(found))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_QUERY, min_size=20, max_size=40))
def test_a_call_is_seen_wherever_the_engine_sees_one(process: StoreProcess, queries: list[str]) -> None:
    """The engine writes each statement anew, without comments and with one kind of quotes; what it says calls a
    function must be seen in the original too.
    """
    literals = ",".join("'" + query.replace("\\", "\\\\").replace("'", "\\'") + "'" for query in queries)
    rows = process.ask(
        f"SELECT formatQuerySingleLineOrNull(x) AS y FROM values('x String', {literals}) FORMAT JSONCompactColumns"
    )
    (written,) = rows.json
    for query, formatted in zip(queries, written, strict=True):
        if formatted is not None:
            assert calls_file(query) == calls_file(formatted), (query, formatted)


def test_the_engine_reads_most_of_those_statements(process: StoreProcess) -> None:
    """The comparison above would be worth nothing if the engine read none of them."""
    for query in (
        "SELECT /* /* ' */ ' */ file('x')",
        "SELECT $a$ ' $a$, “file”('x')",
        "SELECT 1 // '\n, `file`('x')",
    ):
        assert process.values(
            "SELECT formatQuerySingleLineOrNull({q:String}) LIKE '%file%'", param_q=query.replace("\n", "\\n")
        ) == ["1"]
        assert calls_file(query)
