"""Runs one program of the corpus in this process and prints what the tool says of it, as JSON."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import inspect
import json
import os
import re
import sys
from pathlib import Path

from sonde.probe.tools.leaks.report import report
from sonde.probe.tools.leaks.tracker import Tracker

LOOPS = 60
_MARK = re.compile(r"# (?:leak: (.+)|grows|part of it)$")


def load(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def expected(path: Path) -> dict[int, list[str]]:
    """Line → types that may be named there."""
    lines = path.read_text().splitlines()
    return {
        number: (found[1] or "").split()
        for number, line in enumerate(lines, 1)
        if (found := _MARK.search(line)) is not None
    }


def plain(tracker: Tracker, handler, loops: int) -> dict:
    for i in range(loops):
        loop = tracker.new()
        tracker.begin(loop)
        handler(i)
        tracker.end(loop)
        del loop
    return last_words(tracker)


def in_tasks(tracker: Tracker, handler, loops: int) -> dict:
    """Each request in a task of its own, as servers do it."""

    async def request(i: int) -> None:
        loop = tracker.new()
        tracker.begin(loop)
        try:
            await handler(i)
        finally:
            tracker.end(loop)

    async def serve() -> dict:
        for i in range(loops):
            await asyncio.get_running_loop().create_task(request(i))
            await asyncio.sleep(0)
        return await asyncio.to_thread(last_words, tracker)  # as the tool host does it: tasks go on meanwhile

    return asyncio.run(serve())


def last_words(tracker: Tracker) -> dict:
    """While what the requests have left is still there."""
    gc.collect()
    tracker.finish()
    return report(tracker)


def run(path: Path) -> dict:
    module = load(path)
    tracker = Tracker()
    tracker.start()
    serve = in_tasks if inspect.iscoroutinefunction(module.handler) else plain
    result = serve(tracker, module.handler, getattr(module, "LOOPS", LOOPS))
    clean = tracker.stop()
    leaks = [site for site in result["sites"] if site["verdict"] == "leak"]
    return {
        "program": path.stem,
        "python": "{}.{}.{}".format(*sys.version_info[:3]),
        "expected": expected(path),
        "exact": result["exact"],
        "confirmed": tracker.confirmation.done,
        "clean": clean,
        "loops": result["loops"],
        "leaks": [
            {
                "here": site["file"] == str(path),
                "place": f"{Path(site['file']).name}:{site['line']}",
                "line": site["line"],
                "type": site["type"],
                "bytes": site["bytes"],
                "why": site["why"],
                "held_by": site["held_by"],
                "series": site["series"],
                "windows": site["windows"],
            }
            for site in leaks
        ],
        "growing": [
            {"here": one["place"].startswith(str(path)), "line": int(one["place"].rpartition(":")[2] or 0), **one}
            for one in result["growing"]
        ],
        "grows": [at for at, line in enumerate(path.read_text().splitlines(), 1) if line.endswith("# grows")],
        "others": [
            [site["verdict"], f"{Path(site['file']).name}:{site['line']}", site["type"], site["bytes"], site["why"]]
            for site in result["sites"]
            if site["verdict"] != "leak"
        ][:10],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(Path(sys.argv[1]))) + "\n")
    sys.stdout.flush()
    os._exit(0)  # threads and tasks of the programs wait for ever
