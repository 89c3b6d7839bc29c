"""PHP's side of SkyAPM 3: every exchange recorded from PHP-FPM 7.4 with the extension 3.3.2, and bad ones."""

from __future__ import annotations

import json
import os
import socket
import threading
from pathlib import Path

import pytest
from agent_harness import AgentProcess, eventually
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from sonde.agent.disk_queue.queue import BatchQueue
from sonde.agent.signals import Signal
from sonde.agent.skyapm import lines
from sonde.agent.skyapm import sidecar as sidecar_module
from sonde.agent.skyapm.instances import Instances
from sonde.agent.skyapm.sidecar import Sidecar
from sonde.agent.skyapm.socket import LONGEST_LINE
from sonde.agent.skyapm.translate import segment_object
from sonde.server.intake.skywalking.skywalking_pb2 import SegmentCollection, SegmentObject

CAPTURE = Path(__file__).parents[1] / "skywalking" / "data" / "capture.jsonl"
RECORDED = {
    exchange["id"]: exchange
    for exchange in map(json.loads, CAPTURE.read_text("utf-8").splitlines())
    if exchange.get("transport") == "unix"
}
REGISTERS = [key for key, exchange in RECORDED.items() if exchange["line"].startswith("0")]
SEGMENTS = [key for key in RECORDED if key not in REGISTERS]
UUID = "00000000-0000-4000-8000-000000000001"
HOST = {"service.name": "sonde-agent", "host.name": "web-1"}
NUMBERS = (7, 42)
"""Application and instance, as the recorder gave them to version 6."""


class Php:
    """What a worker does on the socket."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def connect(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(20)
        sock.connect(str(self.path))
        return sock

    def ask(self, line: str) -> bytes:
        """The answer, as one read of 4095 bytes gives it."""
        with self.connect() as sock:
            sock.sendall(line.encode())
            return sock.recv(4095)

    def tell(self, *pieces: bytes) -> None:
        with self.connect() as sock:
            for piece in pieces:
                sock.sendall(piece)


@pytest.fixture
def queue(tmp_path, counters):
    folder = tmp_path / "queue"
    folder.mkdir()
    with BatchQueue(folder, max_bytes=64 << 20, batch_max_bytes=8 << 20, batch_max_age_s=0, counters=counters) as made:
        yield made


@pytest.fixture
def instances(tmp_path):
    numbers = iter(NUMBERS * 50)
    return Instances(tmp_path / "instances.json", new_uuid=lambda: UUID, new_number=lambda: next(numbers))


@pytest.fixture
def php(tmp_path, queue, instances, counters):
    path = tmp_path / "sky-agent.sock"
    with Sidecar(path, queue, instances, host=HOST, counters=counters):
        yield Php(path)


class Arrived:
    """What came into the queue."""

    def __init__(self, queue: BatchQueue) -> None:
        self._queue = queue
        self._bodies: dict[Signal, bytes] = dict.fromkeys(Signal, b"")

    def segments(self, count: int) -> list[SegmentObject]:
        eventually(lambda: len(self._read(SegmentCollection, Signal.SEGMENTS).segments) >= count, f"{count} segments")
        found = list(self._read(SegmentCollection, Signal.SEGMENTS).segments)
        assert len(found) == count
        return found

    def resources(self) -> list[dict[str, str]]:
        request = self._read(ExportMetricsServiceRequest, Signal.METRICS)
        return [
            {pair.key: pair.value.string_value for pair in one.resource.attributes} for one in request.resource_metrics
        ]

    def _read(self, kind, signal):
        while (batch := self._queue.take(0, {})) is not None:
            self._bodies[batch.header.signal] += b"".join(batch.chunks())
            self._queue.remove(batch)
        return kind.FromString(self._bodies[signal])


@pytest.fixture
def arrived(queue):
    return Arrived(queue)


def expected(line: str, service: str, instance: str) -> SegmentObject:
    """The same segment by protobuf's library, from the JSON of the line."""
    said = json.loads(line[1:])
    made = SegmentObject(
        traceId=said["traceId"],
        traceSegmentId=said["segment"]["traceSegmentId"],
        isSizeLimited=bool(said["segment"]["isSizeLimited"]),
        service=service,
        serviceInstance=instance,
    )
    for span in said["segment"]["spans"]:
        plain = {key: span[key] for key in ("spanId", "parentSpanId", "startTime", "endTime", "componentId")}
        added = made.spans.add(**plain, operationName=span["operationName"], peer=span["peer"])
        added.spanType, added.spanLayer, added.isError = span["spanType"], span["spanLayer"], bool(span["isError"])
        for key, value in (span["tags"] or {}).items():
            added.tags.add(key=key, value=str(value))
        for ref in span.get("refs", []):
            added.refs.add(
                refType=ref["type"],
                traceId=ref["traceId"],
                parentTraceSegmentId=ref["parentTraceSegmentId"],
                parentSpanId=ref["parentSpanId"],
                parentService=ref["parentService"],
                parentServiceInstance=ref["parentServiceInstance"],
                parentEndpoint=ref["parentEndpoint"],
                networkAddressUsedAtPeer=ref["targetAddress"],
            )
    return made


def test_the_recordings_are_there():
    assert len(REGISTERS) == 3
    assert len(SEGMENTS) == 7


@pytest.mark.parametrize("name", REGISTERS)
def test_a_recorded_question_gets_the_recorded_answer_at_once(php, name):
    """Byte for byte; only where the recorder stayed silent, so that the request went untraced, there is one now."""
    recorded = RECORDED[name]

    assert php.ask(recorded["line"]).decode() == (recorded["reply"] or f"demo-php,{UUID},{UUID}")


@pytest.mark.parametrize("name", SEGMENTS)
def test_a_recorded_segment_arrives_as_the_protocol_has_it(php, arrived, name):
    line = RECORDED[name]["line"]
    service, instance = "demo-php", UUID
    if '"version":6' in line:
        php.ask(RECORDED["php3-v6-register"]["line"])
        instance = "42"

    php.tell(line.encode())

    assert arrived.segments(1) == [expected(line, service, instance)]


@pytest.mark.parametrize("version", [5, 6, 7])
def test_before_version_8_numbers_are_told_and_a_caller_is_known_by_its_number(php, arrived, version):
    question = {"app_code": "demo-php", "pid": 1, "version": version}
    assert php.ask(f"0{json.dumps(question)}\n") == f"7,42,{UUID}".encode()

    said = json.loads(RECORDED["php3-v6-seg"]["line"][1:])
    ref = {"type": 0, "parentTraceSegmentId": "43.1.1", "parentSpanId": 2, "parentApplicationInstanceId": 43}
    ref |= {"entryApplicationInstanceId": 43, "networkAddress": "#shop:80", "entryServiceName": "#/in"}
    said["segment"]["spans"][0]["refs"] = [ref | {"parentServiceName": "#/up"}]
    php.tell(f"1{json.dumps(said | {'version': version})}\n".encode())

    (segment,) = arrived.segments(1)
    (found,) = segment.spans[0].refs
    assert (segment.service, segment.serviceInstance) == ("demo-php", "42")
    assert (found.parentServiceInstance, found.parentEndpoint, found.networkAddressUsedAtPeer) == (
        "43",
        "/up",
        "shop:80",
    )
    assert found.traceId == segment.traceId


def test_all_workers_of_a_master_are_one_instance_and_each_master_is_another(tmp_path):
    instances = Instances(tmp_path / "instances.json")
    first, again = (instances.who_is(lines.Asked("shop", 10, 8)) for _ in range(2))
    other = instances.who_is(lines.Asked("shop", 11, 8))

    assert first is again
    assert first.uuid != other.uuid
    assert first.application_number == other.application_number


def test_an_instance_is_known_after_a_restart_and_a_file_that_is_no_json_is_passed_over(tmp_path):
    file = tmp_path / "instances.json"
    before = Instances(file).who_is(lines.Asked("shop", 10, 6))
    assert Instances(file).who_is(lines.Asked("shop", 10, 6)).answer() == before.answer()

    file.write_text("{")
    assert Instances(file).who_is(lines.Asked("shop", 10, 6)).answer() != before.answer()


def test_a_process_that_ended_is_forgotten_once_it_was_silent_for_long(tmp_path):
    now = [1000.0]
    instances = Instances(tmp_path / "instances.json", now=lambda: now[0])
    instances.who_is(lines.Asked("here", os.getpid(), 8))
    instances.who_is(lines.Asked("gone", 2**22 + 1, 8))
    instances.forget_ended()
    assert len(list(instances)) == 2

    now[0] += 601
    instances.forget_ended()
    assert [one.app_code for one in instances] == ["here"]


def test_a_comma_in_a_name_does_not_end_it(php):
    assert php.ask('0{"app_code":"a,b","pid":1,"version":8}\n') == f"a_b,{UUID},{UUID}".encode()


def test_lines_may_come_in_pieces_and_several_in_one(php, arrived):
    one, two = (RECORDED[name]["line"].encode() for name in ("php3-seg-first", "php3-seg-500"))

    php.tell(one[:1], one[1:700], one[700:-1], one[-1:])
    php.tell(one + two, two[:9], two[9:])

    assert len(arrived.segments(4)) == 4


def test_a_worker_that_asks_and_is_gone_before_the_answer_disturbs_nobody(php, counters):
    for _ in range(50):
        php.tell(RECORDED["php3-register"]["line"].encode())

    eventually(lambda: counters.total("sonde.agent.skyapm.lines", kind="register") == 50, "all questions were read")
    assert php.ask(RECORDED["php3-register"]["line"]).decode() == RECORDED["php3-register"]["reply"]


def test_many_workers_at_once_lose_nothing(php, arrived):
    line = RECORDED["php3-seg-first"]["line"].encode()

    def work() -> None:
        for _ in range(25):
            php.ask(RECORDED["php3-register"]["line"])
            php.tell(line)

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert len(arrived.segments(200)) == 200


BAD = {
    "unknown_kind": b"2{}\n",
    "bad_json": b"1{\n",
    "unknown_version": b'0{"app_code":"a","pid":1,"version":9}\n',
    "bad_register": b'0{"app_code":"","pid":1,"version":8}\n',
    "bad_segment": b'1{"version":8,"traceId":"t","segment":{"spans":[1]}}\n',
    "torn": b'1{"version":8',
}


@pytest.mark.parametrize("reason", BAD)
def test_a_bad_line_is_counted_and_the_next_good_one_is_taken(php, arrived, counters, reason):
    php.tell(BAD[reason])
    php.tell(RECORDED["php3-seg-500"]["line"].encode())

    assert len(arrived.segments(1)) == 1
    eventually(lambda: counters.total("sonde.agent.skyapm.bad_lines", reason=reason) == 1, "it is counted")


def test_a_line_without_an_end_is_cut_off(php, counters):
    with php.connect() as sock, pytest.raises(OSError):  # noqa: PT011 - broken or reset, as the kernel likes
        sock.sendall(b"1" + b"x" * (LONGEST_LINE + (1 << 20)))

    eventually(lambda: counters.total("sonde.agent.skyapm.bad_lines", reason="too_long") == 1, "it is counted")


def test_a_connection_on_which_nothing_comes_is_closed(php, counters, monkeypatch):
    monkeypatch.setattr(sidecar_module, "SILENT_S", 0.05)
    php.ask(RECORDED["php3-register"]["line"])  # so that the thread looks at its clock anew

    with php.connect() as sock:
        assert sock.recv(1) == b""
    assert counters.total("sonde.agent.skyapm.closed", reason="silent") > 0


def test_a_process_is_told_of_with_what_is_known_of_it(php, arrived):
    php.ask(RECORDED["php3-register"]["line"])

    eventually(arrived.resources, "it is told of")
    (told,) = arrived.resources()
    assert told["service.name"] == "demo-php"
    assert told["service.instance.id"] == UUID
    assert told["telemetry.sdk.language"] == "php"
    assert (told["process.pid"], told["host.name"]) == ("30239", "web-1")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
PARTS = st.sampled_from(["traceId", "segment", "version", "uuid", "service", "serviceInstance", "application_instance"])
SPAN_PARTS = st.sampled_from(
    ["spanId", "startTime", "endTime", "tags", "refs", "peer", "operationName", "isError", "componentId", "spanLayer"]
)


@given(st.dictionaries(PARTS, VALUES, max_size=3), st.dictionaries(SPAN_PARTS, VALUES, max_size=3))
@settings(max_examples=400)
def test_any_line_is_translated_to_what_protobuf_reads_or_refused(said, changed):
    message = json.loads(RECORDED["php3-seg-child"]["line"][1:])
    message["segment"]["spans"][0] |= changed
    line = b"1" + json.dumps(message | said).encode()
    try:
        reported = lines.read(line)
        assert isinstance(reported, lines.Reported)
        body = segment_object(reported.message, "shop", "1")
    except lines.LineError:
        return
    assert SegmentObject.FromString(body).service == "shop"


@given(st.binary(max_size=200))
def test_any_bytes_are_a_line_or_refused(line):
    reason = ""
    try:
        lines.read(line)
    except lines.LineError as error:
        reason = error.reason
    assert reason in {"", *BAD}


def test_segments_wait_for_a_server_that_is_away_and_are_sent_under_the_agents_token(tmp_path, server):
    path = tmp_path / "sky.sock"
    port_less = "http://127.0.0.1:9"
    agent = AgentProcess(tmp_path, port_less, "--skyapm-socket", str(path)).start()
    line = RECORDED["php3-seg-first"]["line"]
    php = Php(path)
    uuid = php.ask(RECORDED["php3-register"]["line"]).decode().split(",")[1]
    php.tell(line.encode())
    assert agent.stop() == 0  # it reads what was sent, and keeps what nobody takes

    second = AgentProcess(tmp_path, server.url, "--skyapm-socket", str(path)).start()
    eventually(lambda: any(it.path == "/v1/segments" for it in server.stored.values()), "what waited is sent")
    assert php.ask(RECORDED["php3-register"]["line"]).decode().split(",")[1] == uuid
    assert second.stop() == 0

    (request,) = [it for it in server.stored.values() if it.path == "/v1/segments"]
    assert request.token == "app-token"
    assert list(SegmentCollection.FromString(request.body).segments) == [expected(line, "demo-php", UUID)]
