"""Jobs are put into a queue whose worker has died."""

import asyncio

jobs = asyncio.Queue()


async def handler(i):
    await jobs.put({"job": i, "text": "t" * 200 + str(i)})  # leak: dict str
