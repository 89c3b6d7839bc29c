"""A thread is waited for."""

import asyncio
import threading
import time

CAUSES = {"lock_wait"}


async def main():
    await asyncio.sleep(0.005)
    thread = threading.Thread(target=time.sleep, args=(0.06,))
    thread.start()
    thread.join()  # stalls
    await asyncio.sleep(0.005)
