"""stalls: programs that block their loop, each for one reason. All on both loops: `python -m bench.stalls_corpus`."""

from __future__ import annotations

import importlib.util

import pytest
from bench.stalls_corpus import judge, programs

_stalls = pytest.importorskip("sonde.probe.tools._stalls")

pytestmark = pytest.mark.skipif(bool(_stalls.init()), reason="frames cannot be read on this Python")

QUICK = (
    ("sleep", "asyncio"),
    ("collection", "asyncio"),
    ("regex_backtracking", "asyncio"),
    ("lock", "asyncio"),
    ("finalizer", "asyncio"),
    ("file_lock", "asyncio"),
    ("log_pipe", "asyncio"),
    ("database", "asyncio"),
    ("http_client", "uvloop"),
    ("python_loop", "uvloop"),
    ("json_loads", "uvloop"),
    ("generator", "asyncio"),
    ("generator", "uvloop"),
)
MINUTES = tuple((name, loop) for name in programs() for loop in ("asyncio", "uvloop") if (name, loop) not in QUICK)


def check(name, loop):
    """A machine that is busy with others may steal the processor: then that is the cause, and it is so."""
    if loop == "uvloop" and importlib.util.find_spec("uvloop") is None:
        pytest.skip("no uvloop here")
    verdict = judge(name, loop)
    assert verdict.caught
    assert verdict.right_line, verdict
    assert verdict.right_cause or verdict.cause == "cpu_wait", verdict


@pytest.mark.parametrize(("name", "loop"), QUICK)
def test_what_blocks_is_caught_with_its_line_and_cause(name, loop):
    check(name, loop)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "loop"), MINUTES)
def test_the_whole_corpus_is_caught_with_its_line_and_cause(name, loop):
    check(name, loop)


def test_the_corpus_has_the_usual_suspects():
    assert len(programs()) >= 30
