r"""What a statement looks like without its values, so that calls that differ in values alone are one.

Steps are (pattern, replacement), one after the other over the whole text; dialects differ in what the first one finds.
The patterns are in what RE2 and Python's `re` read alike: the store applies them to a million statements
(store/queries/shapes.py), this module to those of one trace, and both make the same of them. Scanners, not parsers: in
doubt they hide.

How names stay and literals go, by patterns that know no condition: whatever is found is set between marks, a name in
the first field, a comment in the second. What has both fields empty was a literal.
"""

from __future__ import annotations

import re
from functools import lru_cache

from sonde.server.insight.service_map import CACHES

Steps = tuple[tuple[str, str], ...]

LONGEST = 16_384
"""Characters of a statement that are looked at; what comes after them makes no difference."""
LONGEST_SHOWN = 4000
"""Characters of a shape that a page gets."""
MYSQLS = frozenset({"mysql", "mariadb", "tidb", "other_sql", ""})
r"""Systems whose strings may stand in double quotes and hold `\'`; and those that may be one of them."""
DOCUMENT = r"^\s*[{\[]"
"""What a statement begins with that is JSON, as those of MongoDB and Elasticsearch are."""

_PLAIN = r"'(?:[^']|'')*(?:'|$)"
_ESCAPED = r"'(?:[^'\\]|''|\\(?s:.)|\\$)*(?:'|$)"
_DOUBLE = r'"(?:[^"\\]|""|\\(?s:.)|\\$)*(?:"|$)'
_WORD = r"(?:[A-Za-z_]|[^\x00-\x7f])(?:[\w$]|[^\x00-\x7f])*"
_NUMBER = r"(?:0[xX][0-9a-fA-F]+|[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+)\b"
# From one tag to the last one: RE2 cannot ask for the same tag again.
_DOLLARS = r"\$\$(?s:.*?)(?:\$\$|$)|\$[A-Za-z_]\w*\$(?:(?s:.*)\$[A-Za-z_]\w*\$|(?s:.*))"
_PLACEHOLDER = r"\$[0-9]+|\?[0-9]*|:[A-Za-z_]\w*|:[0-9]+|%\([^)]*\)s|%s\b|@[A-Za-z_]\w*"
_COMMENT = r"--[^\n]*|/\*(?s:.*?)(?:\*/|$)"

MARKED = "\x02\\1\x03\\2\x04"
"""What each thing that a dialect finds is replaced with."""
BEFORE: Steps = (("[\x02-\x04]", ""),)
AFTER: Steps = (
    ("\x02\x03\x04", "?"),
    ("\x02\x03[^\x04]+\x04", " "),
    ("[\x02-\x04]", ""),
    (r"\s+", " "),
    (r"^ | ?;? ?$", ""),
    (r"([=<>(,\[] ?|(?i:\b(?:LIMIT|OFFSET|BETWEEN|AND|THEN|ELSE|SELECT|LIKE)) )[+-] ?\?", r"\1?"),
    (r"\( ?\?(?: ?, ?\?)+ ?\)", "(?)"),
    (r"\[ ?\?(?: ?, ?\?)+ ?\]", "[?]"),
    (r"\( ?\? ?\)(?: ?, ?\( ?\? ?\))+", "(?)"),
)
"""Literals become `?`, comments a space, spaces single; signs belong to numbers; lists and rows of literals are one."""


def _sql(string: str, double_quoted: str, more_names: str, more_comments: str) -> str:
    """Of a dialect: its strings, what double quotes hold where that is no name, further names and comments."""
    prefixed = rf"[eE]{_ESCAPED}|[bBnNxX]{string}|[uU]&{string}|_\w+{string}"  # before words: it belongs to the string
    names = rf"{_WORD}|::|@@\w+|`[^`]*`|\[[A-Za-z_][\w ]*\]{more_names}"
    literals = f"{string}|{double_quoted}|{_DOLLARS}|{_NUMBER}|{_PLACEHOLDER}"
    return f"(?:{prefixed})|({names})|({_COMMENT}{more_comments})|{literals}"


STANDARD_SQL = _sql(_PLAIN, r'"(?s:.*)', r'|"(?:[^"]|"")*"', "")
"""A double quote that is never closed hides what follows: the statement was cut."""
MYSQL = _sql(_ESCAPED, _DOUBLE, "", r"|#[^\n]*")
DOCUMENTS = rf'("(?:[^"\\]|\\(?s:.))*"\s*:|{_WORD})|({_COMMENT})|{_DOUBLE}|{_ESCAPED}|-?{_NUMBER}'
"""Keys stay, values go."""
COMMANDS: Steps = (
    (r"(?s)^\s*([A-Za-z][\w.-]*)\s*$", r"\1"),
    (r"(?s)^\s*([A-Za-z][\w.-]*)\s+\S.*$", r"\1 ?"),
    (r"(?s)^\s*[^A-Za-z\s].*$", "?"),
)
"""Of caches: the command. Its arguments are keys and values."""

FOLDED: Steps = ((r" ?([(),=<>+*/|-]) ?", r"\1"),)
"""Of a shape, before it is put into small letters: what no two statements shall differ in."""


def steps_for(statement: str, system: str) -> Steps:
    """How a statement of that system is read."""
    if system in CACHES:
        return COMMANDS
    found = DOCUMENTS if re.match(DOCUMENT, statement) else MYSQL if system in MYSQLS else STANDARD_SQL
    return (*BEFORE, (found, MARKED), *AFTER)


@lru_cache(maxsize=4096)
def shape(statement: str, system: str) -> str:
    """`statement` with `?` for each literal and list of them, without comments, in single spaces."""
    text = statement[:LONGEST]
    for pattern, replacement in steps_for(statement, system):
        text = _compiled(pattern).sub(replacement, text)
    return text


def folded(shape_: str) -> str:
    """What a shape is told apart by: neither spaces nor the case of letters make another statement of it."""
    for pattern, replacement in FOLDED:
        shape_ = _compiled(pattern).sub(replacement, shape_)
    return shape_.lower()


@lru_cache(maxsize=128)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)
