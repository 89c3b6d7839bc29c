"""Tasks that wait for a thread: concurrent.futures, asyncio and anyio."""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import anyio
import anyio.to_thread
import fastapi
import httpx
import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import ScopeLogs

from sonde.probe import core
from sonde.probe.log_records import log_records
from sonde.probe.plugins import options, pool_waits
from sonde.probe.runtime import runtime

ENTRY = core.operation("entry", core.SERVER)
OVER_MS = 20


@pytest.fixture
def told(spans, monkeypatch):
    """The events since the last look."""
    monkeypatch.setattr(options, "pool_wait_ns", OVER_MS * 1_000_000 // 2)
    monkeypatch.setattr(pool_waits._Second, "told", 0)
    log_records.taken()

    def take():
        records = ScopeLogs.FromString(log_records.taken()).log_records
        return [record for record in records if record.event_name == "sonde.queued"]

    return take


def attributes(record):
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in record.attributes}


def price(number=0):
    return number


def busy_until(go, pool):
    """One thread of the pool has something else to do."""
    taken = threading.Event()
    pool.submit(lambda: (taken.set(), go.wait()))
    taken.wait()


async def hold(tasks, limiter, go):
    """Have a thread of the limiter's taken until `go`."""
    taken = threading.Event()
    holding = functools.partial(anyio.to_thread.run_sync, lambda: (taken.set(), go.wait()), limiter=limiter)
    tasks.start_soon(holding)
    await anyio.to_thread.run_sync(taken.wait)


def queued():
    return next(value for name, _, value, *_ in runtime.gauges() if name == "sonde.thread_pool.queued")


def test_a_task_that_waits_long_is_told_under_its_request(told, spans):
    go = threading.Event()
    with ThreadPoolExecutor(1, thread_name_prefix="pricing") as pool:
        busy_until(go, pool)
        began_ns = time.time_ns()
        with core.scope(ENTRY) as entry:
            found = [pool.submit(functools.partial(price, 1)), pool.submit(price, 2)]
            time.sleep(OVER_MS / 1000)
            go.set()
            assert [future.result() for future in found] == [1, 2]

    records = told()
    ids = {(record.trace_id.hex(), record.span_id.hex()) for record in records}
    assert ids == {(entry.trace_id, entry.span_id)}
    facts = [attributes(record) for record in records]
    assert [fact["sonde.queue.waiting"] for fact in facts] == ["1", "0"]
    for record, fact in zip(records, facts, strict=True):
        assert (fact["sonde.queue.pool"], fact["sonde.queue.threads"]) == ("pricing", "1")
        assert fact["code.function.name"] == "price"
        assert OVER_MS * 1_000_000 <= fact["sonde.duration_ns"] < 20_000_000_000
        assert began_ns - 1_000_000 <= record.time_unix_nano <= time.time_ns() - OVER_MS * 1_000_000
        assert "until price got one of 1 threads of pricing" in record.body.string_value


def test_tasks_that_are_taken_at_once_and_those_of_no_request_are_not_told(told, spans, monkeypatch):
    with ThreadPoolExecutor(1) as pool:
        monkeypatch.setattr(options, "pool_wait_ns", 60_000_000_000)
        with core.scope(ENTRY):
            assert pool.submit(price, 1).result() == 1
        monkeypatch.setattr(options, "pool_wait_ns", 1)
        assert pool.submit(price, 2).result() == 2
        monkeypatch.setattr(options, "pool_wait_ns", 0)
        with core.scope(ENTRY):
            assert pool.submit(price, 3).result() == 3

    assert told() == []


def test_a_pool_that_is_too_small_for_everything_tells_of_the_first_ones(told, spans, monkeypatch):
    monkeypatch.setattr(options, "pool_wait_ns", 1)
    monkeypatch.setattr(pool_waits, "_SECOND_NS", 1 << 60)
    with ThreadPoolExecutor(1) as pool, core.scope(ENTRY):
        list(pool.map(price, range(200)))

    assert len(told()) == pool_waits.MOST_A_SECOND


def test_asyncios_to_thread_is_told_by_the_functions_name(told, spans, monkeypatch):
    monkeypatch.setattr(options, "pool_wait_ns", 1)

    async def serve():
        with core.scope(ENTRY):
            assert await asyncio.to_thread(price, 7) == 7

    asyncio.run(serve())

    (record,) = told()
    assert attributes(record)["code.function.name"] == "price"
    assert attributes(record)["sonde.queue.pool"] in {"asyncio", "uvloop"}, "whichever policy an earlier test has set"


def test_anyios_own_threads_are_told_and_counted(told, spans):
    go = threading.Event()
    waited = []

    async def one_more(limiter, number):
        waited.append(await anyio.to_thread.run_sync(price, number, limiter=limiter))

    async def serve():
        limiter = anyio.CapacityLimiter(1)
        async with anyio.create_task_group() as tasks:
            with core.scope(ENTRY) as entry:
                await hold(tasks, limiter, go)
                tasks.start_soon(one_more, limiter, 1)
                tasks.start_soon(one_more, limiter, 2)
                await anyio.sleep(OVER_MS / 1000)
                assert queued() == 2
                go.set()
        return entry

    entry = asyncio.run(serve())

    assert sorted(waited) == [1, 2]
    assert queued() == 0
    records = [record for record in told() if attributes(record)["code.function.name"] == "price"]
    assert len(records) == 2
    for record in records:
        assert (record.trace_id.hex(), record.span_id.hex()) == (entry.trace_id, entry.span_id)
        assert attributes(record)["sonde.queue.pool"] == "anyio"
        assert attributes(record)["sonde.queue.threads"] == "1"


def test_a_task_of_anyios_that_is_cancelled_while_it_waits_is_not_counted_any_more(spans):
    go = threading.Event()

    async def serve():
        limiter = anyio.CapacityLimiter(1)
        async with anyio.create_task_group() as tasks:
            await hold(tasks, limiter, go)
            with anyio.move_on_after(0.01):
                await anyio.to_thread.run_sync(price, limiter=limiter)
            go.set()

    asyncio.run(serve())

    assert queued() == 0


def test_errors_and_arguments_of_anyios_tasks_are_as_without_us(spans):
    error = LookupError("no such thing")

    def fails():
        raise error

    async def serve():
        assert await anyio.to_thread.run_sync(divmod, 7, 2) == (3, 1)
        with pytest.raises(LookupError) as caught:
            await anyio.to_thread.run_sync(fails)
        assert caught.value is error

    asyncio.run(serve())


def test_a_plain_endpoint_of_fastapis_is_told_by_its_own_name(told, spans, monkeypatch):
    """Whatever the framework has the thread call in its place."""
    monkeypatch.setattr(options, "pool_wait_ns", 1)
    app = fastapi.FastAPI()

    @app.get("/price/{number}")
    def price_of(number: int):
        return price(number)

    async def serve():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop") as client:
            with core.scope(ENTRY):
                assert (await client.get("/price/7")).json() == 7

    asyncio.run(serve())

    names = {attributes(record)["code.function.name"] for record in told()}
    assert price_of.__qualname__ in names
    assert not any("_run_sync_endpoint" in name for name in names)
