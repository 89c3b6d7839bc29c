"""Functions of the standard library as they are, whatever a framework has put in their place.

gevent and eventlet replace what starts a thread by what starts one of theirs, which would run the tool in the midst of
the application's own, and hold it up.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any


def original(module: str, name: str) -> Any:
    """The function `name` of `module`."""
    gevent = sys.modules.get("gevent.monkey")
    if gevent is not None:
        return gevent.get_original(module, name)
    eventlet = sys.modules.get("eventlet.patcher")
    if eventlet is not None and eventlet.is_monkey_patched("thread"):
        return getattr(eventlet.original(module), name)
    return getattr(import_module(module), name)
