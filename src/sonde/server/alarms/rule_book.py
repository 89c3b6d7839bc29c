"""Rules that are kept. Each change, what it ends, and its entry in the audit are one transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from sonde.server.accounts import audit, tables
from sonde.server.accounts.credentials import new_id
from sonde.server.accounts.database import writing
from sonde.server.accounts.errors import NameTakenError
from sonde.server.alarms.ending import end_rule
from sonde.server.alarms.errors import BadRuleError, InUseError, TooManyError
from sonde.server.alarms.rules import Rule, check
from sonde.server.reports.alarms import AlarmRuleDocument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine

MOST_RULES = 2000
"""Of one app."""
_KEEPS_STATES = frozenset({"description", "labels", "notify", "depends_on", "quiet_hours", "severity", "name"})
"""Fields whose change leaves what fires firing."""

_rules = tables.alarm_rules.c
_states = tables.alarm_states.c


@dataclass(frozen=True, slots=True)
class RuleStatus:
    """A rule and how its groups are doing, as last evaluated."""

    rule: Rule
    groups: int
    groups_dropped: int
    problem: str
    by_state: dict[str, int]


class RuleBook:
    """Every method may block. `who` is the audit's."""

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now
        self._read: dict[str, Rule] = {}

    def add(self, app: str, document: AlarmRuleDocument, who: str) -> Rule:
        """A new rule. Raises BadRuleError, NameTakenError, TooManyError, and IntegrityError for an app that is gone."""
        check(document)
        with writing(self._engine) as connection:
            return self.add_within(connection, app, document, who)

    def add_within(self, connection: Connection, app: str, document: AlarmRuleDocument, who: str) -> Rule:
        """Likewise, as a part of something larger. The document was checked."""
        others = self._of_app(connection, app)
        if document.name in others:
            raise NameTakenError(f"the app has a rule {document.name!r} already")
        if len(others) >= MOST_RULES:
            raise TooManyError(f"an app has at most {MOST_RULES} rules")
        self._check_names(connection, app, document, others)
        now = self._now()
        rule = Rule(new_id(), app, document, 1, now, who[:128], now, who[:128])
        connection.execute(
            insert(tables.alarm_rules).values(
                id=rule.id,
                app_id=app,
                name=document.name,
                document=document.model_dump_json(),
                version=1,
                created_at=now,
                created_by=rule.created_by,
                changed_at=now,
                changed_by=rule.created_by,
                groups_seen=0,
                groups_dropped=0,
                problem="",
            )
        )
        self._note(connection, rule, who, "alarm_rule.create")
        return rule

    def change(self, rule_id: str, document: AlarmRuleDocument, who: str) -> Rule | None:
        """In place of what the rule said before; None where there is none of that id. Raises as `add` does.

        What fires ends, unless only words, receivers or suppression change.
        """
        check(document)
        with writing(self._engine) as connection:
            found = self._find(connection, rule_id)
            return None if found is None else self.change_within(connection, found, document, who)

    def change_within(self, connection: Connection, found: Rule, document: AlarmRuleDocument, who: str) -> Rule:
        """Likewise, as a part of something larger."""
        fields = changed_fields(found.document, document)
        if not fields:
            return found
        others = self._of_app(connection, found.app)
        others.pop(found.document.name, None)
        if document.name in others:
            raise NameTakenError(f"the app has a rule {document.name!r} already")
        if document.name != found.document.name:
            self._refuse_orphans(others.values(), found.document.name)
        self._check_names(connection, found.app, document, others)
        changed = replace(
            found, document=document, version=found.version + 1, changed_at=self._now(), changed_by=who[:128]
        )
        connection.execute(
            update(tables.alarm_rules)
            .where(_rules.id == found.id)
            .values(
                name=document.name,
                document=document.model_dump_json(),
                version=changed.version,
                changed_at=changed.changed_at,
                changed_by=changed.changed_by,
            )
        )
        if not _KEEPS_STATES.issuperset(fields):
            end_rule(connection, found, self._now(), "rule_changed" if document.enabled else "rule_disabled")
        self._note(connection, changed, who, "alarm_rule.change", fields=fields)
        return changed

    def remove(self, rule_id: str, who: str) -> bool:
        """It is gone, and what it fired is over. False: there is none of that id. Raises InUseError."""
        with writing(self._engine) as connection:
            found = self._find(connection, rule_id)
            if found is None:
                return False
            self.remove_within(connection, found, who)
        return True

    def remove_within(self, connection: Connection, found: Rule, who: str) -> None:
        """Likewise, as a part of something larger."""
        others = self._of_app(connection, found.app)
        del others[found.document.name]
        self._refuse_orphans(others.values(), found.document.name)
        end_rule(connection, found, self._now(), "rule_deleted")
        connection.execute(delete(tables.alarm_rules).where(_rules.id == found.id))
        self._note(connection, found, who, "alarm_rule.delete")

    def find(self, rule_id: str) -> Rule | None:
        """The rule of that id."""
        with self._engine.connect() as connection:
            return self._find(connection, rule_id)

    def of_app(self, app: str) -> list[Rule]:
        """Its rules, by name."""
        with self._engine.connect() as connection:
            return sorted(self._of_app(connection, app).values(), key=lambda rule: rule.document.name)

    def enabled(self) -> list[Rule]:
        """All that are to be evaluated. What did not change is not read again."""
        with self._engine.connect() as connection:
            versions: dict[str, int] = dict(connection.execute(select(_rules.id, _rules.version)).all())
            stale = [rule_id for rule_id, version in versions.items() if self._version_read(rule_id) != version]
            for at in range(0, len(stale), 500):
                rows = connection.execute(select(*_COLUMNS).where(_rules.id.in_(stale[at : at + 500])))
                self._read |= {row.id: _rule(row) for row in rows}
        self._read = {rule_id: rule for rule_id, rule in self._read.items() if rule_id in versions}
        return [rule for rule in self._read.values() if rule.document.enabled]

    def _version_read(self, rule_id: str) -> int:
        known = self._read.get(rule_id)
        return known.version if known else 0

    def statuses(self, apps: Sequence[str] | None) -> list[RuleStatus]:
        """Of the rules of these apps (None: all), by name."""
        query = select(*_COLUMNS, _rules.groups_seen, _rules.groups_dropped, _rules.problem)
        counts = select(_states.rule_id, _states.state, _states.suppressed_by, func.count()).group_by(
            _states.rule_id, _states.state, _states.suppressed_by
        )
        if apps is not None:
            query = query.where(_rules.app_id.in_(apps))
        by_rule: dict[str, dict[str, int]] = {}
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(_rules.name, _rules.id)).all()
            for rule_id, state, _, count in connection.execute(counts):
                of_rule = by_rule.setdefault(rule_id, {})
                of_rule[state] = of_rule.get(state, 0) + count
        return [
            RuleStatus(_rule(row), row.groups_seen, row.groups_dropped, row.problem, by_rule.get(row.id, {}))
            for row in rows
        ]

    # -- what a rule names --------------------------------------------------------------------------------------------
    @staticmethod
    def _check_names(connection: Connection, app: str, document: AlarmRuleDocument, others: dict[str, Rule]) -> None:
        notifiers = tables.alarm_notifiers.c
        known = set(connection.execute(select(notifiers.name).where(notifiers.app_id == app)).scalars())
        for number, name in enumerate(document.notify):
            if name not in known:
                raise BadRuleError(f"notify.{number}", f"the app has no notifier {name!r}")
        seen, above = {document.name}, document.depends_on
        while above:
            if above not in others:
                raise BadRuleError("depends_on", f"the app has no rule {above!r}")
            if above in seen:
                raise BadRuleError("depends_on", f"a circle: {above!r} depends on this rule")
            seen.add(above)
            above = others[above].document.depends_on
            if above == document.name:
                raise BadRuleError("depends_on", f"a circle: {document.depends_on!r} depends on this rule")

    @staticmethod
    def _refuse_orphans(others: Iterable[Rule], name: str) -> None:
        for other in others:
            if other.document.depends_on == name:
                raise InUseError(f"the rule {other.document.name!r} depends on it")

    # -- rows ---------------------------------------------------------------------------------------------------------
    @staticmethod
    def _of_app(connection: Connection, app: str) -> dict[str, Rule]:
        rows = connection.execute(select(*_COLUMNS).where(_rules.app_id == app))
        return {row.name: _rule(row) for row in rows}

    @staticmethod
    def _find(connection: Connection, rule_id: str) -> Rule | None:
        row = connection.execute(select(*_COLUMNS).where(_rules.id == rule_id)).one_or_none()
        return _rule(row) if row else None

    def _note(self, connection: Connection, rule: Rule, who: str, what: str, **more: object) -> None:
        detail = json.dumps({"app": rule.app, "name": rule.document.name, **more}, ensure_ascii=False)
        audit.record(connection, audit.AuditEntry(self._now(), who, what, rule.id, detail))


_COLUMNS = (
    _rules.id,
    _rules.app_id,
    _rules.name,
    _rules.document,
    _rules.version,
    _rules.created_at,
    _rules.created_by,
    _rules.changed_at,
    _rules.changed_by,
)


def changed_fields(before: AlarmRuleDocument, after: AlarmRuleDocument) -> list[str]:
    """Names of the fields in which two rules differ."""
    return [name for name in AlarmRuleDocument.model_fields if getattr(before, name) != getattr(after, name)]


def _rule(row: Any) -> Rule:
    return Rule(
        id=row.id,
        app=row.app_id,
        document=AlarmRuleDocument.model_validate_json(row.document),
        version=row.version,
        created_at=row.created_at,
        created_by=row.created_by,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
    )
