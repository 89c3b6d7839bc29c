"""An lru_cache with room for a thousand, which the run does not fill."""

import functools


@functools.lru_cache(maxsize=1000)
def page(i):
    return "page" * 100 + str(i)


def handler(i):
    return page(i)
