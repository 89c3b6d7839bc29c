"""Threads that compute want the GIL as well."""

import asyncio
import threading
import time

CAUSES = {"gil_wait"}

over = threading.Event()


def hog():
    while not over.is_set():
        sum(range(5000))


for _ in range(3):
    threading.Thread(target=hog, daemon=True).start()


async def main():
    await asyncio.sleep(0.005)
    for _ in range(30):
        time.sleep(0.0001)  # noqa: ASYNC251 # stalls
    over.set()
    await asyncio.sleep(0.005)
