"""An answer is compressed."""

import asyncio
import random
import zlib

CAUSES = {"c_call_without_gil"}

DATA = bytes(random.choices(b"abcdefgh", k=1_500_000))


async def main():
    await asyncio.sleep(0.005)
    zlib.compress(DATA, 9)  # stalls
    await asyncio.sleep(0.005)
