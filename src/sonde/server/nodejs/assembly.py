"""Everything about xtransit agents and their Node.js processes, of one web process, put together."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from sonde import settings
from sonde.server.intake.xtransit.agents import Agents
from sonde.server.intake.xtransit.commands import Commands
from sonde.server.intake.xtransit.receiver import Receiver
from sonde.server.intake.xtransit.reports import Reports
from sonde.server.intake.xtransit.secrets import Secrets
from sonde.server.nodejs.files import Files
from sonde.server.nodejs.nodejs import Nodejs
from sonde.server.nodejs.records import Records
from sonde.server.nodejs.storage import Storage

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from sonde.server.accounts.accounts import Accounts
    from sonde.server.accounts.apps import AppSecret
    from sonde.server.api.workers import Workers
    from sonde.server.intake.hints import Hints
    from sonde.server.spool.spool import Sample, Spool
    from sonde.settings import Settings


class XtransitSide:
    """`prepare`, then `run` until cancelled, then `close`."""

    def __init__(
        self,
        values: Settings,
        folder: Path,
        accounts: Accounts,
        spool: Spool,
        hints: Hints,
        workers: Workers,
        now: Callable[[], datetime],
        main_port: int,
        listening: socket.socket | None,
    ) -> None:
        """`workers` ask the metadata database. Raises SettingError where files cannot be kept."""
        try:
            self.storage = Storage(
                folder,
                file_max_bytes=values[settings.NODEJS_FILE_MAX_BYTES],
                max_bytes=values[settings.NODEJS_FILES_MAX_BYTES],
                min_free_bytes=values[settings.SPOOL_MIN_FREE_BYTES],
            )
        except OSError as error:
            raise settings.SettingError(f"data: {folder} cannot be used: {error.strerror}") from None
        chosen = values[settings.XTRANSIT_UPLOAD_URL].rstrip("/")

        def upload_url(host: str) -> str:
            return chosen or f"http://{host or '127.0.0.1'}:{main_port}"

        async def look_up(app: str) -> AppSecret | None:
            return await workers(accounts.apps.secret_of, app)

        agents = Agents(now, time.monotonic)
        commands = Commands(agents)
        records = Records(accounts.engine, workers, now)
        self.files = Files(accounts.engine, now)
        self.nodejs = Nodejs(agents, commands, self.files, records, self.storage, workers, now, upload_url)
        self._listening = listening
        self._reports = Reports(spool, agents, commands, records, self.nodejs.is_there)
        self._receiver = Receiver(
            Secrets(look_up),
            agents,
            commands,
            self._reports,
            hints,
            max_frame_bytes=values[settings.XTRANSIT_MAX_FRAME_BYTES],
        )

    async def prepare(self) -> None:
        """Take up what an earlier process has left."""
        await self.nodejs.prepare()

    async def run(self) -> None:
        """Until cancelled."""
        if self._listening is None:
            await asyncio.Event().wait()  # files that are here can still be looked at
        else:
            await self._receiver.start(self._listening)
            await self.nodejs.run()

    async def close(self) -> None:
        """Agents are let go; they come again by themselves."""
        self.nodejs.close()
        self._reports.close()
        await self._receiver.close()

    def samples(self) -> Iterator[Sample]:
        """For /metrics."""
        yield from self._receiver.samples()
        yield from self.nodejs.samples()
