"""Answers for a Python that does not: from the probe's start on, see native/tools/stacks. Imports next to nothing."""

from __future__ import annotations

import sys


def answer_when_stuck() -> bool:
    """From now on, an agent's command for stacks that Python does not take is answered without it. A third of a
    millisecond. False: frames cannot be read here, or this is not the native core.
    """
    if "sonde.probe.core._core" not in sys.modules:
        return False
    try:
        from sonde.probe.tools import _stacks

        return _stacks.answer_commands(sys.version.split()[0])
    except (ImportError, AttributeError, OSError):
        return False
