"""A regular expression that tries everything."""

import asyncio
import re

CAUSES = {"c_call"}

PATTERN = re.compile(r"(a+)+$")


async def main():
    await asyncio.sleep(0.005)
    PATTERN.match("a" * 22 + "b")  # stalls
    await asyncio.sleep(0.005)
