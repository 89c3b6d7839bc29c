"""A program is run to its end."""

import asyncio
import subprocess

CAUSES = {"system_call"}


async def main():
    await asyncio.sleep(0.005)
    subprocess.run(["sleep", "0.06"], check=True)  # noqa: ASYNC221 # stalls
    await asyncio.sleep(0.005)
