"""A small service at work, for tools to look into. Its port is its output; it ends with its input."""

import asyncio
import json
import sys
import threading
import time
from wsgiref.simple_server import WSGIRequestHandler, make_server

KEPT = []
"""What nobody gives back: the leak."""


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        """Nobody reads it."""


def discount(total, step):
    return total * step % 97


def price(rounds):
    total = 1
    for step in range(1, rounds):
        total += discount(total, step)
    return total


def application(environ, start_response):
    KEPT.append(bytearray(int(environ["QUERY_STRING"] or 20_000)))
    body = json.dumps({"price": price(20_000)}).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


async def wait_for_stock(seconds):
    await asyncio.sleep(seconds)


def count_shelves():
    time.sleep(0.05)


async def restock():
    while True:
        count_shelves()
        await asyncio.gather(asyncio.create_task(wait_for_stock(0.2), name="shelf"), wait_for_stock(0.1))


def main():
    threading.Thread(target=lambda: asyncio.run(restock()), daemon=True, name="restock").start()
    server = make_server("127.0.0.1", 0, application, handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True, name="http").start()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
