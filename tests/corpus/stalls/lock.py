"""A lock that another thread has."""

import asyncio
import threading

CAUSES = {"lock_wait"}

lock = threading.Lock()
lock.acquire()
threading.Timer(0.4, lock.release).start()


async def main():
    await asyncio.sleep(0.005)
    lock.acquire(timeout=1)  # stalls
    await asyncio.sleep(0.005)
