"""The parts of this folder, put together for the web process."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from sonde.server.intake.skywalking.batches import Batches
from sonde.server.intake.skywalking.counters import SkywalkingCounters
from sonde.server.intake.skywalking.grpc_side import SkywalkingGrpc
from sonde.server.intake.skywalking.http_side import SkywalkingHttp
from sonde.server.intake.skywalking.instances import Instances
from sonde.server.intake.skywalking.profiling import Profiling
from sonde.server.intake.skywalking.receiver import Receiver
from sonde.server.intake.skywalking.senders import Senders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sonde.server.accounts.apps import Apps
    from sonde.server.api.workers import Workers
    from sonde.server.control.control import Control
    from sonde.server.intake.hints import Hints
    from sonde.server.spool.spool import Sample, Spool

_THREADS = 2


class SkywalkingIntake:
    """For one event loop. `grpc` answers on the one port, `http` on the other."""

    def __init__(
        self,
        *,
        spool: Spool,
        apps: Apps,
        workers: Workers,
        control: Control,
        hints: Hints,
        fallback_app: str,
        max_body_bytes: int,
    ) -> None:
        """`workers`: for questions to the accounts. `fallback_app`: name or id of the app of those without a token."""
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="skywalking")
        self.counters = SkywalkingCounters()
        self._batches = Batches(spool, self._threads, self.counters, hints)
        self._profiling = Profiling(control)
        receiver = Receiver(
            batches=self._batches,
            instances=Instances(),
            profiling=self._profiling,
            counters=self.counters,
            hints=hints,
            threads=self._threads,
        )
        shared = receiver, Senders(apps, workers, fallback_app), self.counters, hints, self._threads, max_body_bytes
        self.grpc = SkywalkingGrpc(*shared)
        self.http = SkywalkingHttp(*shared)

    async def run(self) -> None:
        """What has to be done each second. Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._profiling.run())
            tasks.create_task(self.grpc.run())

    def stop(self) -> None:
        """End the streams that would go on for ever."""
        self.grpc.close()

    async def close(self) -> None:
        """Store what is held. No call may be under way."""
        await self._profiling.close()
        await self._batches.close()
        self._threads.shutdown()

    def samples(self) -> Iterator[Sample]:
        """For /metrics."""
        yield from self.counters.samples()
        yield from self._profiling.samples()
