"""A large document is read."""

import asyncio
import json

CAUSES = {"c_call"}

TEXT = json.dumps([{"id": i, "name": f"name {i}", "tags": ["a", "b"], "price": i / 7} for i in range(60_000)])


async def main():
    await asyncio.sleep(0.005)
    json.loads(TEXT)  # stalls
    await asyncio.sleep(0.005)
