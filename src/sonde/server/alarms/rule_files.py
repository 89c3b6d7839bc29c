"""Rules as files: TOML that a repository keeps. An import makes the rules of an app those of the file, by name; the
same file a second time changes nothing.
"""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from sonde.server.accounts.database import writing
from sonde.server.alarms.errors import BadRuleError
from sonde.server.alarms.rule_book import changed_fields
from sonde.server.alarms.rules import check
from sonde.server.reports.alarms import AlarmImport, AlarmRuleChange, AlarmRuleDocument

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection, Engine

    from sonde.server.alarms.rule_book import RuleBook
    from sonde.server.alarms.rules import Rule

MOST_RULES = 1000
_HEAD = "# Rules of alarms; see docs/alarms.md. `sonde alarms import FILE --app NAME` makes an app's rules these.\n"


def exported(rules: Iterable[Rule]) -> str:
    """As TOML, what is as it is by default left out."""
    pieces = [_HEAD]
    for rule in rules:
        said = rule.document.model_dump(exclude_defaults=True, exclude_none=True)
        pieces.append("\n[[rule]]\n" + "".join(_lines(said, "rule")))
    return "".join(pieces)


def _lines(said: Mapping[str, Any], path: str) -> Iterable[str]:
    tables = {key: value for key, value in said.items() if isinstance(value, dict)}
    for key, value in said.items():
        if key not in tables:
            yield f"{_key(key)} = {_value(value)}\n"
    for key, value in tables.items():
        yield f"\n[{path}.{_key(key)}]\n"
        yield from _lines(value, f"{path}.{_key(key)}")


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("_", "a").replace("-", "a").isalnum()
    return key if bare else _value(key)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)} = {_value(one)}" for key, one in value.items()) + "}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):  # JSON's strings are TOML's but for DEL
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)


def parsed(text: str) -> list[AlarmRuleDocument]:
    """Raises BadRuleError, with the place in the file."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadRuleError("toml", str(error)) from None
    for name in said:
        if name != "rule":
            raise BadRuleError(name[:60], "a file of rules has `[[rule]]` alone")
    rows = said.get("rule", [])
    if not isinstance(rows, list) or len(rows) > MOST_RULES:
        raise BadRuleError("rule", f"at most {MOST_RULES} times `[[rule]]`")
    found: dict[str, AlarmRuleDocument] = {}
    for number, row in enumerate(rows):
        document = _document(row, f"rule.{number}")
        if document.name in found:
            raise BadRuleError(f"rule.{number}.name", f"{document.name!r} is there twice")
        found[document.name] = document
    return list(found.values())


def _document(row: object, place: str) -> AlarmRuleDocument:
    try:
        document = AlarmRuleDocument.model_validate(row)
        check(document)
    except ValidationError as error:
        first = error.errors()[0]
        inside = ".".join(str(part) for part in first["loc"])
        raise BadRuleError(f"{place}.{inside}" if inside else place, first["msg"]) from None
    except BadRuleError as error:
        raise BadRuleError(f"{place}.{error.place}", error.problem) from None
    return document


class _OnlySaid(Exception):  # noqa: N818 - no error: it undoes what was done to see whether it can be
    """The transaction is not to be kept."""


def import_rules(
    engine: Engine,
    book: RuleBook,
    app: str,
    documents: list[AlarmRuleDocument],
    who: str,
    *,
    prune: bool,
    dry_run: bool,
) -> AlarmImport:
    """All of it, or nothing; `dry_run` does it as well, and undoes it. Raises as RuleBook does."""
    known = {rule.document.name: rule for rule in book.of_app(app)}
    wanted = {document.name: document for document in documents}
    changes = [
        AlarmRuleChange(name=name, fields=changed_fields(known[name].document, document))
        for name, document in wanted.items()
        if name in known
    ]
    report = AlarmImport(
        added=[name for name in wanted if name not in known],
        changed=[change for change in changes if change.fields],
        removed=[name for name in known if name not in wanted] if prune else [],
        unchanged=[change.name for change in changes if not change.fields],
        dry_run=dry_run,
    )
    try:
        with writing(engine) as connection:
            _carry_out(connection, book, app, known, wanted, report, who)
            if dry_run:
                raise _OnlySaid  # noqa: TRY301 - out of the transaction
    except _OnlySaid:
        pass
    return report


def _carry_out(
    connection: Connection,
    book: RuleBook,
    app: str,
    known: dict[str, Rule],
    wanted: dict[str, AlarmRuleDocument],
    report: AlarmImport,
    who: str,
) -> None:
    """What is named is there before what names it, and goes after it."""
    there, waiting = set(known), [wanted[name] for name in report.added]
    while waiting:
        ready = [document for document in waiting if document.depends_on in {"", *there}] or waiting[:1]
        for document in ready:
            book.add_within(connection, app, document, who)
            there.add(document.name)
        waiting = [document for document in waiting if document.name not in there]
    for change in sorted(report.changed, key=lambda change: bool(wanted[change.name].depends_on)):
        book.change_within(connection, known[change.name], wanted[change.name], who)
    left = [known[name] for name in report.removed]
    while left:  # what others depend on goes after them
        free = [rule for rule in left if not any(other.document.depends_on == rule.document.name for other in left)]
        for rule in free or left[:1]:
            book.remove_within(connection, rule, who)
            left.remove(rule)
