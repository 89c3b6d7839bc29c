"""Thread pools: what is done in them for a request is below it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import pytest

from sonde.probe import core

ENTRY = core.operation("entry", core.SERVER)
QUERY = core.operation("SELECT", core.CLIENT)
users: ContextVar[str] = ContextVar("users", default="nobody's")


def below(spans, expected):
    """The one entry's id, and those of the parents of all others. Each thread's spans come in an order of their own."""
    taken = spans.take(expected)
    entry = next(span for span in taken if span.name == "entry")
    return entry.span_id, {span.parent_id for span in taken if span is not entry}


def work(number=0):
    core.leaf(QUERY).finish()
    return number, users.get()


@pytest.fixture
def pool(spans):
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_what_a_task_does_is_below_the_request_that_submitted_it(spans, pool):
    with core.scope(ENTRY):
        assert pool.submit(work, number=7).result() == (7, "nobody's")
        assert [number for number, _ in pool.map(work, range(2))] == [0, 1]

    entry, parents = below(spans, 4)
    assert parents == {entry}


def test_the_thread_is_free_of_the_request_afterwards(spans, pool):
    with core.scope(ENTRY):
        pool.submit(work).result()
    pool.submit(work).result()

    entry, parents = below(spans, 3)
    assert parents == {entry, ""}


def test_a_task_that_begins_after_its_request_belongs_to_it(spans, pool):
    import threading

    go = threading.Event()
    pool.submit(go.wait)
    with core.scope(ENTRY):
        late = pool.submit(work)
    go.set()
    late.result()

    entry, parents = below(spans, 2)
    assert parents == {entry}


def test_a_task_gets_nothing_else_of_the_context(spans, pool):
    users.set("theirs")

    with core.scope(ENTRY):
        assert pool.submit(work).result() == (0, "nobody's")


def test_an_error_of_a_task_is_the_same_object(spans, pool):
    error = LookupError("no such thing")

    def fails():
        raise error

    with core.scope(ENTRY):
        assert pool.submit(fails).exception() is error
    assert error.__traceback__.tb_next.tb_next.tb_frame.f_code is fails.__code__


def test_asyncios_executor_is_below_the_request_too(spans):
    async def serve():
        with core.scope(ENTRY):
            await asyncio.get_running_loop().run_in_executor(None, work)
            await asyncio.to_thread(work)

    asyncio.run(serve())

    entry, parents = below(spans, 3)
    assert parents == {entry}


def test_a_pool_that_is_shut_down_refuses_as_without_us(spans, pool):
    pool.shutdown()

    with core.scope(ENTRY), pytest.raises(RuntimeError, match="after shutdown"):
        pool.submit(work)
