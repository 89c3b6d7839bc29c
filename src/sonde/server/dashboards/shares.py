"""Links to look at one dashboard without an account."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select

from sonde.server.accounts import audit, tables
from sonde.server.accounts.credentials import digest, looks_like, new_credential, new_id
from sonde.server.accounts.database import writing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlalchemy import Engine, Select

SHARE = "sonde_share_"
MOST_OF_A_DASHBOARD = 50

_columns = tables.dashboard_shares.c


class TooManySharesError(Exception):
    """A dashboard has as many links as it may have."""


@dataclass(frozen=True, slots=True)
class Share:
    """A link without its secret part. `values`: of the dashboard's variables; who looks cannot choose others."""

    id: str
    dashboard: str
    values: Mapping[str, str]
    created_at: datetime
    created_by: str
    expires_at: datetime | None


class Shares:
    """Makes, finds and revokes; every method may block."""

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    def create(
        self, dashboard: str, values: Mapping[str, str], expires_at: datetime | None, who: str
    ) -> tuple[str, Share]:
        """A token, which nobody can read again, and what is kept of it. Raises TooManySharesError, and IntegrityError
        for a dashboard that is not there.
        """
        token = new_credential(SHARE)
        share = Share(new_id(), dashboard, dict(values), self._now(), who[:128], expires_at)
        with writing(self._engine) as connection:
            there = connection.execute(select(func.count()).where(_columns.dashboard_id == dashboard)).scalar_one()
            if there >= MOST_OF_A_DASHBOARD:
                raise TooManySharesError(f"a dashboard has at most {MOST_OF_A_DASHBOARD} links; revoke one")
            connection.execute(
                insert(tables.dashboard_shares).values(
                    id=share.id,
                    dashboard_id=dashboard,
                    digest=digest(token),
                    variables=json.dumps(share.values),
                    created_at=share.created_at,
                    created_by=share.created_by,
                    expires_at=expires_at,
                )
            )
            audit.record(
                connection, audit.AuditEntry(share.created_at, share.created_by, "share.create", dashboard, share.id)
            )
        return token, share

    def find(self, token: str) -> Share | None:
        """The link of that token; None where there is none, nobody made it, or its time is over."""
        if not looks_like(SHARE, token):
            return None
        with self._engine.connect() as connection:
            row = connection.execute(_query().where(_columns.digest == digest(token))).one_or_none()
        share = _of(*row) if row else None
        if share is None or (share.expires_at is not None and share.expires_at <= self._now()):
            return None
        return share

    def of(self, dashboard: str) -> list[Share]:
        """All links to a dashboard, the newest first, also those whose time is over."""
        query = _query().where(_columns.dashboard_id == dashboard).order_by(_columns.created_at.desc(), _columns.id)
        with self._engine.connect() as connection:
            return [_of(*row) for row in connection.execute(query)]

    def revoke(self, dashboard: str, share: str, who: str) -> bool:
        """Whether there was one."""
        with writing(self._engine) as connection:
            gone = delete(tables.dashboard_shares).where(_columns.id == share, _columns.dashboard_id == dashboard)
            if not connection.execute(gone).rowcount:
                return False
            audit.record(connection, audit.AuditEntry(self._now(), who, "share.revoke", dashboard, share))
        return True


def _query() -> Select[Any]:
    return select(
        _columns.id,
        _columns.dashboard_id,
        _columns.variables,
        _columns.created_at,
        _columns.created_by,
        _columns.expires_at,
    )


def _of(
    share: str, dashboard: str, values: str, created_at: datetime, created_by: str, expires_at: datetime | None
) -> Share:
    return Share(share, dashboard, json.loads(values), created_at, created_by, expires_at)
