"""What is left of the messages of databases: texts as PostgreSQL, MariaDB and SQLite write them."""

from __future__ import annotations

import pytest

from sonde.probe.plugins import dberror


class PostgreSQLError(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.sqlstate = code


class SqliteError(Exception):
    sqlite_errorname = "SQLITE_ERROR"


@pytest.mark.parametrize(
    ("code", "message", "left"),
    [
        (
            "23505",
            'duplicate key value violates unique constraint "who"\nDETAIL:  Key (who)=(secret) already exists.',
            'duplicate key value violates unique constraint "who"',
        ),
        (
            "22P02",
            'invalid input syntax for type integer: "a secret"\nLINE 1: ...',
            "invalid input syntax for type integer",
        ),
        ("22003", 'value "4711" is out of range for type integer', "value ? is out of range for type integer"),
        ("22001", "value too long for type character varying(3)", "value too long for type character varying(3)"),
        ("22000", "invalid input for query argument $1: 'secret' (why)", "invalid input for query argument $1"),
        ("42601", 'syntax error at or near "secret "quoted""', "syntax error at or near ?"),
        ("42P01", 'relation "nowhere" does not exist\nLINE 1: select', 'relation "nowhere" does not exist'),
    ],
)
def test_of_postgresql_the_first_line_stays_without_values(code, message, left):
    assert dberror.postgresql(PostgreSQLError(code, message)) == (code, left)


@pytest.mark.parametrize(
    ("number", "message", "left"),
    [
        (1062, "Duplicate entry 'it's a secret' for key 'who'", "Duplicate entry ? for key 'who'"),
        (1062, "Duplicate entry 'x' for key 'y' for key 'who'", "Duplicate entry ? for key 'who'"),
        (
            1366,
            "Incorrect integer value: 'a secret' for column `t`.`id`",
            "Incorrect integer value: ? for column `t`.`id`",
        ),
        (1064, "You have an error near 'secret' and 'more'' at line 1", "You have an error near ? at line 1"),
        (1146, "Table 'test.nowhere' doesn't exist", "Table 'test.nowhere' doesn't exist"),
        (1406, "Data too long for column 'who' at row 1", "Data too long for column 'who' at row 1"),
        (2013, "Lost connection to MySQL server during query", "Lost connection to MySQL server during query"),
    ],
)
def test_of_mysql_what_is_quoted_goes_unless_it_is_a_name(number, message, left):
    assert dberror.mysql(Exception(number, message)) == (str(number), f"({number}, {left!r})")


def test_of_sqlite_what_is_quoted_goes():
    assert dberror.sqlite(SqliteError('near "secret "x"": syntax error')) == ("SQLITE_ERROR", "near ?: syntax error")
    assert dberror.sqlite(SqliteError("UNIQUE constraint failed: t.id"))[1] == "UNIQUE constraint failed: t.id"


@pytest.mark.parametrize("reading", [dberror.postgresql, dberror.mysql, dberror.sqlite])
@pytest.mark.parametrize("error", [TypeError(), ValueError("a", "b"), OSError(2, "no file"), KeyError(1)])
def test_what_is_no_error_of_a_database_has_no_code(reading, error):
    assert reading(error)[0] == ""
