"""Frames and reports of Node.js agents, and the files that they send."""

import asyncio
import json
import tempfile
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import msgspec
from decoder import Decoder, chosen
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from sqlalchemy import make_url

from sonde.server.accounts.accounts import Accounts
from sonde.server.accounts.database import open_metadata
from sonde.server.accounts.migrate import migrate
from sonde.server.accounts.sealing import KEY_BYTES, Sealer
from sonde.server.api.workers import Workers
from sonde.server.intake.xtransit.agents import Agents
from sonde.server.intake.xtransit.commands import Commands
from sonde.server.intake.xtransit.frame import BadFrameError, parse
from sonde.server.intake.xtransit.reports import _TRANSLATORS, Reports
from sonde.server.nodejs.errors import UploadError
from sonde.server.nodejs.multipart import Multipart, PartBegins, PartData, boundary_of
from sonde.server.nodejs.records import Records
from sonde.server.spool.entry import Signal
from sonde.server.spool.limits import SpoolLimits
from sonde.server.spool.spool import Spool

CAPTURE = Path(__file__).parents[1] / "nodejs" / "data" / "xtransit-capture.jsonl"
PARSER: dict[Signal, type[Message]] = {
    Signal.METRICS: ExportMetricsServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
}
MOST_GROWTH = 200
"""Bytes of OTLP a byte of a report may become: an entry of 30 bytes has a resource and attributes."""
STORED_LOGS = ("package", "core_files")


class World:
    """What the web process has for reports, with an agent that is known and not connected."""

    def __init__(self, folder):
        engine = open_metadata(make_url(f"sqlite:///{folder / 'metadata.sqlite3'}"))
        migrate(engine)
        self.accounts = Accounts(engine, timedelta(hours=1), Sealer(bytes(KEY_BYTES)))
        self.app = self.accounts.apps.create("shop", "test").app
        self.workers = Workers("accounts", 2, 100)
        self.spool = Spool(folder / "spool", SpoolLimits(min_free_bytes=0, max_bytes=1 << 28))
        agents = Agents(lambda: datetime.now(UTC), time.monotonic)
        self.agent, _ = agents.heartbeat(self.app.id, "shop", "host-1", Away(), 0.0)
        agents.left(self.agent, self.agent.link)
        self.records = Records(engine, self.workers, lambda: datetime.now(UTC))
        self.reports = Reports(self.spool, agents, Commands(agents), self.records, self._file)
        self.loop = asyncio.new_event_loop()

    async def _file(self, *_):
        raise AssertionError("no file was told of")

    async def report(self, frame, kind, data):
        """Until all of it is kept."""
        await self.reports.take(frame, self.app, kind, data)
        while self.reports._tasks:
            await asyncio.gather(*self.reports._tasks)

    def read(self, agent):
        """What pages show of it can be written."""
        msgspec.json.encode([it.document for it in self.records.package_files(self.app.id, agent)])
        msgspec.json.encode(self.records.core_files(self.app.id, agent))


class Away:
    """A connection that has ended."""

    client = "c"
    upload_host = ""

    async def say(self, text):
        raise AssertionError(f"said {text} to an agent that is not there")

    def end(self, reason):
        """It has."""


@cache
def world():
    return World(Path(tempfile.mkdtemp(prefix="sonde-fuzz-")))


def frames(data):
    """A frame, and if it is a log, the report in it as far as the spool and the tables."""
    try:
        frame = parse(data)
    except BadFrameError as error:
        assert error.reason
        return
    frame.is_signed_with("secret")
    frame.app.encode("utf-8", "replace")
    if frame.timestamp_ms is not None:
        abs(frame.timestamp_ms - time.time() * 1000)
    here = world()
    kind, report = frame.data.get("type"), frame.data.get("data")
    if frame.type != "log" or not isinstance(kind, str) or not isinstance(report, dict):
        return
    if translate := _TRANSLATORS.get(kind):
        signal, body, items, bad = translate(frame, here.app, here.agent, report)
        assert len(body) <= MOST_GROWTH * len(data) + 2000
        assert items >= 0 <= bad
        PARSER[signal].FromString(body)
    failed = here.reports.left_out[kind, "failed"]
    here.loop.run_until_complete(here.report(frame, kind, report))
    assert here.reports.left_out[kind, "failed"] == failed
    if kind in STORED_LOGS:
        here.read(frame.agent)


def multipart(data):
    """The same parts however the body is cut, and nothing held but a line or two."""
    size, body = chosen(data, 64)
    assert cut_up(body, [body]) == cut_up(body, [body[at : at + size + 1] for at in range(0, len(body), size + 1)])


def cut_up(body, pieces):
    """Names and contents of the parts; None for a body that is refused, or has no end, which is refused as well."""
    found = []
    try:
        reader = Multipart(boundary_of("multipart/form-data; boundary=b"))
        for piece in pieces:
            for event in reader.feed(piece):
                if isinstance(event, PartBegins):
                    found.append((event.name, event.file_name, bytearray()))
                elif isinstance(event, PartData):
                    found[-1][2].extend(event.data)
            assert len(reader._key) + len(reader._value) <= 8300
            assert not reader._ready
    except UploadError as error:
        assert error.reason == "bad_multipart"
        return None
    assert sum(len(it[2]) for it in found) <= len(body)
    return found if reader.ended else None


def boundaries(data):
    try:
        assert boundary_of(data.decode("latin-1"))
    except UploadError as error:
        assert error.reason == "bad_multipart"


def recorded():
    """One frame of each kind and run, and packages with each form of a lock file."""
    records = map(json.loads, CAPTURE.read_text("utf-8").splitlines()[1:])
    kinds = {(it["kind"], it["run"]): it["raw"].encode() for it in records if it["dir"] == "c2s"}
    return [raw for raw in kinds.values() if len(raw) < 16_000] + [json.dumps(it).encode() for it in made()]


def made():
    head = {"appId": "a" * 12, "agentId": "host-1", "traceId": "t", "clientId": "c", "timestamp": 1.8e12, "type": "log"}
    for version in (1, 2, 3):
        tree = {"a": {"version": "1", "dependencies": {"b": {"version": "2", "dev": True}}}}
        paths = {
            "": {"name": "x"},
            "node_modules/a": {"version": "1"},
            "node_modules/a/node_modules/b": {"version": "2"},
        }
        lock = {"lockfileVersion": version, "dependencies": tree, "packages": paths}
        package = {"name": "x", "version": "1", "dependencies": {"a": "^1"}, "devDependencies": {"b": "2"}}
        entry = {"name": "/app/package.json", "pkg": json.dumps(package), "lock": json.dumps(lock)}
        yield head | {"data": {"type": "package", "data": {"pkgs": [entry]}}}
    core = {"core_path": "/c/core.1", "executable_path": "/bin/node", "node_version": "v20"}
    yield head | {"data": {"type": "core_files", "data": {"list": [core]}}}
    error = {"timestamp": 1.8e12, "type": "Error", "stack": "2026-11-21 10:00:00.123 Error: no\n at x", "extra": "e"}
    yield head | {"data": {"type": "error_log", "data": {"/log/error.log": [error]}}}


PARTS = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello\r\n--bx\r\n--b--\r\n',
    (b'--b\r\nX: y\r\n\r\n\r\n--b\r\n\r\n\r\n--b\r\ncontent-disposition: form-data; name="a\\"b"\r\n\r\n\r\n--b--'),
)
TYPES = (b"multipart/form-data; boundary=----b1", b'Multipart/form-data;charset=x; boundary="a b"; x=y')

DECODERS = (
    Decoder("xtransit", frames, recorded, json=True, longest=16_384),
    Decoder("multipart", multipart, lambda: [bytes([at]) + part for at in (0, 1, 6, 63) for part in PARTS]),
    Decoder("multipart-boundary", boundaries, lambda: TYPES),
)
