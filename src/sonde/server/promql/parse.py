"""Text to a tree, by promql-parser; what it must not be given, because it descends without looking, is refused here."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import promql_parser

from sonde.server.promql.errors import BadQueryError
from sonde.server.promql.limits import LONGEST_QUERY, MOST_OPERATORS

if TYPE_CHECKING:
    from promql_parser import Expr

_TEXTS = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`', re.DOTALL)
_OPERATORS = re.compile(r"[-+*/%^(<>=!]|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)
LONGEST_DURATION = timedelta(days=3650)
_DURATION = re.compile(r"(\d{1,12}(ms|[smhdwy]))+", re.ASCII)
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?", re.ASCII)


def parse(query: str) -> Expr:
    """The tree of a query. Raises BadQueryError."""
    if len(query) > LONGEST_QUERY:
        raise BadQueryError(f"a query has at most {LONGEST_QUERY} characters")
    if len(_OPERATORS.findall(_TEXTS.sub("", query))) > MOST_OPERATORS:
        raise BadQueryError(f"a query has at most {MOST_OPERATORS} operators and parentheses")
    try:
        return promql_parser.parse(query)
    except BaseException as error:  # some odd durations make the parser panic, which is no Exception
        if isinstance(error, ValueError) or type(error).__name__ == "PanicException":
            raise BadQueryError(f"invalid parameter 'query': {error}") from None
        raise


def parse_duration_ms(text: str) -> int:
    """`15s`, or seconds as a number. Raises BadQueryError."""
    try:
        seconds = 0.0
        if _NUMBER.fullmatch(text):
            seconds = float(text)
        elif _DURATION.fullmatch(text):
            seconds = promql_parser.parse_duration(text).total_seconds()
    except (ValueError, OverflowError):
        seconds = 0.0
    if not 0.001 <= seconds <= LONGEST_DURATION.total_seconds():
        raise BadQueryError(f"{text[:60]!r} is no duration such as 15s, from a millisecond to ten years")
    return round(seconds * 1000)


def milliseconds(duration: timedelta) -> int:
    """Of a duration in a query. Raises BadQueryError for one over LONGEST_DURATION, which no store knows times for."""
    if abs(duration) > LONGEST_DURATION:
        raise BadQueryError("a duration has at most ten years")
    return round(duration.total_seconds() * 1000)
