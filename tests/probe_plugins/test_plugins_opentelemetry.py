"""OpenTelemetry's API over our recorder: spans of a program, the current span of both, providers, covered libraries."""

from __future__ import annotations

import asyncio
import contextvars
import os
import subprocess
import sys
import textwrap
import threading
import time

import pytest

trace = pytest.importorskip("opentelemetry.trace")

from opentelemetry import context, propagate  # noqa: E402 - where there is one
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState  # noqa: E402

import sonde  # noqa: E402
from sonde.probe import core  # noqa: E402
from sonde.probe.otel import TracerProvider  # noqa: E402
from sonde.probe.plugins.opentelemetry import bridge  # noqa: E402

ENTRY = core.operation("entry", core.SERVER)
QUERY = core.operation("SELECT", core.CLIENT)
TRACE_ID, SPAN_ID = 0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331


@pytest.fixture
def tracer(spans):
    return trace.get_tracer("shop")


def remote(flags=TraceFlags.SAMPLED, state=None):
    return trace.NonRecordingSpan(
        SpanContext(TRACE_ID, SPAN_ID, is_remote=True, trace_flags=TraceFlags(flags), trace_state=state)
    )


def test_a_span_has_what_it_was_told(tracer, spans):
    other = SpanContext(TRACE_ID, SPAN_ID, is_remote=True)
    with tracer.start_as_current_span(
        "reserve", kind=SpanKind.PRODUCER, attributes={"items": 3}, links=[Link(other, {"lost": True})]
    ) as span:
        span.set_attribute("warehouse", "north")
        span.set_attributes({"weights": (1.5, 2), "express": True})
        span.add_event("packed", {"boxes": 2})
        span.add_link(SpanContext(TRACE_ID, SPAN_ID + 1, is_remote=True))
        span.add_link(trace.INVALID_SPAN_CONTEXT)
        span.update_name("reserve all")
        assert span.is_recording()
        assert (span.name, span.kind) == ("reserve all", SpanKind.PRODUCER)

    assert not span.is_recording()
    recorded = spans.only()
    assert (recorded.name, recorded.kind, recorded.parent_id) == ("reserve all", "producer", "")
    assert recorded.attributes.pop("weights").values[0].double_value == 1.5
    assert recorded.attributes == {"items": 3, "warehouse": "north", "express": True}
    assert recorded.events == ["packed"]
    assert recorded.links == [(f"{TRACE_ID:032x}", f"{SPAN_ID:016x}"), (f"{TRACE_ID:032x}", f"{SPAN_ID + 1:016x}")]
    assert not recorded.is_error


def test_a_current_span_is_above_those_of_plugins_and_below_their_requests(tracer, spans):
    with core.scope(ENTRY) as entry:
        seen = trace.get_current_span()
        assert f"{seen.get_span_context().trace_id:032x}" == entry.trace_id
        assert f"{seen.get_span_context().span_id:016x}" == entry.span_id
        seen.set_attribute("user", 7)
        with tracer.start_as_current_span("outer") as outer:
            assert trace.get_current_span() is outer
            core.leaf(QUERY).finish()
            with sonde.span("ours"):
                assert trace.get_current_span() != outer
                with tracer.start_as_current_span("inner"):
                    pass
            assert trace.get_current_span() is outer
        assert core.current() is entry

    query, inner, ours, outer, request = spans.take(5)
    assert [query.parent_id, ours.parent_id, inner.parent_id] == [outer.span_id, outer.span_id, ours.span_id]
    assert outer.parent_id == request.span_id
    assert request.attributes == {"user": 7}
    assert len({span.trace_id for span in (query, inner, ours, outer, request)}) == 1
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_a_span_made_current_by_use_span_is_above_those_of_plugins(tracer, spans):
    with core.scope(ENTRY) as entry:
        span = tracer.start_span("detached")
        core.leaf(QUERY).finish()
        with trace.use_span(span, end_on_exit=True):
            assert trace.get_current_span() is span
            core.leaf(QUERY).finish()
            token = context.attach(context.set_value("key", "value"))
            core.leaf(QUERY).finish()
            assert trace.get_current_span() is span
            context.detach(token)
        assert core.current() is entry
        assert trace.get_current_span().get_span_context().span_id == int(entry.span_id, 16)

    before, first, second, detached, entry = spans.take(5)
    assert [before.parent_id, detached.parent_id] == [entry.span_id] * 2
    assert [first.parent_id, second.parent_id] == [detached.span_id] * 2


def test_an_attach_that_is_never_undone_does_not_outlive_the_one_around_it(tracer, spans):
    """Flask's instrumentation attaches twice and detaches once."""
    activation = trace.use_span(tracer.start_span("request"), end_on_exit=True)
    activation.__enter__()
    context.attach(context.set_value("key", "value"))
    activation.__exit__(None, None, None)

    assert core.current() is None
    assert trace.get_current_span() is trace.INVALID_SPAN
    spans.take(1)


def test_a_context_that_is_given_says_the_parent(tracer, spans):
    with tracer.start_as_current_span("first") as first:
        given = context.get_current()
    with tracer.start_as_current_span("second"):
        tracer.start_span("child", context=given).end()
        with tracer.start_as_current_span("current child", context=given) as child:
            assert core.current() is child.recorded
            core.leaf(QUERY).finish()
        tracer.start_span("root", context=context.Context()).end()
        core.leaf(QUERY).finish()

    assert core.current() is None
    names = {}
    for span in spans.take(7):
        names.setdefault(span.name, span)
    assert names["child"].parent_id == names["current child"].parent_id == f"{first.context.span_id:016x}"
    assert names["SELECT"].parent_id == names["current child"].span_id
    assert names["root"].parent_id == ""
    assert names["root"].trace_id not in {names["first"].trace_id, names["second"].trace_id}


@pytest.mark.parametrize("current", [True, False])
def test_a_caller_in_another_process_is_continued_with_its_flags_and_state(tracer, spans, current):
    caller = remote(state=TraceState([("vendor", "x")]))
    given = trace.set_span_in_context(caller)
    if current:
        with tracer.start_as_current_span("work", context=given, kind=SpanKind.CONSUMER) as span:
            assert core.current() is span.recorded
    else:
        span = tracer.start_span("work", context=given, kind=SpanKind.CONSUMER)
        assert core.current() is None
        span.end()

    mine = span.get_span_context()
    assert (mine.trace_id, mine.is_remote, mine.trace_flags, dict(mine.trace_state)) == (
        TRACE_ID,
        False,
        1,
        {"vendor": "x"},
    )
    recorded = spans.only()
    assert (recorded.trace_id, recorded.parent_id) == (f"{TRACE_ID:032x}", f"{SPAN_ID:016x}")
    assert core.current() is None


def test_what_extract_gives_is_continued_and_inject_tells_of_the_current_span(tracer, spans):
    token = context.attach(propagate.extract({"traceparent": f"00-{TRACE_ID:032x}-{SPAN_ID:016x}-01"}))
    with tracer.start_as_current_span("work") as span:
        headers = {}
        propagate.inject(headers)
    context.detach(token)
    with core.scope(ENTRY) as entry:
        below = {}
        propagate.inject(below)

    assert headers["traceparent"] == span.recorded.traceparent()
    assert below["traceparent"] == entry.traceparent()
    assert spans.take(2)[0].parent_id == f"{SPAN_ID:016x}"


def test_an_exception_that_leaves_a_span_marks_it(tracer, spans):
    error = LookupError("gone")
    with pytest.raises(LookupError) as caught, tracer.start_as_current_span("current"):
        raise error
    assert caught.value is error
    with pytest.raises(LookupError), tracer.start_span("detached"):
        raise error
    with pytest.raises(LookupError), trace.use_span(tracer.start_span("used"), end_on_exit=True):
        raise error

    for span in spans.take(3):
        assert span.is_error, span.name
        assert span.events == ["exception"]


def test_an_exception_marks_nothing_where_the_program_says_so(tracer, spans):
    for quiet in ({"record_exception": False}, {"set_status_on_exception": False}):
        with pytest.raises(LookupError), tracer.start_as_current_span("quiet", **quiet):
            raise LookupError("gone")
    with pytest.raises(asyncio.CancelledError), tracer.start_as_current_span("cancelled"):
        raise asyncio.CancelledError

    unrecorded, unfailed, cancelled = spans.take(3)
    assert (unrecorded.is_error, unrecorded.events) == (True, [])
    assert (unfailed.is_error, unfailed.events) == (False, ["exception"])
    assert (cancelled.is_error, cancelled.events) == (False, [])


def test_a_status_of_ok_stays_and_an_exception_recorded_is_no_failure(tracer, spans):
    def expected(span):
        span.set_status(Status(StatusCode.ERROR, "first thought"))
        span.set_status(StatusCode.OK)
        span.set_status(StatusCode.ERROR, "too late")
        raise LookupError("expected")

    with pytest.raises(LookupError), tracer.start_as_current_span("ok") as span:
        expected(span)
    with tracer.start_as_current_span("recorded") as span:
        span.record_exception(LookupError("handled"), {"retry": 1})
    with tracer.start_as_current_span("error") as span:
        span.set_status(StatusCode.ERROR, "no stock")
        span.set_status(StatusCode.UNSET)

    fine, recorded, failed = spans.take(3)
    assert [span.is_error for span in (fine, recorded, failed)] == [False, False, True]
    assert fine.events == recorded.events == ["exception"]


def test_times_that_the_recorder_did_not_take_are_kept_as_attributes(tracer, spans):
    earlier = time.time_ns() - 5_000_000_000
    span = tracer.start_span("late", start_time=earlier)
    span.end(end_time=earlier + 1_000_000)
    tracer.start_span("in time", start_time=time.time_ns()).end(time.time_ns())

    late, in_time = spans.take(2)
    assert late.attributes == {"otel.start_time_unix_nano": earlier, "otel.end_time_unix_nano": earlier + 1_000_000}
    assert in_time.attributes == {}


def test_a_function_may_be_decorated_and_a_coroutine_function_stays_one(tracer, spans):
    @tracer.start_as_current_span("price")
    def price(item):
        """What it costs."""
        return f"{item}: {trace.get_current_span().name}"

    @tracer.start_as_current_span("pay")
    async def pay():
        await asyncio.sleep(0)
        core.leaf(QUERY).finish()
        return "paid"

    assert [price("tea"), price("cup")] == ["tea: price", "cup: price"]
    assert (price.__name__, price.__doc__) == ("price", "What it costs.")
    assert asyncio.iscoroutinefunction(pay)
    assert asyncio.run(pay()) == "paid"
    first, second, query, paid = spans.take(4)
    assert first.span_id != second.span_id
    assert query.parent_id == paid.span_id


def test_a_span_that_shall_not_end_with_its_block_ends_when_it_is_told(tracer, spans):
    with tracer.start_as_current_span("long", end_on_exit=False) as span:
        core.leaf(QUERY).finish()
    assert core.current() is None
    assert trace.get_current_span() is trace.INVALID_SPAN
    assert span.is_recording()
    span.end()
    span.end()

    query, long = spans.take(2)
    assert query.parent_id == long.span_id


def test_tasks_and_threads_have_current_spans_of_their_own(tracer, spans):
    async def work(name):
        with tracer.start_as_current_span(name) as span:
            await asyncio.sleep(0)
            core.leaf(QUERY).finish()
            assert trace.get_current_span() is span

    async def main():
        with tracer.start_as_current_span("main"):
            await asyncio.gather(work("one"), work("two"))

    asyncio.run(main())
    queries, named = [], {}
    for span in spans.take(5):
        if span.kind == "client":
            queries.append(span)
        else:
            named[span.name] = span
    assert {span.parent_id for span in queries} == {named["one"].span_id, named["two"].span_id}
    assert named["one"].parent_id == named["two"].parent_id == named["main"].span_id

    seen = []
    with tracer.start_as_current_span("main") as span:
        given = context.get_current()

        def thread():
            seen.append(trace.get_current_span())
            token = context.attach(given)
            seen.append(core.current())
            context.detach(token)
            seen.append(core.current())

        worker = threading.Thread(target=thread, daemon=True)
        contextvars.Context().run(worker.start)
        worker.join(5)
        assert seen == [trace.INVALID_SPAN, span.recorded, None]
    spans.take(1)


def test_a_generator_closed_in_another_context_disturbs_nobody(tracer, spans):
    def rows():
        with tracer.start_as_current_span("rows"):
            yield 1
            yield 2

    generator = rows()
    contextvars.Context().run(next, generator)
    with tracer.start_as_current_span("other") as other:
        generator.close()
        assert trace.get_current_span() is other
        assert core.current() is other.recorded
    spans.take(2)


def test_the_view_of_a_request_can_be_renamed_and_marked_but_not_ended(spans):
    with core.scope(ENTRY) as entry:
        seen = trace.get_current_span()
        assert (seen.name, seen.kind, seen == trace.get_current_span()) == ("entry", SpanKind.SERVER, True)
        seen.update_name("GET /basket")
        seen.set_status(StatusCode.ERROR, "out of stock")
        seen.end()
        assert not entry.finished

    request = spans.only()
    assert (request.name, request.is_error) == ("GET /basket", True)


def test_nothing_is_said_or_recorded_in_silence(tracer, spans):
    silence = core.silence(ENTRY)
    given = trace.set_span_in_context(remote())
    with tracer.start_as_current_span("quiet") as span:
        headers = {}
        propagate.inject(headers)
        assert not span.is_recording()
    tracer.start_span("quiet", context=given).end()
    tracer.start_span("quiet", context=context.Context()).end()
    silence.finish()

    assert headers == {}
    spans.take(0)


def test_arguments_that_cannot_be_used_give_a_span_that_is_none(tracer, spans):
    from sonde.probe import guard

    guard.raised = False
    with tracer.start_as_current_span([]) as span:
        assert span is trace.INVALID_SPAN
    assert tracer.start_span("name", kind="client") is trace.INVALID_SPAN
    assert guard.faults()["otel.start_span"].times == 2
    guard.forget()


def program(source, **environment):
    """A program of its own: a provider can be set once in a process."""
    prologue = """
        import contextlib
        from opentelemetry import context, trace
        from sonde.probe import core, guard
        from sonde.probe.plugins import options
        from sonde.probe.plugins.engine import Engine
        from sonde.settings import OTEL_BRIDGE, Settings
        options.otel_bridge = Settings()[OTEL_BRIDGE]
        from sonde.probe.plugins.opentelemetry import bridge
        guard.raised = True
        early = trace.get_tracer("early")
        core.start({}, "", hello={}, debug=True)
        engine = Engine()
        engine.start()

        class Theirs(trace.NoOpTracerProvider):
            def get_tracer(self, *args, **kwargs):
                return TheirTracer()

        class TheirTracer(trace.NoOpTracer):
            def start_span(self, *args, **kwargs):
                seen.append(args)
                return super().start_span(*args, **kwargs)

            @contextlib.contextmanager
            def start_as_current_span(self, *args, **kwargs):
                yield self.start_span(args[0])

        seen = []
    """
    answer = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(prologue) + textwrap.dedent(source)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        timeout=60,
    )
    assert (answer.returncode, answer.stderr) == (0, ""), answer.stderr
    return answer.stdout


def test_tracers_from_before_the_probe_make_its_spans_and_later_those_of_the_programs_provider():
    program("""
        late = trace.get_tracer("late")

        @late.start_as_current_span("decorated")
        def decorated():
            pass

        early.start_span("one").end()
        with late.start_as_current_span("two"):
            pass
        decorated()
        assert len(core.drain()) == 3
        trace.set_tracer_provider(Theirs())
        early.start_span("one").end()
        with late.start_as_current_span("two"):
            pass
        decorated()
        assert core.drain() == []
        assert len(seen) == 3
        with core.scope(core.operation("entry", core.SERVER)):
            assert trace.get_current_span() is trace.INVALID_SPAN
        assert type(trace.get_tracer_provider()) is Theirs
    """)


def test_a_provider_that_the_program_set_before_the_probe_is_left_alone():
    program("""
        engine.stop()
        trace.set_tracer_provider(Theirs())
        engine = Engine()
        engine.start()
        trace.get_tracer("late").start_span("one").end()
        assert len(seen) == 1
        assert bridge.superseded
        assert bridge.current is None
        assert core.drain() == []
    """)


def test_a_provider_that_the_environment_names_wins():
    pytest.importorskip("opentelemetry.sdk.trace")
    program(
        """
        from opentelemetry.sdk.trace import TracerProvider
        engine.stop()  # `early` was asked for before there was a probe, which has loaded it
        engine = Engine()
        engine.start()
        trace.get_tracer("late").start_span("one").end()
        assert type(trace.get_tracer_provider()) is TracerProvider
        assert bridge.current is None
        assert core.drain() == []
        """,
        OTEL_PYTHON_TRACER_PROVIDER="sdk_tracer_provider",
    )


def test_what_is_shown_of_a_request_is_one_object(spans):
    with core.scope(ENTRY):
        first = trace.get_current_span()
        assert trace.get_current_span() is first
        with core.scope(ENTRY):
            assert trace.get_current_span() != first
        assert trace.get_current_span() == first
        token = context.attach(context.set_value("key", "value"))
        assert trace.get_current_span() == first
        context.detach(token)

    assert trace.get_current_span() is trace.INVALID_SPAN
    spans.take(2)


def test_a_provider_by_hand_works_with_the_setting_off_and_for_one_library_alone():
    program(
        """
        from sonde.probe.otel import TracerProvider
        trace.get_tracer("automatic").start_span("one").end()
        assert core.drain() == []
        alone = TracerProvider().get_tracer("alone")
        with alone.start_as_current_span("two"):
            pass
        with core.scope(core.operation("entry", core.SERVER)) as entry:
            assert trace.get_current_span().get_span_context().span_id == int(entry.span_id, 16)
        assert len(core.drain()) == 2
        provider = TracerProvider()
        trace.set_tracer_provider(provider)
        assert trace.get_tracer_provider() is provider
        early.start_span("three").end()
        assert len(core.drain()) == 1
        assert provider.force_flush()
        provider.shutdown()
        """,
        SONDE_OTEL_BRIDGE="0",
    )


@pytest.mark.parametrize(("said", "elsewhere", "spans"), [("False", "1", 0), ("True", "0", 1)])
def test_what_start_is_told_wins_over_the_environment(said, elsewhere, spans):
    code = f"""
import sonde
sonde.start(otel_bridge={said}, socket="/nowhere/at/all")
from opentelemetry import trace
trace.get_tracer("automatic").start_span("one").end()
from sonde.probe import core
assert core.counters()["finished"] == {spans}, core.counters()
sonde.stop(0)
"""
    environment = {**os.environ, "SONDE_OTEL_BRIDGE": elsewhere}
    outcome = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (outcome.returncode, outcome.stderr) == (0, "")


def test_after_the_engine_has_stopped_the_api_does_nothing_again():
    program("""
        tracer = trace.get_tracer("late")
        tracer.start_span("one").end()
        engine.stop()
        assert len(core.drain()) == 1
        runtime = context._RUNTIME_CONTEXT
        for function in (tracer.start_span, tracer.start_as_current_span, runtime.attach, runtime.get_current):
            assert not hasattr(function, "__sonde_wrapper__")
        assert not hasattr(trace._set_tracer_provider, "__sonde_wrapper__")
        tracer.start_span("two").end()
        with tracer.start_as_current_span("three") as span:
            assert not span.is_recording()
        assert core.drain() == []
    """)


def test_libraries_that_ask_whether_anybody_wants_their_spans_hear_that_nobody_does():
    """FastAPI would take times of its own in each request."""
    assert type(trace.get_tracer_provider()) is trace.ProxyTracerProvider


@pytest.mark.parametrize("kind", [SpanKind.CLIENT, SpanKind.PRODUCER])
def test_a_call_that_a_plugin_covers_has_no_second_span_and_no_headers_but_the_plugins(spans, kind):
    import redis  # noqa: F401 - the plugin is active from here on

    tracer = trace.get_tracer("opentelemetry.instrumentation.redis", "1.0")
    with core.scope(ENTRY) as entry:
        with tracer.start_as_current_span("GET", kind=kind) as covered:
            assert not covered.is_recording()
            headers = {}
            propagate.inject(headers)
            core.leaf(QUERY).finish()
            trace.get_tracer("shop").start_span("inside").end()
        assert headers == {}
        assert core.current() is entry
        span = tracer.start_span("GET", kind=kind)
        with trace.use_span(span, end_on_exit=True):
            propagate.inject(headers)
        assert headers == {}

    query, inside, request = spans.take(3)
    assert query.parent_id == inside.parent_id == request.span_id


def test_a_request_that_a_plugin_covers_is_the_current_span_of_its_handlers(spans):
    tracer = trace.get_tracer("opentelemetry.instrumentation.wsgi")
    with core.scope(ENTRY) as entry:
        covered = tracer.start_span("GET", kind=SpanKind.SERVER, attributes={"http.target": "/?secret"})
        assert covered.get_span_context().span_id == int(entry.span_id, 16)
        with trace.use_span(covered, end_on_exit=True):
            covered.set_attribute("secret", "value")
            trace.get_current_span().set_attribute("user", 7)
            with tracer.start_as_current_span("send"):
                trace.get_current_span().set_attribute("sent", True)
        assert core.current() is entry
    with tracer.start_as_current_span("GET", kind=SpanKind.SERVER):
        pass

    request, alone = spans.take(2)
    assert request.attributes == {"user": 7, "sent": True}
    assert (alone.name, alone.kind) == ("GET", "server")


def test_a_library_without_a_plugin_of_ours_or_with_one_that_is_off_has_its_spans(spans):
    from sonde.probe.plugins.engine import ACTIVE

    trace.get_tracer("opentelemetry.instrumentation.jinja2").start_span("render").end()
    ACTIVE.discard("pymongo")
    trace.get_tracer("opentelemetry.instrumentation.pymongo").start_span("find").end()
    trace.get_tracer("redis").start_span("a program's own").end()

    assert [span.name for span in spans.take(3)] == ["render", "find", "a program's own"]


@pytest.fixture(autouse=True)
def _nobody_has_set_a_provider():
    assert not bridge.superseded


def test_a_provider_by_hand_is_one_of_opentelemetrys(spans, monkeypatch):
    monkeypatch.setattr(bridge, "_by_hand", False)
    provider = TracerProvider()
    assert isinstance(provider, trace.TracerProvider)
    provider.get_tracer("x", "1", "schema", {"a": 1}).start_span("one").end()
    spans.take(1)
