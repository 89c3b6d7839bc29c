"""What tools say of themselves is known to the console in its other language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sonde.probe.tools.registry import TOOLS, load

OPTIONS = Path(__file__).parents[2] / "web" / "src" / "i18n" / "options.ts"
KNOWN = [re.compile(found) for found in re.findall(r"\[?/(\^.*\$)/,", OPTIONS.read_text())]


@pytest.mark.parametrize("tool", TOOLS)
def test_how_exact_a_tool_is_is_said_in_chinese_sentence_by_sentence(tool):
    state = load(tool).state()

    for said in f"{state.exact}; {state.approximate}".split("; "):
        assert not said or any(pattern.search(said) for pattern in KNOWN), said
