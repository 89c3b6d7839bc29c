"""A wrapped function behaves as the function, whatever is done with it; its span says what happened."""

from __future__ import annotations

import asyncio
import collections.abc
import contextlib
import copy
import gc
import inspect
import pickle
import sys
import weakref

import pytest


class Plugin:
    """What a plugin brings to `around`, and what it was told."""

    def __init__(self, core) -> None:
        self.core = core
        self.operation = core.operation("call", core.CLIENT)
        self.told = []

    def start(self, *args, **kwargs):
        self.told.append(("start", args, kwargs))
        return self.operation

    def result(self, span, value):
        self.told.append(("result", value))
        span.set("value", value)

    def failed(self, span, error, place):
        self.told.append(("failed", type(error), place))
        span.fail(error)
        span.finish()

    def fault(self, place):
        self.told.append(("fault", repr(sys.exception()), place))

    def around(self, wrapped, **other):
        parts = {"start": self.start, "result": self.result, **other}
        make = self.core.around_async if inspect.iscoroutinefunction(wrapped) else self.core.around
        return make(wrapped, parts["start"], parts["result"], self.failed, self.fault)


@pytest.fixture
def plugin(core, recording):
    return Plugin(core)


@pytest.fixture
def op(core):
    return core.operation("request", core.SERVER)


async def double(number, *, plus=0):
    await asyncio.sleep(0)
    return 2 * number + plus


def test_arguments_and_result_pass_and_the_plugin_hears_of_them(plugin, recording):
    wrapped = plugin.around(lambda *args, **kwargs: 42)

    assert wrapped(1, key=2) == 42

    assert plugin.told == [("start", (1,), {"key": 2}), ("result", 42)]
    assert recording.only().name == "call"


def test_the_span_is_below_the_current_one_and_not_current_inside(core, plugin, recording, op):
    seen = []
    wrapped = plugin.around(lambda: seen.append(core.current()))

    with core.scope(op) as request:
        wrapped()

    assert seen == [request]
    leaf, entry = recording.spans()
    assert leaf.parent_span_id == entry.span_id


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit, StopIteration])
def test_the_very_exception_passes_and_ends_the_span(plugin, recording, kind):
    error = kind("theirs")

    def theirs():
        raise error

    with pytest.raises(kind) as caught:
        plugin.around(theirs)()

    assert caught.value is error
    assert (error.__context__, error.__cause__) == (None, None)
    assert caught.traceback[-1].name == "theirs"
    assert plugin.told[1:] == [("failed", kind, theirs.__qualname__)]
    assert recording.only().status.message.startswith(kind.__name__)


def test_an_exception_that_is_being_handled_stays_so(plugin):
    def start_fails():
        raise LookupError("ours")

    try:
        {}["outer"]
    except KeyError:
        seen = (plugin.around(sys.exception, start=start_fails)(), sys.exception())
    assert seen[0] is seen[1] is not None
    assert plugin.told[0][:2] == ("fault", "LookupError('ours')")


def test_no_operation_means_no_span(plugin, recording):
    assert plugin.around(lambda: 1, start=lambda: None)() == 1
    assert asyncio.run(plugin.around(double, start=lambda *_: None)(2)) == 4
    assert recording.spans() == []


def test_a_span_of_the_plugins_own_is_taken_as_it_is(core, plugin, recording):
    def start():
        span = core.leaf(plugin.operation)
        span.set("mine", 1)
        return span

    plugin.around(lambda: None, start=start, result=None)()

    assert [pair.key for pair in recording.only().attributes] == ["mine"]


@pytest.mark.parametrize("start", [lambda: 1 / 0, lambda: "no span"])
@pytest.mark.parametrize("result", [None, lambda _span, _value: 1 / 0])
def test_what_fails_on_our_side_is_told_and_changes_nothing(plugin, start, result):
    assert plugin.around(lambda: 42, start=start, result=result)() == 42
    assert plugin.told[0][0] == "fault"


def test_a_result_that_cannot_be_looked_at_still_ends_the_span(plugin, recording):
    assert plugin.around(lambda: 42, result=lambda _span, _value: 1 / 0)() == 42
    assert plugin.told[-1][1] == "ZeroDivisionError('division by zero')"
    assert recording.only().name == "call"


def test_nothing_of_ours_runs_while_the_probe_is_off(core, plugin):
    core.stop(0)
    assert plugin.around(lambda: 42)() == 42
    assert asyncio.run(plugin.around(double)(2, plus=1)) == 5
    assert plugin.told == []


class Client:
    """Somebody's class."""

    def ask(self, what):
        """Ask for something."""
        return self, what


def test_it_is_bound_as_methods_are(plugin):
    class Traced(Client):
        ask = plugin.around(Client.ask)

    client = Traced()
    assert client.ask("way") == (client, "way")
    assert Traced.ask(client, what="way") == (client, "way")
    bound = client.ask
    assert bound("way") == (client, "way")
    assert bound == client.ask
    assert bound.__self__ is client


def test_it_looks_like_the_function(plugin):
    from sonde.probe.plugins.points import dressed

    wrapped = dressed(Client.ask, plugin.around)

    assert (wrapped.__name__, wrapped.__qualname__) == ("ask", "Client.ask")
    assert (wrapped.__module__, wrapped.__doc__) == (__name__, "Ask for something.")
    assert wrapped.__wrapped__ is Client.ask
    assert inspect.signature(wrapped) == inspect.signature(Client.ask)
    assert wrapped.__code__.co_name in {"ask", "call"}
    assert inspect.isroutine(wrapped)
    assert callable(wrapped)
    with pytest.raises(AttributeError, match="no_such"):
        wrapped.no_such  # noqa: B018
    wrapped.own = 1
    assert wrapped.own == 1
    assert weakref.ref(wrapped)() is wrapped


def test_it_is_copied_and_pickled_by_name(plugin, monkeypatch):
    from sonde.probe.plugins.points import dressed

    wrapped = dressed(Client.ask, plugin.around)
    monkeypatch.setattr(Client, "ask", wrapped)

    assert copy.copy(wrapped) is wrapped
    assert copy.deepcopy(wrapped) is wrapped
    assert pickle.loads(pickle.dumps(wrapped)) is wrapped  # noqa: S301 - our own bytes


def test_who_asks_whether_it_is_a_coroutine_function_hears_yes(plugin):
    from sonde.probe.plugins.points import dressed

    wrapped = dressed(double, plugin.around)
    asks = asyncio.iscoroutinefunction if sys.version_info < (3, 12) else inspect.iscoroutinefunction

    assert asks(wrapped)
    assert not asks(dressed(Client.ask, plugin.around))


def test_a_coroutine_is_awaited_gathered_and_made_a_task(core, plugin, recording, op):
    wrapped = plugin.around(double)

    async def main():
        with core.scope(op):
            first = await wrapped(1)
            more = await asyncio.gather(wrapped(2), wrapped(3, plus=1))
            return [first, *more, await asyncio.create_task(wrapped(4)), await asyncio.wait_for(wrapped(5), 1)]

    assert asyncio.run(main()) == [2, 4, 7, 8, 10]
    *calls, request = recording.spans()
    assert {call.parent_span_id for call in calls} == {request.span_id}
    assert len(calls) == 5
    assert ("start", (3,), {"plus": 1}) in plugin.told


def test_a_coroutine_begins_its_span_when_it_is_first_run(plugin, recording):
    coroutine = plugin.around(double)(1)
    assert plugin.told == []
    with pytest.raises(StopIteration) as stop:
        coroutine.send(None) or coroutine.send(None)
    assert stop.value.value == 2
    recording.only()


def test_a_coroutine_is_what_libraries_take_for_one(plugin):
    coroutine = plugin.around(double)(1)

    assert asyncio.iscoroutine(coroutine)
    assert isinstance(coroutine, collections.abc.Coroutine)
    assert inspect.isawaitable(coroutine)
    assert coroutine.cr_frame is not None
    assert "coroutine" in repr(coroutine)
    assert weakref.ref(coroutine)() is coroutine
    coroutine.close()


@pytest.mark.parametrize("value", [None, (1, 2), ValueError("a value"), StopIteration(3)])
def test_whatever_a_coroutine_returns_arrives(plugin, value):
    async def gives():
        return value

    async def main():
        return await wrapped()

    wrapped = plugin.around(gives, result=None)
    assert asyncio.run(main()) is value


def test_an_exception_thrown_into_a_coroutine_is_handled_where_it_waits(plugin, recording):
    async def stubborn():
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            return "stayed"

    async def main():
        task = asyncio.create_task(plugin.around(stubborn)())
        await asyncio.sleep(0)
        task.cancel()
        return await task

    assert asyncio.run(main()) == "stayed"
    assert plugin.told[-1] == ("result", "stayed")
    recording.only()


def test_a_cancelled_coroutine_tells_so(plugin, recording):
    async def main():
        task = asyncio.create_task(plugin.around(asyncio.sleep)(10))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert plugin.told[-1][:2] == ("failed", asyncio.CancelledError)
    recording.only()


def test_a_coroutine_that_is_closed_or_forgotten_ends_its_span(plugin, recording):
    async def waits():
        await asyncio.sleep(10)

    async def begun(coroutine):
        coroutine.send(None)
        return coroutine

    wrapped = plugin.around(waits)
    asyncio.run(begun(wrapped())).close()
    assert plugin.told[-1][:2] == ("failed", GeneratorExit)
    recording.only()

    forgotten = asyncio.run(begun(wrapped()))
    del forgotten
    gc.collect()
    assert plugin.told[-1][:2] == ("failed", GeneratorExit)
    recording.only()


def test_a_coroutine_that_is_never_run_has_no_span(plugin, recording):
    wrapped = plugin.around(double)
    with pytest.warns(RuntimeWarning, match="never awaited"):
        wrapped(1)
    assert recording.spans() == []
    assert plugin.told == []


def test_a_function_may_return_any_awaitable(core, plugin, recording):
    def asks():
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_result, 7)
        return future

    async def main():
        return await core.around_async(asks, plugin.start, None, plugin.failed, plugin.fault)()

    assert asyncio.run(main()) == 7
    recording.only()


def test_what_a_coroutine_awaits_twice_is_refused_as_by_the_original(plugin):
    async def main():
        coroutine = plugin.around(double)(1)
        await coroutine
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            await coroutine

    asyncio.run(main())


def test_wrapped_calls_leave_no_memory_behind(core, plugin, recording):
    async def fails():
        raise ValueError("theirs")

    def fails_too():
        raise ValueError("theirs")

    plain, wrapped = plugin.around(lambda *_, **__: None, result=None), plugin.around(double, result=None)
    failing, failing_too = plugin.around(fails), plugin.around(fails_too)

    async def calls(count):
        for number in range(count):
            plain(number, key=number)
            await wrapped(number, plus=number)
            for failure in (failing, failing_too):
                with contextlib.suppress(ValueError):
                    await failure()
            plugin.told.clear()

    async def main():
        await calls(200)
        core.drain()
        gc.collect()
        before = sys.getallocatedblocks()
        await calls(2000)
        core.drain()
        gc.collect()
        return sys.getallocatedblocks() - before

    assert asyncio.run(main()) < 200


def test_a_cycle_through_a_waiting_coroutine_is_collected(plugin):
    class Holder:
        pass

    async def waits(holder):
        await holder.future

    async def main():
        holder = Holder()
        holder.future = asyncio.get_running_loop().create_future()
        holder.coroutine = plugin.around(waits, start=lambda *_: None)(holder)
        holder.coroutine.send(None)
        return weakref.ref(holder)

    reference = asyncio.run(main())
    gc.collect()
    assert reference() is None
