"""A long list is sorted by a function of Python's."""

import asyncio
import random

CAUSES = {"c_call", "python"}

DATA = [(random.random(), i) for i in range(60_000)]


async def main():
    await asyncio.sleep(0.005)
    sorted(DATA, key=lambda row: (row[1] % 97, -row[0], str(row[1])))  # stalls
    await asyncio.sleep(0.005)
