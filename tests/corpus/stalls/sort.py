"""A long list is sorted."""

import asyncio
import random

CAUSES = {"c_call"}

DATA = [(random.random(), str(i)) for i in range(80_000)]


async def main():
    await asyncio.sleep(0.005)
    sorted(DATA)  # stalls
    await asyncio.sleep(0.005)
