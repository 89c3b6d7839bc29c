"""Of all web processes one evaluates and sends: who holds the lease, a row with a number that grows with each holder.

What the holder writes, it writes in transactions that check the number: one that was away while another took over
writes nothing any more.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from sonde.server.accounts import tables
from sonde.server.accounts.database import writing
from sonde.server.alarms.errors import LostLeaseError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection, Engine

NAME = "evaluator"
HELD = timedelta(seconds=60)
"""A holder that was not heard of for so long is taken to be dead."""

_row = tables.alarm_evaluation.c


@dataclass(frozen=True, slots=True)
class Progress:
    """How evaluation is doing, for everybody to see."""

    holder: str
    evaluated_until: datetime | None
    trouble: str
    round_ms: float
    rules: int
    groups: int
    missed_slots: int


_NEVER = Progress("", None, "no process has evaluated yet", 0.0, 0, 0, 0)


class Lease:
    """One process's hold. `holder` names it, for people. Every method may block."""

    def __init__(self, engine: Engine, now: Callable[[], datetime], holder: str) -> None:
        self._engine = engine
        self._now = now
        self._holder = holder
        self.fence: int | None = None
        """Our number; None: another one holds it."""

    def take(self) -> bool:
        """Take or renew it; whether it is ours."""
        now = self._now()
        with writing(self._engine) as connection:
            found = connection.execute(
                select(_row.holder, _row.fence, _row.held_until).where(_row.name == NAME)
            ).one_or_none()
            if found is not None:
                return self._renew(connection, found.holder, found.fence, found.held_until, now)
        with suppress(IntegrityError):  # another one made it just now
            self._make(now)
        return self.fence is not None

    def _renew(self, connection: Connection, holder: str, fence: int, held_until: datetime, now: datetime) -> bool:
        ours = fence == self.fence and holder == self._holder
        self.fence = None
        # a deadline further away than any holder sets is of a clock that went wrong
        if ours or not now < held_until <= now + HELD:
            taken = fence if ours else fence + 1
            changed = connection.execute(
                update(tables.alarm_evaluation)
                .where((_row.name == NAME) & (_row.fence == fence))
                .values(holder=self._holder, fence=taken, held_until=now + HELD)
            )
            # MySQL counts only rows that change, and the deadline may be the same one
            self.fence = taken if changed.rowcount or ours else None
        return self.fence is not None

    def _make(self, now: datetime) -> None:
        with writing(self._engine) as connection:
            connection.execute(
                insert(tables.alarm_evaluation).values(
                    name=NAME,
                    holder=self._holder,
                    fence=1,
                    held_until=now + HELD,
                    trouble="",
                    round_ms=0.0,
                    rules=0,
                    groups_seen=0,
                    missed_slots=0,
                )
            )
        self.fence = 1

    def check(self, connection: Connection) -> None:
        """At the start of a transaction that writes; it holds the row until its end. Raises LostLeaseError."""
        fence = connection.execute(select(_row.fence).where(_row.name == NAME).with_for_update()).scalar_one_or_none()
        if fence is None or fence != self.fence:
            self.fence = None
            raise LostLeaseError("another process evaluates by now")

    def give_up(self) -> None:
        """So that another one need not wait until it ends."""
        if self.fence is None:
            return
        with writing(self._engine) as connection:
            connection.execute(
                update(tables.alarm_evaluation)
                .where((_row.name == NAME) & (_row.fence == self.fence))
                .values(held_until=self._now())
            )
        self.fence = None


def progress(engine: Engine) -> Progress:
    """As the holder last said."""
    columns = (
        _row.holder,
        _row.evaluated_until,
        _row.trouble,
        _row.round_ms,
        _row.rules,
        _row.groups_seen,
        _row.missed_slots,
    )
    with engine.connect() as connection:
        found = connection.execute(select(*columns).where(_row.name == NAME)).one_or_none()
    return Progress(*found) if found else _NEVER
