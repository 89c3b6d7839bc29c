"""A queue that is not asyncio's."""

import asyncio
import queue
import threading

CAUSES = {"lock_wait"}

waiting = queue.Queue()


async def main():
    await asyncio.sleep(0.005)
    threading.Timer(0.06, waiting.put, (1,)).start()
    waiting.get()  # stalls
    await asyncio.sleep(0.005)
