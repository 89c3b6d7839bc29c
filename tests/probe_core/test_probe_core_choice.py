"""One interface, two implementations, and which one runs."""

import importlib
import inspect
import subprocess
import sys
import textwrap
import types

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span
from probe_core_harness import record

from sonde.probe import core as chosen
from sonde.probe.core import _core, choice, twin
from sonde.probe.core.twin import counting
from sonde.settings import SettingError


def public(thing):
    return {name for name in dir(thing) if not name.startswith("_")}


def test_both_implementations_have_the_chosen_ones_interface():
    interface = set(chosen.__all__) - {"NATIVE"}
    assert interface <= public(_core)
    assert interface == set(twin.__all__)


def test_spans_and_operations_of_both_have_the_same_members():
    internal = {
        "ended",
        "endpoint",
        "keep_because",
        "kept",
        "left_behind",
        "name",
        "previous",
        "record",
        "root",
        "scoped",
    }
    internal |= {"silent", "size", "status_code", "waiters"}
    assert public(_core.Span) == public(twin.Span) - internal
    assert public(_core.Operation) == {"name", "kind"}  # and what the twin has for itself


def test_both_implementations_count_the_same_things_in_the_same_order():
    assert list(_core.counters()) == list(twin.counters()) == list(counting.NAMES)


@pytest.mark.parametrize("function", ["start", "operation", "leaf", "scope"])
def test_arguments_may_be_given_by_name(function):
    """The native functions read their arguments themselves."""
    names = list(inspect.signature(getattr(twin, function)).parameters)
    with pytest.raises(TypeError, match="unexpected keyword"):
        getattr(_core, function)(**dict.fromkeys([*names, "surplus"]))
    with pytest.raises(TypeError, match="missing"):
        getattr(_core, function)()
    with pytest.raises(TypeError, match="positional"):
        getattr(_core, function)(*range(len(names) + 1))


texts = st.text(st.characters(exclude_categories=()), max_size=90)
scalars = st.one_of(texts, st.booleans(), st.integers(-(1 << 70), 1 << 70), st.floats(), st.binary(max_size=90))
anything = st.one_of(st.none(), scalars, st.lists(st.one_of(scalars, st.none(), st.builds(object))), st.builds(object))
facts = st.dictionaries(texts, anything, max_size=6)
link_ids = st.tuples(st.sampled_from(["ab" * 16, "AB" * 16, "x" * 32, " a" * 16]), st.just("cd" * 8))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.tuples(st.sampled_from(["a", "b", "constant"]) | texts, anything)),
        st.tuples(st.just("set_many"), st.tuples(facts)),
        st.tuples(st.just("event"), st.tuples(texts, facts)),
        st.tuples(st.just("link"), link_ids),
        st.tuples(st.just("rename"), st.tuples(texts)),
        st.tuples(st.just("fail"), st.tuples(st.none() | st.builds(ValueError, texts), texts)),
    ),
    max_size=12,
)  # fmt: skip


def span_of(core, name, constants, steps):
    with record(core, max_value_bytes=64) as recording:
        span = core.leaf(core.operation(name, core.CLIENT, constants))
        for method, arguments in steps:
            getattr(span, method)(*arguments)
        span.finish()
        (data,) = core.drain()
        counts = {name: recording.counted(name) for name in counting.NAMES if name != "rings"}
        return data, counts


def without_ids_and_times(data):
    span = Span.FromString(data)
    span.trace_id = span.span_id = b""
    span.start_time_unix_nano = span.end_time_unix_nano = 0
    for event in span.events:
        event.time_unix_nano = 0
    return span.SerializeToString(deterministic=True)


@given(name=texts, constants=facts, steps=steps)
@settings(deadline=None, max_examples=300)
def test_both_implementations_write_the_same_bytes_and_count_the_same(name, constants, steps):
    native, native_counts = span_of(_core, name, constants, steps)
    python, python_counts = span_of(twin, name, constants, steps)
    assert len(native) == len(python)
    assert without_ids_and_times(native) == without_ids_and_times(python)
    assert native_counts == python_counts


def test_the_self_test_is_a_whole_span():
    (span,) = ScopeSpans.FromString(_core.self_test()).spans
    assert span.name == "self-test"
    assert _core.self_test() == choice.SELF_TEST


def test_the_setting_decides():
    assert choice.native_core("python") is None
    assert choice.native_core("native") is choice.native_core("auto") is _core
    with pytest.raises(SettingError, match="'rust'"):
        choice.native_core("rust")


def test_a_native_core_that_fails_its_self_test_is_not_used(monkeypatch):
    monkeypatch.setattr(choice.importlib, "import_module", lambda _: types.SimpleNamespace(self_test=lambda: b"?"))
    assert choice.native_core("auto") is None
    with pytest.raises(ImportError, match="self-test"):
        choice.native_core("native")


def test_without_a_native_core_the_twin_runs(monkeypatch):
    monkeypatch.setitem(sys.modules, "sonde.probe.core._core", None)
    assert choice.native_core("auto") is None
    with pytest.raises(ImportError):
        choice.native_core("native")


@pytest.mark.parametrize(("wish", "native"), [("auto", True), ("python", False)])
def test_the_environment_chooses(wish, native):
    code = "from sonde.probe import core; print(core.NATIVE)"
    environment = {"SONDE_CORE": wish, "PATH": "/usr/bin:/bin"}
    outcome = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert outcome.stdout == f"{native}\n"


def test_a_sub_interpreter_has_the_twin():
    """The native core has one state per process and refuses; nothing crashes, and both go on."""
    name = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
    importlib.import_module(name)
    program = f"""
        import {name} as interpreters
        from sonde.probe import core
        assert core.NATIVE
        core.start({{}}, "", hello={{}})
        inside = '''
        from sonde.probe import core
        assert not core.NATIVE
        core.start({{}}, "", hello={{}})
        core.leaf(core.operation("inside", core.INTERNAL)).finish()
        assert len(core.drain()) == 1
        core.stop(0)
        '''
        import textwrap
        sub = interpreters.create()
        problem = interpreters.run_string(sub, textwrap.dedent(inside))
        assert problem is None, problem
        interpreters.destroy(sub)
        core.leaf(core.operation("outside", core.INTERNAL)).finish()
        assert len(core.drain()) == 1
    """
    outcome = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False
    )
    assert (outcome.returncode, outcome.stderr) == (0, "")


def test_importing_the_native_core_again_changes_nothing():
    with record(_core) as recording:
        span = _core.scope(_core.operation("op", _core.INTERNAL))
        del sys.modules[_core.__name__]
        try:
            again = importlib.import_module(_core.__name__)
        finally:
            sys.modules[_core.__name__] = _core
        assert again.current() is span
        span.finish()
        assert recording.only().name == "op"
