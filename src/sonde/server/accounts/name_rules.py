"""Rules about names: what services and endpoints are shown as, which are not shown, and in which app."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import delete, func, insert, select, update

from sonde.server.accounts import audit, tables
from sonde.server.accounts.credentials import new_id
from sonde.server.accounts.database import writing
from sonde.server.accounts.errors import TooManySettingsError
from sonde.server.accounts.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Engine

Kind = Literal["alias", "endpoint", "hide", "move"]
CACHED_S = 1.0
MOST_RULES = 200
"""Of one app. They are part of every query."""

_columns = tables.name_rules.c


@dataclass(frozen=True, slots=True)
class Wish:
    """A rule as somebody wants it; see `NameRule` in server/reports/statistics.py for what each kind uses."""

    kind: Kind
    service: str = ""
    pattern: str = ""
    name: str = ""
    target_app: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of an app. Of several that fit, the first in order holds."""

    id: str
    app: str
    wish: Wish
    changed_at: datetime
    changed_by: str


class NameRules:
    """Makes, changes and lists rules. Every method may block."""

    def __init__(self, engine: Engine, now: Callable[[], datetime], seconds: Callable[[], float]) -> None:
        self._engine = engine
        self._now = now
        self._recent: Recent[None, Sequence[Rule]] = Recent(CACHED_S, 1, seconds)

    def all(self) -> Sequence[Rule]:
        """Of every app, in order. Remembered for CACHED_S: a rule holds from the next second on."""
        return self._recent.get(None, self._look_up)

    def of(self, app_id: str) -> list[Rule]:
        """Those of an app, as of now, and those that move services there."""
        return [rule for rule in self._look_up() if app_id in {rule.app, rule.wish.target_app}]

    def find(self, app_id: str, rule_id: str) -> Rule | None:
        """A rule of an app."""
        return next((rule for rule in self._look_up() if (rule.app, rule.id) == (app_id, rule_id)), None)

    def add(self, app_id: str, wish: Wish, who: str) -> Rule:
        """One more rule, after all others. Raises TooManySettingsError; IntegrityError for apps that are not there."""
        rule = Rule(new_id(), app_id, wish, self._now(), who[:128])
        with writing(self._engine) as connection:
            mine = select(func.count(), func.coalesce(func.max(_columns.place), 0)).where(_columns.app_id == app_id)
            count, last = connection.execute(mine).one()
            if count >= MOST_RULES:
                raise TooManySettingsError(f"an app has at most {MOST_RULES} rules about names; drop one first")
            connection.execute(
                insert(tables.name_rules).values(id=rule.id, app_id=app_id, place=last + 1, **_values(rule))
            )
            audit.record(connection, _entry(rule, "names.add"))
        self._recent.forget(None)
        return rule

    def change(self, app_id: str, rule_id: str, wish: Wish, who: str) -> Rule | None:
        """Another rule in the place of that one; None where it is not there."""
        rule = Rule(rule_id, app_id, wish, self._now(), who[:128])
        with writing(self._engine) as connection:
            table = tables.name_rules
            one = (_columns.app_id == app_id) & (_columns.id == rule_id)
            if not connection.execute(update(table).where(one).values(**_values(rule))).rowcount:
                return None
            audit.record(connection, _entry(rule, "names.change"))
        self._recent.forget(None)
        return rule

    def drop(self, app_id: str, rule_id: str, who: str) -> bool:
        """Whether there was such a rule."""
        with writing(self._engine) as connection:
            one = (_columns.app_id == app_id) & (_columns.id == rule_id)
            gone = connection.execute(delete(tables.name_rules).where(one)).rowcount
            if gone:
                detail = json.dumps({"id": rule_id})
                audit.record(connection, audit.AuditEntry(self._now(), who, "names.drop", app_id, detail))
        self._recent.forget(None)
        return bool(gone)

    def _look_up(self) -> Sequence[Rule]:
        query = select(
            _columns.id,
            _columns.app_id,
            _columns.kind,
            _columns.service,
            _columns.pattern,
            _columns.name,
            _columns.target_app_id,
            _columns.changed_at,
            _columns.changed_by,
        ).order_by(_columns.app_id, _columns.place, _columns.id)
        with self._engine.connect() as connection:
            return [
                Rule(rule_id, app_id, Wish(*wish), changed_at, changed_by)
                for rule_id, app_id, *wish, changed_at, changed_by in connection.execute(query)
            ]


def _values(rule: Rule) -> dict[str, object]:
    wish = rule.wish
    return {
        "kind": wish.kind,
        "service": wish.service,
        "pattern": wish.pattern,
        "name": wish.name,
        "target_app_id": wish.target_app,
        "changed_at": rule.changed_at,
        "changed_by": rule.changed_by,
    }


def _entry(rule: Rule, what: str) -> audit.AuditEntry:
    wish = rule.wish
    said = {
        "kind": wish.kind,
        "service": wish.service,
        "pattern": wish.pattern,
        "name": wish.name,
        "target_app": wish.target_app,
    }
    detail = json.dumps({"id": rule.id, **{key: value for key, value in said.items() if value}}, ensure_ascii=False)
    return audit.AuditEntry(rule.changed_at, rule.changed_by, what, rule.app, detail)
