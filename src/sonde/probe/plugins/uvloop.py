"""uvloop: records how late its event loops get to what is due. What is recorded and what never is: see `asyncio`."""

from __future__ import annotations

from sonde.probe.plugins.asyncio import run_forever
from sonde.probe.plugins.plugin import Plugin

PLUGIN = Plugin(library="uvloop", supports=">=0.17,<1", points={"uvloop:Loop.run_forever": run_forever})
