"""A generator is read to its end by C."""

import asyncio

CAUSES = {"python"}


async def main():
    await asyncio.sleep(0.005)
    sum(number * 3 % 7 for number in range(700_000))  # stalls
    await asyncio.sleep(0.005)
