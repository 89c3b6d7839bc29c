"""A file is brought to the disk."""

import asyncio
import os
import tempfile

CAUSES = {"system_call"}

file, _ = tempfile.mkstemp()


async def main():
    await asyncio.sleep(0.005)
    for _ in range(8):
        os.write(file, b"x" * 4_000_000)  # stalls
        os.fsync(file)  # stalls
    await asyncio.sleep(0.005)
