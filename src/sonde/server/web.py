"""`python -m sonde.server.web`: the web process. Intake, loader, API and console on one event loop.

Started by the supervisor, which hands over the listening sockets. Prints `ready` when /readyz says so for the first
time; SIGTERM stops it in order: no new requests, those under way answered, files under way loaded, the spool closed.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, cast

import uvloop
from sqlalchemy import text

from sonde import settings
from sonde.server.accounts.accounts import Accounts, utc_now
from sonde.server.accounts.database import check_schema
from sonde.server.accounts.errors import WrongSchemaError
from sonde.server.alarms.alarms import Alarms
from sonde.server.api.access import Access
from sonde.server.api.answers import Answers
from sonde.server.api.application import application
from sonde.server.api.exposition import exposition
from sonde.server.api.live_reader import live_reader
from sonde.server.api.parts import Parts
from sonde.server.api.readiness import NotReadyError, Readiness
from sonde.server.api.request_counters import RequestCounters
from sonde.server.api.workers import Workers
from sonde.server.app_tokens import AppTokens
from sonde.server.control.artifacts import Artifacts
from sonde.server.control.channel import channel
from sonde.server.control.control import Control
from sonde.server.control.jobs import Jobs
from sonde.server.control.signing import signer_of
from sonde.server.dashboards.embedding import embed_origins
from sonde.server.folders import Folders
from sonde.server.front import Front
from sonde.server.grpc_server import GrpcServer
from sonde.server.http_server import HttpServer
from sonde.server.insight.live_hub import LiveHub
from sonde.server.intake.acceptance import Acceptance
from sonde.server.intake.hints import Hints
from sonde.server.intake.otlp import OtlpIntake
from sonde.server.intake.otlp_grpc import OtlpGrpcIntake
from sonde.server.intake.skywalking.intake import SkywalkingIntake
from sonde.server.nodejs.assembly import XtransitSide
from sonde.server.nodejs.upload import Uploads
from sonde.server.spool.limits import SpoolLimits
from sonde.server.spool.spool import Spool, SpoolInUseError
from sonde.server.store.client import StoreClient
from sonde.server.store.errors import StoreUnavailable
from sonde.server.store.lateness import Lateness
from sonde.server.store.queries.naming import Shown
from sonde.server.store_page import store_page
from sonde.server.supervision.ports import PortError
from sonde.server.upkeep import Upkeep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp

    from sonde.server.nodejs.nodejs import Nodejs
    from sonde.settings import Settings

log = logging.getLogger(__name__)

CONSOLE = Path(__file__).with_name("console")
ANSWER_WITHIN_S = {"web": 60, "loader": 300}
"""A page that takes longer says that the store does not answer: one that stands still would keep all threads."""
STORE_THREADS, STORE_WAITING = 6, 64
ACCOUNT_THREADS, ACCOUNTS_WAITING = 2, 256
LOGIN_THREADS, LOGINS_WAITING = 1, 8
TEST_THREADS, TESTS_WAITING = 2, 8
CONTROL_THREADS, CONTROL_WAITING = 2, 4096
NODEJS_THREADS, NODEJS_WAITING = 2, 4096
_READY_PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Ports:
    """Sockets that listen, and addresses that are held for us; None where there is none."""

    main: socket.socket
    otlp: socket.socket | None
    otlp_grpc: str | None
    skywalking_http: socket.socket | None
    skywalking_grpc: str | None
    xtransit: socket.socket | None

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Ports:
        """As the supervisor tells."""

        def listening(descriptor: int | None) -> socket.socket | None:
            return socket.socket(fileno=descriptor) if descriptor is not None else None

        return cls(
            main=socket.socket(fileno=arguments.listen),
            otlp=listening(arguments.listen_otlp),
            otlp_grpc=arguments.otlp_grpc,
            skywalking_http=listening(arguments.listen_skywalking),
            skywalking_grpc=arguments.skywalking_grpc,
            xtransit=listening(arguments.listen_xtransit),
        )

    def numbers(self) -> dict[str, int | None]:
        """By protocol, the main one not among them."""
        bound = {"otlp_http": self.otlp, "skywalking_http": self.skywalking_http, "xtransit": self.xtransit}
        reserved = {"otlp_grpc": self.otlp_grpc, "skywalking_grpc": self.skywalking_grpc}
        return {name: it.getsockname()[1] if it else None for name, it in bound.items()} | {
            name: int(address.rpartition(":")[2]) if address else None for name, address in reserved.items()
        }

    def listening(self) -> list[socket.socket]:
        """Those that speak HTTP."""
        return [it for it in (self.main, self.otlp, self.skywalking_http) if it is not None]


async def serve(values: Settings, folders: Folders, store_socket: Path, ports: Ports) -> None:
    """Until SIGTERM. Raises SettingError, SpoolInUseError, WrongSchemaError, PortError."""
    async with AsyncExitStack() as running:
        accounts = Accounts.of(values, folders.data)
        running.callback(accounts.close)
        check_schema(accounts.engine)
        reader, writer = (connect_store(values, store_socket, user) for user in ("web", "loader"))
        running.callback(reader.close)
        running.callback(writer.close)
        spool = running.enter_context(Spool(folders.spool, SpoolLimits.from_settings(values)))
        hints = Hints(utc_now)
        acceptance = Acceptance(
            authenticate=accounts.apps.authenticate,
            spool=spool,
            hints=hints,
            max_body_bytes=values[settings.INTAKE_MAX_BODY_BYTES],
        )
        running.callback(acceptance.close)
        upkeep = Upkeep(writer, spool, values)
        running.callback(upkeep.stop)
        control_workers = Workers("the control channel", CONTROL_THREADS, CONTROL_WAITING)
        running.callback(control_workers.close)
        control = make_control(values, folders, accounts, control_workers)
        await control.prepare()
        nodejs_workers = Workers("the tables of Node.js processes", NODEJS_THREADS, NODEJS_WAITING)
        running.callback(nodejs_workers.close)
        xtransit = XtransitSide(
            values,
            folders.nodejs,
            accounts,
            spool,
            hints,
            nodejs_workers,
            utc_now,
            ports.main.getsockname()[1],
            ports.xtransit,
        )
        running.push_async_callback(xtransit.close)
        await xtransit.prepare()
        alarms = Alarms(accounts.engine, accounts.sealer, reader, writer, values, behind_s=spool.behind_s)
        running.callback(alarms.close)
        parts = make_parts(values, accounts, reader, control, hints, xtransit.nodejs, alarms, ports)
        upkeep.on_spans = parts.live.stored
        for workers in (parts.store_workers, parts.account_workers, parts.login_workers, parts.test_workers):
            running.callback(workers.close)
        skywalking = SkywalkingIntake(
            spool=spool,
            apps=accounts.apps,
            workers=parts.account_workers,
            control=control,
            hints=hints,
            fallback_app=values[settings.SKYWALKING_APP],
            max_body_bytes=values[settings.INTAKE_MAX_BODY_BYTES],
        )
        running.push_async_callback(skywalking.close)
        counters = RequestCounters()
        readiness = make_readiness(parts, upkeep, spool)

        def metrics_page() -> str:
            intakes = (acceptance.counters, skywalking, xtransit, uploads, hints)
            told = (*intakes, spool, upkeep, counters, control, parts.live, alarms, server.slow_heads)
            return exposition(chain.from_iterable(part.samples() for part in told)) + (
                "" if values[settings.STORE_URL] else store_page(store_socket)
            )

        pages = application(parts, readiness, counters, metrics_page, CONSOLE)
        uploads = Uploads(xtransit.files, xtransit.storage, nodejs_workers, hints, pages)
        tokens = AppTokens(accounts.apps, parts.account_workers)
        front = Front(
            uploads,
            cast("ASGIApp", OtlpIntake(acceptance)),
            channel(control, accounts.apps.authenticate),
            tokens,
            ports.otlp.getsockname()[1] if ports.otlp else None,
            {it.getsockname()[1]: cast("ASGIApp", skywalking.http) for it in (ports.skywalking_http,) if it},
        )
        server = HttpServer(front)
        grpc_servers = [
            GrpcServer(address, handlers, max_message_bytes=values[settings.INTAKE_MAX_BODY_BYTES], reserved=True)
            for address, handlers in (
                (ports.otlp_grpc, [OtlpGrpcIntake(acceptance, tokens.look_up)]),
                (ports.skywalking_grpc, [skywalking.grpc]),
            )
            if address is not None
        ]
        for grpc_server in grpc_servers:
            await running.enter_async_context(grpc_server)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop, server, grpc_servers, control, parts.live, skywalking)
        background = [
            asyncio.create_task(upkeep.run()),
            asyncio.create_task(control.run()),
            asyncio.create_task(skywalking.run()),
            asyncio.create_task(xtransit.run()),
            asyncio.create_task(alarms.run(upkeep.migrated)),
            asyncio.create_task(Lateness(writer, accounts.app_settings.late_max_s).run()),
            asyncio.create_task(say_when_ready(readiness)),
        ]
        running.push_async_callback(cancel, background)
        for task in background:
            task.add_done_callback(lambda done: end_with(done, server))
        await server.serve(ports.listening())


def connect_store(values: Settings, store_socket: Path, user: str) -> StoreClient:
    """A client of the store these settings name; nothing is connected yet."""
    url = values[settings.STORE_URL]
    within_s = ANSWER_WITHIN_S[user]
    return StoreClient.remote(url, within_s) if url else StoreClient.embedded(store_socket, user, within_s)


def stop(
    server: HttpServer,
    grpc_servers: Sequence[GrpcServer],
    control: Control,
    live: LiveHub,
    skywalking: SkywalkingIntake,
) -> None:
    """Requests that would go on for ever are ended, the others answered."""
    control.close()
    live.close()
    skywalking.stop()
    server.stop()
    for grpc_server in grpc_servers:
        grpc_server.stop()


def make_control(values: Settings, folders: Folders, accounts: Accounts, workers: Workers) -> Control:
    """The control plane. Raises SettingError where its files cannot be kept."""
    try:
        artifacts = Artifacts(
            folders.artifacts,
            job_max_bytes=values[settings.ARTIFACT_MAX_BYTES],
            max_bytes=values[settings.ARTIFACTS_MAX_BYTES],
            min_free_bytes=values[settings.SPOOL_MIN_FREE_BYTES],
        )
    except OSError as error:
        raise settings.SettingError(f"data: {folders.artifacts} cannot be used: {error.strerror}") from None
    return Control(
        Jobs(accounts.engine, utc_now),
        artifacts,
        signer_of(accounts.engine, utc_now),
        workers,
        now=utc_now,
        keep=timedelta(days=values[settings.RETENTION_JOBS_DAYS]),
        heartbeat_s=values[settings.CONTROL_HEARTBEAT_S],
    )


def make_parts(
    values: Settings,
    accounts: Accounts,
    store: StoreClient,
    control: Control,
    hints: Hints,
    nodejs: Nodejs,
    alarms: Alarms,
    ports: Ports,
) -> Parts:
    """What the routes stand on, with threads for each kind of work."""
    store_workers = Workers("the store", STORE_THREADS, STORE_WAITING)
    account_workers = Workers("the accounts", ACCOUNT_THREADS, ACCOUNTS_WAITING)
    shown = Shown(store, accounts.name_rules.all)
    return Parts(
        accounts=accounts,
        access=Access(accounts, account_workers),
        store=shown,
        recorded=store,
        answers=Answers(store_workers),
        own_answers=Answers(account_workers),
        store_workers=store_workers,
        account_workers=account_workers,
        login_workers=Workers("a login", LOGIN_THREADS, LOGINS_WAITING),
        test_workers=Workers("a test message", TEST_THREADS, TESTS_WAITING),
        control=control,
        hints=hints,
        ports=ports.numbers(),
        skywalking_app=values[settings.SKYWALKING_APP],
        nodejs=nodejs,
        alarms=alarms,
        live=LiveHub(live_reader(shown, store_workers), utc_now),
        apdex_t_ms=values[settings.APDEX_T_MS],
        cookie_secure=values[settings.COOKIE_SECURE],
        embed_origins=embed_origins(values),
    )


def make_readiness(parts: Parts, upkeep: Upkeep, spool: Spool) -> Readiness:
    """What has to work before we say so."""

    async def store() -> None:
        if not upkeep.migrated.is_set():
            raise NotReadyError("its tables are not up to date yet")
        try:
            await parts.store_workers(parts.recorded.rows, "SELECT 1")
        except StoreUnavailable:
            raise NotReadyError("does not answer") from None

    async def metadata() -> None:
        def ask() -> None:
            with parts.accounts.engine.connect() as connection:
                connection.execute(text("SELECT 1"))

        await parts.account_workers(ask)

    async def spooling() -> None:
        if spool.disk_is_low():
            raise NotReadyError("the disk is nearly full")
        if not os.access(spool.folder, os.W_OK):
            raise NotReadyError("cannot be written")

    return Readiness({"store": store, "metadata": metadata, "spool": spooling})


async def say_when_ready(readiness: Readiness) -> None:
    """For the supervisor, on standard output."""
    while await readiness.reasons():  # noqa: ASYNC110 - half of it lies in another process
        await asyncio.sleep(_READY_PAUSE_S)
    sys.stdout.write("ready\n")
    sys.stdout.flush()


async def cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Returns when they are over; how they ended was seen by `end_with`."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def end_with(task: asyncio.Task[None], server: HttpServer) -> None:
    """A part that failed for good takes the process with it: the supervisor starts a new one."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("a part of the web process failed", exc_info=error)
        server.stop()


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 1 with one line on standard error when it cannot start."""
    parser = argparse.ArgumentParser(prog="sonde.server.web", description=__doc__)
    parser.add_argument("--store-socket", type=Path, required=True, help="unix socket of the store process")
    parser.add_argument("--listen", type=int, required=True, help="descriptor of the main listening socket")
    parser.add_argument("--listen-otlp", type=int, help="descriptor of the one for OTLP alone")
    parser.add_argument("--otlp-grpc", help="host:port for OTLP/gRPC, held for us")
    parser.add_argument("--listen-skywalking", type=int, help="descriptor of the one for SkyWalking over HTTP")
    parser.add_argument("--skywalking-grpc", help="host:port for SkyWalking over gRPC, held for us")
    parser.add_argument("--listen-xtransit", type=int, help="descriptor of the one for xtransit")
    arguments = parser.parse_args(argv)
    values = settings.Settings()
    logging.basicConfig(level=values[settings.LOG_LEVEL].upper(), format="sonde web: %(levelname)s %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    try:
        uvloop.run(serve(values, Folders.of(values), arguments.store_socket, Ports.of(arguments)))
    except (settings.SettingError, SpoolInUseError, WrongSchemaError, PortError) as error:
        sys.stderr.write(f"sonde web: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
