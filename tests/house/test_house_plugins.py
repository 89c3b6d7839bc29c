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
