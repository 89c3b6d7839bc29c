"""A hundred greenlets at once, each with calls to redis and by HTTP below a span of its own: gevent_app.py PORT."""

# ruff: noqa: E402 - gevent comes before all others
from gevent import monkey

monkey.patch_all()

import os
import sys
import urllib.request

import gevent
import redis
from gevent.pywsgi import WSGIServer

import sonde

COUNT = 100


def application(_environ, start_response):
    gevent.sleep(0.002)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"answer"]


def greenlet(client: redis.Redis, port: int, number: int) -> None:
    with sonde.span(f"greenlet {number}"):
        for name in ("a", "b"):
            client.get(f"sonde-{os.getpid()}-{name}")
            gevent.sleep(0.001 * (number % 3))
            with sonde.span(f"inner {number}"), urllib.request.urlopen(f"http://127.0.0.1:{port}/{number}") as answer:
                answer.read()
            gevent.sleep(0)


if __name__ == "__main__":
    server = WSGIServer(("127.0.0.1", 0), application, log=None)
    server.start()
    with redis.Redis(port=int(sys.argv[1])) as shared:
        gevent.joinall(
            [gevent.spawn(greenlet, shared, server.server_port, at) for at in range(COUNT)], raise_error=True
        )
    server.stop()
