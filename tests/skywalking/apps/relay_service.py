"""A service that hands a request on: `/relay` asks the next one's, the last one answers. It knows no tracing at all.

`python relay_service.py PORT [NEXT_PORT]`
"""

import sys

import requests
from flask import Flask

app = Flask(__name__)


@app.route("/relay")
def relay():
    if len(sys.argv) < 3:
        return "end"
    return requests.get(f"http://127.0.0.1:{sys.argv[2]}/relay", timeout=20).text


@app.route("/ready")
def ready():
    return "yes"


app.run(port=int(sys.argv[1]), threaded=True)
