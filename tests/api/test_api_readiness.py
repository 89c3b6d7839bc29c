"""Ready means: every part works, right now."""

import asyncio

from sonde.server.api import readiness
from sonde.server.api.readiness import NotReadyError, Readiness


async def fine():
    pass


async def away():
    raise NotReadyError("does not answer")


async def broken():
    raise ConnectionError("password=open-sesame at 10.0.0.1")


def reasons(**checks):
    return asyncio.run(Readiness(checks).reasons())


def test_all_is_well_when_no_check_has_a_reason():
    assert reasons(store=fine, spool=fine) == {}


def test_every_part_that_does_not_work_is_named_with_its_reason():
    assert reasons(store=away, spool=fine, tables=away) == {"store": "does not answer", "tables": "does not answer"}


def test_a_check_that_breaks_tells_the_world_nothing_but_that():
    assert reasons(metadata=broken) == {"metadata": "does not work; the server's log says why"}


def test_a_check_that_hangs_is_a_reason(monkeypatch):
    monkeypatch.setattr(readiness, "CHECK_WITHIN_S", 0.01)

    async def hang():
        await asyncio.Event().wait()

    assert "no answer within" in reasons(store=hang)["store"]


def test_many_who_ask_at_once_cost_one_look():
    looks = []

    async def look():
        looks.append(1)

    async def scenario():
        one = Readiness({"store": look})
        await asyncio.gather(*(one.reasons() for _ in range(100)))

    asyncio.run(scenario())

    assert len(looks) == 1
