"""What readers may not say, though the embedded engine's read-only mode lets them.

Seen in chdb-core 26.9: with readonly=1 the function `file()` reads any file of the machine (called by name, by
`APPLY file` and as argument of `arrayMap`), DESCRIBE runs a table function, `python()` looks into this process, KILL
stops other people's queries and INTO OUTFILE writes. With readonly=2 every table function is open.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sonde.server.store.errors import StoreError
from sonde.server.store.lexer import Kind, Token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sonde.server.store.statement import Statement

HARMLESS_TABLE_FUNCTIONS = frozenset(
    {
        *(
            "numbers",
            "numbers_mt",
            "zeros",
            "zeros_mt",
            "generateseries",
            "generate_series",
            "generaterandom",
            "primes",
        ),
        *("values", "sqlstandardvalues", "null", "view", "viewifpermitted", "merge", "mergetreeindex", "format"),
    }
)
"""Make rows from nothing or from tables. All others the engine knows are refused, those of its next version too."""

_CALLS_A_SERVICE = re.compile(r"(ai|AI)[A-Z]")
_CONTROL_ALLOWED = frozenset({"SET", "USE"})


@dataclass(frozen=True, slots=True)
class Outside:
    """Names through which a statement reaches beyond the store's tables."""

    table_functions: frozenset[str]
    """In small letters; refused where a bracket follows."""
    functions: frozenset[str]
    """As the engine spells them; refused anywhere, since a function's name alone is an argument."""

    @classmethod
    def of_engine(cls, table_functions: Iterator[str], functions: Iterator[str]) -> Outside:
        """From all names that the engine knows."""
        tables = frozenset(name.lower() for name in table_functions) - HARMLESS_TABLE_FUNCTIONS
        calls = frozenset(name for name in functions if name == "file" or _CALLS_A_SERVICE.match(name))
        return cls(tables, calls)


def refuse_to_readers(
    statement: Statement, parameters: Mapping[str, str], outside: Outside, *, reads_only: bool
) -> None:
    """Raises StoreError unless the statement reads tables and does nothing else.

    `reads_only`: what the engine's own parser says of it.
    """
    if not reads_only and statement.verb not in _CONTROL_ALLOWED:
        raise StoreError(164, "READONLY", "Cannot execute query in readonly mode")
    seen = statement.tokens
    _refuse_inner_settings(statement)
    for index, token in enumerate(seen):
        name = token.name
        if not name or (index and seen[index - 1].text == b"."):
            continue
        if name in outside.functions or (name.lower() in outside.table_functions and _is_called(seen, index)):
            raise _denied(name)
    for value in _identifiers(seen, parameters):
        if value in outside.functions:
            raise _denied(value)


def _refuse_inner_settings(statement: Statement) -> None:
    """The engine does not hold the settings of a subquery against read-only mode or the caps of its user."""
    for clause, name, equals in zip(statement.tokens, statement.tokens[1:], statement.tokens[2:], strict=False):
        is_clause = clause.word == b"SETTINGS" and name.name and equals.text == b"="
        if is_clause and clause.at != statement.settings_at:
            raise StoreError(164, "READONLY", "Cannot modify settings inside of a query in readonly mode")


def _is_called(seen: tuple[Token, ...], index: int) -> bool:
    return index + 1 < len(seen) and seen[index + 1].text == b"("


def _identifiers(seen: tuple[Token, ...], parameters: Mapping[str, str]) -> Iterator[str]:
    """Values of parameters declared `{name:Identifier}`: they are SQL, not data."""
    for index in range(len(seen) - 4):
        opening, name, colon, kind = seen[index : index + 4]
        if opening.text == b"{" and colon.text == b":" and kind.word == b"IDENTIFIER" and name.kind is Kind.WORD:
            yield parameters.get(name.name, "")


def _denied(name: str) -> StoreError:
    return StoreError(497, "ACCESS_DENIED", f"Not enough privileges: readers may not use {name}")
