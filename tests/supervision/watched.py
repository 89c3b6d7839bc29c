"""Runs a Watch over the children of the plan in its argument; used by the tests beside it."""

import json
import logging
import sys

from sonde.server.supervision.child import Child
from sonde.server.supervision.signals import heard_signals
from sonde.server.supervision.watch import HopelessError, Watch

BEGIN = """
import os, signal, sys, time
note = lambda what: open(os.path.join({folder!r}, what), "a")
note({name!r} + ".pids").write(str(os.getpid()) + "\\n")
ready = lambda: print("ready", flush=True)
"""

logging.basicConfig(format="%(message)s", level=logging.INFO)
plan = json.loads(sys.argv[1])
children = [
    Child(name, [sys.executable, "-c", BEGIN.format(name=name, **plan) + code], {}, plan["stop_within_s"])
    for name, code in plan["children"].items()
]
with heard_signals() as signals:
    try:
        Watch(children, signals, lambda child: print(f"{child.name} is ready", flush=True)).run()  # noqa: T201 - a program
    except HopelessError as error:
        sys.exit(str(error))
