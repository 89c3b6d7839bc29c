"""leaks: every program of the corpus, each in a process of its own (`python -m bench.leaks_corpus` makes the table)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "corpus" / "leaks"))
import judged

sys.path.pop(0)


@pytest.mark.parametrize("program", judged.REAL, ids=lambda path: path.stem)
def test_a_leak_is_named_on_its_line_with_its_type_and_nothing_else_is(program):
    outcome = judged.run(program, sys.executable, dict(os.environ))

    assert outcome.named, outcome.said["others"]
    assert outcome.typed, outcome.said["leaks"]
    assert outcome.wrong == []


@pytest.mark.parametrize("program", judged.NONE, ids=lambda path: path.stem)
def test_what_only_looks_like_a_leak_is_not_called_one(program):
    outcome = judged.run(program, sys.executable, dict(os.environ))

    assert outcome.wrong == [], outcome.said["leaks"]
