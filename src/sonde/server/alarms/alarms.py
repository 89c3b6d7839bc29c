"""Everything of alarms, put together: what routes ask, and what runs beside them."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import time
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from sonde import settings
from sonde.server.accounts.accounts import utc_now
from sonde.server.accounts.app_settings import AppSettingsTable
from sonde.server.accounts.database import writing
from sonde.server.accounts.name_rules import NameRules
from sonde.server.alarms.delivery_list import DeliveryList
from sonde.server.alarms.errors import LostLeaseError
from sonde.server.alarms.evaluator import Evaluator
from sonde.server.alarms.history import History
from sonde.server.alarms.lease import Lease, progress
from sonde.server.alarms.notifier_book import NotifierBook
from sonde.server.alarms.rule_book import RuleBook
from sonde.server.alarms.sending import Sending
from sonde.server.alarms.silence_book import SilenceBook
from sonde.server.alarms.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from sqlalchemy import Engine

    from sonde.server.accounts.sealing import Sealer
    from sonde.server.alarms.lease import Progress
    from sonde.server.spool.spool import Sample
    from sonde.server.store.client import StoreClient
    from sonde.settings import Settings

log = logging.getLogger(__name__)

TICK_S = 1.0
RENEW_S = 15.0
FORGET_S = 3600.0


class Alarms:
    """Of one web process. `run` until cancelled, then `close`."""

    def __init__(
        self,
        engine: Engine,
        sealer: Sealer,
        reader: StoreClient,
        writer: StoreClient,
        values: Settings,
        *,
        behind_s: Callable[[], float],
        now: Callable[[], datetime] = utc_now,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """`behind_s`: for how long the oldest data have waited to be loaded."""
        self._engine = engine
        self._seconds = seconds
        self._now = now
        self.delay_s = float(values[settings.ALARM_DELAY_S])
        self._behind_s = behind_s
        self.rules = RuleBook(engine, now)
        self._app_settings = AppSettingsTable(engine, now, seconds)
        self._usual_apdex_t_ms = float(values[settings.APDEX_T_MS])
        self.silences = SilenceBook(engine, now)
        self.notifiers = NotifierBook(engine, sealer, now, local_allowed=values[settings.ALARM_LOCAL_TARGETS])
        self.deliveries = DeliveryList(engine, now)
        self.history = History(engine, now)
        holder = f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"
        self.lease = Lease(engine, now, holder)
        self._timeline = Timeline(writer)
        self.console_url = values[settings.CONSOLE_URL]
        self.sending = Sending(engine, self.lease, self.notifiers, now=now, console_url=self.console_url)
        self.evaluator = Evaluator(
            engine,
            reader,
            self.lease,
            RuleBook(engine, now),  # with a memory of its own: it is asked from another thread
            self.silences,
            self._timeline,
            NameRules(engine, now, seconds),
            self._apdex_t_ms,
            now=now,
            seconds=seconds,
            delay_s=self.delay_s,
            behind_s=behind_s,
        )
        self._renewed_s = -RENEW_S
        self._forgot_s = seconds()

    def _apdex_t_ms(self, app: str) -> float:
        said = self._app_settings.of(app).apdex_t_ms
        return self._usual_apdex_t_ms if said is None else said

    async def run(self, store_is_ready: asyncio.Event) -> None:
        """Evaluate and send, where this process holds the lease. Sending never keeps evaluation waiting."""
        await store_is_ready.wait()
        await asyncio.gather(self._again_and_again(self.evaluate_once), self._again_and_again(self.send_once))

    async def _again_and_again(self, work: Callable[[], None]) -> None:
        while True:
            try:
                await asyncio.to_thread(work)
            except LostLeaseError as error:
                log.warning("alarms: %s", error)
            except SQLAlchemyError as error:
                log.warning("alarms: the metadata database refuses: %s", error)
            await asyncio.sleep(TICK_S)

    def evaluate_once(self) -> None:
        """What is due."""
        if self._seconds() - self._renewed_s >= RENEW_S or self.lease.fence is None:
            self.lease.take()
            self._renewed_s = self._seconds()
        self.evaluator.round()
        if self.lease.fence is not None and self._seconds() - self._forgot_s >= FORGET_S:
            self._forgot_s = self._seconds()
            self.history.forget()
            self.sending.forget()
            with writing(self._engine) as connection:
                self.silences.forget(connection)

    def send_once(self) -> None:
        """Likewise."""
        self.sending.round()

    def close(self) -> None:
        """Another process may go on at once. Waits for what is being sent."""
        self.sending.close()
        try:
            self.lease.give_up()
        except SQLAlchemyError as error:
            log.warning("alarms: the lease stays until it ends: %s", error)

    def progress(self) -> Progress:
        """Of whoever evaluates."""
        return progress(self._engine)

    def behind_s(self, evaluated_until: datetime | None) -> float:
        """How much later than it should the next slot is judged."""
        if evaluated_until is None:
            return 0.0
        due_in_s = (self._now() - evaluated_until).total_seconds() - 30 - self.delay_s
        return max(0.0, due_in_s)

    def samples(self) -> Iterator[Sample]:
        """For /metrics."""
        yield "sonde_alarm_evaluator", {}, float(self.lease.fence is not None)
        yield "sonde_alarm_slots_total", {"outcome": "judged"}, self.evaluator.slots
        yield "sonde_alarm_slots_total", {"outcome": "missed"}, self.evaluator.missed_slots
        yield "sonde_alarm_evaluation_failures_total", {}, self.evaluator.failures
        yield "sonde_alarm_events_total", {"outcome": "written"}, self._timeline.written
        yield "sonde_alarm_events_total", {"outcome": "dropped"}, self._timeline.dropped
        yield from self.sending.samples()
