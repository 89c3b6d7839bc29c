"""A task per request waits for an event that never comes."""

import asyncio

waiting = set()
done = None


async def watch(payload):  # leak: coroutine
    await done.wait()  # part of it
    return payload


async def handler(i):
    global done
    done = done or asyncio.Event()
    payload = ["item"] * 100  # leak: list
    task = asyncio.get_running_loop().create_task(watch(payload))  # leak: _asyncio.Task
    waiting.add(task)
