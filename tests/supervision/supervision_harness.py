"""A supervisor over small children, as a process of its own."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

WATCHED = Path(__file__).with_name("watched.py")
DEADLINE_S = 20


def eventually(condition, what):
    """Poll until `condition` gives something true; that."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError(f"not within {DEADLINE_S} s: {what}")


def is_alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


class Supervised:
    """`children`: name → code that the child runs. It says its pid into the file `<name>.pids` at each start."""

    def __init__(self, folder, children, stop_within_s=5.0):
        self.folder = folder
        self.children = children
        plan = {"children": children, "folder": str(folder), "stop_within_s": stop_within_s}
        self.process = subprocess.Popen(
            [sys.executable, str(WATCHED), json.dumps(plan)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def starts(self, name):
        file = self.folder / f"{name}.pids"
        return [int(line) for line in file.read_text().split()] if file.exists() else []

    def alive(self):
        return [pid for name in self.children for pid in self.starts(name) if is_alive(pid)]

    def wait_for(self, name, starts=1):
        """The pid of the newest of at least `starts` starts, when it is ready."""
        eventually(lambda: len(self.starts(name)) >= starts, f"{starts} starts of {name}")
        return self.starts(name)[-1]

    def end(self, number=signal.SIGTERM):
        """Exit code and standard error."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, errors
