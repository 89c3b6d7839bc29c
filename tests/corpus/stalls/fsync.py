"""A file is brought to the disk."""

import asyncio
import os
import tempfile

CAUSES = {"c_call_without_gil", "system_call"}

file, _ = tempfile.mkstemp()


async def main():
    await asyncio.sleep(0.005)
    for _ in range(600):
        os.write(file, b"x" * 1000)  # stalls
        os.fsync(file)  # stalls
    await asyncio.sleep(0.005)
