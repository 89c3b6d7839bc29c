"""What becomes of each message, however it came: segments go to the store as they are, the rest as OTLP."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from google.protobuf.message import DecodeError

from sonde.server.intake.skywalking import browsers, events, logs, meters, runtimes
from sonde.server.intake.skywalking import skywalking_pb2 as pb
from sonde.server.intake.skywalking.errors import BadMessageError
from sonde.server.intake.skywalking.instances import Instances, instance_key
from sonde.server.intake.skywalking.metrics import Figures
from sonde.server.intake.skywalking.resource import resource
from sonde.server.intake.skywalking.segments import BadSegmentError, spans_of_many, spans_of_one
from sonde.server.intake.skywalking.services import Kind
from sonde.server.intake.skywalking.times import SKEW_MS, moment
from sonde.server.spool.entry import Signal
from sonde.wire import protobuf

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Executor

    from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

    from sonde.server.intake.hints import Hints
    from sonde.server.intake.skywalking.batches import Batches
    from sonde.server.intake.skywalking.counters import SkywalkingCounters
    from sonde.server.intake.skywalking.instances import Instance, InstanceKey
    from sonde.server.intake.skywalking.profiling import Profiling

    Handler = Callable[["Call", Any], Awaitable[bytes]]

NOTHING = b""
"""Commands without a command, which is what agents want to hear nearly always."""
INLINE_MAX_BYTES = 16 << 10
"""A larger message is read in a thread: the loop answers others meanwhile."""
PAUSE_EVERY = 200
"""Records of one message that are translated before others have a turn."""
T = TypeVar("T")


@dataclass(eq=False, slots=True)
class Call:
    """One call or request: whose it is, and what its later messages may leave out."""

    app: str
    service: str = ""
    instance: str = ""
    timestamp: int = 0
    waiting: set[asyncio.Future[str]] = field(default_factory=set)
    """Batches that hold something of it and are not on the disk yet."""

    def wait_for(self, batch: asyncio.Future[str]) -> None:
        """Part of it is in `batch`."""
        if batch not in self.waiting:
            self.waiting = {it for it in self.waiting if not it.done()} | {batch}

    async def settled(self) -> str:
        """When all of it is stored, or dropped: then why."""
        reasons = await asyncio.gather(*self.waiting)
        return next((reason for reason in reasons if reason), "")


class Receiver:
    """Used from one event loop; `threads` read what is large."""

    def __init__(
        self,
        *,
        batches: Batches,
        instances: Instances,
        profiling: Profiling,
        counters: SkywalkingCounters,
        hints: Hints,
        threads: Executor,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._batches = batches
        self._instances = instances
        self._profiling = profiling
        self._counters = counters
        self._hints = hints
        self._threads = threads
        self._now_ns = now_ns
        self._kinds: dict[Kind, tuple[type, Handler]] = {
            Kind.PROPERTIES: (pb.InstanceProperties, self._properties),
            Kind.KEEP_ALIVE: (pb.InstancePingPkg, self._keep_alive),
            Kind.METER: (pb.MeterData, self._meter),
            Kind.METERS: (pb.MeterDataCollection, self._meters),
            Kind.LOG: (pb.LogData, self._log),
            Kind.EVENT: (pb.Event, self._event),
            Kind.JVM: (pb.JVMMetricCollection, self._jvm),
            Kind.CLR: (pb.CLRMetricCollection, self._clr),
            Kind.PROFILE_QUERY: (pb.ProfileTaskCommandQuery, self._profile_query),
            Kind.PROFILE_SNAPSHOT: (pb.ThreadSnapshot, self._profile_snapshot),
            Kind.PROFILE_FINISH: (pb.ProfileTaskFinishReport, self._profile_finish),
            Kind.CONFIGURATION: (pb.ConfigurationSyncRequest, self._configuration),
            Kind.BROWSER_PERF: (pb.BrowserPerfData, self._browser_perf),
            Kind.BROWSER_ERROR: (pb.BrowserErrorLog, self._browser_error),
        }

    def type_of(self, kind: Kind) -> Any:
        """The class of a message of `kind`; of a segment, too, which `take_bytes` does not decode."""
        return pb.SegmentObject if kind is Kind.SEGMENT else self._kinds[kind][0]

    async def take_bytes(self, call: Call, kind: Kind, body: bytes) -> bytes:
        """A message as it came over gRPC. The Commands to answer with. Raises BadMessageError."""
        try:
            if kind is Kind.SEGMENT:
                spans = await self._read(spans_of_one, body)
                return await self._segments(call, protobuf.message(1, body), spans)
            if kind is Kind.SEGMENTS:
                return await self._segments(call, body, await self._read(spans_of_many, body))
            if kind is Kind.COUNTED:
                return NOTHING
            message_type, handler = self._kinds[kind]
            message: Any = await self._read(message_type.FromString, body)  # type: ignore[attr-defined]
        except (DecodeError, BadSegmentError) as error:
            raise self._bad(
                call, kind, "bad_protobuf", f"a message of the kind {kind} cannot be read: {error}"
            ) from None
        return await handler(call, message)

    async def take(self, call: Call, kind: Kind, message: Any) -> bytes:
        """A message that was read from JSON. Raises BadMessageError."""
        if kind is Kind.SEGMENT:
            return await self._segments(call, protobuf.message(1, message.SerializeToString()), len(message.spans))
        return await self._kinds[kind][1](call, message)

    async def _read(self, read: Callable[[bytes], T], body: bytes) -> T:
        if len(body) <= INLINE_MAX_BYTES:
            return read(body)
        return await asyncio.get_running_loop().run_in_executor(self._threads, read, body)

    def _bad(self, call: Call, kind: Kind, reason: str, text: str) -> BadMessageError:
        self._counters.bad[kind, reason] += 1
        subject = f"{call.service} {call.instance}".strip() or "an agent that did not say its name"
        self._hints.note("skywalking", reason, subject, text, call.app, code="sender", who=subject, said=text)
        return BadMessageError(reason, text)

    # -- segments -----------------------------------------------------------------------------------------------------
    async def _segments(self, call: Call, fields: bytes, spans: int) -> bytes:
        if fields:
            call.wait_for(await self._batches.add(Signal.SEGMENTS, call.app, fields, spans))
        return NOTHING

    # -- processes ----------------------------------------------------------------------------------------------------
    def _key(self, call: Call, kind: Kind, service: str, instance: str) -> InstanceKey:
        """Whose message it is: what it says, or else what an earlier one of the call said. Raises BadMessageError."""
        call.service = service or call.service
        call.instance = instance or ("" if service else call.instance)
        if not call.service:
            raise self._bad(
                call, kind, "no_service", f"a message of the kind {kind} does not say which service it is of"
            )
        return instance_key(call.app, call.service, call.instance)

    async def _properties(self, call: Call, message: pb.InstanceProperties) -> bytes:
        key = self._key(call, Kind.PROPERTIES, message.service, message.serviceInstance)
        pairs = [(pair.key, pair.value) for pair in message.properties]
        if message.layer:
            pairs.append(("sw8.layer", message.layer))
        instance = self._instances.told(key, pairs)
        await self._alive(call, instance)
        await self._profiling.told(key, instance)
        return NOTHING

    async def _keep_alive(self, call: Call, message: pb.InstancePingPkg) -> bytes:
        key = self._key(call, Kind.KEEP_ALIVE, message.service, message.serviceInstance)
        await self._alive(call, self._instances.heard_of(key))
        self._profiling.heard_of(key)
        return NOTHING

    async def _alive(self, call: Call, instance: Instance) -> None:
        """The store shall know that the process is there, and what it has told."""
        if self._instances.is_to_be_stored(instance):
            call.wait_for(await self._batches.add_records(Signal.METRICS, call.app, instance.resource, b"", 0))

    async def _configuration(self, call: Call, message: pb.ConfigurationSyncRequest) -> bytes:
        """Nothing can be set for other agents from here, so there is never anything new."""
        self._key(call, Kind.CONFIGURATION, message.service, "")
        return NOTHING

    # -- metrics ------------------------------------------------------------------------------------------------------
    async def _meter(self, call: Call, message: pb.MeterData) -> bytes:
        figures = Figures()
        key = self._add_meter(call, Kind.METER, message, figures)
        await self._figures(call, self._instances.heard_of(key), figures)
        return NOTHING

    async def _meters(self, call: Call, message: pb.MeterDataCollection) -> bytes:
        """One that cannot be used does not take the others with it; which comes first is said."""
        of_instance: dict[InstanceKey, Figures] = {}
        first_bad: BadMessageError | None = None
        for at, meter in enumerate(message.meterData, 1):
            figures = Figures()
            try:
                key = self._add_meter(call, Kind.METERS, meter, figures)
            except BadMessageError as error:
                first_bad = first_bad or error
                continue
            of_instance.setdefault(key, Figures()).metrics.extend(figures.metrics)
            if at % PAUSE_EVERY == 0:
                await asyncio.sleep(0)
        for key, figures in of_instance.items():
            await self._figures(call, self._instances.heard_of(key), figures)
        if first_bad is not None:
            raise first_bad
        return NOTHING

    def _add_meter(self, call: Call, kind: Kind, meter: pb.MeterData, figures: Figures) -> InstanceKey:
        key = self._key(call, kind, meter.service, meter.serviceInstance)
        call.timestamp = meter.timestamp or call.timestamp
        try:
            meters.translate(meter, self._time(key, kind, call.timestamp), figures)
        except meters.BadMeterError as error:
            raise self._bad(call, kind, "bad_meter", str(error)) from None
        return key

    async def _jvm(self, call: Call, message: pb.JVMMetricCollection) -> bytes:
        return await self._runtime(call, Kind.JVM, message, runtimes.jvm)

    async def _clr(self, call: Call, message: pb.CLRMetricCollection) -> bytes:
        return await self._runtime(call, Kind.CLR, message, runtimes.clr)

    async def _runtime(
        self, call: Call, kind: Kind, message: Any, translate: Callable[[Any, int, Figures], None]
    ) -> bytes:
        key = self._key(call, kind, message.service, message.serviceInstance)
        figures = Figures()
        for at, metric in enumerate(message.metrics, 1):
            translate(metric, self._time(key, kind, metric.time), figures)
            if at % PAUSE_EVERY == 0:
                await asyncio.sleep(0)
        await self._figures(call, self._instances.heard_of(key), figures)
        return NOTHING

    async def _figures(self, call: Call, instance: Instance, figures: Figures) -> None:
        self._instances.is_to_be_stored(instance)  # it is, with these
        if figures.metrics:
            records, count = figures.records(), len(figures.metrics)
            call.wait_for(await self._batches.add_records(Signal.METRICS, call.app, instance.resource, records, count))

    def _time(self, key: InstanceKey, kind: Kind, said_ms: int) -> int:
        """Nanoseconds since the epoch, of something that was just measured: a clock that is off is told of."""
        when = moment(said_ms, self._now_ns())
        self._counters.clamped[kind] += when.clamped
        if abs(when.ahead_ms) > SKEW_MS:
            minutes, way = round(abs(when.ahead_ms) / 60_000), "ahead" if when.ahead_ms > 0 else "behind"
            text = f"its clock is {minutes} minutes {way} of the server's; its traces stand at the wrong time"
            who = f"{key.service} {key.instance}".strip()
            code = "clock_fast" if when.ahead_ms > 0 else "clock_slow"
            self._hints.note("skywalking", "clock_skew", who, text, key.app, code=code, who=who, minutes=minutes)
        return when.ns

    # -- log records --------------------------------------------------------------------------------------------------
    async def _log(self, call: Call, message: pb.LogData) -> bytes:
        key = self._key(call, Kind.LOG, message.service, message.serviceInstance)
        received_ns = self._now_ns()
        when = moment(message.timestamp, received_ns)
        self._counters.clamped[Kind.LOG] += when.clamped
        record = logs.record(message, call.instance, when.ns, received_ns, clamped=when.clamped)
        await self._record(call, self._instances.heard_of(key).resource, record)
        return NOTHING

    async def _event(self, call: Call, message: pb.Event) -> bytes:
        source = message.source
        key = self._key(call, Kind.EVENT, source.service, source.serviceInstance)
        received_ns = self._now_ns()
        when = moment(events.said_ms(message), received_ns)
        self._counters.clamped[Kind.EVENT] += when.clamped
        of = resource(key.service, key.instance, {})  # not heard of: others than the process may tell events of it
        await self._record(call, of, events.record(message, when.ns, received_ns))
        return NOTHING

    async def _record(self, call: Call, of: bytes, record: LogRecord) -> None:
        field_2 = protobuf.message(2, record.SerializeToString())
        call.wait_for(await self._batches.add_records(Signal.LOGS, call.app, of, field_2, 1))

    # -- browsers -----------------------------------------------------------------------------------------------------
    async def _browser_perf(self, call: Call, message: pb.BrowserPerfData) -> bytes:
        key = self._key(call, Kind.BROWSER_PERF, message.service, message.serviceVersion)
        when = moment(message.time, self._now_ns())
        self._counters.clamped[Kind.BROWSER_PERF] += when.clamped
        figures = Figures()
        browsers.perf(message, when.ns, figures)
        records, count = figures.records(), len(figures.metrics)
        of = _page(key.service, key.instance)
        call.wait_for(await self._batches.add_records(Signal.METRICS, call.app, of, records, count))
        return NOTHING

    async def _browser_error(self, call: Call, message: pb.BrowserErrorLog) -> bytes:
        key = self._key(call, Kind.BROWSER_ERROR, message.service, message.serviceVersion)
        received_ns = self._now_ns()
        when = moment(message.time, received_ns)
        self._counters.clamped[Kind.BROWSER_ERROR] += when.clamped
        await self._record(call, _page(key.service, key.instance), browsers.error(message, when.ns, received_ns))
        return NOTHING

    # -- profiles -----------------------------------------------------------------------------------------------------
    async def _profile_query(self, call: Call, message: pb.ProfileTaskCommandQuery) -> bytes:
        key = self._key(call, Kind.PROFILE_QUERY, message.service, message.serviceInstance)
        commands = await self._profiling.asked(key, self._instances.heard_of(key), message.lastCommandTime)
        return pb.Commands(commands=commands).SerializeToString()

    async def _profile_snapshot(self, call: Call, message: pb.ThreadSnapshot) -> bytes:
        self._profiling.snapshot(call.app, message)
        return NOTHING

    async def _profile_finish(self, call: Call, message: pb.ProfileTaskFinishReport) -> bytes:
        key = self._key(call, Kind.PROFILE_FINISH, message.service, message.serviceInstance)
        self._profiling.finished(key, message.taskId)
        return NOTHING


@lru_cache(maxsize=1000)
def _page(service: str, version: str) -> bytes:
    """A page's version is the nearest to an instance that it has."""
    return resource(service, version, browsers.PROPERTIES | {"service.version": version})
