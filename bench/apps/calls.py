"""What a leaf span adds to a real call: `calls.py redis|sqlite3 ADDRESSES`. Prints what `turns` finds, as JSON.

Redis is asked at 127.0.0.1:6379; SQLite's database is in memory, so its call is the quickest there is.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.apps.probes import PROBES
from bench.apps.turns import by_turns

if TYPE_CHECKING:
    from collections.abc import Callable

PAIRS, CALLS, REST_S = 20, 500, 0.11


def redis() -> Callable[[int], object]:
    """GET of a key that is not there."""
    import redis as library

    get = library.Redis().get

    def drive(count: int) -> None:
        for _ in range(count):
            get("sonde:bench")

    return drive


def sqlite3() -> Callable[[int], object]:
    """SELECT of one row by its key."""
    import sqlite3 as library

    connection = library.connect(":memory:")
    connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, price REAL)")
    connection.execute("INSERT INTO orders VALUES (7, 1.5)")
    execute = connection.cursor().execute

    def drive(count: int) -> None:
        for _ in range(count):
            execute("SELECT price FROM orders WHERE id = ?", (7,)).fetchone()

    return drive


def main(kind: str, addresses: str) -> None:
    """Measure and print."""
    sys.path.insert(0, str(Path(__file__).parents[2] / "src"))
    PROBES["sonde"](kind, json.loads(addresses))
    from sonde.probe.start import probe

    engine = probe._engine  # noqa: SLF001 - the recorder and its connection are to stay
    assert engine is not None

    make = {"redis": redis, "sqlite3": sqlite3}[kind]
    engine.stop()
    drives = {False: make()}
    engine.start()
    drives[True] = make()  # a connection of sqlite3 is watched or not from its birth on
    chosen = drives[True]

    def switch(on: bool) -> None:
        nonlocal chosen
        (engine.start if on else engine.stop)()
        chosen = drives[on]

    def drive(count: int) -> None:
        chosen(count)

    print(json.dumps(by_turns(switch, drive, PAIRS, CALLS, REST_S)), flush=True)
    os._exit(0)


main(*sys.argv[1:])
