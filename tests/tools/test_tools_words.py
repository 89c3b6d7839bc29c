"""What tools say of themselves and of their results is known to the console in its other language."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from sonde.probe.tools.registry import TOOLS, load

ROOT = Path(__file__).parents[2]
I18N = ROOT / "web" / "src" / "i18n"
SOURCES = ROOT / "src" / "sonde" / "probe" / "tools"
IN_C = ROOT / "native" / "tools" / "stacks" / "answer.c"


def patterns(file):
    """Those of sentences, as they stand in the file."""
    return [re.compile(found) for found in re.findall(r"\[?/(\^.*\$)/,", (I18N / file).read_text())]


@pytest.mark.parametrize("tool", TOOLS)
def test_how_exact_a_tool_is_is_said_in_chinese_sentence_by_sentence(tool):
    known = patterns("options.ts")
    state = load(tool).state()

    for said in f"{state.exact}; {state.approximate}".split("; "):
        assert not said or any(pattern.search(said) for pattern in known), said


def text_of(node):
    """A text with 7 for whatever is put into it; None: it is none."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) and node.value else None
    if isinstance(node, ast.JoinedStr):
        return "".join("7" if isinstance(part, ast.FormattedValue) else part.value for part in node.values)
    return None


def notes_in(tree):
    """What is added to `notes`, stands in one, is called `note`, or is given back by who is asked for one."""
    for node in ast.walk(tree):
        found = []
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "notes.append":
            found = node.args
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in {"note", "notes"}:
            found = node.value.elts if isinstance(node.value, ast.List) else [node.value]
        elif isinstance(node, ast.FunctionDef) and (node.name.endswith("_note") or node.name == "overspent"):
            found = [inner.value for inner in ast.walk(node) if isinstance(inner, ast.Return)]
        yield from filter(None, map(text_of, found))


def test_what_tools_note_about_a_result_is_said_in_chinese():
    known = patterns("notes.ts")
    notes = [note for file in sorted(SOURCES.rglob("*.py")) for note in notes_in(ast.parse(file.read_text()))]
    written = re.search(r"static void put_notes.*?\n}", IN_C.read_text(), re.DOTALL)[0]
    written = re.sub(r'"\n\s*"', "", written)
    notes += [said.replace("%d", "7") for said in re.findall(r'"([^"]{12,})"', written) if said.endswith(".")]

    assert len(notes) > 45
    assert [note for note in notes if not any(pattern.search(note) for pattern in known)] == []


def test_every_word_for_a_run_that_failed_is_said_in_both_languages():
    text = (ROOT / "docs" / "debugger.md").read_text()
    table = text[text.index("| refused or failed with | when |") :].partition("\n\n")[0]
    words = set()
    for row in table.splitlines()[2:]:
        _, first, second, _ = row.split("|")
        words |= set(re.findall(r"`([a-z_]+)`", first if "`" in first else second))
    assert {"bad_signature", "disk_full", "unknown_tool"} <= words

    shown = (ROOT / "web" / "src" / "domain" / "tools.ts").read_text()
    for word in sorted(words):
        assert f'"{word}",' in shown, word
        for language in ("en", "zh"):
            assert f'"job.reason.{word}":' in (I18N / language / "tools.ts").read_text(), (language, word)
