"""SQLite waits for somebody else's transaction."""

import asyncio
import contextlib
import sqlite3
import tempfile

CAUSES = {"system_call"}

path = tempfile.mkdtemp() + "/base.db"
others = sqlite3.connect(path, isolation_level=None)
others.execute("CREATE TABLE t (x)")
others.execute("BEGIN EXCLUSIVE")
mine = sqlite3.connect(path, timeout=0.1)


async def main():
    await asyncio.sleep(0.005)
    with contextlib.suppress(sqlite3.OperationalError):
        mine.execute("INSERT INTO t VALUES (1)")  # stalls
    await asyncio.sleep(0.005)
