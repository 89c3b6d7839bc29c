"""The same with asyncio: what tasks do inside a span is below it."""

import asyncio
from collections.abc import AsyncIterator

import sonde


@sonde.traced("look up")
async def look_up(item: str) -> int:
    await asyncio.sleep(0.01)
    sonde.tag("item", item)
    return len(item)


@sonde.traced("pages")
async def pages(count: int) -> AsyncIterator[int]:
    for page in range(count):
        await asyncio.sleep(0)
        yield page


async def main() -> None:
    async with sonde.span("order"):
        prices = await asyncio.gather(look_up("tea"), look_up("cup"))
        sonde.event("priced", total=sum(prices))
        async for _ in pages(2):
            pass


asyncio.run(main())
