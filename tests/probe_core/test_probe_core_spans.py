"""What a span says: names, kinds, ids, times, attributes, events, links, failures."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from probe_core_harness import record

LIMIT = 64

texts = st.text(st.characters(exclude_categories=()), max_size=200)  # lone surrogates included
scalars = st.one_of(
    texts, st.booleans(), st.integers(), st.integers(-(1 << 70), 1 << 70), st.floats(), st.binary(max_size=200)
)
values = st.one_of(st.none(), scalars, st.lists(st.one_of(st.none(), scalars)), st.tuples(scalars, scalars))
anything = st.one_of(values, st.builds(object), st.dictionaries(texts, scalars), st.lists(st.lists(scalars)))

per_example = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture
def short(core):
    """Records with values cut to LIMIT bytes."""
    with record(core, max_value_bytes=LIMIT) as recording:
        yield recording


def in_utf8(text):
    return text.encode("utf-8", "replace")


def cut(text):
    return in_utf8(text)[:LIMIT].decode("utf-8", "ignore")


def attributes_of(message):
    return {pair.key: pair.value for pair in message.attributes}


def finished(recording, **attributes):
    span = recording.core.leaf(recording.core.operation("op", recording.core.INTERNAL))
    for key, value in attributes.items():
        span.set(key, value)
    span.finish()
    return recording.only()


def test_a_span_has_its_operations_name_kind_and_constants(core, recording):
    op = core.operation("GET", core.CLIENT, {"db.system.name": "redis", "server.port": 6379})
    core.leaf(op).finish()
    span = recording.only()
    assert (span.name, span.kind) == ("GET", core.CLIENT)
    assert attributes_of(span)["db.system.name"].string_value == "redis"
    assert attributes_of(span)["server.port"].int_value == 6379


def test_a_span_lies_between_the_wall_clocks_readings_around_it(recording):
    before = time.time_ns()
    span = finished(recording)
    after = time.time_ns()
    tolerance = 5_000_000  # the anchor is up to a second old: the wall clock may have been slewed since
    assert before - tolerance <= span.start_time_unix_nano <= span.end_time_unix_nano <= after + tolerance


def test_a_root_has_no_parent_and_says_that_its_trace_is_sampled(recording):
    span = finished(recording)
    assert (len(span.trace_id), len(span.span_id), span.parent_span_id) == (16, 8, b"")
    assert span.flags == 0x101


def test_the_name_of_one_span_replaces_its_operations(core, recording):
    op = core.operation("request", core.SERVER, {"a": 1})
    core.leaf(op, "GET /cart").finish()
    renamed = core.leaf(op, name="GET /x")
    renamed.rename("GET /ünter/{id}")
    renamed.finish()
    assert [span.name for span in recording.spans()] == ["GET /cart", "GET /ünter/{id}"]


def test_the_last_value_of_a_key_counts(core, recording):
    span = core.leaf(core.operation("op", core.INTERNAL, {"constant": "old", "kept": True}))
    for key, value in (("a", 1), ("b", 2), ("a", "three"), ("constant", "new")):
        span.set(key, value)
    span.finish()
    recorded = recording.only()
    assert [pair.key for pair in recorded.attributes] == ["kept", "b", "a", "constant"]
    assert attributes_of(recorded)["a"].string_value == "three"
    assert attributes_of(recorded)["constant"].string_value == "new"


@given(key=texts, value=values)
@per_example
def test_any_text_number_list_or_none_is_recorded_cut_to_size(short, key, value):
    span = short.core.leaf(short.core.operation("op", short.core.INTERNAL))
    span.set(key, value)
    span.finish()
    pairs = short.only().attributes
    if value is None:
        assert not pairs
        return
    (pair,) = pairs
    assert pair.key == cut(key)
    if isinstance(value, list | tuple):
        check_array(pair.value.array_value.values, value)
    else:
        check_scalar(pair.value, value)


def check_array(recorded, items):
    sizes = [item.ByteSize() + 2 for item in recorded]
    assert sum(sizes) <= LIMIT
    assert len(recorded) == len(items) or sum(sizes) + LIMIT + 4 > LIMIT  # what is missing did not fit
    for data, item in zip(recorded, items, strict=False):
        if item is None:
            assert not data.ByteSize()
        else:
            check_scalar(data, item)


def check_scalar(recorded, value):
    if isinstance(value, bool):
        assert recorded.bool_value is value
    elif isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
        assert (recorded.WhichOneof("value"), recorded.int_value) == ("int_value", value)
    elif isinstance(value, int):
        assert recorded.string_value == str(value)[:LIMIT]
    elif isinstance(value, float):
        assert recorded.double_value == value or value != value  # noqa: PLR0124 - NaN
    elif isinstance(value, bytes):
        assert recorded.string_value == cut(value[:LIMIT].decode("utf-8", "replace"))
    else:
        assert recorded.string_value == cut(value)


@given(name=texts, attributes=st.dictionaries(texts, anything, max_size=5))
@per_example
def test_events_keep_what_otlp_has_a_place_for(short, name, attributes):
    span = short.core.leaf(short.core.operation("op", short.core.INTERNAL))
    span.event(name, attributes)
    span.set_many(attributes)
    span.finish()
    recorded = short.only()
    (event,) = recorded.events
    assert event.name == cut(name)
    assert recorded.start_time_unix_nano <= event.time_unix_nano <= recorded.end_time_unix_nano
    expected = {cut(key) for key, value in attributes.items() if has_a_form(value)}
    assert set(attributes_of(event)) == set(attributes_of(recorded)) == expected


def has_a_form(value):
    return isinstance(value, str | bool | int | float | bytes | list | tuple)


def test_what_is_cut_is_counted(short):
    finished(short, long="x" * 1000, fits="x" * LIMIT, umlauts="ü" * LIMIT, many=list(range(1000)))
    assert short.counted("cut_values") == 3


def test_a_value_without_a_form_is_counted_and_nothing_else(recording):
    span = finished(recording, thing=object(), mapping={}, nested=[[1], 2], good=1)
    assert recording.counted("unencodable_values") == 3
    assert set(attributes_of(span)) == {"nested", "good"}
    assert [item.int_value for item in attributes_of(span)["nested"].array_value.values] == [0, 2]


def test_an_integer_with_more_digits_than_python_writes_is_counted(recording):
    finished(recording, huge=10**5000)
    assert recording.counted("unencodable_values") == 1


def test_while_debugging_misuse_is_raised(core):
    with record(core, debug=True):
        span = core.leaf(core.operation("op", core.INTERNAL))
        with pytest.raises(TypeError):
            span.set("key", object())
        span.finish()


@pytest.mark.parametrize(
    "misuse",
    [
        lambda span: span.set(1, 2),
        lambda span: span.rename(b"bytes"),
        lambda span: span.event(None),
        lambda span: span.link("xy", "z"),
        lambda span: span.link(b"a" * 32, "b" * 16),
        lambda span: span.link("0" * 32, "b" * 16),
        lambda span: span.fail(message=7),
    ],
)
def test_misuse_is_counted_and_does_not_raise(core, recording, misuse):
    span = core.leaf(core.operation("op", core.INTERNAL))
    misuse(span)
    span.finish()
    assert recording.only().name == "op"
    assert recording.counted("unencodable_values") == 1


class Hostile(dict):
    def items(self):
        raise RuntimeError("no")

    keys = values = items


def test_what_a_users_mapping_raises_stays_inside(core, recording):
    span = core.leaf(core.operation("op", core.INTERNAL))
    span.set_many(Hostile(a=1))
    span.event("event", Hostile(a=1))
    span.finish()
    assert recording.counted("internal_errors") == 2
    assert [event.name for event in recording.only().events] == ["event"]


def test_attributes_events_and_links_are_limited_in_number(core, recording):
    span = core.leaf(core.operation("op", core.INTERNAL))
    for number in range(130):
        span.set(f"key {number}", number)
        span.event(f"event {number}")
        span.link("a" * 32, f"{number + 1:016x}")
    span.set("key 0", "again")
    span.finish()
    recorded = recording.only()
    assert len(recorded.attributes) == len(recorded.events) == len(recorded.links) == 128
    assert attributes_of(recorded)["key 0"].string_value == "again"
    assert recorded.dropped_attributes_count == recorded.dropped_events_count == recorded.dropped_links_count == 2
    assert [recording.counted(f"dropped_{what}") for what in ("attributes", "events", "links")] == [2, 2, 2]


def test_attributes_and_events_are_limited_in_bytes(core):
    with record(core, max_value_bytes=20_000) as recording:
        span = core.leaf(core.operation("op", core.INTERNAL))
        for number in range(5):
            span.set(f"key {number}", "x" * 20_000)
            span.event(f"event {number}", {"x": "x" * 20_000})
        span.finish()
        recorded = recording.only()
    assert (len(recorded.attributes), len(recorded.events)) == (3, 3)
    assert (recorded.dropped_attributes_count, recorded.dropped_events_count) == (2, 2)


def test_a_link_names_a_span_of_another_trace(core, recording):
    span = core.leaf(core.operation("receive", core.CONSUMER))
    span.link("0123456789abcdef" * 2, "fedcba9876543210")
    span.finish()
    (link,) = recording.only().links
    assert (link.trace_id.hex(), link.span_id.hex()) == ("0123456789abcdef" * 2, "fedcba9876543210")


def test_an_exception_fails_the_span_and_goes_on(core, recording):
    with pytest.raises(KeyError), core.leaf(core.operation("op", core.INTERNAL)):
        raise KeyError("card")
    span = recording.only()
    assert (span.status.code, span.status.message) == (Status.STATUS_CODE_ERROR, "KeyError: 'card'")
    (event,) = span.events
    facts = {key: value.string_value for key, value in attributes_of(event).items()}
    assert event.name == "exception"
    assert (facts["exception.type"], facts["exception.message"]) == ("KeyError", "'card'")
    assert "in test_an_exception_fails_the_span_and_goes_on" in facts["exception.stacktrace"]


def test_a_failure_may_have_words_of_its_own(core, recording):
    op = core.operation("op", core.INTERNAL)
    for arguments in ({"message": "too late"}, {}, {"error": ValueError("x"), "message": "mine"}):
        span = core.leaf(op)
        span.fail(**arguments)
        span.finish()
    spans = recording.spans()
    assert {span.status.code for span in spans} == {Status.STATUS_CODE_ERROR}
    assert [span.status.message for span in spans] == ["too late", "", "mine"]
    assert [len(span.events) for span in spans] == [0, 0, 1]


def test_an_exception_that_cannot_be_written_fails_the_span_all_the_same(core, recording):
    class UnspeakableError(Exception):
        def __str__(self):
            raise RuntimeError("no words")

    span = core.leaf(core.operation("op", core.INTERNAL))
    span.fail(UnspeakableError())
    span.finish()
    assert recording.only().status.message.endswith(
        "UnspeakableError: <unprintable " + UnspeakableError.__qualname__ + ">"
    )


def test_a_span_that_ends_out_of_stack_leaves_the_users_error_alone(core, recording):
    op = core.operation("op", core.INTERNAL)

    def dive():
        with core.leaf(op):
            dive()

    with pytest.raises(RecursionError):
        dive()
    spans = recording.spans()
    assert len(spans) > 100
    assert {span.status.code for span in spans} == {Status.STATUS_CODE_ERROR}


def test_finishing_twice_records_once_and_later_words_are_lost(core, recording):
    span = core.leaf(core.operation("op", core.INTERNAL))
    assert not span.finished
    span.finish()
    span.finish()
    span.set("late", 1)
    span.event("late")
    span.link("a" * 32, "b" * 16)
    span.fail(message="late")
    span.rename("late")
    assert span.finished
    assert recording.only().name == "op"


def test_a_span_that_is_never_finished_can_be_told_from_the_counters(core, recording):
    core.leaf(core.operation("op", core.INTERNAL))
    assert (recording.counted("opened"), recording.counted("finished")) == (1, 0)
    assert not recording.spans()


def test_before_start_and_after_stop_a_span_is_a_no_op(core):
    core.stop(0)
    core.drain()
    before = core.counters()
    op = core.operation("op", core.SERVER)
    with core.scope(op, remote="00-" + "a" * 32 + "-" + "b" * 16 + "-01") as span:
        assert core.current() is None
        span.set("key", object())
        assert span.traceparent() == "00-" + "a" * 32 + "-" + span.span_id + "-00"
        assert not span.recording
    core.leaf(op).finish()
    assert not core.drain()
    assert core.counters() == before


def test_a_span_open_across_stop_is_not_recorded(core):
    with record(core):
        span = core.scope(core.operation("op", core.INTERNAL))
    span.set("a", 1)
    span.finish()
    assert not core.drain()
    assert core.current() is None


def test_an_operation_needs_a_name_and_a_kind(core):
    with pytest.raises(TypeError):
        core.operation(7, core.INTERNAL)
    with pytest.raises(ValueError, match="kind 9"):
        core.operation("op", 9)


def test_a_span_needs_an_operation(core, recording):
    for make in (core.leaf, core.scope):
        with pytest.raises(TypeError, match="an Operation is needed"):
            make("GET")
