"""Every plugin has a page, and the pages are what its declaration says."""

import runpy
from pathlib import Path

from sonde.probe.plugins import REGISTRY

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "plugins"


def test_the_pages_of_plugins_are_made_of_their_declarations():
    """`scripts/plugin-pages` writes them; this fails when somebody changed a plugin and did not run it."""
    wanted = runpy.run_path(str(ROOT / "scripts" / "plugin-pages"))["pages"]()
    found = {page.name: page.read_text() for page in PAGES.iterdir()}

    different = sorted(name for name in wanted | found if wanted.get(name) != found.get(name))
    assert not different, f"run scripts/plugin-pages: {', '.join(different)}"
    assert wanted.keys() >= {f"{name}.md" for names in REGISTRY.values() for name in names}


ASKS_FOR_A_DICT = {
    "beside.py": "says why not",
    "grpc.py": "of functions",
    "importing.py": "of a loader, once for a module",
    "logging.py": "of a record, which is formatted by it",
    "points.py": "of classes",
}


def test_no_other_plugin_asks_an_object_of_a_library_for_its_dict():
    """Each later access of the object's attributes would take longer, see plugins/beside.py."""
    asking = {path.name for path in (ROOT / "src/sonde/probe/plugins").glob("*.py") if "__dict__" in path.read_text()}
    assert asking == ASKS_FOR_A_DICT.keys()
