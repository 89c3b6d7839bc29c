"""Runs one program of the corpus under the tool, and prints what was seen: run_one.py PROGRAM asyncio|uvloop."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
import threading
import time

from sonde.probe.tools.stalls import Stalls


def watched(main, run):
    """stalls.json of a run of `main`."""
    found = []
    on, over = threading.Event(), threading.Event()

    def host():
        tool = Stalls()
        tool.start({"threshold_ms": 10.0}, 60)
        on.set()
        over.wait()
        tool.progress()
        found.append(tool.stop())

    thread = threading.Thread(target=host)
    thread.start()
    on.wait()
    try:
        run(main())
    finally:
        over.set()
        thread.join()
    return json.loads(found[0].artifacts[0].content)


def runner(name):
    """asyncio.run or uvloop.run."""
    if name == "uvloop":
        import uvloop

        return uvloop.run
    return asyncio.run


if __name__ == "__main__":
    spec = importlib.util.spec_from_file_location("program", sys.argv[1])
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    late = []

    async def beside(main=program.main):
        """The program, and a clock that says for how long it could not tick."""
        main = asyncio.ensure_future(main())
        while not main.done():
            began = time.monotonic()
            await asyncio.sleep(0.001)
            late.append(time.monotonic() - began)
        await main

    document = watched(beside, runner(sys.argv[2]))
    facts = {"causes": sorted(program.CAUSES), "late_ms": max(late) * 1e3, "stalls": document["stalls"]}
    print(json.dumps(facts))  # noqa: T201
