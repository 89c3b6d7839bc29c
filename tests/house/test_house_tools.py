"""What the API says of tools is what the tools declare."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from sonde.probe.tools import registry

CATALOGUE = Path(__file__).parents[2] / "src" / "sonde" / "server" / "control" / "tools.json"


@pytest.mark.parametrize("name", registry.TOOLS)
def test_the_catalogue_of_the_api_is_made_of_the_tools(name):
    """`scripts/tool-catalogue` writes it; this fails when somebody changed a tool's options and did not run it."""
    listed = {tool["name"]: tool for tool in json.loads(CATALOGUE.read_text())}

    tool = registry.load(name)

    options = json.loads(json.dumps({key: asdict(option) for key, option in tool.options.items()}))
    assert listed[name] == {"name": name, "heavy": tool.heavy, "at_once": tool.at_once, "options": options}, (
        "run scripts/tool-catalogue"
    )
