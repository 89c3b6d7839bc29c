"""`python -m bench [NAME …]`: all benchmarks, or those named; one after the other, since they share the machine."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import bench

NOT_BENCHMARKS = {"__main__", "machine", "picture", "report", "segment_traffic", "steady", "traffic"}


def names() -> list[str]:
    """Every module of this folder that is a benchmark."""
    return sorted(
        module.name
        for module in pkgutil.iter_modules(bench.__path__)
        if not module.ispkg and module.name not in NOT_BENCHMARKS
    )


def main(asked: list[str]) -> int:
    """Run them; exit code 2 for a name that is none."""
    unknown = set(asked) - set(names())
    if unknown:
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are: {', '.join(names())}", file=sys.stderr)
        return 2
    for name in asked or names():
        print(f"\n== {name}", flush=True)
        importlib.import_module(f"bench.{name}").main()
    return 0


sys.exit(main(sys.argv[1:]))
