"""What the front must know of a statement before the engine sees it. A reader of tokens, no parser.

Needed because the embedded engine takes the rows of an INSERT only from a file, and because it allows what a server
refuses: writing files, reading files and Python objects, from any statement.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from sonde.server.store.errors import StoreError
from sonde.server.store.lexer import Kind, Token, tokens, unquoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DATA_LEAD = re.compile(rb"[ \t\f]*(;)?\r?\n?")
_WITH_RESULT = frozenset(
    {"SELECT", "WITH", "FROM", "(", "SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN", "CHECK", "KILL"}
)
_QUERIES = frozenset({"SELECT", "WITH", "FROM", "("})
_SET_OPERATIONS = frozenset({b"UNION", b"EXCEPT", b"INTERSECT"})
_TARGET_LEADS = frozenset({b"INTO", b"TABLE", b"FUNCTION"})
_OPENING, _CLOSING = frozenset({b"(", b"[", b"{"}), frozenset({b")", b"]", b"}"})


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement and where its parts stand. Positions are bytes in `text`."""

    text: bytes
    """The statement alone: where an INSERT's rows follow it, they are cut off."""
    verb: str
    """First word in capitals; `(` for a query in brackets."""
    tokens: tuple[Token, ...] = field(default=(), repr=False, compare=False)
    format: str = ""
    """The name after FORMAT; `Values` for INSERT … VALUES; empty if there is none."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What the SETTINGS that ends a query asks for; numbers and texts only."""
    settings_at: int | None = None
    """Where that SETTINGS stands."""
    takes_rows: bool = False
    """An INSERT whose rows come with the request, not from a SELECT."""
    rows_at: int = 0
    """Where these rows begin, if they follow the statement."""
    infile_at: int = 0
    """Where FROM INFILE belongs: before SETTINGS and FORMAT, anything else is a syntax error."""
    format_at: int = 0
    """Where FORMAT or VALUES stands in an INSERT that takes rows."""

    @property
    def has_result(self) -> bool:
        """The statement answers with rows, be they none."""
        return self.verb in _WITH_RESULT

    @property
    def is_query(self) -> bool:
        """SELECT in one of its forms: what the engine can hand over in pieces."""
        return self.verb in _QUERIES

    @property
    def several(self) -> bool:
        """A `;` stands before the end: more than one statement, which the engine would run and a server would not."""
        return any(token.text == b";" for token in self.tokens[:-1])

    def reading(self, path: str) -> str:
        """The INSERT with its rows taken from the file `path`, a name that needs no quoting."""
        head, options = self.text[: self.infile_at], self.text[self.infile_at : self.format_at]
        return f"{decoded(head)} FROM INFILE '{path}' COMPRESSION 'none' {decoded(options)} FORMAT {self.format}"

    def with_strings(self, replaced: Mapping[str, str]) -> str:
        """The statement with each string literal that is a key of `replaced` exchanged for its value."""
        pieces, at = [], 0
        for token in self.tokens:
            if token.kind is Kind.STRING and (new := replaced.get(unquoted(token.text))) is not None:
                pieces += [self.text[at : token.at], f"'{new}'".encode()]
                at = token.end
        return decoded(b"".join([*pieces, self.text[at:]]))


def decoded(text: bytes) -> str:
    """The engine takes text, not bytes. Raises StoreError for anything but UTF-8."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        advice = "binary values go into a parameter, unhex('…') or the rows of an INSERT"
        raise StoreError(36, "BAD_ARGUMENTS", f"the statement is no UTF-8: {advice}") from None


def read_statement(text: bytes) -> Statement:
    """The statement at the start of `text`; the rows of an INSERT may follow it there.

    Raises StoreError for an empty statement and for what nobody may say over HTTP.
    """
    found = tokens(text)
    first = next(found, None)
    if first is None:
        raise StoreError(62, "SYNTAX_ERROR", "Syntax error: empty query")
    statement = _insert(text, first, found) if first.word == b"INSERT" else _other(text, first, found)
    _refuse_files(statement.tokens)
    return statement


def _refuse_files(seen: tuple[Token, ...]) -> None:
    """The embedded engine would write and read the files of this machine, for readers too; a server refuses both."""
    for before, token in pairwise(seen):
        pair = (before.word, token.word)
        if pair == (b"INTO", b"OUTFILE"):
            raise StoreError(1, "UNSUPPORTED_METHOD", "INTO OUTFILE is not allowed over HTTP")
        if pair == (b"FROM", b"INFILE"):
            raise StoreError(48, "NOT_IMPLEMENTED", "FROM INFILE is not allowed over HTTP: send the rows as the body")


def _insert(text: bytes, first: Token, found: Iterator[Token]) -> Statement:
    """Reads no further than where the rows begin: they may be anything."""
    seen = [first]
    depth, infile_at = 0, None
    for token in found:
        before = seen[-1]
        seen.append(token)
        depth += (token.text in _OPENING) - (token.text in _CLOSING)
        if depth or before.word in _TARGET_LEADS or before.text == b".":
            continue
        if token.word in {b"SELECT", b"WITH", b"WATCH"}:
            break
        if token.word == b"SETTINGS" and infile_at is None:
            infile_at = token.at
        if token.word in {b"FORMAT", b"VALUES"}:
            return _insert_with_rows(text, seen, token, found, infile_at)
    seen.extend(found)
    return Statement(text, "INSERT", tuple(seen))


def _insert_with_rows(
    text: bytes, seen: list[Token], clause: Token, found: Iterator[Token], infile_at: int | None
) -> Statement:
    form, rows_at = "Values", clause.end
    if clause.word == b"FORMAT":
        name = next(found, None)
        if name is None or not name.name:
            raise StoreError(62, "SYNTAX_ERROR", "Syntax error: FORMAT is not followed by the name of a format")
        seen.append(name)
        form = name.name
        lead = _DATA_LEAD.match(text, name.end)
        rows_at = lead.end() if lead else name.end
        if lead and lead[1]:
            raise StoreError(62, "SYNTAX_ERROR", "Syntax error: an INSERT that takes rows does not end with `;`")
    head = text[: clause.end if form == "Values" else seen[-1].end]
    return Statement(
        head,
        "INSERT",
        tuple(seen),
        format=form,
        takes_rows=True,
        rows_at=rows_at,
        infile_at=clause.at if infile_at is None else infile_at,
        format_at=clause.at,
    )


def _other(text: bytes, first: Token, found: Iterator[Token]) -> Statement:
    """FORMAT and SETTINGS may be names of columns too: they are clauses only where nothing follows but clauses."""
    seen = (first, *found)
    verb = first.word.decode() or first.text.decode("utf-8", "replace")
    form = ""
    settings: dict[str, str] = {}
    settings_at = None
    end = len(seen) - (seen[-1].text == b";")
    for index in reversed(_top_level_clauses(seen)):
        after = seen[index + 1 : end]
        if seen[index].word == b"FORMAT" and len(after) == 1 and after[0].name:
            form, end = after[0].name, index
        elif seen[index].word == b"SETTINGS" and verb in _WITH_RESULT and _is_list(after):
            settings, settings_at, end = _values(text, after), seen[index].at, index
    return Statement(text, verb, seen, form, settings, settings_at)


def _top_level_clauses(seen: tuple[Token, ...]) -> list[int]:
    places, depth = [], 0
    for index, token in enumerate(seen):
        depth += (token.text in _OPENING) - (token.text in _CLOSING)
        # the second word of a query is never a clause: SELECT format x
        if depth == 0 and index > 1 and token.word in {b"FORMAT", b"SETTINGS"}:
            places.append(index)
    return places


def _values(text: bytes, after: tuple[Token, ...]) -> dict[str, str]:
    """Of `name = value, …`."""
    values, depth, begin = {}, 0, 0
    for index, token in enumerate(after):
        depth += (token.text in _OPENING) - (token.text in _CLOSING)
        is_last = index == len(after) - 1
        if not is_last and (depth or token.text != b","):
            continue
        name, *_, value = after[begin : index + is_last]
        plain = value.kind is Kind.STRING
        values[name.name] = unquoted(value.text) if plain else decoded(text[after[begin + 2].at : value.end])
        begin = index + 1
    return values


def _is_list(after: tuple[Token, ...]) -> bool:
    """`name = value, …` up to the end, not the middle of a UNION."""
    named = len(after) >= 3 and bool(after[0].name) and after[1].text == b"="
    return named and not any(token.word in _SET_OPERATIONS for token in after)
