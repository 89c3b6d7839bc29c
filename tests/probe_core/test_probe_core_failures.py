"""What a span keeps of an exception."""

import gc

from sonde.probe.core.failures import MAX_CHAIN, MAX_FRAMES, STACKTRACE_MAX_BYTES, describe


def raised(function, *arguments):
    try:
        function(*arguments)
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def dive(depth):
    if depth == 0:
        raise ValueError("at the bottom")
    dive(depth - 1)


def test_type_message_and_frames_are_kept_innermost_last():
    failure = describe(raised(dive, 2))
    assert (failure.type, failure.message) == ("ValueError", "at the bottom")
    lines = failure.stacktrace.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert [line.split(", in ")[1] for line in lines[1:-1]] == ["raised", "dive", "dive", "dive"]
    assert lines[-1] == "ValueError: at the bottom"


def test_a_class_outside_builtins_is_named_with_its_module():
    class OwnError(Exception):
        pass

    assert describe(OwnError()).type == f"{__name__}.{OwnError.__qualname__}"


def test_of_a_deep_stack_the_innermost_frames_are_kept():
    trace = describe(raised(dive, 200)).stacktrace
    assert trace.count("  File ") == MAX_FRAMES
    assert f"[{202 - MAX_FRAMES} outer frames left out]" in trace


def test_causes_and_contexts_come_first_as_in_a_python_traceback():
    def caused():
        try:
            dive(0)
        except ValueError as error:
            raise KeyError("asked") from error

    def contextual():
        try:
            caused()
        except KeyError:
            raise OSError("meanwhile")  # noqa: B904 - the context is what is looked at

    trace = describe(raised(contextual)).stacktrace
    order = ["ValueError: at the bottom", "direct cause", "KeyError: 'asked'", "During handling", "OSError: meanwhile"]
    assert [trace.index(part) for part in order] == sorted(trace.index(part) for part in order)


def test_a_suppressed_context_is_left_out():
    def suppressing():
        try:
            dive(0)
        except ValueError:
            raise KeyError("x") from None

    assert "ValueError" not in describe(raised(suppressing)).stacktrace


def test_a_ring_of_causes_ends():
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    assert describe(one).stacktrace.count("direct cause") == 1


def test_a_long_chain_is_cut():
    error = ValueError("0")
    for number in range(1, 10):
        outer = ValueError(str(number))
        outer.__cause__ = error
        error = outer
    assert describe(error).stacktrace.count("ValueError: ") == MAX_CHAIN


def test_of_a_long_text_the_end_is_kept():
    trace = describe(ValueError("ü" * 20_000 + " the end")).stacktrace
    assert len(trace.encode()) <= STACKTRACE_MAX_BYTES
    assert trace.endswith("the end\n")


def test_an_error_whose_words_hold_values_says_what_is_remembered_for_it():
    from sonde.probe.core import failures

    class DriverError(Exception):
        pass

    class WrappedError(Exception):
        """As SQLAlchemy's: the driver's words, the statement and its parameters."""

        def __init__(self, orig):
            super().__init__(f"{orig} [parameters: secret]")
            self.orig, self.hide_parameters = orig, False

    error = DriverError("Duplicate entry 'secret'")
    failures.remember(error, "Duplicate entry ?")
    wrapped = WrappedError(error)
    wrapped.__cause__ = error

    assert describe(error).message == "Duplicate entry ?"
    assert describe(wrapped).message.endswith("DriverError) Duplicate entry ?")
    assert "secret" not in str(describe(wrapped))
    before = len(failures._remembered)
    del error, wrapped
    gc.collect()
    assert len(failures._remembered) == before - 1


def test_what_cannot_be_remembered_keeps_its_own_words():
    from sonde.probe.core import failures

    error = MemoryError("plain")
    failures.remember(error, "other")
    assert describe(error).message in {"plain", "other"}
