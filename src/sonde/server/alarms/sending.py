"""Delivers what waits: again and again, ever more rarely, for a day."""

from __future__ import annotations

import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, select, update

from sonde.server.accounts import tables
from sonde.server.accounts.database import writing
from sonde.server.alarms.channels.speaking import Outcome, send
from sonde.server.alarms.notifiers import hidden_in
from sonde.server.alarms.telling import loaded
from sonde.server.alarms.wording import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from sqlalchemy import Engine

    from sonde.server.alarms.lease import Lease
    from sonde.server.alarms.notifier_book import Notifier, NotifierBook
    from sonde.server.spool.spool import Sample

log = logging.getLogger(__name__)

AT_ONCE = 4
MOST_A_ROUND = 40
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=10)
TRIED_FOR = timedelta(hours=24)
KEPT = timedelta(days=30)
"""Messages that were delivered, or given up."""

_deliveries = tables.alarm_deliveries.c
_notifiers = tables.alarm_notifiers.c


class _Due(NamedTuple):
    id: str
    notifier_id: str
    message: str
    attempts: int
    created_at: datetime


def pause_after(attempts: int) -> timedelta:
    """Twice as long each time, from FIRST_PAUSE to LONGEST_PAUSE."""
    times: int = 2 ** min(attempts - 1, 10)
    return min(FIRST_PAUSE * times, LONGEST_PAUSE)


class Sending:
    """`round` as often as one likes: it sends what is due. One thread at a time."""

    def __init__(
        self, engine: Engine, lease: Lease, book: NotifierBook, *, now: Callable[[], datetime], console_url: str
    ) -> None:
        self._engine = engine
        self._lease = lease
        self._book = book
        self._now = now
        self._console_url = console_url
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="notifiers")
        self.tries: Counter[tuple[str, str]] = Counter()
        """By kind of notifier and what came of it."""

    def close(self) -> None:
        """Waits for what is being sent."""
        self._pool.shutdown()

    def round(self) -> int:
        """How many messages were tried. Raises LostLeaseError, and what the metadata database raises.

        Of one notifier one after the other, oldest first; one that fails lets the others of it wait.
        """
        if self._lease.fence is None:
            return 0
        together: dict[str, list[_Due]] = {}
        for due in self._due():
            together.setdefault(due.notifier_id, []).append(due)
        tried = self._pool.map(lambda item: self._send_all(*item), together.items())
        return sum(tried)

    def _due(self) -> list[_Due]:
        query = (
            select(
                _deliveries.id,
                _deliveries.notifier_id,
                _deliveries.message,
                _deliveries.attempts,
                _deliveries.created_at,
            )
            .where((_deliveries.state == "waiting") & (_deliveries.next_at <= self._now()))
            .order_by(_deliveries.created_at, _deliveries.id)
            .limit(MOST_A_ROUND)
        )
        with self._engine.connect() as connection:
            return [_Due(*row) for row in connection.execute(query)]

    def _send_all(self, notifier_id: str, due: list[_Due]) -> int:
        notifier = self._book.find(notifier_id)
        if notifier is None:  # just deleted, with what waits for it
            return 0
        for number, one in enumerate(due):
            if not self._send(notifier, one):
                return number + 1
        return len(due)

    def _send(self, notifier: Notifier, due: _Due) -> bool:
        if notifier.unreadable:
            outcome = Outcome(delivered=False, answer=notifier.unreadable)
        elif not notifier.document.enabled:
            outcome = Outcome(delivered=False, answer="the notifier is switched off")
        else:
            outcome = self.try_once(notifier, loaded_message(notifier, due.message, self._console_url))
        self._note(notifier, due, outcome)
        return outcome.delivered

    def try_once(self, notifier: Notifier, message: Message) -> Outcome:
        """Send it now, whatever the queue says."""
        outcome = send(notifier.document, message, self._now(), local_allowed=self._book.local_allowed)
        self.tries[notifier.document.kind, "sent" if outcome.delivered else "failed"] += 1
        return outcome._replace(answer=hidden_in(notifier.document, outcome.answer))

    def test_message(self, notifier: Notifier) -> Message:
        """One that says that it is a test."""
        return Message(notifier.document.name, (), notifier.document.language, self._console_url)

    def _note(self, notifier: Notifier, due: _Due, outcome: Outcome) -> None:
        now, attempts = self._now(), due.attempts + 1
        given_up = not outcome.delivered and now + pause_after(attempts) - due.created_at > TRIED_FOR
        ended = outcome.delivered or given_up
        if given_up:
            log.error("alarms: a message for %s is given up: %s", notifier.document.name, outcome.answer)
        with writing(self._engine) as connection:
            self._lease.check(connection)
            connection.execute(
                update(tables.alarm_deliveries)
                .where((_deliveries.id == due.id) & (_deliveries.state == "waiting"))
                .values(
                    state="sent" if outcome.delivered else "failed" if given_up else "waiting",
                    attempts=attempts,
                    next_at=None if ended else now + pause_after(attempts),
                    ended_at=now if ended else None,
                    answer=outcome.answer,
                )
            )
            said = {"last_sent_at": now, "last_problem": ""} if outcome.delivered else {"last_problem": outcome.answer}
            connection.execute(update(tables.alarm_notifiers).where(_notifiers.id == notifier.id).values(said))

    def forget(self) -> None:
        """Messages that ended long ago."""
        with writing(self._engine) as connection:
            connection.execute(
                delete(tables.alarm_deliveries).where(
                    (_deliveries.state != "waiting") & (_deliveries.created_at < self._now() - KEPT)
                )
            )

    def samples(self) -> Iterator[Sample]:
        """For /metrics."""
        for (kind, outcome), count in sorted(self.tries.items()):
            yield "sonde_alarm_messages_total", {"kind": kind, "outcome": outcome}, count


def loaded_message(notifier: Notifier, text: str, console_url: str) -> Message:
    """What waited, as it is told to this notifier."""
    return Message(notifier.document.name, loaded(text), notifier.document.language, console_url)
