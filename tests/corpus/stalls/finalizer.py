"""An object that works while it dies."""

import asyncio

CAUSES = {"python"}


class Connection:
    """Says good-bye at length."""

    def __del__(self):
        total = 0
        for number in range(600_000):  # stalls
            total += number * number  # stalls


async def main():
    await asyncio.sleep(0.005)
    connection = Connection()
    del connection
    await asyncio.sleep(0.005)
