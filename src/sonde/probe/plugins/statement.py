"""What a span may say of an SQL statement: its shape without its values, and a short name.

A scanner, not a parser: it has to be quick, to understand no dialect fully, and to err on the side of hiding.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

LONGEST = 16_384
"""Characters looked at; a longer statement is cut first."""

# An unfinished string or comment reaches to the end: the statement was cut, and its rest is hidden. So does a string
# whose last character is the first half of an escape.
_LEXEMES = r"""
      (?P<space>    (?: \s | --[^\n]* | /\*.*?(?:\*/|\Z) COMMENT )+ )
    | (?P<literal>  \b[eE]'(?:[^'\\]|''|\\(?:.|\Z))*(?:'|\Z)
                  | (?:\b[bBnNxX])?'(?:STRING)*(?:'|\Z)
                  | \$(?P<dollar>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=dollar)\$|\Z)
                  | (?<![\w$@:.?])[+-]?(?:0[xX][0-9a-fA-F]+ | (?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\b )
    | (?P<quoted>   "(?:QUOTED)*(?:"|\Z) )
    | (?P<name>     `(?:[^`]|``)*(?:`|\Z) | \[[A-Za-z_][\w\ ]*\] )
"""


@lru_cache
def _lexemes(*, backslash: bool, mysql: bool) -> re.Pattern[str]:
    string = r"[^'\\]|''|\\(?:.|\Z)" if backslash else r"[^']|''"
    quoted = string.replace("'", '"') if mysql else r'[^"]|""'
    text = _LEXEMES.replace("STRING", string).replace("QUOTED", quoted)
    return re.compile(text.replace("COMMENT", r"| \#[^\n]*" if mysql else ""), re.VERBOSE | re.DOTALL)


_LIST = re.compile(r"\(\s*\?(?:\s*,\s*\?)+\s*\)")
_ROWS = re.compile(r"(\(\?\))(?:\s*,\s*\(\?\))+")
_BEFORE_VALUE = re.compile(r"(?:[=<>]|\b(?:LIKE|GLOB|MATCH|REGEXP|BETWEEN|THEN|ELSE|LIMIT))\s*\Z", re.IGNORECASE)
_BEFORE_VALUES = re.compile(r"(?:\b(?:IN|VALUES)|\),)\s*\Z", re.IGNORECASE)
_TARGET = re.compile(
    r"""\b(?:FROM|INTO|UPDATE|TABLE|JOIN|VIEW|INDEX|CALL|COPY)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(?:ONLY\s+)?([\w."`\[\]$]+)""",
    re.IGNORECASE,
)
_WITH_TARGET = frozenset(
    {"SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE", "DROP", "ALTER", "WITH", "TRUNCATE", "CALL", "COPY"}
)
_WORD = re.compile(r"[\s(;]*([A-Za-z]+)")


class Statement(NamedTuple):
    """What is recorded of a statement."""

    summary: str
    """`SELECT orders`: the name of the span."""
    operation: str
    """`SELECT`. Empty when it does not begin with a word."""
    text: str
    """With `?` for each literal."""


def described(sql: str, record: str, *, backslash: bool = False, mysql: bool = False) -> Statement:
    """What the setting `record_sql` lets a span say: `masked`, `full` or `off`. For the dialects see `masked`."""
    text = masked(sql, backslash=backslash, mysql=mysql)
    word = _WORD.match(text)
    operation = word[1].upper() if word else ""
    target = _TARGET.search(text) if operation in _WITH_TARGET else None
    summary = f"{operation} {target[1]}" if target else operation or "SQL"
    if record == "off":
        text = ""
    elif record == "full":
        text = sql[:LONGEST]
    return Statement(summary, operation, text)


def masked(sql: str, *, backslash: bool = False, mysql: bool = False) -> str:
    r"""`sql` with `?` for strings, numbers and lists of them; without comments, with single spaces.

    `backslash`: the dialect reads `\'` in a string as a quote, as MySQL does and the standard does not. `mysql`: what
    stands in double quotes is a string, and `#` begins a comment. Taking the one for the other would show values.
    """
    replacement = _replacement_of_mysql if mysql else _replacement
    text = _lexemes(backslash=backslash, mysql=mysql).sub(replacement, sql[:LONGEST]).strip()
    return _ROWS.sub(r"\1", _LIST.sub("(?)", text))


def _replacement(match: re.Match[str]) -> str:
    kind = match.lastgroup
    if kind == "space":
        return " "
    if kind == "name" or (kind == "quoted" and _is_name(match)):
        return match[0]
    return "?"


def _replacement_of_mysql(match: re.Match[str]) -> str:
    kind = match.lastgroup
    return " " if kind == "space" else match[0] if kind == "name" else "?"


def _is_name(match: re.Match[str]) -> bool:
    """Double quotes mean a name, says the standard; a string, says MySQL, and SQLite where there is no such name.

    So it is one where no name is usual: behind a comparison, in a list of values. Unless a dot follows: `"t"."id"`.
    """
    text, start, end = match.string, match.start(), match.end()
    if text[end : end + 1] == ".":
        return True
    before = text[max(0, start - 40) : start]
    if _BEFORE_VALUE.search(before):
        return False
    if before.rstrip()[-1:] not in {"(", ","}:
        return True
    opening = text.rfind("(", 0, start)
    return opening < 0 or not _BEFORE_VALUES.search(text[max(0, opening - 40) : opening])
