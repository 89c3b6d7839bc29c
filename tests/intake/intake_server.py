"""The part of the web process that takes data in, as a process of its own: intake, spool and loader under uvicorn.

`python intake_server.py SPOOL_FOLDER STORE_SOCKET [MAX_BYTES]` prints its port when it listens.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

import uvicorn
from intake_world import APP, TOKEN

from sonde.server.accounts.accounts import utc_now
from sonde.server.intake.acceptance import Acceptance
from sonde.server.intake.hints import Hints
from sonde.server.intake.otlp import OtlpIntake
from sonde.server.spool.limits import SpoolLimits
from sonde.server.spool.spool import Spool
from sonde.server.store.client import StoreClient
from sonde.server.store.intake_statements import SETTINGS, STATEMENTS
from sonde.server.store.loader import Loader


async def serve(intake: OtlpIntake) -> None:
    server = uvicorn.Server(uvicorn.Config(intake, port=0, lifespan="off", log_level="warning", loop="uvloop"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers nothing to wait for
        await asyncio.sleep(0.01)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)  # noqa: T201 - what the test waits for
    await serving


def main(folder: str, socket: str, max_bytes: str = str(1 << 30)) -> None:
    logging.basicConfig(level="INFO", format="%(asctime)s %(message)s")
    limits = SpoolLimits(min_free_bytes=0, file_max_age_s=0.05, max_bytes=int(max_bytes))
    client = StoreClient.embedded(Path(socket), "loader")
    with (
        Spool(Path(folder), limits) as spool,
        Loader(spool, client, STATEMENTS, settings=SETTINGS, on_loaded=lambda _: None),
    ):
        acceptance = Acceptance(authenticate={TOKEN: APP}.get, spool=spool, hints=Hints(utc_now))
        asyncio.run(serve(OtlpIntake(acceptance)))
        acceptance.close()
    client.close()


main(*sys.argv[1:])
