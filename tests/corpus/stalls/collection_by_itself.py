"""The collector thinks that it is time."""

import asyncio
import gc

CAUSES = {"gc"}

gc.disable()
KEPT = [[] for _ in range(1_000_000)]
gc.set_threshold(2000, 1, 1)


def keep(count):
    """More objects, which is what starts a collection."""
    gc.enable()
    KEPT.extend([[] for _ in range(count)])  # stalls
    gc.disable()


async def main():
    await asyncio.sleep(0.005)
    keep(8000)  # stalls
    await asyncio.sleep(0.005)
