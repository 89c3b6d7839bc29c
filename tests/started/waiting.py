"""For what comes true in a while, on a machine that may have other things to do."""

import time


def eventually(condition, what, deadline_s=150, pause_s=0.02):
    """Poll until `condition` gives something true; that."""
    deadline = time.monotonic() + deadline_s
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(pause_s)
    raise AssertionError(f"not within {deadline_s} s: {what}")
