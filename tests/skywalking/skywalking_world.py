"""SkyWalking's intake on ports of its own, without a store: what is sent, and what the spool has of it."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import httpx
import uvicorn
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from sqlalchemy import make_url

from sonde.server.accounts.accounts import Accounts
from sonde.server.accounts.database import open_metadata
from sonde.server.accounts.migrate import migrate
from sonde.server.accounts.sealing import KEY_BYTES, Sealer
from sonde.server.api.workers import Workers
from sonde.server.control.artifacts import Artifacts
from sonde.server.control.control import Control
from sonde.server.control.jobs import Jobs
from sonde.server.control.signing import signer_of
from sonde.server.grpc_server import GrpcServer
from sonde.server.intake.hints import Hints
from sonde.server.intake.skywalking import skywalking_pb2 as pb
from sonde.server.intake.skywalking.intake import SkywalkingIntake
from sonde.server.spool.entry import Entry, Signal, entries
from sonde.server.spool.limits import SpoolLimits
from sonde.server.spool.names import OPEN_SUFFIX, signal_of, spool_files
from sonde.server.spool.spool import Spool

WITHIN_S = 20
MAX_BYTES = 4 << 20
CAPTURE = Path(__file__).parent / "data" / "capture.jsonl"
RECORDED = {line["id"]: line for line in map(json.loads, CAPTURE.read_text().splitlines())}
V3 = "/skywalking.v3."


def now():
    return datetime.now(UTC)


class World:
    """The intake as the web process has it, on an event loop in a thread."""

    def __init__(self, folder, fallback="", limits=None, keepalive=None):
        """`keepalive`: of the gRPC port, as GrpcServer has it."""
        self.folder = folder
        self.keepalive = keepalive or {}
        engine = open_metadata(make_url(f"sqlite:///{folder / 'metadata.sqlite3'}"))
        migrate(engine)
        self.accounts = Accounts(engine, timedelta(hours=1), Sealer(bytes(KEY_BYTES)))
        made = self.accounts.apps.create("shop", "test")
        self.app, self.token = made.app.id, made.token
        self.spool = Spool(folder / "spool", limits or SpoolLimits(min_free_bytes=0, file_max_age_s=3600))
        self.hints = Hints(now)
        self.workers = Workers("accounts", 2, 100)
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.do(self._start(engine, fallback))

    def do(self, work, within_s=WITHIN_S):
        """Have the loop do it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(within_s)

    async def _start(self, engine, fallback):
        artifacts = Artifacts(self.folder / "artifacts", job_max_bytes=1 << 26, max_bytes=1 << 26, min_free_bytes=0)
        self.artifacts = artifacts
        jobs = Jobs(engine, now)
        self.control = Control(jobs, artifacts, signer_of(engine, now), self.workers, now=now, keep=timedelta(days=1))
        await self.control.prepare()
        self.intake = SkywalkingIntake(
            spool=self.spool,
            apps=self.accounts.apps,
            workers=self.workers,
            control=self.control,
            hints=self.hints,
            fallback_app=fallback,
            max_body_bytes=MAX_BYTES,
        )
        self.grpc = GrpcServer("127.0.0.1:0", [self.intake.grpc], max_message_bytes=MAX_BYTES, **self.keepalive)
        await self.grpc.start()
        self._http = uvicorn.Server(
            uvicorn.Config(self.intake.http, port=0, lifespan="off", log_level="warning", log_config=None)
        )
        self._tasks = [
            asyncio.ensure_future(work) for work in (self._http.serve(), self.intake.run(), self.control.run())
        ]
        while not self._http.started:  # noqa: ASYNC110 - uvicorn offers nothing to wait for
            await asyncio.sleep(0.01)
        self.http_port = self._http.servers[0].sockets[0].getsockname()[1]

    async def _stop(self):
        self.intake.stop()
        await self.grpc.stop()
        self._http.should_exit = True
        self.control.close()
        for task in self._tasks[1:]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.intake.close()

    def close(self):
        self.do(self._stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(WITHIN_S)
        self.loop.close()
        self.workers.close()
        self.spool.close()
        self.accounts.close()

    # -- what is in the spool -----------------------------------------------------------------------------------------
    def stored(self, signal):
        """Bodies of that signal, in the order in which they were stored."""
        folder = self.spool.folder
        found = []
        for path in (*spool_files(folder, OPEN_SUFFIX), *spool_files(folder)):
            data = path.read_bytes()
            kind = signal_of(path.name.removesuffix(OPEN_SUFFIX))
            found += [
                Entry(kind, e.app, e.received_unix_nano, e.digest, data[e.body_start : e.end])
                for e in entries(memoryview(data), kind, verify=True)
            ]
        assert {entry.app for entry in found} <= {self.app}
        return [entry.body for entry in found if entry.signal is signal]

    def segments(self):
        return [
            segment
            for body in self.stored(Signal.SEGMENTS)
            for segment in pb.SegmentCollection.FromString(body).segments
        ]

    def metrics(self):
        """(resource, metric) of everything; the metric is None where a resource came alone."""
        found = []
        for body in self.stored(Signal.METRICS):
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                attributes = attributes_of(resource.resource)
                metrics = [metric for scope in resource.scope_metrics for metric in scope.metrics]
                found += [(attributes, metric) for metric in metrics or [None]]
        return found

    def logs(self):
        """(resource, record) of everything."""
        return [
            (attributes_of(resource.resource), record)
            for body in self.stored(Signal.LOGS)
            for resource in ExportLogsServiceRequest.FromString(body).resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]

    def hint(self, reason):
        return [hint for hint in self.hints.seen_by(None) if hint.reason == reason]


def attributes_of(message):
    """Attributes as a dict."""
    return {it.key: getattr(it.value, it.value.WhichOneof("value") or "string_value") for it in message.attributes}


class Agent:
    """An agent's end, with a token or without one."""

    def __init__(self, world, token=None, port=None):
        """`port`: where it finds the server, if that is not the server's own."""
        self.world = world
        self.metadata = (("authentication", token),) if token else ()
        own_connection = [("grpc.use_local_subchannel_pool", 1)]
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port or world.grpc.port}", options=own_connection)

    def unary(self, path, message, **more):
        """The answer, decoded."""
        body = message if isinstance(message, bytes) else message.SerializeToString()
        call = self.channel.unary_unary(path)
        return pb.Commands.FromString(call(body, metadata=self.metadata, timeout=WITHIN_S, **more))

    def stream(self, path, messages, **more):
        """The same for a stream of `messages`."""
        bodies = (it if isinstance(it, bytes) else it.SerializeToString() for it in messages)
        call = self.channel.stream_unary(path)
        return pb.Commands.FromString(call(bodies, metadata=self.metadata, timeout=WITHIN_S, **more))

    def replay(self, recorded_id):
        """An exchange as it was recorded."""
        exchange = RECORDED[recorded_id]
        bodies = [base64.b64decode(it) for it in exchange["wire_b64"]]
        if exchange["streaming"]:
            return self.stream(exchange["path"], bodies)
        (body,) = bodies
        return self.unary(exchange["path"], body)

    def close(self):
        self.channel.close()


def post(world, path, document, token=None, **headers):
    """An answer over HTTP; `document` as JSON, or bytes as they are."""
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    given = {"content-type": "application/json", **({"authentication": token} if token else {})}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(f"http://127.0.0.1:{world.http_port}{path}", content=content, headers=given, timeout=WITHIN_S)


def segment(trace="t1", segment_id="s1", spans=1, service="orders", instance="i1"):
    """A plain one."""
    start = int(now().timestamp() * 1000)
    made = pb.SegmentObject(traceId=trace, traceSegmentId=segment_id, service=service, serviceInstance=instance)
    for at in range(spans):
        made.spans.add(spanId=at, parentSpanId=at - 1, startTime=start, endTime=start + 5, operationName="/work")
    return made


def in_threads(work, arguments, at_once=16):
    """What `work` gives for each of them."""
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(work, arguments))
