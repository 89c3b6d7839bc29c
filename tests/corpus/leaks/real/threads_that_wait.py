"""A thread per request waits for what never comes."""

import threading

never = threading.Event()


def handler(i):
    data = "x" * 600 + str(i)  # leak: str
    threading.Thread(target=never.wait, args=(), name=data, daemon=True).start()  # leak: Thread
