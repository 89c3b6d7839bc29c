"""The console's types are written by hand: here they are held against the API's."""

import re
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

from sonde.server import reports
from sonde.server.api.routes import jobs

API = Path(__file__).parents[2] / "web" / "src" / "api"
SOURCE = "\n".join(file.read_text() for file in sorted([API / "types.ts", *API.glob("*Types.ts")]))
MODULES = [*(import_module(f"{reports.__name__}.{found.name}") for found in iter_modules(reports.__path__)), jobs]
INTERFACES = {
    name: (parent, set(re.findall(r"^  (\w+)\??:", body, re.MULTILINE)))
    for name, parent, body in re.findall(
        r"^export interface (\w+)(?:<T>)?(?: extends (\w+))? \{\n(.*?)^\}", SOURCE, re.MULTILINE | re.DOTALL
    )
}
RENAMED = {"HostNode": "Node"}
"""`Node` is a type of every browser."""
NO_ANSWERS = {"Session", "JobDocument", "NodejsActionWish", "NodejsProcessName"}


def fields(name):
    parent, own = INTERFACES[name]
    return own | (fields(parent) if parent else set())


@pytest.mark.parametrize("name", sorted(INTERFACES.keys() - NO_ANSWERS))
def test_the_console_knows_the_fields_of_every_answer(name):
    """A field that the server adds, drops or renames is one here, too."""
    known = RENAMED.get(name, name)
    model = next(getattr(module, known) for module in MODULES if hasattr(module, known))
    assert fields(name) == {field.serialization_alias or key for key, field in model.model_fields.items()}
