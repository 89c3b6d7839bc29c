"""Calls of services as SQL sees them: which kind a span's call is of, and what it looks like without its values.

The statements' steps are those of insight/fingerprint.py. They cost microseconds each: apply them to statements that
are different, not to each span.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonde.server.insight import fingerprint
from sonde.server.insight.service_map import CACHES, NOT_DATABASES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sonde.server.insight.fingerprint import Steps
    from sonde.server.reports.slow import CallKind

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

_ALL_BUT_MARKS = stepped(_LOOKED_AT, fingerprint.BEFORE)
_MARKED = f"""multiIf(
    match(statement, {literal(fingerprint.DOCUMENT)}),
    {stepped(_ALL_BUT_MARKS, ((fingerprint.DOCUMENTS, fingerprint.MARKED),))},
    system IN {_one_of(fingerprint.MYSQLS)},
    {stepped(_ALL_BUT_MARKS, ((fingerprint.MYSQL, fingerprint.MARKED),))},
    {stepped(_ALL_BUT_MARKS, ((fingerprint.STANDARD_SQL, fingerprint.MARKED),))})"""
_STATEMENT = stepped(_MARKED, fingerprint.AFTER)
_COMMAND = stepped(_LOOKED_AT, fingerprint.COMMANDS)
STATEMENT_SHAPE = f"if(system IN {_one_of(CACHES)}, {_COMMAND}, {_STATEMENT})"
"""Of columns `statement` and `system`."""

# A part of a path that is a number, has two digits or more, or is too long for a word, stands for many.
_URL = """multiIf(
    attributes['url.template'] != '', attributes['url.template'],
    attributes['url.full'] != '', path(attributes['url.full']),
    path(attributes['http.url']))"""
_PATH = f"replaceRegexpAll({_URL}, {literal('/(?:[^/]*[0-9][^/]*[0-9][^/]*|[0-9]|[^/]{40,})')}, '/{{id}}')"


def path_of(kinds: Collection[CallKind]) -> str:
    """The path that a call of one of those kinds went to, where it is HTTP and has no statement; else empty. For HTTP
    the attributes of every span are read.
    """
    asked = f"statement = '' AND system IN {_one_of(_HTTP)} AND kind = 'client'"
    return f"if({asked}, {_PATH}, '')" if "http" in kinds else "''"


FINGERPRINT = f"sipHash64(call_kind, system, lower({stepped('text', fingerprint.FOLDED)}))"
"""Of columns `call_kind`, `system` and `text`."""
