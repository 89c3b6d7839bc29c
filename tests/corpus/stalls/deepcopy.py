"""A large structure is copied."""

import asyncio
import copy

CAUSES = {"python"}

DATA = [{"id": i, "tags": ["a", "b"]} for i in range(15_000)]


async def main():
    await asyncio.sleep(0.005)
    copy.deepcopy(DATA)  # stalls
    await asyncio.sleep(0.005)
