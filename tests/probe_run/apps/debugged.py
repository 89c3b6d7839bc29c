"""Works, and says so by spans; does what it is told by a letter on standard input."""

import os
import sys
import threading
import time

import sonde

if len(sys.argv) > 1:  # tools of the tests' own
    sys.path.insert(0, sys.argv[1])
    import little_tools

    from sonde.probe.tools import registry

    registry.TOOLS.update(little_tools.TOOLS)


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def spin():
    while True:
        with sonde.span("spin"):
            sum(range(20_000))
        time.sleep(0.002)


threading.Thread(target=spin, daemon=True).start()
say("up")
for word in sys.stdin:
    if word == "fork\n":
        child = os.fork()
        if child == 0:
            time.sleep(60)
        say(child)
    elif word == "stop\n":
        sonde.stop()
        say("stopped")
    elif word == "words\n":
        say(*little_tools.words())
    elif word == "end\n":
        break
