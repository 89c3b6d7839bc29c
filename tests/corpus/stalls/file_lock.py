"""A file that another process has locked."""

import asyncio
import fcntl
import tempfile
import threading
from pathlib import Path

CAUSES = {"system_call"}

path = Path(tempfile.mkdtemp(), "lock")
others, mine = path.open("w"), path.open("w")
fcntl.flock(others, fcntl.LOCK_EX)
threading.Timer(0.3, fcntl.flock, (others, fcntl.LOCK_UN)).start()


async def main():
    await asyncio.sleep(0.005)
    fcntl.flock(mine, fcntl.LOCK_EX)  # stalls
    await asyncio.sleep(0.005)
