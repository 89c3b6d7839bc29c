"""Notifiers that are kept: in the clear what everybody may see, sealed what is secret."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from sonde.server.accounts import audit, tables
from sonde.server.accounts.credentials import new_id
from sonde.server.accounts.database import writing
from sonde.server.accounts.errors import NameTakenError
from sonde.server.accounts.sealing import UnsealError
from sonde.server.alarms.errors import InUseError, TooManyError
from sonde.server.alarms.notifiers import check, secrets_of, unmasked, without_secrets
from sonde.server.reports.alarms import AlarmNotifierDocument, AlarmRuleDocument

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from sonde.server.accounts.sealing import Sealer

MOST_NOTIFIERS = 100
"""Of one app."""

_notifiers = tables.alarm_notifiers.c
_deliveries = tables.alarm_deliveries.c
_rules = tables.alarm_rules.c


@dataclass(frozen=True, slots=True)
class Notifier:
    """One that is kept, with its secrets. `unreadable`: why they are not there; else empty."""

    id: str
    app: str
    document: AlarmNotifierDocument
    created_at: datetime
    created_by: str
    changed_at: datetime
    changed_by: str
    last_sent_at: datetime | None
    last_problem: str
    unreadable: str = ""


class NotifierBook:
    """Every method may block. `who` is the audit's; no secret goes there."""

    def __init__(self, engine: Engine, sealer: Sealer, now: Callable[[], datetime], *, local_allowed: bool) -> None:
        self._engine = engine
        self._sealer = sealer
        self._now = now
        self.local_allowed = local_allowed

    def checked(self, wanted: AlarmNotifierDocument, known: Notifier | None = None) -> AlarmNotifierDocument:
        """With kept secrets in place of masks. Raises BadNotifierError."""
        document = unmasked(wanted, known.document if known else None)
        check(document, local_allowed=self.local_allowed)
        return document

    def add(self, app: str, wanted: AlarmNotifierDocument, who: str) -> Notifier:
        """A new one. Raises BadNotifierError, NameTakenError, TooManyError."""
        document, now = self.checked(wanted), self._now()
        made = Notifier(new_id(), app, document, now, who[:128], now, who[:128], None, "")
        with writing(self._engine) as connection:
            names = self._names(connection, app)
            if document.name in names.values():
                raise NameTakenError(f"the app has a notifier {document.name!r} already")
            if len(names) >= MOST_NOTIFIERS:
                raise TooManyError(f"an app has at most {MOST_NOTIFIERS} notifiers")
            connection.execute(
                insert(tables.alarm_notifiers).values(
                    id=made.id,
                    app_id=app,
                    created_at=now,
                    created_by=made.created_by,
                    last_problem="",
                    **self._values(made),
                )
            )
            self._note(connection, made, who, "alarm_notifier.create")
        return made

    def change(self, known: Notifier, wanted: AlarmNotifierDocument, who: str) -> Notifier:
        """In place of what it said before. Raises as `add` does, and InUseError for a name that rules name."""
        document = self.checked(wanted, known)
        changed = Notifier(
            known.id,
            known.app,
            document,
            known.created_at,
            known.created_by,
            self._now(),
            who[:128],
            known.last_sent_at,
            known.last_problem,
        )
        with writing(self._engine) as connection:
            names = self._names(connection, known.app)
            names.pop(known.id, None)
            if document.name in names.values():
                raise NameTakenError(f"the app has a notifier {document.name!r} already")
            if document.name != known.document.name:
                self._refuse_orphans(connection, known)
            connection.execute(
                update(tables.alarm_notifiers).where(_notifiers.id == known.id).values(self._values(changed))
            )
            self._note(connection, changed, who, "alarm_notifier.change")
        return changed

    def remove(self, known: Notifier, who: str) -> None:
        """With what waits for it. Raises InUseError."""
        with writing(self._engine) as connection:
            self._refuse_orphans(connection, known)
            connection.execute(delete(tables.alarm_deliveries).where(_deliveries.notifier_id == known.id))
            connection.execute(delete(tables.alarm_notifiers).where(_notifiers.id == known.id))
            self._note(connection, known, who, "alarm_notifier.delete")

    def find(self, notifier_id: str) -> Notifier | None:
        """The one of that id."""
        with self._engine.connect() as connection:
            row = connection.execute(select(tables.alarm_notifiers).where(_notifiers.id == notifier_id)).one_or_none()
        return self._notifier(row) if row else None

    def all(self, apps: Sequence[str] | None) -> list[tuple[Notifier, int]]:
        """Those of these apps (None: all), by name, each with how many messages wait for it."""
        query = select(tables.alarm_notifiers).order_by(_notifiers.name, _notifiers.id)
        if apps is not None:
            query = query.where(_notifiers.app_id.in_(apps))
        waiting = select(_deliveries.notifier_id, func.count()).where(_deliveries.state == "waiting")
        with self._engine.connect() as connection:
            counts: dict[str, int] = dict(connection.execute(waiting.group_by(_deliveries.notifier_id)).all())
            return [(self._notifier(row), counts.get(row.id, 0)) for row in connection.execute(query)]

    def _values(self, notifier: Notifier) -> dict[str, Any]:
        return {
            "name": notifier.document.name,
            "document": without_secrets(notifier.document).model_dump_json(),
            "secrets_sealed": self._sealer.seal(json.dumps(secrets_of(notifier.document)), notifier.id),
            "changed_at": notifier.changed_at,
            "changed_by": notifier.changed_by,
        }

    def _notifier(self, row: Any) -> Notifier:
        document, unreadable = AlarmNotifierDocument.model_validate_json(row.document), ""
        try:
            document = document.model_copy(update=json.loads(self._sealer.unseal(row.secrets_sealed, row.id)))
        except UnsealError as error:
            unreadable = f"its secrets were {error}: say them again"
        return Notifier(
            row.id,
            row.app_id,
            document,
            row.created_at,
            row.created_by,
            row.changed_at,
            row.changed_by,
            row.last_sent_at,
            row.last_problem,
            unreadable,
        )

    @staticmethod
    def _names(connection: Connection, app: str) -> dict[str, str]:
        rows = connection.execute(select(_notifiers.id, _notifiers.name).where(_notifiers.app_id == app))
        return dict(rows.all())

    @staticmethod
    def _refuse_orphans(connection: Connection, known: Notifier) -> None:
        for text in connection.execute(select(_rules.document).where(_rules.app_id == known.app)).scalars():
            rule = AlarmRuleDocument.model_validate_json(text)
            if known.document.name in rule.notify:
                raise InUseError(f"the rule {rule.name!r} names it")

    def _note(self, connection: Connection, notifier: Notifier, who: str, what: str) -> None:
        detail = {"app": notifier.app, "name": notifier.document.name, "kind": notifier.document.kind}
        entry = audit.AuditEntry(self._now(), who, what, notifier.id, json.dumps(detail, ensure_ascii=False))
        audit.record(connection, entry)
