"""A worker task takes jobs from a queue, some requests later."""

import asyncio

jobs = asyncio.Queue()
workers = []


async def work():
    while True:
        await jobs.get()
        await asyncio.sleep(0)


async def handler(i):
    if not workers:
        workers.append(asyncio.get_running_loop().create_task(work()))
    await jobs.put({"job": i, "text": "t" * 200 + str(i)})
    await asyncio.sleep(0)
