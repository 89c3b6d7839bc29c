"""A collection with a million objects."""

import asyncio
import gc

CAUSES = {"gc"}

gc.disable()
KEPT = [[] for _ in range(1_000_000)]


async def main():
    await asyncio.sleep(0.005)
    gc.collect()  # stalls
    await asyncio.sleep(0.005)
