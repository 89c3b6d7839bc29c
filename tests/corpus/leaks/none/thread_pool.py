"""A pool that starts threads until it has four."""

from concurrent.futures import ThreadPoolExecutor

pool = ThreadPoolExecutor(4)


def handler(i):
    return sum(pool.map(len, [[i], [i, i], "abc"]))
