"""`python manual_process.py SOCKET`: does what each line of its input says, and answers with a line of JSON.

`profile NAME`: a block of 0.2 s under `cpu`. `silent NAME`: the same, and nothing is recorded. `loop COUNT`: so many
empty blocks. `kept`: how many results were kept back.
"""

import json
import sys
import time

import sonde
from sonde.probe.tools.host import host

sonde.start(socket=sys.argv[1], service="shop")


def spin(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(1000))


def profile(name):
    with sonde.span("known to the agent"):
        pass
    return silent(name)


def silent(name):
    with sonde.profile(name, hz=200) as run:
        spin(0.2)
    return [run.wait(), run.failure, run.document]


def loop(count):
    with sonde.span("known to the agent"):
        pass
    began = time.monotonic()
    made = 0
    for number in range(int(count)):
        with sonde.profile(f"number {number}") as run:
            pass
        made += run.wait()
    return [made, time.monotonic() - began]


def kept(_):
    return host.turnstile.kept_back


sys.stdout.write("ready\n")
sys.stdout.flush()
for line in sys.stdin:
    word, _, rest = line.strip().partition(" ")
    sys.stdout.write(json.dumps(globals()[word](rest)) + "\n")
    sys.stdout.flush()
