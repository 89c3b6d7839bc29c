"""Arithmetic with very long numbers."""

import asyncio

CAUSES = {"c_call"}

NUMBER = 3**700_000


async def main():
    await asyncio.sleep(0.005)
    NUMBER * NUMBER % 1_000_003  # stalls
    await asyncio.sleep(0.005)
