"""A regular expression calls Python for each match."""

import asyncio
import re

CAUSES = {"python"}

PATTERN = re.compile(r"\d+")
TEXT = " ".join(map(str, range(120_000)))


async def main():
    await asyncio.sleep(0.005)
    PATTERN.sub(lambda found: str(int(found[0]) * 2), TEXT)  # stalls
    await asyncio.sleep(0.005)
