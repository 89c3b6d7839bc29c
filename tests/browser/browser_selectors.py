"""What the tests hold on to: the names of `web/src/testIds.ts`, read from there."""

import re
from pathlib import Path

_SOURCE = Path(__file__).parents[2] / "web" / "src" / "testIds.ts"
_IDS = dict(re.findall(r'^\s+(\w+): "([\w-]+)",$', _SOURCE.read_text(), re.MULTILINE))


def css(name):
    """The CSS selector of a name in testIds.ts."""
    return f'[data-testid="{_IDS[name]}"]'
