"""What a span keeps of a database's error: type, code and stack, and the message without the user's values.

Databases put values into their messages: `Duplicate entry 'ann@example.org' for key 'users.email'`. What is to be said
instead is remembered with the error, for whoever records it as it goes on up: the request, SQLAlchemy's error around
it. With the setting `record_sql` at `full` messages stay as they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sonde.probe.core import failures
from sonde.probe.guard import fault
from sonde.probe.plugins import leaf, options

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.core import Span

    Reading = Callable[[BaseException], tuple[str, str]]
    """A driver's error → its code (SQLSTATE, MySQL's number) and its message without values. No code: no database's."""

_QUOTED = re.compile(r'".*"', re.DOTALL)
_SYNTAX = "42601"
"""PostgreSQL's: the message shows a piece of the statement, which may be a piece of a string."""
_ENTRY_OF_KEY = re.compile(r"'.*'(?= for key )|'.*'", re.DOTALL)
_NAMES_ONLY = frozenset(
    {
        1044,
        1045,
        1046,
        1048,
        1049,
        1050,
        1051,
        1052,
        1054,
        1060,
        1061,
        1066,
        1072,
        1091,
        1109,
        1142,
        1146,
        1264,
        1265,
        1305,
        1364,
        1406,
    }
)
"""MySQL's errors that quote names of tables, columns and users, never a value."""


def failed(span: Span, error: BaseException, place: str, reading: Reading) -> None:
    """End `span` with `error`, as `leaf.failed` does, and with the database's code."""
    try:
        code, message = reading(error)
        if code:
            span.set("db.response.status_code", code)
            if options.record_sql != "full":
                failures.remember(error, message)
    except Exception:
        fault(place)
    leaf.failed(span, error, place)


def postgresql(error: BaseException) -> tuple[str, str]:
    """Of psycopg, psycopg2 and asyncpg. Only the first line: DETAIL, CONTEXT and LINE show values."""
    code = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if not isinstance(code, str):
        return "", ""
    message = str(error).partition("\n")[0]
    if code.startswith("22"):  # about a value: it stands behind a colon, or in quotes
        message = message.partition(": ")[0]
    if code.startswith("22") or code == _SYNTAX:
        message = _QUOTED.sub("?", message)
    return code, message


def mysql(error: BaseException) -> tuple[str, str]:
    """Of PyMySQL, aiomysql and mysqlclient."""
    args = error.args
    if len(args) < 2 or not isinstance(args[0], int) or isinstance(error, OSError):
        return "", ""
    number, message = args[0], str(args[1])
    if number not in _NAMES_ONLY:
        message = _ENTRY_OF_KEY.sub("?", message, count=1)
    return str(number), f"({number}, {message!r})"


def sqlite(error: BaseException) -> tuple[str, str]:
    """Of sqlite3. Names are not quoted there, pieces of a statement are."""
    name = getattr(error, "sqlite_errorname", None)
    return (name, _QUOTED.sub("?", str(error))) if isinstance(name, str) else ("", "")
