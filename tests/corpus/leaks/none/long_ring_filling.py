"""The last five hundred requests; the run is shorter."""

import collections

last = collections.deque(maxlen=500)


def handler(i):
    last.append({"request": i, "body": "b" * 200 + str(i)})
