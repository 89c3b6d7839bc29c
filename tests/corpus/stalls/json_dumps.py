"""A large answer is made into JSON."""

import asyncio
import json

CAUSES = {"c_call", "python"}

DATA = [{"id": i, "name": f"name {i}", "tags": ["a", "b"], "price": i / 7} for i in range(40_000)]


async def main():
    await asyncio.sleep(0.005)
    json.dumps(DATA)  # stalls
    await asyncio.sleep(0.005)
