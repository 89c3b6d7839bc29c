"""The last ten requests."""

import collections

last = collections.deque(maxlen=10)


def handler(i):
    last.append({"request": i, "body": "b" * 200 + str(i)})
