"""A file that opens when somebody writes."""

import asyncio
import os
import tempfile
import threading

CAUSES = {"system_call"}

path = tempfile.mkdtemp() + "/fifo"
os.mkfifo(path)
threading.Timer(0.3, lambda: os.close(os.open(path, os.O_WRONLY))).start()


async def main():
    await asyncio.sleep(0.005)
    os.close(os.open(path, os.O_RDONLY))  # stalls
    await asyncio.sleep(0.005)
