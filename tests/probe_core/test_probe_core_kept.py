"""Operations that are kept with an object are found again, and are that object's alone."""

from __future__ import annotations

import weakref

import pytest


class Pool:
    def __init__(self, operations) -> None:
        self.operations = operations


class Unreferable:
    __slots__ = ("operations",)

    def __init__(self, operations) -> None:
        self.operations = operations


class Client:
    def __init__(self, pool) -> None:
        self.pool = pool


def execute(client, command):
    return command


@pytest.fixture
def called(core, recording):
    """Calls `execute` by a wrapper that knows kept operations, and says the name of its span; `miss`: none."""
    if not hasattr(core, "kept"):
        pytest.skip("the twin asks the plugin each time")

    def failed(_span, error, _place):
        raise error

    start = core.kept(("pool",), "operations", 1, lambda *_args: core.operation("miss", core.CLIENT))
    wrapped = core.around(execute, start, None, failed, print)

    def call(pool, command):
        assert wrapped(Client(pool), command) == command
        return recording.only().name

    return call


def operations(core, name):
    return {"GET": core.operation(name, core.CLIENT)}


def test_each_object_has_its_own(called, core):
    pools = [Pool(operations(core, f"pool {number}")) for number in range(9)]
    for _ in range(3):
        assert [called(pool, "GET") for pool in pools] == [f"pool {number}" for number in range(9)]


def test_each_key_of_an_object_has_its_own(called, core):
    words = [f"WORD{number}" for number in range(30)]
    pool = Pool({word: core.operation(word, core.CLIENT) for word in words})
    for _ in range(3):
        assert [called(pool, word) for word in words] == words
    assert called(pool, "UNKNOWN") == "miss"


def test_a_new_object_at_the_address_of_one_that_is_gone_is_another(called, core):
    pool = Pool(operations(core, "old"))
    assert [called(pool, "GET"), called(pool, "GET")] == ["old", "old"]
    address, given = id(pool), operations(core, "new")
    del pool
    others = []
    while id(again := Pool(given)) != address:
        others.append(again)
        assert len(others) < 100_000
    assert called(again, "GET") == "new"


def test_the_object_is_not_kept_alive(called, core):
    pool = Pool(operations(core, "kept"))
    gone = weakref.ref(pool)
    called(pool, "GET")
    del pool
    assert gone() is None


def test_an_object_that_cannot_be_referred_to_weakly_is_asked_each_time(called, core):
    pool = Unreferable(operations(core, "kept"))
    assert [called(pool, "GET") for _ in range(3)] == ["kept"] * 3
    pool.operations = operations(core, "other")
    assert called(pool, "GET") == "other"
