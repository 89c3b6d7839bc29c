import pytest

from sonde.probe import guard
from sonde.probe.plugins.leaf import around, around_async


@pytest.fixture
def counted(monkeypatch):
    """Faults are counted, as they are in production."""
    monkeypatch.setattr(guard, "raised", False)
    guard.forget()
    yield
    guard.forget()


class Broken:
    """A span of which everything fails."""

    def __getattr__(self, name):
        raise RuntimeError(f"no {name}")


def start_fails(*args):
    raise RuntimeError("no start")


def test_a_fault_is_counted_with_its_last_text(counted):
    for number in (1, 2):
        try:
            int(f"number {number}")
        except ValueError:
            guard.fault("here")

    assert guard.faults() == {"here": (2, "ValueError: invalid literal for int() with base 10: 'number 2'")}


def test_a_fault_that_cannot_be_shown_is_counted_like_another(counted):
    class UnspeakableError(Exception):
        def __str__(self):
            raise ValueError

    def speak():
        raise UnspeakableError

    try:
        speak()
    except UnspeakableError:
        guard.fault("here")

    assert guard.faults() == {"here": (1, "an exception that cannot be shown")}


def test_where_faults_are_to_be_seen_they_are_raised(counted, monkeypatch):
    monkeypatch.setattr(guard, "raised", True)

    def faulty():
        try:
            int("seen")
        except ValueError:
            guard.fault("here")

    with pytest.raises(ValueError, match="seen"):
        faulty()


@pytest.mark.parametrize("start", [start_fails, lambda *args, **kwargs: Broken(), lambda *args, **kwargs: None])
def test_the_call_and_its_result_are_untouched_whatever_fails_on_our_side(counted, start):
    result = object()
    calls = []

    def theirs(*args, **kwargs):
        calls.append((args, kwargs))
        return result

    assert around(start)(theirs)(1, key=2) is result
    assert calls == [((1,), {"key": 2})]


@pytest.mark.parametrize("start", [start_fails, lambda *args, **kwargs: Broken(), lambda *args, **kwargs: None])
@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_the_very_exception_arrives_with_the_traceback_it_has(counted, start, kind):
    error = kind("theirs")

    def theirs():
        raise error

    with pytest.raises(kind) as caught:
        around(start)(theirs)()

    assert caught.value is error
    assert caught.traceback[-1].name == "theirs"
    assert error.__context__ is None
    assert error.__cause__ is None


@pytest.mark.parametrize("start", [start_fails, lambda *args, **kwargs: Broken(), lambda *args, **kwargs: None])
def test_the_same_holds_for_coroutines(counted, start):
    import asyncio

    error = ValueError("theirs")

    async def gives():
        return 42

    async def fails():
        raise error

    assert asyncio.run(around_async(start)(gives)()) == 42
    with pytest.raises(ValueError, match="theirs") as caught:
        asyncio.run(around_async(start)(fails)())
    assert caught.value is error
    assert caught.traceback[-1].name == "fails"
