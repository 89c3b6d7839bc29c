"""A socket of one's own protocol is read."""

import asyncio
import socket
import threading

CAUSES = {"system_call"}

here, there = socket.socketpair()


async def main():
    await asyncio.sleep(0.005)
    threading.Timer(0.06, there.send, (b"x",)).start()
    here.recv(1)  # stalls
    await asyncio.sleep(0.005)
