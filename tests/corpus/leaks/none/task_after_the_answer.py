"""A task that goes on for a moment after its request."""

import asyncio

running = set()


async def send_mail(i):
    body = ["line"] * 50
    await asyncio.sleep(0.002)
    return len(body) + i


async def handler(i):
    task = asyncio.get_running_loop().create_task(send_mail(i))
    running.add(task)
    task.add_done_callback(running.discard)
    await asyncio.sleep(0)
