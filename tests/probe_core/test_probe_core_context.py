"""Which span is the parent of which: over tasks, threads, generators and copied contexts."""

import asyncio
import contextvars
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sonde.wire import traceparent as w3c

HEADER = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


@pytest.fixture
def op(core):
    return core.operation("op", core.INTERNAL)


def paths(spans):
    """Each span's name with those of its ancestors, `leaf < scope < root`."""
    by_id = {span.span_id: span for span in spans}

    def path(span):
        above = by_id.get(span.parent_span_id)
        assert above is None or above.trace_id == span.trace_id, "two traces got mixed"
        return span.name if above is None else f"{span.name} < {path(above)}"

    return sorted(map(path, spans))


def test_a_scope_is_current_until_it_ends_and_a_leaf_never_is(core, recording, op):
    assert core.current() is None
    with core.scope(op, "outer") as outer:
        leaf = core.leaf(op, "leaf")
        assert core.current() is outer
        with core.scope(op, "inner") as inner:
            assert core.current() is inner
            assert inner.parent_span_id == outer.span_id
        assert core.current() is outer
        leaf.finish()
    assert core.current() is None
    assert paths(recording.spans()) == ["inner < outer", "leaf < outer", "outer"]


def test_twenty_requests_at_once_keep_their_spans_apart(core, recording, op):
    async def part(number):
        with core.scope(op, "part"):
            await asyncio.sleep(0.001 * (3 - number))
            core.leaf(op, "query").finish()
            await asyncio.sleep(0)

    async def background():
        await asyncio.sleep(0.002)
        core.leaf(op, "background").finish()

    async def request():
        with core.scope(op, "request"):
            task = asyncio.create_task(background())  # begun under the request, runs while the step is open
            with core.scope(op, "step"):
                core.leaf(op, "query").finish()
                await task
            await asyncio.gather(*(part(number) for number in range(3)))
            await asyncio.to_thread(lambda: core.leaf(op, "in thread").finish())

    async def main():
        await asyncio.gather(*(request() for _ in range(20)))

    asyncio.run(main())
    spans = recording.spans()
    each = [
        "background < request",
        "in thread < request",
        *["part < request"] * 3,
        *["query < part < request"] * 3,
        "query < step < request",
        "request",
        "step < request",
    ]
    assert paths(spans) == sorted(each * 20)
    assert len({span.trace_id for span in spans}) == 20


def test_a_task_goes_on_belonging_to_a_request_that_has_ended(core, recording, op):
    async def main():
        ended = asyncio.Event()

        async def afterwards():
            await ended.wait()
            with core.scope(op, "later"):
                core.leaf(op, "leaf").finish()
            core.leaf(op, "last").finish()

        with core.scope(op, "request"):
            task = asyncio.create_task(afterwards())
            await asyncio.sleep(0)
        ended.set()
        await task

    asyncio.run(main())
    assert paths(recording.spans()) == ["last < request", "later < request", "leaf < later < request", "request"]


def test_an_entry_span_does_not_continue_a_span_that_has_ended(core, recording, op):
    """A connection's task was started inside a request; the next request on it is another trace."""
    server = core.operation("server", core.SERVER)
    context = contextvars.copy_context()

    def first():
        core.scope(op, "first")
        return contextvars.copy_context(), core.current()

    later, span = context.run(first)
    assert later.run(core.scope, server).trace_id == span.trace_id  # still open: this is a nested server
    span.finish()
    assert later.copy().run(core.leaf, op).trace_id == span.trace_id


def test_a_server_span_after_the_request_is_a_fresh_trace(core, recording, op):
    server = core.operation("server", core.SERVER)

    def leave_one_behind():
        ended = core.scope(op, "ended")
        contextvars.copy_context().run(ended.finish)  # in another context: this one keeps it as current
        fresh = core.scope(server)
        assert fresh.trace_id != ended.trace_id
        assert fresh.parent_span_id == ""
        fresh.finish()

    contextvars.copy_context().run(leave_one_behind)
    assert len(recording.spans()) == 2


def test_scopes_that_end_in_the_wrong_order_leave_nothing_behind(core, recording, op):
    outer, inner = core.scope(op, "outer"), core.scope(op, "inner")
    outer.finish()
    assert core.current() is inner
    inner.finish()
    assert core.current() is None


def test_a_scope_may_end_in_another_thread(core, recording, op):
    span = core.scope(op, "moved")
    thread = threading.Thread(target=span.finish)
    thread.start()
    thread.join()
    assert recording.only().name == "moved"
    core.scope(op, "next").finish()
    assert core.current() is None


def test_a_scope_inside_a_generator_ends_with_it(core, recording, op):
    def rows():
        with core.scope(op, "rows"):
            yield core.current()

    with core.scope(op, "outer") as outer:
        generator = rows()
        assert next(generator).parent_span_id == outer.span_id
        generator.close()
        assert core.current() is outer
    assert paths(recording.spans()) == ["outer", "rows < outer"]


def test_a_scope_of_an_abandoned_generator_does_not_capture_the_thread(core, recording, op):
    def rows():
        with core.scope(op, "rows"):
            yield

    with core.scope(op, "outer"):
        generator = rows()
        next(generator)
    generator.close()  # after its outer scope has ended
    assert core.current() is None


def test_a_new_thread_starts_without_a_parent(core, recording, op):
    with core.scope(op, "main"):
        thread = threading.Thread(target=lambda: core.leaf(op, "thread").finish())
        thread.start()
        thread.join()
    assert paths(recording.spans()) == ["main", "thread"]


def test_a_callers_header_is_continued(core, recording, op):
    with core.scope(op, remote=HEADER) as span:
        assert (span.trace_id, span.parent_span_id) == ("a" * 32, "b" * 16)
        assert span.traceparent() == f"00-{'a' * 32}-{span.span_id}-01"
        core.leaf(op).finish()
    leaf, scope = recording.spans()
    assert (scope.parent_span_id.hex(), scope.flags) == ("b" * 16, 0x301)  # sampled; the parent is known, and remote
    assert leaf.flags == 0x101


@pytest.mark.parametrize(("flags", "ours"), [("00", "00"), ("01", "01"), ("02", "02"), ("03", "03"), ("ff", "03")])
def test_the_callers_flags_go_on(core, recording, op, flags, ours):
    """Bits without a meaning do not."""
    with core.scope(op, remote=HEADER[:-2] + flags) as span:
        assert span.traceparent()[-2:] == ours


headers = st.one_of(
    st.text(max_size=80),
    st.from_regex(r"\s*[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[^\n]*)?\s*", fullmatch=True),
    st.from_regex(r"[0-9a-fA-F]{2}[-_][0-9a-f]{31,33}-[0-9a-f]{16}-[0-9a-f]{2}.?", fullmatch=True),
    st.sampled_from([
        "00-" + "0" * 32 + "-" + "b" * 16 + "-01",
        "00-" + "a" * 32 + "-" + "0" * 16 + "-01",
        "ff-" + "a" * 32 + "-" + "b" * 16 + "-01",
        HEADER + "-more",
        HEADER.upper(),
        "01" + HEADER[2:] + "-more",
        "01" + HEADER[2:] + "-mo\nre",
        " \u00a0" + HEADER + "\x1f",
        "",
    ]),
)  # fmt: skip


@given(header=headers)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_header_that_breaks_a_rule_starts_a_fresh_trace_and_is_counted(core, recording, op, header):
    before = core.counters()["malformed_headers"]
    expected = w3c.parse(header)
    with core.scope(op, "around"), core.scope(op, remote=header) as span:
        if expected is None:
            assert span.parent_span_id == ""
        else:
            assert (span.trace_id, span.parent_span_id) == expected[:2]
        assert core.counters()["malformed_headers"] - before == (expected is None)
    core.drain()


def test_a_header_that_is_no_text_is_malformed(core, recording, op):
    with core.scope(op, remote=HEADER.encode()) as span:
        assert span.parent_span_id == ""
    assert recording.counted("malformed_headers") == 1


def test_a_hundred_thousand_scopes_inside_each_other_go_in_peace(core, recording, op):
    def nest():
        for _ in range(100_000):
            core.scope(op)

    contextvars.copy_context().run(nest)
    assert core.current() is None
    assert recording.counted("opened") == 100_000
