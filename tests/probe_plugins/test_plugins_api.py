"""What users write into their programs."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
import textwrap

import pytest

import sonde
from sonde.probe import core


def test_the_surface_is_pinned():
    assert sonde.__all__ == [
        "asgi",
        "baggage",
        "current_trace_id",
        "event",
        "ignore",
        "profile",
        "span",
        "start",
        "stop",
        "tag",
        "traced",
        "track_leaks",
        "wsgi",
    ]
    for name in sonde.__all__:
        assert callable(getattr(sonde, name))
        assert inspect.getdoc(getattr(sonde, name))
    with pytest.raises(AttributeError, match="'sonde' has no attribute 'nonsense'"):
        _ = sonde.nonsense


def test_importing_it_imports_nothing_but_a_few_of_the_standard_library():
    code = "import sys; had = set(sys.modules); import sonde; print(*sorted(set(sys.modules) - had))"
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    new = set(answer.stdout.split())
    assert {name for name in new if name.partition(".")[0] not in sys.stdlib_module_names} == {"sonde"}
    assert new.isdisjoint({"dataclasses", "inspect", "tomllib", "re"})


def test_a_span_of_ones_own_is_the_parent_of_what_happens_in_it(spans):
    with sonde.span("outer", items=3) as outer, sonde.span("inner"):
        sonde.tag("tier", "gold")
        sonde.event("picked", shelf=7)
        assert sonde.current_trace_id() == outer.trace_id

    inner, outer = spans.take(2)
    assert (inner.name, inner.kind, inner.parent_id) == ("inner", "internal", outer.span_id)
    assert (inner.attributes, inner.events) == ({"tier": "gold"}, ["picked"])
    assert outer.attributes == {"items": 3}
    assert sonde.current_trace_id() is None


def test_an_exception_leaves_the_block_and_marks_it(spans):
    error = LookupError("gone")
    with pytest.raises(LookupError) as caught, sonde.span("block"):
        raise error

    assert caught.value is error
    span = spans.only()
    assert span.is_error
    assert span.attributes["error.type"] == "LookupError"


def test_a_block_may_be_async_and_tasks_inside_are_below_it(spans):
    async def task():
        with sonde.span("task"):
            await asyncio.sleep(0)

    async def main():
        async with sonde.span("block"):
            await asyncio.gather(task(), task())

    asyncio.run(main())

    first, second, block = spans.take(3)
    assert [first.parent_id, second.parent_id] == [block.span_id] * 2


def test_outside_of_any_span_tags_and_events_go_nowhere(spans):
    sonde.tag("key", "value")
    sonde.event("event")

    spans.take(0)


def test_a_traced_function_has_a_span_per_call_and_looks_the_same(spans):
    @sonde.traced
    def price(item: str, *, discount: int = 0) -> int:
        """What it costs."""
        sonde.tag("item", item)
        return 10 - discount

    @sonde.traced("quote", tier="gold")
    def quoted(item: str) -> int:
        return price(item, discount=1)

    assert quoted("tea") == 9
    assert str(inspect.signature(price)) == "(item: 'str', *, discount: 'int' = 0) -> 'int'"
    assert (price.__name__, price.__doc__) == ("price", "What it costs.")
    inner, outer = spans.take(2)
    assert inner.name.endswith("price")
    assert inner.attributes == {"item": "tea"}
    assert (outer.name, outer.attributes, inner.parent_id) == ("quote", {"tier": "gold"}, outer.span_id)


def test_a_traced_coroutine_function_stays_one(spans):
    @sonde.traced("pay")
    async def pay():
        await asyncio.sleep(0)
        core.leaf(core.operation("SELECT", core.CLIENT)).finish()
        return "paid"

    assert inspect.iscoroutinefunction(pay)
    assert asyncio.run(pay()) == "paid"
    select, span = spans.take(2)
    assert select.parent_id == span.span_id


def test_a_traced_generator_takes_and_gives_what_it_did_and_leaves_its_consumers_span_current(spans):
    closed = []

    @sonde.traced("rows")
    def rows(count):
        got = []
        try:
            for number in range(count):
                got.append((yield number))  # noqa: PERF401 - a comprehension cannot yield
        finally:
            closed.append(True)
        return got

    with sonde.span("consumer") as consumer:
        generator = rows(2)
        assert next(generator) == 0
        assert sonde.current_trace_id() == consumer.trace_id
        assert core.current() is consumer
        assert generator.send("a") == 1
        with pytest.raises(StopIteration) as stop:
            generator.send("b")
        assert stop.value.value == ["a", "b"]
        early = rows(5)
        next(early)
        early.close()

    assert closed == [True, True]
    first, second, outer = spans.take(3)
    assert [first.parent_id, second.parent_id] == [outer.span_id] * 2
    assert not second.is_error


def test_a_traced_async_generator_takes_and_gives_what_it_did(spans):
    caught = []

    @sonde.traced("rows")
    async def rows():
        try:
            got = yield 1
        except LookupError as error:
            caught.append(error)
            got = yield "caught"
        yield got
        raise ZeroDivisionError

    async def main():
        generator = rows()
        assert await anext(generator) == 1
        assert await generator.asend("x") == "x"
        with pytest.raises(ZeroDivisionError):
            await anext(generator)
        thrown = rows()
        await anext(thrown)
        assert await thrown.athrow(LookupError("y")) == "caught"
        assert await thrown.asend("z") == "z"
        await thrown.aclose()

    asyncio.run(main())

    assert len(caught) == 1
    failed, closed = spans.take(2)
    assert failed.is_error
    assert not closed.is_error


def test_everything_works_and_does_nothing_while_the_probe_is_off():
    with sonde.span("off") as span:
        span.set("key", "value")
        sonde.tag("key", "value")

    @sonde.traced
    def price():
        return 10

    assert price() == 10
    assert sonde.current_trace_id() is None


def test_a_setting_that_cannot_be_used_leaves_the_program_alone():
    code = """
        import sonde
        assert sonde.start(record_sql="sometimes") is False
        assert sonde.start(ring_bytes=1) is False
        sonde.stop()
        print("runs")
    """
    answer = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)

    assert answer.stdout == "runs\n"
    assert [line.partition(": ")[2] for line in answer.stderr.splitlines()] == [
        "the probe is off: record_sql: 'sometimes' is none of masked, full, off",
        "the probe is off: ring_bytes: the caller says 1, the least is 16384",
    ]
