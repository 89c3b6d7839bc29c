"""What a process is after its start, on standard output: `begin.begun(PROBE, KIND, ADDRESSES)`, and the program ends.

For Sonde, which is there before the first line of a program, `begun` is called with `bare`.
"""

import os
import sys

from bench.apps.probes import PROBES


def flask() -> object:
    """Flask, with what it calls."""
    import redis  # noqa: F401
    import requests  # noqa: F401
    from flask import Flask

    return Flask("bench")


def fastapi() -> object:
    """FastAPI, with what it calls."""
    import httpx  # noqa: F401
    import redis.asyncio  # noqa: F401
    from fastapi import FastAPI

    return FastAPI()


def begun(probe: str, kind: str, addresses: dict[str, str]) -> None:
    """Start the probe, make an application, and say: resident KiB, threads, modules."""
    instrumented, _ = PROBES[probe](kind, addresses)
    if kind != "none":
        instrumented({"flask": flask, "fastapi": fastapi}[kind]())
    with open("/proc/self/statm") as file:  # noqa: PTH123 - pathlib would be imported
        pages = int(file.read().split()[1])
    print(pages * os.sysconf("SC_PAGE_SIZE") // 1024, len(os.listdir("/proc/self/task")), len(sys.modules))  # noqa: PTH208
