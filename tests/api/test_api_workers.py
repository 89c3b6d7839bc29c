"""Threads for what blocks: bounded, and honest about it."""

import asyncio
import threading

import pytest

from sonde.server.api.failures import RefusedError
from sonde.server.api.workers import Workers


def test_more_work_than_there_is_room_for_is_turned_away_at_once():
    release = threading.Event()

    async def scenario():
        workers = Workers("the store", threads=1, waiting_max=1)
        tasks = [asyncio.create_task(workers(release.wait, 20)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(RefusedError) as refused:
            await workers(release.wait, 20)
        release.set()
        assert await asyncio.gather(*tasks) == [True, True]
        assert await workers(lambda: "room again") == "room again"
        workers.close()
        return refused.value

    refused = asyncio.run(scenario())

    assert refused.status == 503
    assert refused.headers["Retry-After"]


def test_room_is_taken_until_the_work_ends_even_when_its_caller_went_away():
    release = threading.Event()

    async def scenario():
        workers = Workers("the store", threads=1, waiting_max=0)
        task = asyncio.create_task(workers(release.wait, 20))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        held = workers.running
        release.set()
        while workers.running:  # noqa: ASYNC110 - it is counted in a callback
            await asyncio.sleep(0)
        workers.close()
        return held

    assert asyncio.run(scenario()) == 1


def test_what_the_work_raises_reaches_the_caller():
    async def scenario():
        workers = Workers("the store", threads=1, waiting_max=0)
        try:
            await workers(lambda: {}["key"])
        finally:
            workers.close()

    with pytest.raises(KeyError):
        asyncio.run(scenario())
