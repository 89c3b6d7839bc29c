"""A large structure is pickled."""

import asyncio
import pickle

CAUSES = {"c_call"}

DATA = [{"id": i, "name": str(i), "tags": [i, i + 1]} for i in range(60_000)]


async def main():
    await asyncio.sleep(0.005)
    pickle.dumps(DATA)  # stalls
    await asyncio.sleep(0.005)
