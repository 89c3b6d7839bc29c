"""A function of C that keeps the GIL."""

import asyncio

CAUSES = {"c_call"}

NUMBERS = range(3_000_000)


async def main():
    await asyncio.sleep(0.005)
    sum(NUMBERS)  # stalls
    await asyncio.sleep(0.005)
