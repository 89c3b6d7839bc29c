"""A tree of folders is looked through."""

import asyncio
import os
import tempfile
from pathlib import Path

CAUSES = {"c_call", "c_call_without_gil", "python", "system_call"}

folder = Path(tempfile.mkdtemp())
for number in range(3000):
    (folder / str(number)).touch()


async def main():
    await asyncio.sleep(0.005)
    sum(path.stat().st_size for path in folder.rglob("*"))  # noqa: ASYNC240 # stalls
    await asyncio.sleep(0.005)
    for name in os.listdir(folder):  # noqa: PTH208 - quick
        (folder / name).unlink()
        await asyncio.sleep(0)
    folder.rmdir()  # noqa: ASYNC240 - it is empty
