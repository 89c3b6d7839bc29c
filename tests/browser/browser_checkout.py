"""A shop's checkout, which is held up in every way that there is. Its port is its output; it ends with its input."""

import asyncio
import gc
import logging
import socket
import sqlite3
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import fastapi
import uvicorn

log = logging.getLogger("shop.checkout")
CATALOGUE = [[] for _ in range(800_000)]
"""Objects that the garbage collector has to look at, each time."""
ONE_CASHIER = ThreadPoolExecutor(1, thread_name_prefix="cashier")

app = fastapi.FastAPI()


def add_up():
    """Blocks the loop."""
    until = time.perf_counter() + 0.06
    total = 0
    while time.perf_counter() < until:
        total += sum(range(500))
    return total


def ask_the_bank():
    """In a thread of its own."""
    time.sleep(0.05)


def orders():
    with sqlite3.connect(":memory:") as database:
        return database.execute("SELECT 42").fetchone()[0]


@app.get("/checkout")
async def checkout() -> int:
    """Each of them in a step of its own: the framework's work, too."""
    log.warning("a customer is in a hurry")
    await asyncio.sleep(0)
    add_up()
    await asyncio.sleep(0)
    gc.collect()
    loop = asyncio.get_running_loop()
    await asyncio.gather(*(loop.run_in_executor(ONE_CASHIER, ask_the_bank) for _ in range(2)))
    return orders()


def main():
    listening = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="error"))
    threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True, name="http").start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
