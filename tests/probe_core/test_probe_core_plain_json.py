"""What introduces a process is written as json writes it, and json is imported only for what is not flat."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonde.probe.core.plain_json import dumps

FLAT = st.one_of(st.text(), st.integers(), st.booleans())
ANY = st.recursive(st.one_of(FLAT, st.none(), st.floats()), lambda inner: st.lists(inner, max_size=3), max_leaves=4)


@settings(deadline=None)
@given(st.dictionaries(st.text(), ANY))
def test_it_writes_what_json_writes(values):
    assert dumps(values) == json.dumps(values)


@pytest.mark.parametrize("values", [{"a": object()}, {("a",): 1}, {"a": {1, 2}}])
def test_what_is_no_json_is_refused_as_json_does(values):
    with pytest.raises(TypeError):
        dumps(values)


@pytest.mark.parametrize(("values", "imported"), [({"pid": 7, "native": True, "name": "é"}, False), ({"a": [1]}, True)])
def test_json_is_imported_for_nothing_flat(values, imported):
    code = (
        "import sys\nfrom sonde.probe.core.plain_json import dumps\nsys.modules.pop('json', None)\n"
        f"dumps({values!r})\nprint('json' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == str(imported)
