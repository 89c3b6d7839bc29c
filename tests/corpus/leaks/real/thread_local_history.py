"""A list in a thread local grows as long as the thread lives."""

import threading

local = threading.local()


def handler(i):
    if not hasattr(local, "history"):
        local.history = []  # part of it
    local.history.append(("seen", str(i) * 20))  # leak: tuple str
