"""Calls of services as SQL sees them: which kind a span's call is of, and what it looks like without its values.

The statements' steps are those of insight/fingerprint.py. They work on the dictionary of a LowCardinality column, once
for each distinct statement of a block and not for each span.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonde.server.insight import fingerprint
from sonde.server.insight.service_map import CACHES, NOT_DATABASES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sonde.server.insight.fingerprint import Steps

_HTTP = frozenset({"", "http", "aws-api"})


def literal(text: str) -> str:
    """As a string of SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _one_of(names: Iterable[str]) -> str:
    return f"({', '.join(literal(name) for name in sorted(names))})"


def stepped(text: str, steps: Steps) -> str:
    """`text`, an expression, with the steps applied to it one after the other."""
    for pattern, replacement in steps:
        text = f"replaceRegexpAll({text}, {literal(pattern)}, {literal(replacement)})"
    return text


_LOOKED_AT = f"substringUTF8(toValidUTF8(statement), 1, {fingerprint.LONGEST})"

KIND = f"""multiIf(
    kind IN ('producer', 'consumer'), 'mq',
    kind != 'client', '',
    system IN {_one_of(CACHES)}, 'cache',
    system IN {_one_of(_HTTP)}, if(statement = '', 'http', 'sql'),
    system IN {_one_of(NOT_DATABASES - _HTTP)}, 'rpc',
    'sql')"""
"""`sql` (whatever database), `cache`, `http`, `rpc`, `mq`; empty for what calls nobody."""

STATEMENT_SHAPE = f"""multiIf(
    match(statement, {literal(fingerprint.DOCUMENT)}), {stepped(_LOOKED_AT, fingerprint.DOCUMENTS)},
    system IN {_one_of(CACHES)}, {stepped(_LOOKED_AT, fingerprint.COMMANDS)},
    system IN {_one_of(fingerprint.MYSQLS)}, {stepped(_LOOKED_AT, fingerprint.MYSQL)},
    {stepped(_LOOKED_AT, fingerprint.STANDARD_SQL)})"""

# A part of a path that is a number, has two digits or more, or is too long for a word, stands for many.
_URL = """multiIf(
    attributes['url.template'] != '', attributes['url.template'],
    attributes['url.full'] != '', path(attributes['url.full']),
    path(attributes['http.url']))"""
_PATH = f"replaceRegexpAll({_URL}, {literal('/(?:[^/]*[0-9][^/]*[0-9][^/]*|[0-9]|[^/]{40,})')}, '/{{id}}')"


def text_of(*, with_paths: bool) -> str:
    """What calls are grouped by and called: the statement's shape, else the span's name and whom it talks to.

    `with_paths` says of HTTP calls which address it was; that means reading the attributes of every span.
    """
    path = f"if(system IN {_one_of(_HTTP)} AND kind = 'client', {_PATH}, '')" if with_paths else "''"
    return f"if(statement != '', {STATEMENT_SHAPE}, trimRight(concat(endpoint, ' ', peer, {path})))"


FINGERPRINT = f"sipHash64(call_kind, system, lower({stepped('text', fingerprint.FOLDED)}))"
"""Of columns `call_kind`, `system` and `text`."""
