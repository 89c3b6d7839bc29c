"""One of two iterators of itertools.tee is never read."""

import itertools

numbers, lagging = itertools.tee(itertools.count(10**6))


def handler(i):
    return [next(numbers) for _ in range(50)]  # leak: int itertools._tee_dataobject
