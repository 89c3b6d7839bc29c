"""Python code that computes."""

import asyncio

CAUSES = {"python"}


async def main():
    await asyncio.sleep(0.005)
    total = 0
    for number in range(700_000):  # stalls
        total += number * number % 7  # stalls
    await asyncio.sleep(0.005)
