"""A coroutine that sleeps without giving way."""

import asyncio
import time

CAUSES = {"system_call"}


async def main():
    await asyncio.sleep(0.005)
    time.sleep(0.06)  # noqa: ASYNC251 # stalls
    await asyncio.sleep(0.005)
