"""Many viewers, one reading: with a store that is a function, on a real event loop."""

from __future__ import annotations

import asyncio

import pytest
from live_making import T0, reading, sums

from sonde.server.insight import live_hub
from sonde.server.insight.live_filter import LiveFilter
from sonde.server.insight.live_hub import CannotReadError, LiveHub, TooManyViewersError

EVERYTHING = LiveFilter()


class Store:
    """Answers, counts, and is away while `away`."""

    def __init__(self) -> None:
        self.questions = []
        self.away = False

    async def read(self, question):
        self.questions.append(question)
        if self.away:
            raise CannotReadError("unavailable", "away")
        await asyncio.sleep(0)
        return reading({len(self.questions): sums(1)}, **{name: {} for name in question.services})


@pytest.fixture
def store():
    return Store()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Ten readings where there would be one."""
    monkeypatch.setattr(live_hub, "LONGEST_PAUSE_S", 0.1)
    monkeypatch.setattr(live_hub, "SHORTEST_PAUSE_S", 0.02)


def play(scene, store):
    """`scene(hub)` on an event loop, within 10 s."""

    async def main():
        async with asyncio.timeout(10):
            await scene(LiveHub(store.read, lambda: T0))

    asyncio.run(main())


async def names(view, count):
    """The next events' names."""
    return [(await anext(view)).split(b"\n")[0].removeprefix(b"event: ").decode() for _ in range(count)]


def test_all_viewers_of_the_same_apps_share_one_reading_and_others_do_not(store):
    async def scene(hub):
        views = [hub.view(("a",), EVERYTHING) for _ in range(50)] + [hub.view(("b",), EVERYTHING)]
        for heard in await asyncio.gather(*(names(view, 4) for view in views)):
            assert heard == ["whole", "change", "change", "change"]
        assert len([it for it in store.questions if it.apps == ("a",)]) <= 5
        assert {it.apps for it in store.questions} == {("a",), ("b",)}
        for view in views:
            await view.aclose()

    play(scene, store)


def test_while_nobody_looks_nothing_is_read(store):
    async def scene(hub):
        view = hub.view(None, EVERYTHING)
        await names(view, 2)
        await view.aclose()
        asked = len(store.questions)
        await asyncio.sleep(0.3)
        assert len(store.questions) == asked
        assert [value for name, _, value in hub.samples() if name in {"sonde_live_viewers", "sonde_live_feeds"}] == [
            0,
            0,
        ]

    play(scene, store)


def test_what_was_stored_is_read_before_the_second_is_over(store, monkeypatch):
    monkeypatch.setattr(live_hub, "LONGEST_PAUSE_S", 5.0)

    async def scene(hub):
        view = hub.view(None, EVERYTHING)
        await names(view, 1)
        await asyncio.to_thread(hub.stored)
        async with asyncio.timeout(2):
            assert await names(view, 1) == ["change"]
        await view.aclose()

    play(scene, store)


def test_a_viewer_that_does_not_read_costs_no_memory_and_skips_to_the_newest(store):
    async def scene(hub):
        slow, quick_one = hub.view(None, EVERYTHING), hub.view(None, EVERYTHING)
        await asyncio.gather(names(slow, 1), names(quick_one, 12))
        assert await names(slow, 2) == ["whole", "change"]
        assert ("sonde_live_skips_total", {}, 1) in list(hub.samples())
        await slow.aclose()
        await quick_one.aclose()

    play(scene, store)


def test_a_service_that_a_second_viewer_wants_is_read_at_once(store, monkeypatch):
    monkeypatch.setattr(live_hub, "LONGEST_PAUSE_S", 5.0)

    async def scene(hub):
        first = hub.view(None, EVERYTHING)
        await names(first, 1)
        second = hub.view(None, LiveFilter(service="stock"))
        async with asyncio.timeout(2):
            assert await names(second, 1) == ["whole"]
        assert store.questions[-1].services == {"stock"}
        await second.aclose()
        assert hub._shared[None].feed.watched == {}
        await first.aclose()

    play(scene, store)


def test_trouble_is_told_and_its_end(store):
    async def scene(hub):
        view = hub.view(None, EVERYTHING)
        assert await names(view, 1) == ["whole"]
        store.away = True
        while (await names(view, 1)) == ["change"]:
            pass
        assert await names(view, 1) == ["trouble"]
        store.away = False
        while (await names(view, 1)) == ["trouble"]:
            pass
        assert await names(view, 1) == ["change"]
        assert ("sonde_live_readings_total", {"result": "unavailable"}) in [it[:2] for it in hub.samples()]
        await view.aclose()

    play(scene, store)


def test_there_is_room_for_so_many_viewers_and_watched_services(store, monkeypatch):
    monkeypatch.setattr(live_hub, "MOST_VIEWERS", 2)
    monkeypatch.setattr(live_hub, "MOST_WATCHED", 1)

    async def scene(hub):
        one = hub.view(None, LiveFilter(service="stock"))
        await names(one, 1)
        hub.check_room(None, LiveFilter(service="stock"))
        with pytest.raises(TooManyViewersError, match="services"):
            hub.check_room(None, LiveFilter(service="orders"))
        two = hub.view(None, EVERYTHING)
        await names(two, 1)
        with pytest.raises(TooManyViewersError, match="viewers"):
            hub.check_room(None, EVERYTHING)
        await one.aclose()
        await two.aclose()

    play(scene, store)


def test_closing_ends_every_view(store):
    async def scene(hub):
        views = [hub.view(None, EVERYTHING) for _ in range(3)]
        for view in views:
            await names(view, 1)
        hub.close()
        for view in views:
            assert [event async for event in view] == []

    play(scene, store)
