"""Names are looked up without asyncio's resolver."""

import asyncio
import contextlib
import socket
import time

CAUSES = {"c_call_without_gil", "system_call"}


def look_up():
    with contextlib.suppress(OSError):
        socket.getaddrinfo("nobody.invalid", 80)  # stalls


async def main():
    await asyncio.sleep(0.005)
    until = time.monotonic() + 0.08
    while time.monotonic() < until:
        look_up()
    await asyncio.sleep(0.005)
