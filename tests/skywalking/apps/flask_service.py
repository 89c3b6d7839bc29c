"""A service under SkyWalking's agent: `/front` asks the other one, `/leaf` answers, `/slow` works for a while.

`sw-python run -p python flask_service.py PORT OTHER_PORT`
"""

import logging
import sys
import time

import requests
from flask import Flask

app = Flask(__name__)
log = logging.getLogger("shop")
other = sys.argv[2] if len(sys.argv) > 2 else ""


@app.route("/front")
def front():
    log.warning("front is asked")
    return requests.get(f"http://127.0.0.1:{other}/leaf", timeout=10).text


@app.route("/leaf")
def leaf():
    log.error("leaf has something to say")
    return "leaf"


@app.route("/boom")
def boom():
    raise ValueError("it went wrong")


def price(until):
    total = 0
    while time.monotonic() < until:
        total += sum(range(1000))
    return total


@app.route("/slow")
def slow():
    return str(price(time.monotonic() + 1.5) > 0)


@app.route("/ready")
def ready():
    return "yes"


app.run(port=int(sys.argv[1]), threaded=True)
