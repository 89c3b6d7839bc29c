"""Whatever comes: an answer, a counter, and nothing in the spool that a parser does not read."""

import base64

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from skywalking_world import RECORDED, Agent, World, post, segment

from sonde.server.intake.skywalking import skywalking_pb2 as pb
from sonde.server.intake.skywalking import snapshots
from sonde.server.intake.skywalking.http_side import PATHS as HTTP_PATHS
from sonde.server.intake.skywalking.profile_options import BadOptionsError, profile_options
from sonde.server.intake.skywalking.segments import BadSegmentError, spans_of_many, spans_of_one
from sonde.server.intake.skywalking.services import PATHS, Kind
from sonde.server.intake.skywalking.times import moment
from sonde.wire import profile as profiles

EXAMPLES = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
METHODS = sorted({kind: path for path, kind in PATHS.items() if kind is not Kind.COUNTED}.values())
TYPES = {
    "SegmentReport": pb.SegmentObject,
    "reportInstanceProperties": pb.InstanceProperties,
    "keepAlive": pb.InstancePingPkg,
    "MeterReportService/collectBatch": pb.MeterDataCollection,
    "MeterReportService/collect": pb.MeterData,
    "LogReport": pb.LogData,
    "EventService": pb.Event,
    "JVM": pb.JVMMetricCollection,
    "CLR": pb.CLRMetricCollection,
    "collectSnapshot": pb.ThreadSnapshot,
    "getProfileTaskCommands": pb.ProfileTaskCommandQuery,
    "collectPerfData": pb.BrowserPerfData,
    "collectErrorLogs": pb.BrowserErrorLog,
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One intake for all examples: what one of them broke, the next would find broken."""
    world = World(tmp_path_factory.mktemp("world"))
    agent = Agent(world, world.token)
    yield agent
    agent.stream("/skywalking.v3.TraceSegmentReportService/collect", [segment(segment_id="the last")])
    assert world.segments()[-1].traceSegmentId == "the last"
    assert world.metrics() is not None
    assert world.logs() is not None
    agent.close()
    world.close()


ANSWERED = {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT}


def status_of(agent, path, sent):
    try:
        agent.stream(path, sent)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def messages(kind):
    """Messages of a type with any values in them that its fields take."""
    return st.builds(filled, st.just(kind), st.randoms(use_true_random=False), st.integers(0, 4))


def filled(kind, random, most):
    """A message of `kind` with random content, nested as the type is."""
    made = kind()
    for field in kind.DESCRIPTOR.fields:
        if random.random() < 0.3:
            continue
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            getattr(made, field.name)[random.choice(["", "k", "\0"])] = "v"
        elif field.message_type is not None:
            sub = field.message_type._concrete_class
            if field.is_repeated:
                getattr(made, field.name).extend(filled(sub, random, most) for _ in range(random.randint(0, most)))
            else:
                getattr(made, field.name).CopyFrom(filled(sub, random, most))
        elif field.is_repeated:
            getattr(made, field.name).extend(value(field, random) for _ in range(random.randint(0, most)))
        else:
            setattr(made, field.name, value(field, random))
    return made


TEXTS = ["", "a", "service", "\0", "x" * 300, "名前", "a\nb", "/app/x.py.f: 12", "-1", "1e400"]


def value(field, random):
    kinds = type(field)
    if field.type == kinds.TYPE_STRING:
        return random.choice(TEXTS)
    if field.type == kinds.TYPE_BOOL:
        return random.random() < 0.5
    if field.type == kinds.TYPE_DOUBLE:
        return random.choice([0.0, -1.0, 1e308, float("nan"), float("inf"), 12.5])
    if field.type == kinds.TYPE_ENUM:
        return random.choice([0, 1, 2, 99])
    bits = 31 if field.type == kinds.TYPE_INT32 else 63
    return random.choice([0, 1, -1, 1795211222194 if bits == 63 else 7, (1 << bits) - 1, -(1 << bits)])


@pytest.mark.parametrize("name", TYPES)
def test_any_message_of_a_kind_is_answered(shared, name):
    path = next(path for path in METHODS if name in path or name in path.replace("TraceSegment", "Segment"))

    @EXAMPLES
    @given(messages(TYPES[name]))
    def any_message(message):
        assert status_of(shared, path, [message]) in ANSWERED

    any_message()


@pytest.mark.parametrize("path", METHODS)
def test_any_bytes_are_answered(shared, path):
    @settings(EXAMPLES, max_examples=10)
    @given(st.lists(st.binary(max_size=200), max_size=3))
    def any_bytes(bodies):
        assert status_of(shared, path, bodies) in ANSWERED

    any_bytes()


@pytest.mark.parametrize("path", HTTP_PATHS)
def test_any_document_is_answered(shared, path):
    keys = st.sampled_from(["service", "spans", "traceId", "spanType", "source", "tags", "body", "timestamp", "refs"])
    documents = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=12,
    )

    @settings(EXAMPLES, max_examples=10)
    @given(documents)
    def any_document(document):
        assert post(shared.world, path, document, shared.world.token).status_code in {200, 400}

    any_document()


@EXAMPLES
@given(st.binary(max_size=300), st.integers(0, 10_000), st.integers(0, 255))
def test_what_is_taken_for_a_segment_a_parser_reads(noise, place, byte):
    """A recorded segment with a byte changed, cut off or with something behind it."""
    good = segment(spans=2).SerializeToString()
    at = place % len(good)
    for body in (noise, good[:at] + bytes([byte]) + good[at + 1 :], good[:at], good + noise):
        try:
            spans = spans_of_one(body)
        except BadSegmentError:
            continue
        assert len(pb.SegmentObject.FromString(body).spans) == spans


@EXAMPLES
@given(st.binary(max_size=300))
def test_what_is_taken_for_segments_a_parser_reads(body):
    try:
        spans = spans_of_many(body)
    except BadSegmentError:
        return
    assert sum(len(it.spans) for it in pb.SegmentCollection.FromString(body).segments) == spans


@EXAMPLES
@given(st.lists(st.lists(st.text(max_size=60), max_size=12), max_size=20))
def test_any_stacks_make_a_profile_that_can_be_read(stacks):
    found = snapshots.Snapshots(20)
    for stack in stacks:
        found.add(pb.ThreadSnapshot(taskId="t", stack=pb.ThreadStack(codeSignatures=[it for it in stack if fits(it)])))

    content, summary = found.profile("cpu", 3.0)

    profile = profiles.read(content)
    assert sum(sample.times for sample in profile.samples) <= len(stacks) == summary["samples"]


def fits(text):
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@EXAMPLES
@given(
    st.floats(),
    st.dictionaries(
        st.sampled_from(["endpoint", "period_ms", "requests", "x"]),
        st.one_of(st.text(), st.integers(), st.floats(), st.booleans()),
    ),
)
def test_any_options_are_taken_or_refused(seconds, options):
    try:
        made = profile_options(seconds, options)
    except BadOptionsError:
        return
    assert 1 <= made.minutes <= 15
    assert 10 <= made.period_ms <= 1000
    assert 1 <= made.requests <= 9


@EXAMPLES
@given(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(1, 1 << 62))
def test_any_time_becomes_one_that_the_store_takes(said_ms, received_ns):
    when = moment(said_ms, received_ns)

    assert received_ns - 30 * 86_400 * 10**9 <= when.ns <= received_ns + 86_400 * 10**9


def test_recorded_segments_pass_the_walk_and_the_parser_alike():
    """Both count the same spans."""
    for exchange in RECORDED.values():
        if exchange.get("message_type", "").endswith("SegmentObject"):
            for body in map(base64.b64decode, exchange["wire_b64"]):
                assert spans_of_one(body) == len(pb.SegmentObject.FromString(body).spans) > 0
