"""The folders are the architecture: imports point one way (docs/architecture.md)."""

import ast
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "sonde"

MAY_IMPORT = {
    "wire": set(),
    "settings": set(),
    "probe": {"wire", "settings"},
    "agent": {"wire", "settings"},
    "server": {"wire", "settings"},
    "cli": {"wire", "settings", "probe", "agent", "server"},
}


def modules_of(part):
    path = SOURCE / part
    return sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def imports_of(path):
    """Every module that `path` imports, at the top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the direction"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def parts_imported_by(part):
    found = set()
    for path in modules_of(part):
        for name in imports_of(path):
            words = name.split(".")
            if words[0] == "sonde" and len(words) > 1 and words[1] in MAY_IMPORT:
                found.add(words[1])
    return found - {part}


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_a_part_imports_only_what_it_may(part):
    assert modules_of(part)
    assert parts_imported_by(part) <= MAY_IMPORT[part]


def test_every_folder_is_in_the_table():
    folders = {path.name for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"}

    assert folders <= set(MAY_IMPORT), "a new part needs a line here and in docs/architecture.md"


BRIDGE = SOURCE / "probe" / "otel"


@pytest.mark.parametrize("part", ["wire", "settings", "probe"])
def test_the_probe_and_what_it_stands_on_need_the_standard_library_alone(part):
    """Plugins may name the library they wrap inside a function: it is there by then.

    The bridge to OpenTelemetry is imported inside functions as a whole.
    """
    for path in modules_of(part):
        known = {"sonde", "opentelemetry"} if BRIDGE in path.parents else {"sonde"}
        tree = ast.parse(path.read_text())
        for node in tree.body:
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module]
            for name in names:
                top = name.split(".")[0]
                assert top in known or top in sys.stdlib_module_names, f"{path} imports {name}"
                assert not name.startswith("sonde.probe.otel") or BRIDGE in path.parents, f"{path} imports {name}"


def test_only_the_settings_read_the_environment():
    """One row per setting, one reader: `sonde.settings` (and what starts a child with an environment of its own)."""
    starters = {"run.py", "sitecustomize.py"}
    for path in sorted(SOURCE.rglob("*.py")):
        if path.parent == SOURCE / "settings" or path.name in starters:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}:
                owner = node.value
                assert not (isinstance(owner, ast.Name) and owner.id == "os"), (
                    f"{path}:{node.lineno} reads os.{node.attr}"
                )
