"""The console's types are written by hand: here they are held against the API's."""

import re
from pathlib import Path

import pytest

from sonde.server import job_reports, reports
from sonde.server.api.routes import jobs

SOURCE = (Path(__file__).parents[2] / "web" / "src" / "api" / "types.ts").read_text()
INTERFACES = {
    name: (parent, set(re.findall(r"^  (\w+)\??:", body, re.MULTILINE)))
    for name, parent, body in re.findall(
        r"^export interface (\w+)(?:<T>)?(?: extends (\w+))? \{\n(.*?)^\}", SOURCE, re.MULTILINE | re.DOTALL
    )
}
RENAMED = {"HostNode": "Node"}
"""`Node` is a type of every browser."""


def fields(name):
    parent, own = INTERFACES[name]
    return own | (fields(parent) if parent else set())


@pytest.mark.parametrize("name", sorted(INTERFACES.keys() - {"Session", "JobDocument"}))
def test_the_console_knows_the_fields_of_every_answer(name):
    """A field that the server adds, drops or renames is one here, too."""
    known = RENAMED.get(name, name)
    model = next(getattr(module, known) for module in (reports, job_reports, jobs) if hasattr(module, known))
    assert fields(name) == {field.serialization_alias or key for key, field in model.model_fields.items()}
