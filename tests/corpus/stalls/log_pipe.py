"""A log that goes to a pipe which nobody reads."""

import asyncio
import logging
import os
import threading
import time

CAUSES = {"system_call"}

reading, writing = os.pipe()
os.set_blocking(writing, False)
try:
    while os.write(writing, b"x" * 4096):
        pass
except BlockingIOError:
    os.set_blocking(writing, True)
logger = logging.getLogger("full")
logger.propagate = False
logger.addHandler(logging.StreamHandler(os.fdopen(writing, "w")))


def read_late():
    time.sleep(0.3)
    while os.read(reading, 65536):
        pass


threading.Thread(target=read_late, daemon=True).start()


async def main():
    await asyncio.sleep(0.005)
    logger.warning("x" * 60_000)  # stalls
    await asyncio.sleep(0.005)
